/**
 * The owner closes while another thread makes the index grow: a split changes the very word that says "closed", and must not
 * lose it. A read that begins after `close` has returned throws, in every thread, also in one that only reads. This file is its
 * own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { EngineClosedError, SharedCache } from '../../src/index.ts';
import { random, SEED } from '../support/engine.ts';
import { shardAddress } from '../support/stress-heap.ts';
import { serve, Thread } from '../support/threads.ts';

const ROUNDS = 250;
const HANG_MS = 20_000;
const CLOSED = 0;
const GROWN = 1;
const READS = 2;

if (!isMainThread) {
  const words = (workerData as { words: Int32Array }).words;
  serve({
    /** Small values under new keys, as many as can be, until the cache is closed: the error that said so. */
    grow: (handle: CacheHandle) => {
      const cache = SharedCache.attach<number>(handle);
      let n = 0;
      try {
        for (;;) {
          cache.set(`${n}`, n);
          n++;
          if (n % 64 === 0) Atomics.store(words, GROWN, n);
        }
      } catch (error) {
        return (error as Error).constructor.name;
      } finally {
        cache.close();
      }
    },
    /** Reads one key, over and over. What a read that began after the close answered, or the error that it threw. */
    read: (handle: CacheHandle) => {
      const cache = SharedCache.attach<number>(handle);
      const end = performance.now() + HANG_MS;
      let reads = 0;
      try {
        for (;;) {
          const closed = Atomics.load(words, CLOSED);
          const value = cache.get(reads % 2 ? '0' : 'none');
          Atomics.store(words, READS, ++reads);
          if (closed) return `a read after the close gave ${value}`;
          if (performance.now() > end) return 'nobody closed it';
        }
      } catch (error) {
        return (error as Error).constructor.name;
      } finally {
        cache.close();
      }
    },
  });
} else {
  test(`${ROUNDS} closes in the middle of growth`, async () => {
    const words = new Int32Array(new SharedArrayBuffer(12));
    const [grower, reader] = [0, 1].map(() => new Thread(import.meta.url, { words })) as [Thread, Thread];
    const rnd = random(SEED);
    let splits = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const cache = SharedCache.create<number>({ maxBytes: 2 ** 22, maxThreads: 4, mutexes: 4, shards: 1 });
        const engine = SharedCache.engineOf(cache);
        words.fill(0);
        const state = (shardAddress(cache, 0) + L.SH_STATE) >>> 3;
        const grown = grower.ask('grow', cache.handle);
        const read = reader.ask('read', cache.handle);
        for (const asked of [grown, read]) asked.catch(() => {}); // one may have failed before the other is looked at
        const entries = 320 + Math.floor(rnd() * 1000); // more than the index begins with
        while (Atomics.load(words, GROWN) < entries || Atomics.load(words, READS) < 100)
          await new Promise((resolve) => setImmediate(resolve));
        if (round % 20 === 0) assert.is(engine.x.debug_walk(0), 0, 'the heap balances in the middle of it');
        const buckets = Number(Atomics.load(engine.u64, state) & 0xffffffffn);
        cache.close();
        Atomics.store(words, CLOSED, 1);
        assert.is(await grown, EngineClosedError.name);
        assert.is(await read, EngineClosedError.name, `round ${round}`);
        const last = Atomics.load(engine.u64, state);
        assert.ok(last & BigInt(L.STATE_CLOSED), `round ${round}: the bit stands when all is over`);
        splits += Number(last & 0xffffffffn) - buckets;
      }
    } finally {
      words.fill(1);
      await Promise.all([grower.terminate(), reader.terminate()]);
    }
    console.log(`# ${splits} splits between the decision to close and the end`);
  });
  test.run();
}
