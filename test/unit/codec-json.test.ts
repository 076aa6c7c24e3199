/** The json codec gives back exactly what it was given, or refuses it and names the place. */
import vm from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCodec, ValueType } from '../../src/codec/index.ts';
import { CodecError } from '../../src/errors.ts';

const codec = createCodec('json');

function refuses(value: unknown, path: string): void {
  assert.throws(
    () => codec.encode(value),
    (error: unknown) => {
      assert.instance(error, CodecError);
      assert.is((error as CodecError).path, path);
      return true;
    },
  );
}

test('what JSON holds comes back', () => {
  const values = [
    {},
    [],
    { a: [1, -1.5, 1e300, 'x', null, true, { b: {} }] },
    JSON.parse('{"__proto__":{"a":1},"b":2}'),
  ];
  values.push({ lone: '\ud800', wide: '\u0100\u2028', 7: 1, '': '"' }, Object.freeze([1]));
  for (const value of values) {
    const { type, isText, text } = codec.encode(value);
    assert.equal([type, isText], [ValueType.jsonLatin1, true]);
    assert.is(text, JSON.stringify(value));
    for (const either of [ValueType.jsonLatin1, ValueType.jsonUtf16]) {
      const result = codec.decodeText(either, text);
      assert.equal(result, value);
      assert.equal(Object.keys(result as object), Object.keys(value));
    }
  }
});

test('what JSON alters is refused', () => {
  const shared = {};
  const cycle: unknown[] = [];
  cycle.push({ back: cycle });
  refuses({ a: undefined }, 'value.a');
  refuses({ a: [Number.NaN] }, 'value.a[0]');
  refuses({ a: [0, 1 / 0] }, 'value.a[1]');
  refuses({ a: -0 }, 'value.a');
  refuses({ a: 1n }, 'value.a');
  refuses({ a: Symbol('x') }, 'value.a');
  refuses({ toJSON() {} }, 'value.toJSON');
  refuses([undefined], 'value[0]');
  refuses(Object.assign(new Array(3), { 0: 1 }), 'value[1]');
  refuses([[1], Object.assign(new Array(2), { 0: 1 })], 'value[1][1]');
  refuses(Object.assign([1], { x: 1 }), 'value.x');
  for (const odd of [
    new Date(),
    new Map(),
    new Set(),
    /x/,
    new Error(),
    Buffer.alloc(1),
    Object(1),
    Object.create(null),
  ]) {
    refuses({ odd }, 'value.odd');
  }
  refuses(new Date(), 'value');
  refuses(new (class Mine {})(), 'value');
  refuses(() => 1, 'value');
  refuses({ [Symbol('k')]: 1 }, 'value[Symbol(k)]');
  refuses([{ a: shared }, { b: { c: shared } }], 'value[1].b.c');
  refuses(cycle, 'value[0].back');
  refuses({ p: new Proxy({}, {}) }, 'value.p');
  refuses(Object.defineProperty({}, 'g', { get: () => assert.unreachable(), enumerable: true }), 'value.g');
  refuses(Object.defineProperty({}, 'h', { value: 1 }), 'value.h');
  refuses({ other: vm.runInNewContext('[1]') }, 'value.other');
});

test('a toJSON on a built-in prototype is seen', () => {
  const prototype = Array.prototype as unknown as { toJSON?: unknown };
  prototype.toJSON = () => 'altered';
  try {
    refuses({ a: [1] }, 'value');
  } finally {
    delete prototype.toJSON;
  }
});

test('deep graphs are refused, not overflowed', () => {
  const nest = (levels: number) => {
    let value: unknown = 1;
    for (let i = 0; i < levels; i++) value = [value];
    return value;
  };
  assert.equal(codec.decodeText(ValueType.jsonLatin1, codec.encode(nest(1000)).text), nest(1000));
  assert.throws(() => codec.encode(nest(1001)), /deeper than 1000 levels/);
  assert.throws(
    () => codec.encode(nest(100_000)),
    (e: unknown) => e instanceof CodecError,
  );
});

test('corrupt text is a CodecError', () => {
  assert.throws(
    () => codec.decodeText(ValueType.jsonLatin1, '{"a":'),
    (e: unknown) => e instanceof CodecError,
  );
});

test.run();
