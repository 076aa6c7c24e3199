/** `SlabMutex` keeps the contract of mutexes when its objects live in several threads. This file is also the worker. */
import { isMainThread, Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { mutexSuite } from '../../src/testing/index.ts';
import { checkHeap } from '../support/engine.ts';
import { MutexThread, serveMutexes } from './mutexes.ts';

if (isMainThread) {
  const threads = [1, 2, 3].map(() => new MutexThread(new Worker(new URL(import.meta.url))));
  let made = 0;
  mutexSuite({
    test,
    assert,
    name: 'SlabMutex in three threads',
    async setup() {
      const cache = SharedCache.create({ maxBytes: 2 ** 20 });
      for (const thread of threads) await thread.attach(cache.handle);
      return cache;
    },
    // Each object lives in the next thread.
    create: (key) => threads[made++ % threads.length].mutex(key),
    async dispose(cache) {
      for (const thread of threads) await thread.detach();
      checkHeap(cache);
      cache.close();
    },
    locked: false,
    signal: true,
    timeout: 60_000,
  });
  test.run();
} else {
  serveMutexes();
}
