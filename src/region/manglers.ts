/** Key manglers ready to use. */
import { createHash } from 'node:crypto';

/**
 * Makes 40 hexadecimal characters of any key: SHA-1 of its UTF-8. Lone surrogates are one character in UTF-8, so keys that
 * differ only in them become one.
 * Source: dogpile.cache `sha1_mangle_key`.
 */
export function sha1Mangler(key: string): string {
  return createHash('sha1').update(key, 'utf8').digest('hex');
}
