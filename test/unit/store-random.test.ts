/** Random operations in one thread against a Map: whatever stands is what was stored, and the heap walk balances. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';

function sizeOf(rnd: () => number, largest: number): number {
  return Math.floor(Math.exp(rnd() * Math.log(largest)));
}

/** A value that tells its key, its version and its length. */
function payloadFor(key: string, version: number, size: number): string {
  const head = `${key}:${version}:${size}:`;
  return (head + 'x'.repeat(size)).slice(0, Math.max(size, head.length));
}

for (const [name, maxBytes, keys, largest, steps] of [
  ['small values, much room', 16 * 2 ** 20, 5_000, 600, 60_000],
  ['small values, eviction', 2 ** 20, 20_000, 900, 60_000],
  ['mixed sizes, eviction', 4 * 2 ** 20, 3_000, 200_000, 15_000],
  ['large values only', 8 * 2 ** 20, 60, 400_000, 3_000],
] as const) {
  test(name, () => {
    const rnd = random(SEED);
    const cache = SharedCache.create<string>({
      maxBytes,
      decoded: { mode: 'off' },
      maxThreads: 4,
      mutexes: 16,
    });
    const truth = new Map<string, string>();
    let hits = 0;
    for (let step = 0; step < steps; step++) {
      const key = `key ${Math.floor(rnd() ** 2 * keys)}`;
      const what = rnd();
      if (what < 0.45) {
        const found = cache.get(key);
        if (found !== undefined) {
          hits++;
          assert.is(found, truth.get(key));
        } else if (name === 'small values, much room') {
          assert.is(truth.has(key), false, `${key} stands and was missed`);
        }
      } else if (what < 0.9) {
        const value = payloadFor(key, step, sizeOf(rnd, largest));
        if (cache.set(key, value)) truth.set(key, value);
        else truth.delete(key);
      } else {
        assert.is(cache.delete(key) && !truth.has(key), false);
        truth.delete(key);
      }
      if (step % 5000 === 0) checkHeap(cache);
    }
    assert.ok(hits > 100);
    checkHeap(cache);
    let walked = 0;
    for (const [key, value] of cache) {
      assert.is(value, truth.get(key));
      walked++;
    }
    assert.is(walked, cache.size);
    assert.is(new Set(cache.keys()).size, walked);
    cache.clear();
    assert.is(cache.size, 0);
    assert.is([...cache.keys()].length, 0);
    checkHeap(cache);
    cache.close();
  });
}

test.run();
