/**
 * Keys written to a thread's staging area by JavaScript: for calls that take a length, and for all where the runtime has no
 * builtins for strings (`store_find` writes the key by itself, assembly/text.ts). One byte a character where all fit, else
 * UTF-16.
 */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';
import { KeyError } from '../errors.ts';

/**
 * From this many characters on Node's own writer is faster than a loop, which costs 1.3 to 1.7 ns a character (Node 20 to 26;
 * docs/performance.md): the writer costs 30 ns on Node 24 and 26, 60 ns on 20 and 22.
 */
export const LONG_TEXT = Number(process.versions.node.split('.')[0]) >= 24 ? 24 : 40;

/** Below this many characters an export that reads the string is faster than writing it here and calling. */
export const SHORT_TEXT = 40;

/** Writes a key; bytes << 1 | UTF-16. @throws {KeyError} */
export function stageKey(engine: Engine, key: string): number {
  if (typeof key !== 'string') throw notString(key);
  const { length } = key;
  if (length > L.KEY_MAX) throw tooLong(key);
  if (length >= LONG_TEXT && writeAscii(engine, engine.stage, key)) return length << 1;
  if (stageLatin1(engine.u32, engine.stage >>> 2, key)) return length << 1;
  if (length * 2 > L.KEY_MAX) throw tooLong(key);
  engine.buffer.ucs2Write(key, engine.stage, L.KEY_MAX);
  return (length << 2) | 1;
}

/**
 * Writes a text of at least four characters if all are ASCII, since then it has as many bytes as characters as UTF-8. There is
 * room for four bytes more, the longest character there is: a text that was cut off for want of room is longer than it has
 * characters too.
 */
export function writeAscii(engine: Engine, at: number, text: string): boolean {
  return engine.buffer.utf8Write(text, at, text.length + 4) === text.length;
}

/** A byte a character, four to a word, the last word filled up with zeros. False: one does not fit. */
function stageLatin1(u32: Uint32Array, at: number, text: string): boolean {
  const { length } = text;
  const whole = length & ~3;
  let bits = 0;
  let i = 0;
  for (; i < whole; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    bits |= a | b | c | d;
    u32[at++] = a | (b << 8) | (c << 16) | (d << 24);
  }
  if (i < length) {
    let word = 0;
    for (let shift = 0; i < length; shift += 8) {
      const code = text.charCodeAt(i++);
      bits |= code;
      word |= code << shift;
    }
    u32[at] = word;
  }
  return bits < 256;
}

export function notString(key: unknown): KeyError {
  return new KeyError(key, 'expected a string');
}

export function tooLong(key: string): KeyError {
  return new KeyError(
    key,
    `longer than ${L.KEY_MAX} bytes encoded; \`sha1Mangler\` makes short keys of long ones`,
  );
}
