/** What engine tests share: the heap walk, seeds, a small random generator. */
import { isMainThread } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
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

/** Moves the end of a held mutex's lease, as no caller can. */
export function extendLease(
  cache: SharedCache<any>,
  mutex: { readonly index: number },
  leaseMs: number,
): void {
  const engine = SharedCache.engineOf(cache);
  const record = engine.u32[L.H_MUTEX_TABLE >> 2]! + mutex.index * L.MUTEX_SIZE;
  const fence = (Atomics.load(engine.u64, (record + L.X_WORD) >> 3) >> 32n) & BigInt(L.X_FENCE_MASK);
  const until = BigInt(Math.floor(engine.clock.mono() + leaseMs));
  Atomics.store(engine.u64, (record + L.X_DEADLINE) >> 3, (until << 24n) | fence);
}
