/**
 * Making room for one small entry may take more commits than one hold of the lock has: all the small entries of a page. The lock
 * is let go in between, and another thread may store the very key. What the first look found is void then, or the key would
 * stand twice. This file is its own worker.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheHandle, SharedCache } from '../../src/index.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';
import { HANG_MS } from '../support/threads.ts';

const ROUNDS = 2000;
/** Words between the threads: the round that may begin, and the last that the other thread has ended. */
const BEGUN = 0;
const ENDED = 1;

const words: Int32Array = isMainThread
  ? new Int32Array(new SharedArrayBuffer(8))
  : (workerData.words as Int32Array);

/** Of a class that no page has: a page of small ones must be emptied. */
const value = (round: number, from: string) => `${from} ${round}`.padEnd(200, '.');

/** Keeps the CPU busy, as the two writes must meet within microseconds. */
function spin(turns: number): void {
  for (let i = 0; i < turns; i++) Atomics.load(words, BEGUN);
}

if (!isMainThread) {
  const cache = SharedCache.attach<string>(workerData.handle as CacheHandle);
  const rnd = random(SEED + 1);
  for (let round = 1; round <= ROUNDS; round++) {
    while (Atomics.load(words, BEGUN) < round) Atomics.wait(words, BEGUN, round - 1, HANG_MS);
    spin(rnd() * 2000);
    cache.set(`k${round}`, value(round, 'worker'));
    Atomics.store(words, ENDED, round);
    Atomics.notify(words, ENDED);
  }
  cache.close();
} else {
  test('a key that two threads store while room is made stands once', async () => {
    const cache = SharedCache.create<any>({ maxBytes: 2 ** 20, shards: 1 });
    const worker = new Worker(new URL(import.meta.url), { workerData: { handle: cache.handle, words } });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    await new Promise((resolve) => worker.once('online', resolve));
    const rnd = random(SEED);
    let small = 0;
    const fill = (count: number) => {
      for (let i = 0; i < count; i++) cache.set(`${small++}`, small);
    };
    fill(20_000);
    let long = 0;
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        fill(300); // and the page that the last round's value had is one of small entries again
        const before = cache.stats().evictions; // of both threads: either may be the one that makes room
        Atomics.store(words, BEGUN, round);
        Atomics.notify(words, BEGUN);
        spin(rnd() * 2000);
        const key = `k${round}`;
        cache.set(key, value(round, 'main'));
        while (Atomics.load(words, ENDED) < round) {
          assert.is.not(
            Atomics.wait(words, ENDED, round - 1, HANG_MS),
            'timed-out',
            'the other thread hangs',
          );
        }
        if (cache.stats().evictions - before > 60) long++;
        const found = cache.get(key);
        assert.ok(found === value(round, 'main') || found === value(round, 'worker'));
        assert.is(cache.delete(key), true);
        assert.is(cache.get(key), undefined, `round ${round}: it stood twice`);
        assert.is(cache.delete(key), false);
      }
      await ended;
    } finally {
      await worker.terminate(); // a round that failed leaves it waiting for the next
    }
    assert.ok(long > ROUNDS / 2, `a whole page of small ones had to go in ${long} rounds`);
    checkHeap(cache);
    cache.close();
  });

  test.run();
}
