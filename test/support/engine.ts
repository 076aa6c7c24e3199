/** What engine tests share: the heap walk, seeds, a small random generator. */
import { isMainThread } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';

/** Every engine test ends with this: the heap walk balances in each shard and no lock is held. */
export function checkHeap(cache: SharedCache<any>): void {
  const engine = SharedCache.engineOf(cache);
  for (let shard = 0; shard < engine.shards; shard++) {
    assert.is(engine.x.debug_walk(shard), 0, `heap walk of shard ${shard}`);
    assert.is(engine.x.debug_held(shard), 0, `locks held in shard ${shard}`);
  }
  assert.ok(cache.bytes <= cache.maxBytes, `bytes ${cache.bytes} <= maxBytes ${cache.maxBytes}`);
}

/** The seed of a random test: `SEED` in the environment, else by the clock. Printed, so that a failure can be had again. */
export const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_007);
if (isMainThread) console.log(`# seed ${SEED}`);

/** mulberry32: a random number in [0, 1) a call. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
