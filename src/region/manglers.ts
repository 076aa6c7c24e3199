/** Key manglers ready to use. */
import { createHash } from 'node:crypto';
import { OptionError } from '../errors.ts';
import type { KeyMangler } from './types.ts';

/**
 * Makes 40 hexadecimal characters of any key: SHA-1 of its UTF-8. Lone surrogates are one character in UTF-8, so keys that
 * differ only in them become one.
 * Source: dogpile.cache `sha1_mangle_key`.
 */
export function sha1Mangler(key: string): string {
  return createHash('sha1').update(key, 'utf8').digest('hex');
}

/**
 * Applies `mangler` to keys of `length` characters (UTF-16 code units) or more, and leaves shorter ones as they are.
 * What the mangler makes should be unlike any key that is left alone.
 * Source: dogpile.cache `length_conditional_mangler`.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: `length` is no integer of 0 or more, or `mangler` no function.
 */
export function lengthConditionalMangler(length: number, mangler: KeyMangler): KeyMangler {
  if (!Number.isInteger(length) || length < 0) {
    throw new OptionError('length', length, 'must be an integer, 0 or more');
  }
  if (typeof mangler !== 'function') throw new OptionError('mangler', mangler, 'must be a function');
  return (key) => (key.length >= length ? mangler(key) : key);
}
