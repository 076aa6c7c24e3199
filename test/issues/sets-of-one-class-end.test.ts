/**
 * Small values of one size, many more keys than a small cache holds: each set ends. Every page is of that one class then, and
 * the pages that the index needs have to be taken from it. This file is its own child process, which a hang cannot keep.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { runChild } from '../support/child.ts';
import { checkHeap } from '../support/engine.ts';
import { checkAtRest } from '../support/stress-heap.ts';

const SETS = 1_000_000;
const HANG_MS = 30_000;
const MIB = 2 ** 20;
/** Bytes of the cache, bytes of a value, and how many different keys. */
const CASES = [
  [1 * MIB, 8, 400_000],
  [2 * MIB, 30, 200_000],
  [3 * MIB, 2, 1_000_000],
  [4 * MIB, 100, 300_000],
] as const;

const [, , bytes, length, keys] = process.argv.map(Number);
if (keys) {
  const cache = SharedCache.create<string>({ maxBytes: bytes!, maxThreads: 1, mutexes: 8 });
  const value = 'v'.repeat(length!);
  let refused = 0;
  for (let n = 0; n < SETS / CASES.length; n++) {
    if (!cache.set(`k${(n * 7919) % keys}`, value)) refused++;
  }
  assert.is(refused, 0);
  assert.ok(cache.size > 100);
  checkHeap(cache);
  checkAtRest(cache);
  console.log(`size ${cache.size}, evictions ${cache.stats().evictions}`);
  cache.close();
} else {
  for (const [bytes, length, keys] of CASES) {
    test(`${bytes / MIB} MiB, ${length} bytes a value, ${keys} keys`, async () => {
      const child = await runChild(import.meta.url, [`${bytes}`, `${length}`, `${keys}`], HANG_MS);
      assert.is(
        child.code,
        0,
        child.code === null ? `not at its end after ${HANG_MS} ms` : child.out + child.err,
      );
      const evictions = Number(/evictions (\d+)/.exec(child.out)?.[1]);
      assert.ok(evictions > 100_000, `${evictions} evictions: more keys than fit`);
    });
  }
  test.run();
}
