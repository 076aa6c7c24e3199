/** Native values are stored as they are under every codec; wrong options are named. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Codec, type CodecOption, createCodec, ValueType } from '../../src/codec/index.ts';
import { CodecError, OptionError } from '../../src/errors.ts';

const upper = {
  name: 'upper',
  encode: (v: unknown) => `U${JSON.stringify(v)}`,
  decode: (d: string) => JSON.parse(d.slice(1)),
};
const codecs = ['structured' as const, 'json' as const, 'bytes' as const, upper].map((option) =>
  createCodec(option),
);

// What the store does with an encoded value, in short.
function throughStore(codec: Codec, value: unknown): unknown {
  const { type, isText, number, text, bytes } = codec.encode(value);
  if (isText) return codec.decodeText(type, text);
  const buffer = Buffer.alloc(24 + bytes.length, 0xcc);
  const length = type === ValueType.number ? 8 : bytes.length;
  if (type === ValueType.number) new Float64Array(buffer.buffer, buffer.byteOffset, 3)[1] = number;
  else buffer.set(bytes, 8);
  const result = codec.decodeBytes(type, buffer, 8, 8 + length);
  buffer.fill(0xdd);
  return result;
}

const big = 2n ** 1000n + 12345n;
const natives: [unknown, number][] = [
  [undefined, ValueType.undefined],
  [null, ValueType.null],
  [false, ValueType.false],
  [true, ValueType.true],
  ...[0, -0, 1.5, Number.NaN, 1 / 0, -1 / 0, 2 ** 53].map((n): [number, number] => [n, ValueType.number]),
  ...['', 'abc', 'é', '\u0100', '\ud800', 'a\0b'].map((s): [string, number] => [s, ValueType.latin1]),
  ...[0n, 1n, -1n, 127n, 128n, 255n, 256n, -65536n, big, -big].map((b): [bigint, number] => [
    b,
    ValueType.bigint,
  ]),
];

test('natives come back the same under every codec', () => {
  for (const codec of codecs) {
    for (const [value, type] of natives) {
      const encoded = codec.encode(value);
      assert.is(encoded.type, type);
      assert.is(encoded.isText, typeof value === 'string');
      if (typeof value === 'string') assert.is(encoded.text, value);
      if (typeof value === 'number') assert.ok(Object.is(encoded.number, value));
      assert.ok(Object.is(throughStore(codec, value), value), `${codec.name} ${String(value)}`);
    }
    for (const length of [0, 1, 5, 3000]) {
      const bytes = new Uint8Array(new ArrayBuffer(length + 2), 1, length).fill(9);
      const result = throughStore(codec, bytes) as Uint8Array;
      assert.is(Object.getPrototypeOf(result), Uint8Array.prototype);
      assert.equal(result, new Uint8Array(length).fill(9));
      const buffer = throughStore(codec, Buffer.from(bytes));
      assert.ok(Buffer.isBuffer(buffer));
      assert.equal(buffer, Buffer.alloc(length, 9));
    }
  }
});

test('byte arrays that would be altered are refused under every codec', () => {
  class Mine extends Uint8Array {}
  const Resizable = ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer;
  const detached = new Uint8Array(4);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const refused: [unknown, RegExp][] = [
    [new Mine(2), /subclass/],
    [new Uint8Array(new SharedArrayBuffer(4)), /shared buffers/],
    [Buffer.from(new SharedArrayBuffer(4)), /shared buffers/],
    [new Uint8Array(new Resizable(4, { maxByteLength: 8 })), /resizable/],
    [detached, /detached/],
    [Object.assign(new Uint8Array(100), { extra: 1 }), /properties/],
  ];
  for (const codec of codecs) {
    for (const [value, message] of refused) {
      assert.throws(
        () => codec.encode(value),
        (e: unknown) => e instanceof CodecError && e.path === 'value' && message.test(e.message),
      );
    }
  }
});

test("'bytes' stores nothing else", () => {
  const codec = createCodec('bytes');
  for (const value of [{}, [], new Map(), Symbol('x'), () => 1, new Float64Array(1), new ArrayBuffer(1)]) {
    assert.throws(
      () => codec.encode(value),
      (e: unknown) => e instanceof CodecError && e.path === 'value',
    );
  }
});

test('a codec decodes only what it writes', () => {
  for (const codec of codecs) {
    for (const type of [-1, 16, 31, 99, Number.NaN]) {
      assert.throws(
        () => codec.decodeBytes(type, Buffer.alloc(8), 0, 8),
        (e: unknown) => e instanceof CodecError,
      );
      assert.throws(
        () => codec.decodeText(type, 'x'),
        (e: unknown) => e instanceof CodecError,
      );
    }
    assert.throws(() => codec.decodeBytes(ValueType.number, Buffer.alloc(8), 0, 7), /not what this codec/);
    assert.throws(() => codec.decodeBytes(ValueType.bigint, Buffer.from([7, 1]), 0, 2), /corrupt bigint/);
    assert.throws(() => codec.decodeBytes(ValueType.bigint, Buffer.alloc(0), 0, 0), /corrupt bigint/);
  }
});

test('wrong options are named with their value', () => {
  const fine = { name: 'x', encode: () => '', decode: () => 1 };
  const wrong: [unknown, string][] = [
    ['yaml', 'codec'],
    [null, 'codec'],
    [5, 'codec'],
    [() => 1, 'codec'],
    [{}, 'codec.name'],
    [{ ...fine, name: '' }, 'codec.name'],
    [{ ...fine, name: 'é'.repeat(33) }, 'codec.name'],
    [{ ...fine, name: 'json' }, 'codec.name'],
    [{ ...fine, encode: 1 }, 'codec.encode'],
    [{ ...fine, decode: undefined }, 'codec.decode'],
  ];
  for (const [option, field] of wrong) {
    assert.throws(
      () => createCodec(option as CodecOption),
      (e: unknown) => e instanceof OptionError && e.field === field,
    );
  }
  assert.is(createCodec(undefined).name, 'structured');
  assert.is(createCodec({ ...fine, name: 'é'.repeat(32) }).name, 'é'.repeat(32));
});

test('custom: text and bytes, private copies, `this`', () => {
  class Packed {
    name = 'packed';
    seen: unknown;
    encode(value: unknown) {
      return Buffer.from(JSON.stringify(value));
    }
    decode(data: Uint8Array) {
      this.seen = data;
      return JSON.parse(Buffer.from(data).toString());
    }
  }
  const option = new Packed();
  const codec = createCodec(option);
  assert.is(codec.encode({ a: 1 }).type, ValueType.customBytes);
  assert.equal(throughStore(codec, { a: 1 }), { a: 1 });
  assert.is(Object.getPrototypeOf(option.seen), Uint8Array.prototype);
  const text = createCodec(upper);
  assert.equal([text.encode([1]).type, text.encode([1]).isText], [ValueType.customLatin1, true]);
  assert.equal(throughStore(text, { a: '\u0100' }), { a: '\u0100' });
  assert.equal(text.decodeText(ValueType.customUtf16, 'U[1]'), [1]);
});

test('custom: wrong results and errors', () => {
  const cause = new Error('mine');
  const fail = () => {
    throw cause;
  };
  const failing = createCodec({ name: 'f', encode: fail, decode: fail });
  const wrapped = (e: unknown) => e instanceof CodecError && e.cause === cause && e.path === 'value';
  assert.throws(() => failing.encode({}), wrapped);
  assert.throws(() => failing.decodeBytes(ValueType.customBytes, Buffer.alloc(1), 0, 1), wrapped);
  assert.throws(() => failing.decodeText(ValueType.customLatin1, 'x'), wrapped);
  for (const result of [
    undefined,
    null,
    5,
    {},
    Promise.resolve(''),
    new ArrayBuffer(1),
    new Float64Array(1),
  ]) {
    const codec = createCodec({ name: 'w', encode: () => result as string, decode: (d) => d });
    assert.throws(() => codec.encode({}), /not a Uint8Array or string/);
  }
});

test('custom: encode may use the codec itself', () => {
  const codec: Codec = createCodec({
    name: 'nested',
    encode(value) {
      const inner = (value as { inner?: unknown }).inner;
      if (inner === undefined) return 'leaf';
      codec.encode(12345);
      return `(${codec.encode(inner).text})`;
    },
    decode: (d) => d,
  });
  const encoded = codec.encode({ inner: { inner: {} } });
  assert.equal([encoded.type, encoded.isText, encoded.text], [ValueType.customLatin1, true, '((leaf))']);
});

test.run();
