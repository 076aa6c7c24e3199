/** Arrays that are too long to list their keys: what else is on them is found all the same, and nothing of it is run. */
import { inspect, isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCodec, ValueType } from '../../src/codec/index.ts';
import { CodecError } from '../../src/errors.ts';

let ran = 0;
const touch = () => {
  ran++;
};
class Kind {
  readonly kind = 1;
  static get name(): string {
    touch();
    return 'x';
  }
  static [Symbol.hasInstance](): boolean {
    touch();
    return true;
  }
}
const tagged = Object.defineProperty({}, Symbol.toStringTag, { get: touch });
const long = (): unknown[] => Array.from({ length: 100 }, (_, i) => (i % 3 ? i : { i }));

const DIRTY: Record<string, [string, (array: unknown[]) => unknown]> = {
  'a hidden object': ['added', (array) => Object.defineProperty(array, 'added', { value: tagged })],
  'a hidden instance': ['added', (array) => Object.defineProperty(array, 'added', { value: new Kind() })],
  'a constructor of its own': [
    'constructor',
    (array) => Object.defineProperty(array, 'constructor', { value: Kind }),
  ],
  'a tag': ['Symbol(', (array) => Object.defineProperty(array, Symbol.toStringTag, { get: touch })],
  'an iterator': ['Symbol(', (array) => Object.defineProperty(array, Symbol.iterator, { get: touch })],
  'a property': ['x', (array) => Object.assign(array, { x: 1 })],
  'a way to be inspected': [
    'Symbol(',
    (array) => Object.defineProperty(array, inspect.custom, { value: touch }),
  ],
  'a getter as element': [
    '50',
    (array) => Object.defineProperty(array, 50, { get: touch, enumerable: true }),
  ],
  'a setter as element': [
    '50',
    (array) => Object.defineProperty(array, 50, { set: touch, enumerable: true }),
  ],
  'a hidden element': ['50', (array) => Object.defineProperty(array, 50, { value: 1, enumerable: false })],
};

for (const [name, defaults] of Object.entries({
  'as the runtime inspects': {},
  'with other defaults of inspection': {
    maxArrayLength: 3,
    compact: false,
    sorted: true,
    numericSeparator: true,
  },
})) {
  test(`${name}: refused at the right place, and nothing runs`, () => {
    const before = inspect.defaultOptions;
    inspect.defaultOptions = { ...before, ...defaults };
    try {
      const codec = createCodec(undefined);
      for (const [what, [place, spoil]] of Object.entries(DIRTY)) {
        ran = 0;
        let thrown: unknown;
        try {
          codec.encode([spoil(long())]);
        } catch (error) {
          thrown = error;
        }
        assert.instance(thrown, CodecError, what);
        assert.ok((thrown as CodecError).path.includes(place), `${what}: ${(thrown as CodecError).path}`);
        assert.is(ran, 0, `${what}: code ran`);
      }
    } finally {
      inspect.defaultOptions = before;
    }
  });
}

test('clean ones come back, of every length around the limits', () => {
  const codec = createCodec(undefined);
  for (const length of [0, 1, 39, 40, 41, 63, 64, 65, 100, 1000, 5000]) {
    for (const make of [
      (i: number) => i,
      (i: number) => i / 3,
      (i: number) => `text ${i}`,
      (i: number) => ({ i }),
      (i: number) => (i % 7 ? null : undefined),
    ]) {
      const value = Array.from({ length }, (_, i) => make(i));
      const bytes = Buffer.from(codec.encode(value).bytes);
      const back = codec.decodeBytes(ValueType.structured, bytes, 0, bytes.length);
      assert.ok(isDeepStrictEqual(back, value), `${length} of ${String(make)}`);
    }
  }
});

test.run();
