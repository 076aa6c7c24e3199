/** Values for tests of sharing: every type that a codec stores, at the sizes where its path through the engine changes. */
import { isDeepStrictEqual } from 'node:util';
import * as L from '../../assembly/layout.ts';
import type { CodecOption } from '../../src/codec/types.ts';

/** The codecs that are tested, by the name that their caches have. */
export const CODECS: Record<string, CodecOption> = {
  structured: 'structured',
  json: 'json',
  bytes: 'bytes',
  'to-bytes': {
    name: 'to-bytes',
    encode: (value) => Buffer.from(JSON.stringify(value), 'utf8'),
    decode: (data: Uint8Array) => JSON.parse(Buffer.from(data).toString('utf8')),
  },
  'to-text': {
    name: 'to-text',
    encode: (value) => JSON.stringify(value),
    decode: (data: string) => JSON.parse(data),
  },
};

export interface Sample {
  name: string;
  key: string;
  value: unknown;
}

/** Equal in value, kind and prototype; errors in their stack and cause too. */
export function same(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date && Number.isNaN(a.getTime())) return Number.isNaN(b.getTime());
  if (!isDeepStrictEqual(a, b)) return false;
  if (a instanceof Error) {
    const other = b as Error;
    return (
      a.stack === other.stack &&
      a.name === other.name &&
      'cause' in a === 'cause' in other &&
      same(a.cause, other.cause)
    );
  }
  if (a instanceof RegExp) return a.lastIndex === (b as RegExp).lastIndex;
  return true;
}

const WIDE_KEY = '\u2192\ud83d';
const KEYS = ['k', '', 'k'.repeat(960), 'caf\u00e9', WIDE_KEY, '\u2192'.repeat(480)];

export function keyBytes(key: string): number {
  return [...key].some((character) => character > '\u00ff') ? key.length * 2 : key.length;
}

/** Value lengths for a key: nothing, one byte, and where chunks, pieces, pages and `maxValueBytes` end. */
function lengths(key: string, maxValueBytes: number): number[] {
  const head = L.E_SIZE + keyBytes(key);
  const totals = [
    L.SMALL_MAX,
    L.WHOLE_PAYLOAD,
    L.PIECE_PAYLOAD * 2,
    L.WHOLE_PAYLOAD + L.PIECE_PAYLOAD,
    2 * L.WHOLE_PAYLOAD,
    L.PAGE_SIZE,
    5 * L.WHOLE_PAYLOAD + 3 * L.PIECE_PAYLOAD,
    65536,
  ].flatMap((total) => [total - 1, total, total + 1]);
  const largest = maxValueBytes - keyBytes(key);
  return [0, 1, 2, 7, 8, 9, ...totals.map((total) => total - head), 1024, 4096, largest - 1, largest].filter(
    (length) => length >= 0,
  );
}

/** Bytes that differ from each other at every place where pieces could be swapped. */
export function pattern(length: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + salt) & 255;
  return bytes;
}

function latin1(length: number, salt: number): string {
  return Buffer.from(pattern(length, salt)).toString('latin1');
}

/** Text that needs UTF-16, lone surrogates included. */
function wide(length: number, salt: number): string {
  const text = Buffer.from(pattern(length * 2, salt)).toString('utf16le');
  return length ? `${text.slice(1)}\ud800` : '';
}

function natives(): [string, unknown][] {
  const numbers = [0, -0, 1, -1.5, 2 ** 53, 5e-324, -1 / 0, 1 / 0, Number.NaN];
  return [
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['false', false],
    ...numbers.map((n): [string, unknown] => [`number ${n}`, n]),
    ...[0n, 1n, -1n, 255n, 2n ** 64n, -(2n ** 5000n)].map((n, i): [string, unknown] => [`bigint ${i}`, n]),
    ['surrogates', '\ud800 \udc00\ud800'],
    ['a window on a larger buffer', pattern(5000, 1).subarray(100, 2000)],
  ];
}

function jsonValues(): [string, unknown][] {
  const users = Array.from({ length: 300 }, (_, i) => ({
    id: i,
    name: `user ${i}`,
    tags: ['a', '\u2192'],
    nested: { ok: i % 2 === 0, none: null },
  }));
  return [
    ['empty object', {}],
    ['empty array', []],
    ['small object', { a: 1, b: 'two', c: [true, null, 1.5], '': {} }],
    ['wide object', { arrow: '\u2192\ud83d\ude00', lone: '\ud800' }],
    ['large object', { users }],
    ['large wide array', users.map((user) => `${user.name} \u2192`)],
    ...Array.from({ length: 70 }, (_, i): [string, unknown] => [
      `object around the small limit ${i}`,
      { pad: 'x'.repeat(905 + i) },
    ]),
    ...Array.from({ length: 12 }, (_, i): [string, unknown] => [
      `object around a page ${i}`,
      { pad: '\u00e9'.repeat(4010 + 6 * i) },
    ]),
  ];
}

/** With a stack that is the same in every thread. */
function fixed<E extends Error>(error: E): E {
  error.stack = `${error.name}: ${error.message}\n    at a fixed place`;
  return error;
}

function structuredValues(): [string, unknown][] {
  const cycle: { self?: unknown; list: unknown[] } = { list: [] };
  cycle.self = cycle;
  cycle.list.push(cycle, cycle.list);
  const shared = { deep: new Map([['x', new Set([1])]]) };
  const buffer = pattern(64, 9).buffer as ArrayBuffer;
  const regexp = /a(?<b>c)/giu;
  regexp.lastIndex = 3;
  const sparse = Object.assign(new Array(5), { 1: 'one', 4: undefined });
  const errors = [Error, TypeError, RangeError, SyntaxError, EvalError, ReferenceError, URIError].map((E) =>
    fixed(new E(`an ${E.name}`)),
  );
  return [
    ['null prototype', Object.assign(Object.create(null), { a: 1 })],
    [
      'Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Map()],
        [Number.NaN, undefined],
      ]),
    ],
    ['Set', new Set<unknown>([1, 'a', { s: 1 }, -1n])],
    ['Date', new Date(1_700_000_000_123)],
    ['invalid Date', new Date(Number.NaN)],
    ['RegExp', regexp],
    ...errors.map((error): [string, unknown] => [error.constructor.name, error]),
    [
      'error with a cause',
      fixed(new Error('outer', { cause: fixed(new TypeError('inner', { cause: { code: 1 } })) })),
    ],
    ['AggregateError', fixed(new AggregateError([fixed(new Error('one')), 'two'], 'many'))],
    ['bigints within', { big: 2n ** 100n, small: -1n }],
    ['ArrayBuffer', buffer],
    [
      'typed arrays',
      [
        Int8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
        Float32Array,
        Float64Array,
      ].map((A) => new A([1, 2, 3])),
    ],
    ['big typed arrays', [new BigInt64Array([-1n, 2n]), new BigUint64Array([3n])]],
    ['a large typed array', new Float64Array(20_000).map((_, i) => i / 7)],
    [
      'views of one buffer',
      {
        whole: new Uint8Array(buffer),
        part: new Uint16Array(buffer, 8, 4),
        view: new DataView(buffer, 4, 9),
      },
    ],
    ['Buffer within', { b: Buffer.from('buffer') }],
    ['sparse array', sparse],
    ['cycle', cycle],
    ['shared references', [shared, shared, { shared }]],
    ['odd members', { u: undefined, z: -0, n: Number.NaN, i: 1 / 0 }],
    [
      'large mixture',
      new Map(
        Array.from({ length: 500 }, (_, i) => [`k${i}`, { at: new Date(i), bytes: pattern(i % 60, i) }]),
      ),
    ],
    ['dates around the small limit', Array.from({ length: 90 }, (_, i) => new Date(i))],
  ];
}

/** Every value that `codec` is tested with, with the key that it stands under. */
export function samples(codec: string, maxValueBytes: number): Sample[] {
  const found: Sample[] = [];
  for (const [i, [name, value]] of natives().entries())
    found.push({ name, key: KEYS[i % KEYS.length]!, value });
  for (const key of ['k', 'k'.repeat(960), WIDE_KEY]) {
    for (const [salt, length] of lengths(key, maxValueBytes).entries()) {
      found.push({ name: `${length} bytes`, key, value: pattern(length, salt) });
      found.push({ name: `Buffer of ${length}`, key, value: Buffer.from(pattern(length, salt + 1)) });
      found.push({ name: `${length} Latin-1 characters`, key, value: latin1(length, salt) });
      found.push({ name: `${length >> 1} UTF-16 characters`, key, value: wide(length >> 1, salt) });
    }
  }
  const others =
    codec === 'bytes' ? [] : codec === 'structured' ? [...jsonValues(), ...structuredValues()] : jsonValues();
  for (const [i, [name, value]] of others.entries()) found.push({ name, key: KEYS[i % KEYS.length]!, value });
  return found;
}

/** Values that `codec` would alter, with the path of the culprit. */
export function refusals(codec: string): [unknown, string][] {
  class Point {
    x = 1;
  }
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  const common: [unknown, string][] = [
    [shared, 'value'],
    [new (class Mine extends Uint8Array {})(3), 'value'],
    [Object.assign(new Uint8Array(2), { extra: 1 }), 'value'],
  ];
  const nested: [unknown, string][] = [
    [new Point(), 'value'],
    [Symbol('s'), 'value'],
    [() => 1, 'value'],
    [{ users: [0, 1, 2, { born: new Point() }] }, 'value.users[3].born'],
    [
      {
        a: {
          get b() {
            return 1;
          },
        },
      },
      'value.a.b',
    ],
    [{ a: { [Symbol('key')]: 1 } }, 'value.a[Symbol(key)]'],
    [[1, () => 1], 'value[1]'],
    [Object.assign([1], { extra: 1 }), 'value.extra'],
    [{ p: new Proxy({}, {}) }, 'value.p'],
  ];
  if (codec === 'structured') {
    return [
      ...common,
      ...nested,
      [{ m: new Map([['k', new Blob([])]]) }, "value.m.get('k')"],
      [{ s: new Set([1, Symbol('s')]) }, 'value.s{1}'],
      [{ b: shared }, 'value.b'],
      [{ b: new SharedArrayBuffer(1) }, 'value.b'],
      [Object.assign(new Date(), { extra: 1 }), 'value.extra'],
      [{ d: new (class Mine extends Date {})() }, 'value.d'],
    ];
  }
  if (codec === 'json') {
    const twice = {};
    return [
      ...common,
      ...nested,
      [{ a: undefined }, 'value.a'],
      [{ list: [0, Number.NaN] }, 'value.list[1]'],
      [{ a: -0 }, 'value.a'],
      [{ a: 1n }, 'value.a'],
      [new Date(), 'value'],
      [{ m: new Map() }, 'value.m'],
      [[{ a: twice }, { b: { c: twice } }], 'value[1].b.c'],
      [{ b: new Uint8Array(1) }, 'value.b'],
    ];
  }
  if (codec === 'bytes') {
    return [
      ...common,
      [{}, 'value'],
      [[], 'value'],
      [new Date(), 'value'],
      [() => 1, 'value'],
      [Symbol('s'), 'value'],
      [new Float64Array(1), 'value'],
    ];
  }
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  return [...common, [{ a: 1n }, 'value'], [cycle, 'value'], [Symbol('s'), 'value']]; // what its own encode throws at, or gives no text for
}
