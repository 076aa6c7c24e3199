/** The structured codec gives back exactly what it was given, or refuses it and names the place. */
import { types } from 'node:util';
import vm from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCodec, ValueType } from '../../src/codec/index.ts';
import { CodecError } from '../../src/errors.ts';

const codec = createCodec(undefined);

function encoded(value: unknown): Buffer {
  const result = codec.encode(value);
  assert.is(result.type, ValueType.structured);
  assert.is(result.isText, false);
  return Buffer.from(result.bytes);
}

function withHoles(length: number, elements: Record<number, unknown>): unknown[] {
  return Object.assign(new Array<unknown>(length), elements);
}

// The encoding stands in the middle of a larger buffer that is wiped afterwards, so nothing may alias it.
function roundTrip<T>(value: T): T {
  const bytes = encoded(value);
  const buffer = Buffer.alloc(bytes.length + 13, 0xff);
  bytes.copy(buffer, 7);
  const result = codec.decodeBytes(ValueType.structured, buffer, 7, 7 + bytes.length) as T;
  buffer.fill(0xee);
  return result;
}

function refuses(value: unknown, path: string, message?: RegExp): void {
  try {
    codec.encode(value);
  } catch (error) {
    assert.instance(error, CodecError);
    assert.is((error as CodecError).path, path);
    if (message !== undefined) assert.match((error as CodecError).message, message);
    // A refusal leaves nothing behind.
    assert.equal(roundTrip({ a: [1] }), { a: [1] });
    return;
  }
  assert.unreachable(`${path} was not refused`);
}

test('primitives at any depth', () => {
  const numbers = [
    0,
    -0,
    1,
    -1,
    63,
    64,
    -64,
    127,
    128,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2 ** 53,
    1e300,
    5e-324,
  ];
  const values = [undefined, null, true, false, ...numbers, Number.NaN, Number.POSITIVE_INFINITY, -1 / 0];
  const bigints = [0n, 1n, -1n, 255n, 256n, -256n, 2n ** 64n, -(2n ** 200n) - 1n];
  const result = roundTrip({ values: [...values, ...bigints], u: undefined });
  for (const [i, value] of [...values, ...bigints].entries())
    assert.ok(Object.is(result.values[i], value), `${i}`);
  assert.equal(Object.keys(result), ['values', 'u']);
});

test('strings of every length and width', () => {
  for (const unit of ['a', 'é', '\0', '\u0100', '😀', '\ud800', '\udc00x']) {
    for (const n of [0, 1, 30, 63, 64, 65, 127, 128, 129, 5000, 70_000]) {
      const text = unit.repeat(n);
      assert.ok(roundTrip([text, 'end'])[0] === text, `${JSON.stringify(unit)} x ${n}`);
    }
  }
  const long = 'x'.repeat(300);
  assert.is(roundTrip([`${long}\u0100`])[0], `${long}\u0100`);
});

test('names: order, __proto__, NUL, wide and numeric ones, null prototypes', () => {
  const value = JSON.parse('{"b":1,"__proto__":{"x":1},"a":2,"7":3,"":4,"a\\u0000b":5,"\u0100":6}');
  const result = roundTrip(value);
  assert.equal(Object.keys(result), Object.keys(value));
  assert.is(Object.getPrototypeOf(result), Object.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(result, '__proto__')?.value, { x: 1 });
  const short = roundTrip(JSON.parse('{"__proto__":1,"a":2}'));
  assert.equal(Object.entries(short), [
    ['__proto__', 1],
    ['a', 2],
  ]);
  const bare = Object.assign(Object.create(null), { a: 1, b: {} });
  const bareResult = roundTrip({ bare, empty: Object.create(null) });
  assert.is(Object.getPrototypeOf(bareResult.bare), null);
  assert.is(Object.getPrototypeOf(bareResult.empty), null);
  assert.is(Object.getPrototypeOf(bareResult.bare.b), Object.prototype);
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`key${(i * 7919) % 3000}`, i]));
  assert.equal(Object.entries(roundTrip(many)), Object.entries(many));
});

test('many shapes, and shapes met again', () => {
  for (let i = 0; i < 3000; i++) {
    const value = [
      { [`k${i}`]: 1, b: 2 },
      { [`k${i}`]: 3, b: 4 },
      { id: i, [`x${i}`]: 0 },
    ];
    assert.equal(roundTrip(value), value);
  }
});

test('arrays: holes, long ones, frozen ones', () => {
  const holes = withHoles(5, { 0: 1, 2: 3 });
  const result = roundTrip({ holes, empty: [], far: Object.assign([], { length: 4_000_000_000 }) });
  assert.is(result.holes.length, 5);
  assert.equal(Object.keys(result.holes), ['0', '2']);
  assert.is(result.far.length, 4_000_000_000);
  const long = Array.from({ length: 100_000 }, (_, i) => i % 300);
  assert.equal(roundTrip(long), long);
  assert.equal(roundTrip(Object.freeze([1, undefined, 2])), [1, undefined, 2]);
});

test('maps, sets, dates, regular expressions', () => {
  const key = { k: 1 };
  const regexp = /a(b)\/[\u0100/]/giu;
  regexp.lastIndex = 4;
  const value = {
    m: new Map<unknown, unknown>([
      [key, 1],
      ['x', key],
      [Number.NaN, undefined],
    ]),
    s: new Set<unknown>([key, 1, '1']),
    d: [new Date(0), new Date(Number.NaN), new Date(-8.64e15)],
    r: [regexp, /(?:)/, new RegExp('\\n'.repeat(2), ['v'].join(''))],
  };
  const result = roundTrip(value);
  const [first, ...rest] = [...result.m];
  assert.equal(first, [{ k: 1 }, 1]);
  assert.ok(result.m.get('x') === first[0] && result.s.has(first[0]));
  assert.ok(Number.isNaN(rest[1][0]));
  assert.equal(result.d.map(Number), [0, Number.NaN, -8.64e15]);
  for (const [i, r] of value.r.entries()) {
    assert.equal(
      [result.r[i].source, result.r[i].flags, result.r[i].lastIndex],
      [r.source, r.flags, r.lastIndex],
    );
  }
  const odd = /x/;
  (odd as { lastIndex: unknown }).lastIndex = { of: odd };
  const oddResult = roundTrip({ odd }).odd as unknown as { lastIndex: { of: unknown } };
  assert.ok(oddResult.lastIndex.of === oddResult);
});

test('the standard errors', () => {
  const all = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
  for (const Kind of all) {
    const error = new Kind('no', { cause: { a: [new Error('inner')] } });
    const result = roundTrip(error);
    assert.ok(types.isNativeError(result));
    assert.is(Object.getPrototypeOf(result), Kind.prototype);
    assert.equal([result.name, result.message, result.stack], [error.name, error.message, error.stack]);
    assert.is((result.cause as { a: Error[] }).a[0].message, 'inner');
    assert.equal(Reflect.ownKeys(result).sort(), Reflect.ownKeys(error).sort());
    for (const key of ['message', 'stack', 'cause']) {
      assert.is(Object.getOwnPropertyDescriptor(result, key)?.enumerable, false);
    }
  }
  const many = new AggregateError([new TypeError('a'), 2], 'many');
  const result = roundTrip(many);
  assert.instance(result, AggregateError);
  assert.is(result.errors[0].message, 'a');
  const bare = new Error();
  delete bare.stack;
  bare.name = 'Mine';
  const bareResult = roundTrip(bare);
  assert.equal(Reflect.ownKeys(bareResult), ['name']);
  assert.is(String(bareResult), 'Mine');
});

test('a stack formatter that calls the codec', () => {
  const before = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (error) => {
      assert.equal(roundTrip({ inner: [1, 2] }), { inner: [1, 2] });
      return `stack of ${error.message}`;
    };
    const result = roundTrip({ a: 1, e: new Error('x'), b: 'after' });
    assert.is(result.e.stack, 'stack of x');
    assert.is(result.b, 'after');
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = before;
  }
});

test('buffers and views', () => {
  const memory = new ArrayBuffer(32);
  new Uint8Array(memory).set(Array.from({ length: 32 }, (_, i) => i * 7));
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
  const wide = [Float32Array, Float64Array, BigInt64Array, BigUint64Array];
  const half = (globalThis as unknown as { Float16Array?: typeof Float32Array }).Float16Array;
  const views: ArrayBufferView[] = [...kinds, ...wide, ...(half ? [half] : [])].map(
    (Kind) => new Kind(memory, 8, 2),
  );
  views.push(new DataView(memory, 3, 9), new DataView(memory, 32, 0), new Float64Array(memory, 16));
  const result = roundTrip({ memory, views });
  assert.equal(Buffer.from(result.memory), Buffer.from(memory));
  for (const [i, view] of views.entries()) {
    const got = result.views[i];
    assert.is(Object.getPrototypeOf(got), Object.getPrototypeOf(view));
    assert.equal([got.byteOffset, got.byteLength], [view.byteOffset, view.byteLength]);
    assert.ok(got.buffer === result.memory);
  }
  assert.equal(roundTrip([new Float64Array(0), new ArrayBuffer(0)])[0], new Float64Array(0));
  assert.equal(roundTrip({ f: new Float64Array([Number.NaN, 1, 2, 3, 4, -0]) }).f.length, 6);
});

test('a Buffer comes back a Buffer, apart from the pool, and shares what it shared', () => {
  const apart = roundTrip({ a: Buffer.from('one'), b: Buffer.from('two'), e: Buffer.alloc(0) });
  assert.ok(Buffer.isBuffer(apart.a) && Buffer.isBuffer(apart.e));
  assert.equal([String(apart.a), String(apart.b), String(apart.e)], ['one', 'two', '']);
  assert.ok(encoded({ a: Buffer.from('one'), b: Buffer.from('two') }).length < 100);
  const whole = Buffer.from('overlapping');
  const shared = roundTrip({ whole, part: whole.subarray(4, 8) });
  shared.whole[5] = 0x21;
  assert.is(String(shared.part), 'l!pp');
  const memory = new ArrayBuffer(16);
  for (const value of [
    { b: Buffer.from(memory, 8, 8), u: new Uint16Array(memory, 0, 4) },
    { u: new Uint16Array(memory, 0, 4), b: Buffer.from(memory, 8, 8) },
  ]) {
    const result = roundTrip(value);
    assert.ok(result.u.buffer === result.b.buffer);
    assert.equal([result.b.byteOffset, result.u.byteOffset], [8, 0]);
    assert.ok(Buffer.isBuffer(result.b));
  }
});

test('cycles and shared references, few and many', () => {
  const node: Record<string, unknown> = { name: 'n' };
  node.self = node;
  node.list = [node, new Map([[node, new Set([node])]])];
  const result = roundTrip(node);
  const list = result.list as [unknown, Map<unknown, Set<unknown>>];
  assert.ok(result.self === result && list[0] === result && list[1].get(result)?.has(result));
  const date = new Date(5);
  const many = Array.from({ length: 100 }, (_, i) => ({ i, date }));
  const manyResult = roundTrip([many, many[70], date]) as [typeof many, object, Date];
  assert.ok(manyResult[0][70] === manyResult[1] && manyResult[0][3].date === manyResult[2]);
  const error = new Error('e');
  error.cause = error;
  const errorResult = roundTrip([error])[0];
  assert.ok(errorResult.cause === errorResult);
});

test('graphs of 100,000 levels', () => {
  const wraps: ((inner: unknown) => unknown)[] = [
    (x) => ({ next: x }),
    (x) => [x],
    (x) => new Map([['k', x]]),
    (x) => new Set([x]),
    (x) => Object.assign(Object.create(null), { a: 1, n: x }),
    (x) => Object.assign(new Error('deep'), { cause: x, stack: '' }),
    (x) => new Map([[x, 1]]),
    (x) => withHoles(2, { 1: x }),
  ];
  const build = (bottom: unknown) => {
    let value = bottom;
    for (let i = 0; i < 100_000; i++) value = wraps[i % wraps.length](value);
    return value;
  };
  let level = roundTrip(build('bottom'));
  for (let i = 99_999; i >= 0; i--) {
    const kind = i % wraps.length;
    if (kind === 0) level = (level as { next: unknown }).next;
    else if (kind === 1) level = (level as unknown[])[0];
    else if (kind === 2) level = (level as Map<string, unknown>).get('k');
    else if (kind === 3) level = [...(level as Set<unknown>)][0];
    else if (kind === 4) level = (level as { n: unknown }).n;
    else if (kind === 5) level = (level as Error).cause;
    else if (kind === 6) level = [...(level as Map<unknown, unknown>).keys()][0];
    else level = (level as unknown[])[1];
  }
  assert.is(level, 'bottom');
  try {
    codec.encode(build(() => 1));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, CodecError);
    assert.match(
      (error as CodecError).path,
      /^value\[1\]\.key\(#0\)\.cause\.n\{0\}\.get\('k'\)\[0\]\.next.*\(99960 more\)/,
    );
  }
});

test('a caller that has little stack left gets a value or a CodecError', () => {
  let value: unknown = 1;
  for (let i = 0; i < 60; i++) value = { a: [value] };
  const bytes = encoded(value);
  const errors: unknown[] = [];
  const dive = (): number => {
    try {
      codec.encode(value);
      codec.decodeBytes(ValueType.structured, bytes, 0, bytes.length);
    } catch (error) {
      errors.push(error);
    }
    return dive() + 1;
  };
  assert.throws(dive, RangeError);
  // The last frames overflow before any code of the codec runs, or while it builds its error.
  assert.ok(errors.some((error) => error instanceof CodecError));
  assert.equal(roundTrip({ a: 1 }), { a: 1 });
});

test('refusals name their place', () => {
  class User {
    name = 'u';
  }
  class MyMap extends Map {}
  const symbol = Symbol('s');
  refuses({ users: [0, 1, 2, { born: new User() }] }, 'value.users[3].born', /User/);
  refuses(new User(), 'value', /User/);
  refuses({ m: new Map([['k', () => 1]]) }, "value.m.get('k')", /function/);
  refuses({ m: new Map([[symbol, 1]]) }, 'value.m.key(Symbol(s))', /symbol/);
  refuses(new Map([[{}, new Map([[new User(), 1]])]]), 'value.get(#0).key(#0)');
  refuses({ s: new Set([1, 2, symbol]) }, 'value.s{2}', /symbol/);
  refuses({ 'first name': [symbol], '': 1 }, "value['first name'][0]");
  refuses({ '': symbol }, "value['']");
  refuses({ "it's": symbol }, "value['it\\'s']");
  refuses({ m: new MyMap() }, 'value.m', /MyMap/);
  refuses([Object.create({ a: 1 })], 'value[0]', /instance of a class/);
  refuses([Object.create(Map.prototype)], 'value[0]');
  refuses([Object.create(Error.prototype)], 'value[0]');
  refuses([new (class extends Array {})()], 'value[0]');
  refuses([new (class extends Date {})()], 'value[0]');
  refuses([new (class Mine extends Error {})()], 'value[0]', /Mine/);
  refuses([Object.setPrototypeOf(new Date(), Object.prototype)], 'value[0]');
  for (const boxed of [Object(1), Object('s'), Object(true), Object(1n), Object(symbol)])
    refuses({ boxed }, 'value.boxed', /boxed/);
  for (const odd of [
    Promise.resolve(),
    new WeakMap(),
    new WeakRef({}),
    new Blob([]),
    new URL('http://a/'),
    globalThis,
  ]) {
    refuses({ odd }, 'value.odd');
  }
  refuses({ f: () => 1 }, 'value.f', /function/);
  refuses(symbol, 'value', /symbol/);
  refuses(() => 1, 'value', /function/);
  // An `arguments` object has a tag of its own.
  refuses(vm.runInThisContext('(function () { return arguments; })()'), 'value', /internal state/);
});

test('properties of the wrong kind are refused without being read', () => {
  const symbol = Symbol('key');
  const trap = { get: () => assert.unreachable('a getter ran') };
  refuses({ a: Object.defineProperty({}, 'g', { ...trap, enumerable: true }) }, 'value.a.g', /getter/);
  refuses({ a: Object.defineProperty({}, 's', { set() {}, enumerable: true }) }, 'value.a.s', /setter/);
  refuses({ a: Object.defineProperty({}, 'h', { value: 1 }) }, 'value.a.h', /non-enumerable/);
  refuses({ a: { [symbol]: 1 } }, 'value.a[Symbol(key)]', /symbol/);
  refuses(Object.defineProperty([1, 2], 1, { ...trap, enumerable: true }), 'value[1]', /getter/);
  refuses(Object.defineProperty([1, 2], 1, { set() {}, enumerable: true }), 'value[1]', /setter/);
  refuses(Object.defineProperty([1, 2], 1, { value: 1, enumerable: false }), 'value[1]', /non-enumerable/);
  refuses(Object.defineProperty(withHoles(3, { 0: 1, 2: 3 }), 2, { ...trap, enumerable: true }), 'value[2]');
  refuses([/x/.exec('x')], 'value[0].groups', /array/);
  refuses(Object.defineProperty([1], 'raw', { value: 1 }), 'value.raw');
  refuses(Object.assign([1], { [symbol]: 1 }), 'value[Symbol(key)]');
  for (const holder of [new Map(), new Set(), new Date(), /x/, new ArrayBuffer(1)]) {
    refuses({ holder: Object.assign(holder, { extra: 1 }) }, 'value.holder.extra');
  }
  refuses({ e: Object.assign(new Error('e'), { code: 'E' }) }, 'value.e.code', /error/);
  refuses({ e: Object.defineProperty(new Error('e'), 'message', trap) }, 'value.e.message', /getter/);
  for (const view of [
    new Uint8Array(2),
    new Uint8Array(100),
    new Float64Array(9),
    Buffer.from('x'.repeat(50)),
    new DataView(new ArrayBuffer(1)),
  ]) {
    refuses({ view: Object.assign(view, { extra: 1 }) }, 'value.view', /properties/);
  }
  refuses({ m: Object.defineProperty(new Map(), 'constructor', trap) }, 'value.m.constructor');
  refuses({ toJSON: () => assert.unreachable('toJSON ran') }, 'value.toJSON');
  const handler = new Proxy({}, { get: (_, name) => assert.unreachable(`trap ${String(name)}`) });
  refuses({ p: new Proxy({}, handler) }, 'value.p', /proxy/);
  refuses(new Proxy([], {}), 'value', /proxy/);
  refuses(Object.create(new Proxy({}, handler)), 'value');
});

test('buffers that cannot come back as they are', () => {
  const shared = new SharedArrayBuffer(8);
  refuses({ shared }, 'value.shared', /shared/);
  refuses({ v: new Uint8Array(shared) }, 'value.v', /shared buffers/);
  refuses({ v: new DataView(shared) }, 'value.v', /shared buffers/);
  refuses({ v: new Float64Array(shared) }, 'value.v', /shared buffers/);
  const Resizable = ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer;
  const resizable = new Resizable(8, { maxByteLength: 16 });
  refuses({ resizable }, 'value.resizable', /resizable/);
  refuses({ v: new Uint8Array(resizable) }, 'value.v', /resizable/);
  refuses({ v: new DataView(resizable) }, 'value.v', /resizable/);
  const detached = new ArrayBuffer(8);
  const views = { u: new Uint16Array(detached), d: new DataView(detached) };
  structuredClone(detached, { transfer: [detached] });
  refuses({ detached }, 'value.detached', /detached/);
  refuses(views, 'value.u', /detached/);
  refuses({ d: views.d }, 'value.d', /detached/);
  refuses({ v: new (class Mine extends Uint8Array {})(2) }, 'value.v', /subclass|Mine/);
  refuses({ v: new (class Mine extends Float64Array {})(2) }, 'value.v', /Mine/);
  refuses({ b: new (class Mine extends ArrayBuffer {})(2) }, 'value.b', /Mine/);
});

test('objects of another realm', () => {
  for (const code of [
    '({ a: 1 })',
    '[1]',
    'new Map()',
    'new Date()',
    'new Error()',
    '/x/',
    'new Uint8Array(1)',
  ]) {
    refuses({ other: vm.runInNewContext(code) }, 'value.other');
  }
});

test('corrupt bytes end in a CodecError or a value', () => {
  const samples = [
    { a: [1, 'two', { b: new Map([[1, new Set(['x'])]]) }], d: new Date(1), e: new Error('x'), r: /x/g },
    { b: Buffer.from('abc'), f: new Float64Array([1, 2]), big: 12345678901234567890n, n: 1.5, u: '\u0100' },
    [{ x: 1 }, { x: 2 }, Object.create(null), withHoles(2, { 1: 1 })],
  ];
  for (const sample of samples) {
    const bytes = encoded(sample);
    const attempt = (buffer: Buffer, start: number, end: number) => {
      try {
        codec.decodeBytes(ValueType.structured, buffer, start, end);
      } catch (error) {
        assert.instance(error, CodecError);
      }
    };
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(
        () => codec.decodeBytes(ValueType.structured, bytes, 0, end),
        (e: unknown) => e instanceof CodecError,
      );
    }
    for (let at = 0; at < bytes.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const copy = Buffer.from(bytes);
        copy[at] = byte;
        attempt(copy, 0, copy.length);
      }
    }
  }
  assert.throws(
    () => codec.decodeBytes(ValueType.structured, Buffer.alloc(2000, 0x81), 0, 2000),
    /nested too deeply/,
  );
  assert.throws(() => codec.decodeBytes(ValueType.customBytes, Buffer.alloc(1), 0, 1), /type 15/);
  assert.throws(() => codec.decodeText(ValueType.jsonLatin1, '1'), /type 11/);
});

test('shared references whatever the number of objects', () => {
  for (let count = 1; count < 80; count++) {
    const objects = Array.from({ length: count }, (_, i) => ({ i }));
    const result = roundTrip([...objects, objects[0], objects[count - 1], ...objects]);
    for (let i = 0; i < count; i++) {
      assert.is(result[i]?.i, i);
      assert.is(result[count + 2 + i], result[i]);
    }
    assert.is(result[count], result[0]);
    assert.is(result[count + 1], result[count - 1]);
    assert.is(new Set(result).size, count);
  }
});

test('a few bytes that claim holes take no memory for them', () => {
  // flags, an array of 15: each SPARSE of 2^25 - 1 places and no element
  const hole = [0x9b, 0xff, 0xff, 0xff, 0x0f, 0];
  const bytes = Buffer.from([0, 0x8f, ...Array.from({ length: 15 }, () => hole).flat()]);
  const before = process.memoryUsage().rss;
  const value = codec.decodeBytes(ValueType.structured, bytes, 0, bytes.length) as unknown[][];
  assert.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024);
  assert.equal(
    value.map((array) => array.length),
    new Array(15).fill(2 ** 25 - 1),
  );
  assert.is(roundTrip(withHoles(100_000, { 7: 'x' })).length, 100_000);
  assert.is(0 in roundTrip(new Array(100_000)), false);
});

test('decoding calls no setter that objects inherit, and needs no right to assign', () => {
  let calls = 0;
  const value = { inherited: 1, constructor: 2, toString: 'x' };
  const named = { '\u0100': 1, inherited: 1, constructor: 2 };
  const prototype = Object.prototype as object;
  Object.defineProperty(prototype, 'inherited', { set: () => calls++, configurable: true });
  try {
    const reader = createCodec(undefined);
    for (const sample of [value, named]) {
      const bytes = encoded(sample);
      for (let i = 0; i < 200; i++) {
        const result = reader.decodeBytes(ValueType.structured, bytes, 0, bytes.length) as object;
        assert.equal(Object.entries(result), Object.entries(sample));
      }
    }
    assert.is(calls, 0);
  } finally {
    delete (prototype as { inherited?: unknown }).inherited;
  }
});

test('a value larger than the scratch memory', () => {
  const value = { text: 'y'.repeat(3_000_000), bytes: new Uint8Array(2_000_000).fill(7), tail: [1, 2] };
  const result = roundTrip(value);
  assert.ok(result.text === value.text && result.bytes.every((byte) => byte === 7));
  assert.equal(result.tail, [1, 2]);
});

test.run();
