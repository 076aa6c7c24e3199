/**
 * Two copies of the package in the owner's thread: each sees the attach messages of the other's engines, and leaves them
 * alone. Living workers are not taken for dead, and mutexes stay with their holders. Run twice: with /proc, where the OS has
 * the last word on a death, and in a process without it, where the ports decide alone. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { runChild } from '../support/child.ts';
import { checkHeap } from '../support/engine.ts';
import { loadCopy, type Package, WITHOUT_PROC } from '../support/issues-copies.ts';
import { serve, slots, Thread, until } from '../support/threads.ts';

const THREADS = 2;
const OPTIONS = { maxBytes: 2 * 2 ** 20, maxThreads: 8, mutexes: 64 };
/** Turns of the event loop, each with an answer of every worker: many times what a closed port takes to tell. */
const ROUNDS = 10;

interface Data {
  handle: CacheHandle;
  key: string;
}

if (!isMainThread) {
  const { handle, key } = workerData as Data;
  const cache = SharedCache.attach<string>(handle);
  const mutex = cache.mutex(key);
  serve({
    hold: () => mutex.tryAcquire(),
    write: (round: number) => cache.set(`${key} ${round}`, 'x'.repeat(round * 300)),
    release: () => mutex.release(),
  });
} else {
  const second = await loadCopy();
  const third = await loadCopy();
  const withProc = !process.argv.includes('without-proc');

  for (const [order, before, after] of [
    ['made before the engine', [second, third], []],
    ['made after the engine', [], [second, third]],
    ['made before and after', [second], [third]],
  ] as [string, Package[], Package[]][]) {
    test(`two more copies, their engines ${order}`, async () => {
      let told = 0;
      const listen = (message: unknown) => {
        if ((message as { tag?: unknown } | null)?.tag === 'cairn.attach') told++;
      };
      const others = before.map((copy) => copy.SharedCache.create(OPTIONS));
      const cache = SharedCache.create<string>(OPTIONS);
      for (const copy of after) others.push(copy.SharedCache.create(OPTIONS));
      process.on('workerMessage', listen);
      const keys = differentMutexes(cache, THREADS);
      const threads = keys.map((key) => new Thread(import.meta.url, { handle: cache.handle, key }));
      try {
        for (const thread of threads) assert.is(await thread.ask('hold'), true);
        // this listener came last: when it is called, all copies have had the message
        assert.ok(await until(() => told === THREADS), 'each attach is told to the owner');
        for (let round = 0; round < ROUNDS; round++) {
          for (const thread of threads) await thread.ask('write', round);
          assert.equal(
            slots(cache),
            { live: THREADS + 1, dead: 0, free: OPTIONS.maxThreads - THREADS - 1 },
            `round ${round}`,
          );
          for (const key of keys) {
            assert.ok(cache.mutex(key).locked(), `the mutex of ${key}`);
            assert.not(cache.mutex(key).tryAcquire(), `the mutex of ${key} is its holder's`);
          }
        }
        // an end of another copy's engine is not an end of this one's, and a death is still noticed
        for (const other of others) other.close();
        await threads[0]!.terminate();
        assert.ok(await until(() => slots(cache).dead === 1), 'a death is noticed');
        assert.ok(cache.mutex(keys[0]!).tryAcquire(), 'the mutex of the dead');
        for (const key of keys.slice(1)) assert.not(cache.mutex(key).tryAcquire());
        for (const thread of threads.slice(1)) await thread.ask('release');
        for (const key of keys.slice(1)) assert.ok(cache.mutex(key).acquireSync());
        assert.is(cache.get(`${keys[1]} ${ROUNDS - 1}`)?.length, (ROUNDS - 1) * 300);
        checkHeap(cache);
      } finally {
        process.off('workerMessage', listen);
        await Promise.all(threads.map((thread) => thread.terminate()));
        for (const other of others) other.close();
        cache.close();
      }
    });
  }

  test('mutexes of engines of several copies have an order', () => {
    const caches = [SharedCache, second.SharedCache, third.SharedCache].flatMap((Cache) => [
      Cache.create(OPTIONS),
      Cache.create(OPTIONS),
    ]);
    const ids = caches.map((cache) => cache.mutex('k').engineId);
    assert.is(new Set(ids).size, caches.length, `engine ids ${ids}`);
    for (const cache of caches) cache.close();
  });

  if (withProc) {
    test('the same without /proc', async () => {
      const child = await runChild(import.meta.url, ['without-proc'], 60_000, WITHOUT_PROC);
      assert.is(child.code, 0, child.out + child.err);
      assert.match(child.out, /Passed: +4/);
    });
  }
  test.run();
}

/** Keys with mutexes of their own. */
function differentMutexes(cache: SharedCache<string>, count: number): string[] {
  const byIndex = new Map<number, string>();
  for (let n = 0; byIndex.size < count; n++) {
    const { index } = cache.mutex(`key ${n}`);
    if (!byIndex.has(index)) byIndex.set(index, `key ${n}`);
  }
  return [...byIndex.values()];
}
