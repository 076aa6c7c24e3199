/** Random graphs come back the same. The seed is printed, and `SEED=123` gives it again. */
import { isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCodec, freezePlain, isShareable, ValueType } from '../../src/codec/index.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`# seed ${seed}`);

let state = seed | 0;
function random(below: number): number {
  state = (state + 0x9e3779b9) | 0;
  let t = state ^ (state >>> 16);
  t = Math.imul(t, 0x21f0aaad);
  t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
  return ((t ^ (t >>> 15)) >>> 0) % below;
}

function text(): string {
  const ranges = [0x80, 0x100, 0x10000];
  const range = ranges[random(3)];
  const length = random(8) === 0 ? random(400) : random(20);
  return Array.from({ length }, () => String.fromCharCode(random(range))).join('');
}

const names = [
  'id',
  'name',
  'email',
  'tags',
  '__proto__',
  'constructor',
  'length',
  '0',
  '12',
  '',
  'a b',
  'toJSON',
];

function name(): string {
  return random(5) === 0 ? text() : names[random(names.length)];
}

function primitive(json: boolean): unknown {
  const choice = random(json ? 6 : 10);
  if (choice === 0) return random(300);
  if (choice === 1) return -1 - random(2 ** 31);
  if (choice === 2) return (random(2 ** 31) + 1) / (1 + random(1000));
  if (choice === 3) return text();
  if (choice === 4) return random(2) === 0;
  if (choice === 5) return null;
  if (choice === 6) return undefined;
  if (choice === 7) return [-0, Number.NaN, 1 / 0, -1 / 0, 2 ** 40, 5e-324][random(6)];
  return (BigInt(random(2 ** 31)) - 2n ** 30n) ** BigInt(1 + random(9));
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/** A graph of about `size` nodes; without `met`, a tree that JSON holds. */
function graph(size: number, met: object[] | undefined): unknown {
  const json = met === undefined;
  if (size <= 1) {
    if (met !== undefined && met.length !== 0 && random(6) === 0) return met[random(met.length)];
    return json || random(5) !== 0 ? primitive(json) : leaf(met);
  }
  const parts = 1 + random(6);
  const next = () => graph(Math.floor((size - 1) / parts), met);
  const note = <T extends object>(value: T): T => {
    met?.push(value);
    return value;
  };
  const choice = random(json ? 2 : 6);
  if (choice === 1) {
    const result = note([] as unknown[]);
    for (let i = 0; i < parts; i++) {
      if (!json && random(12) === 0) result.length++;
      else result.push(next());
    }
    return result;
  }
  if (choice === 2) {
    const result = note(new Map());
    for (let i = 0; i < parts; i++) result.set(next(), next());
    return result;
  }
  if (choice === 3) {
    const result = note(new Set());
    for (let i = 0; i < parts; i++) result.add(next());
    return result;
  }
  if (choice === 4) {
    const result = note(new [Error, TypeError, RangeError][random(3)](text()));
    if (random(2) === 0)
      Object.defineProperty(result, 'cause', { value: next(), configurable: true, writable: true });
    return result;
  }
  const result = note(choice === 5 ? Object.create(null) : {}) as object;
  for (let i = 0; i < parts; i++) define(result, name(), next());
  return result;
}

function leaf(met: object[]): object {
  const memory = new Uint8Array(8 + random(64)).map(() => random(256)).buffer;
  const kinds = [
    () => new Date(random(2) === 0 ? Number.NaN : random(2 ** 31) * 1000),
    () => /a+\u0100/giu,
    () => Buffer.from(text()),
    () => memory,
    () => new Uint16Array(memory, 2 * random(3), random(2)),
    () => new DataView(memory, random(8)),
    () => new BigInt64Array(memory.slice(0, 8)),
  ];
  const result = kinds[random(kinds.length)]();
  met.push(result);
  return result;
}

/** One line for each node in the order of a walk, with numbers for objects met again: equal lists, equal graphs. */
function describe(root: unknown): string[] {
  const lines: string[] = [];
  const numbers = new Map<object, number>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      lines.push(
        `${typeof value} ${Object.is(value, -0) ? '-0' : JSON.stringify(typeof value === 'bigint' ? `${value}` : value)} ${String(value)}`,
      );
      return;
    }
    const known = numbers.get(value);
    if (known !== undefined) {
      lines.push(`again ${known}`);
      return;
    }
    numbers.set(value, numbers.size);
    const prototype = Object.getPrototypeOf(value);
    lines.push(`${prototype === null ? 'null' : prototype.constructor.name}`);
    if (value instanceof Map) for (const pair of value) pair.forEach(walk);
    else if (value instanceof Set) value.forEach(walk);
    else if (value instanceof Date) lines.push(String(value.getTime()));
    else if (value instanceof RegExp) lines.push(`${value} ${value.lastIndex}`);
    else if (Buffer.isBuffer(value)) lines.push(value.toString('hex'));
    else if (ArrayBuffer.isView(value)) {
      lines.push(`${value.byteOffset} ${value.byteLength}`);
      walk(value.buffer);
    } else if (value instanceof ArrayBuffer) lines.push(Buffer.from(value).toString('hex'));
    else {
      for (const key of Object.getOwnPropertyNames(value)) {
        const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
        lines.push(`${JSON.stringify(key)} ${descriptor.enumerable}`);
        walk('value' in descriptor ? descriptor.value : (value as Record<string, unknown>)[key]);
      }
    }
  };
  walk(root);
  return lines;
}

test('structured', () => {
  const codec = createCodec('structured');
  for (let round = 0; round < 3000; round++) {
    const value = [graph(1 + random(round % 50 === 0 ? 2000 : 60), [])];
    const bytes = Buffer.from(codec.encode(value).bytes);
    const result = codec.decodeBytes(ValueType.structured, bytes, 0, bytes.length);
    bytes.fill(0xee);
    const before = describe(value);
    const after = describe(result);
    assert.ok(isDeepStrictEqual(after, before), `round ${round} of seed ${seed}`);
    // A shareable graph freezes, any other stays as it is.
    assert.is(isShareable(result), freezePlain(result));
  }
});

test('json', () => {
  const codec = createCodec('json');
  for (let round = 0; round < 2000; round++) {
    const value = [graph(1 + random(80), undefined)];
    const encoded = codec.encode(value);
    const result = codec.decodeText(encoded.type, encoded.text);
    assert.ok(isDeepStrictEqual(describe(result), describe(value)), `round ${round} of seed ${seed}`);
  }
});

test.run();
