/**
 * Values that tell on themselves: each carries its key, writer, version, length and a checksum from which every other
 * byte follows, so a value that is torn, stale or another key's cannot pass for the right one.
 *
 * Three kinds, so that every way in and out of the engine is used: byte arrays, strings (Latin-1 and wide) and objects.
 */

const HEAD = 20; // bytes: key, writer, version, length, checksum
const SCRATCH = 320 * 1024;
const words = new Uint32Array(SCRATCH / 4);
const bytes = new Uint8Array(words.buffer);

/** What a value says of itself. `writer` is -1 where the value is too small to say more than its key and length. */
export interface Told {
  writer: number;
  version: number;
}

interface ObjectValue {
  key: number;
  writer: number;
  version: number;
  length: number;
  checksum: number;
  rows: { n: number; text: string }[];
}

export type Value = Uint8Array | string | ObjectValue | number;

function mix(key: number, writer: number, version: number, length: number): number {
  let h = Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(writer + 7, 0x85ebca6b) ^ Math.imul(version, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ length, 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Writes the value's bytes to the scratch area. */
function fill(key: number, writer: number, version: number, length: number, checksum: number): void {
  words[0] = key;
  words[1] = writer;
  words[2] = version;
  words[3] = length;
  words[4] = checksum;
  const end = (length + 3) >> 2;
  for (let i = 5; i < end; i++) words[i] = Math.imul(i, 0x9e3779b1) ^ checksum;
}

function textOf(key: number, writer: number, version: number, length: number): string {
  const checksum = mix(key, writer, version, length);
  const head = `${key}:${writer}:${version}:${length}:${checksum}:`;
  // one in four is wide
  const unit = checksum & 3 ? 0xa1 + (checksum % 90) : 0x400 + (checksum % 4000);
  return head + String.fromCharCode(unit).repeat(Math.max(0, length - head.length));
}

function objectOf(key: number, writer: number, version: number, length: number): ObjectValue {
  const checksum = mix(key, writer, version, length);
  const rows = Array.from({ length: Math.min(200, length >> 5) }, (_, n) => ({
    n: n ^ checksum,
    text: `row ${n}`,
  }));
  return { key, writer, version, length, checksum, rows };
}

/**
 * A value of about `length` bytes. A byte array is a window on scratch memory, good until the next call: the cache copies
 * it. Below 20 bytes it says its key and length only.
 */
export function makeValue(key: number, writer: number, version: number, length: number): Value {
  if (length < HEAD) {
    const checksum = mix(key, -1, 0, length);
    for (let i = 0; i < length; i++) bytes[i] = (checksum >>> ((i & 3) * 8)) + i;
    return bytes.subarray(0, length);
  }
  const kind = version % 8;
  if (kind === 3 && length < 40_000) return textOf(key, writer, version, length);
  if (kind === 6 && length < 8_000) return objectOf(key, writer, version, length);
  fill(key, writer, version, length, mix(key, writer, version, length));
  return bytes.subarray(0, length);
}

/** Reads what a value says of itself. @throws {Error} if it is not whole, or not one of `key`. */
export function readValue(key: number, value: Value): Told {
  if (value instanceof Uint8Array) return readBytes(key, value);
  if (typeof value === 'string') {
    const [k, writer, version, length] = value.slice(0, 64).split(':').map(Number) as [
      number,
      number,
      number,
      number,
    ];
    if (k !== key || value !== textOf(key, writer, version, length))
      throw violation(key, `a string ${value.slice(0, 60)}`);
    return { writer, version };
  }
  if (typeof value === 'object' && value !== null) {
    const { writer, version, length } = value;
    const right = objectOf(key, writer, version, length);
    const rows = value.rows ?? [];
    const same =
      rows.length === right.rows.length &&
      rows.every((row, i) => row.n === right.rows[i]!.n && row.text === right.rows[i]!.text);
    if (value.key !== key || value.checksum !== right.checksum || !same)
      throw violation(key, `an object ${JSON.stringify(value).slice(0, 99)}`);
    return { writer, version };
  }
  throw violation(key, `a ${typeof value}: ${String(value)}`);
}

function readBytes(key: number, value: Uint8Array): Told {
  const length = value.length;
  if (length < HEAD) {
    const checksum = mix(key, -1, 0, length);
    for (let i = 0; i < length; i++) {
      if (value[i] !== (((checksum >>> ((i & 3) * 8)) + i) & 255))
        throw violation(key, `byte ${i} of ${length}`);
    }
    return { writer: -1, version: 0 };
  }
  bytes.set(value);
  const [k, writer, version, told, checksum] = words as unknown as [number, number, number, number, number];
  if (k !== key || told !== length || checksum !== mix(key, writer, version, length)) {
    throw violation(key, `head ${k} ${writer} ${version} ${told} ${checksum} of ${length} bytes`);
  }
  const end = length >> 2;
  for (let i = 5; i < end; i++) {
    if (words[i] !== (Math.imul(i, 0x9e3779b1) ^ checksum) >>> 0)
      throw violation(key, `word ${i} of ${length} bytes, version ${writer}/${version}`);
  }
  for (let i = end * 4; i < length; i++) {
    if (bytes[i] !== (((Math.imul(end, 0x9e3779b1) ^ checksum) >>> ((i & 3) * 8)) & 255))
      throw violation(key, `byte ${i} of ${length}`);
  }
  return { writer, version };
}

/** A wrong value. Not an error of the cache's own: those are `CairnError`. */
export class Violation extends Error {
  override name = 'Violation';
}

export function violation(key: number | string, what: string): Violation {
  return new Violation(`key ${key}: ${what}`);
}
