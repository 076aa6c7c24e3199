/**
 * A byte array may have a hidden property `length` of its own. The engine copied as many bytes as it had, to a place for as many
 * as it said: over the memory of other entries. Now it is refused, like one with any other property.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CodecError, SharedCache } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';

const MAKERS: Record<string, (length: number) => ArrayBufferView> = {
  'a byte array': (length) => new Uint8Array(length),
  'a Buffer': (length) => Buffer.alloc(length),
  'an array of doubles': (length) => new Float64Array(length),
  'a DataView': (length) => new DataView(new ArrayBuffer(length)),
};

for (const [name, make] of Object.entries(MAKERS)) {
  test(`${name} that answers for itself is refused, and harms nobody`, () => {
    const cache = SharedCache.create<any>({ maxBytes: 8 * 2 ** 20, shards: 1 });
    for (let i = 0; i < 1000; i++) cache.set(`other ${i}`, `value ${i}`.padEnd(100, '.'));
    for (const [length, claimed] of [
      [300, 5],
      [100_000, 5],
      [5, 300],
      [300, 300_000],
      [100_000, 200_000],
    ] as const) {
      for (const property of ['length', 'byteLength', 'byteOffset', 'buffer']) {
        const value = Object.defineProperty(make(length), property, { value: claimed });
        for (const stored of [value, { deep: [value] }]) {
          cache.set('k', 'old');
          assert.throws(
            () => cache.set('k', stored),
            (error: unknown) => error instanceof CodecError && error.code === 'ERR_CAIRN_CODEC',
            `${property}: ${claimed} instead of ${length}`,
          );
          assert.is(cache.get('k'), 'old');
        }
      }
    }
    for (let i = 0; i < 1000; i++) assert.is(cache.get(`other ${i}`), `value ${i}`.padEnd(100, '.'));
    checkHeap(cache);
    cache.close();
  });
}

test.run();
