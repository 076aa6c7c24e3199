/** Deaths of threads that hold a mutex, with others waiting for it by promise and blocked. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkNothingLeaks, heldMutexes } from './stress-heap.ts';
import { distribution, endAll, nowMs, Thread, until, within } from './stress-threads.ts';

const LIMIT_MS = 1000;

interface HolderData {
  role: string;
  handle: CacheHandle;
}

if (!isMainThread && workerData?.role === 'holder') {
  const cache = SharedCache.attach((workerData as HolderData).handle);
  cache.mutex('wanted').acquireSync();
  parentPort!.on('message', () => {
    throw new Error('thrown on purpose');
  });
  parentPort!.postMessage({ kind: 'held' });
}

if (!isMainThread && (workerData?.role === 'waits' || workerData?.role === 'waits blocked')) {
  const cache = SharedCache.attach((workerData as HolderData).handle);
  parentPort!.on('message', async ({ kind }: { kind: string }) => {
    if (kind === 'end') {
      parentPort!.close();
      return;
    }
    const mutex = cache.mutex('wanted');
    if (workerData.role === 'waits') await mutex.acquire();
    else mutex.acquireSync();
    const at = nowMs();
    mutex.release();
    parentPort!.postMessage({ kind: 'got', at });
  });
}

/** Kills `kills` holders, then lets `throws` of them throw, and measures when each of three waiters got the mutex. */
export async function runHolders(kills: number, throws: number): Promise<void> {
  try {
    await hold(kills, throws);
  } finally {
    await endAll();
  }
}

async function hold(kills: number, throws: number): Promise<void> {
  const cache = SharedCache.create({ maxBytes: 2 ** 21, maxThreads: 6, mutexes: 4 });
  const waiters = [
    new Thread(import.meta.url, 'waits', { handle: cache.handle }),
    new Thread(import.meta.url, 'waits blocked', { handle: cache.handle }),
  ];
  const first: number[] = [];
  const last: number[] = [];
  for (let n = 0; n < kills + throws; n++) {
    const holder = new Thread(import.meta.url, 'holder', { handle: cache.handle });
    await holder.next('held');
    const waits = cache.stats().mutexWaits;
    for (const waiter of waiters) waiter.send({ kind: 'wait' });
    const mutex = cache.mutex('wanted');
    const mine = mutex.acquire().then(() => {
      const at = nowMs();
      mutex.release();
      return at;
    });
    await until(60_000, 'three waiters', () => cache.stats().mutexWaits >= waits + 3);
    assert.ok(mutex.locked(), 'held by the one that is to die');
    const began = nowMs();
    if (n < kills) await holder.kill();
    else holder.send({ kind: 'throw' });
    await within(60_000, 'the end of the holder', holder.exited);
    const got = await Promise.all(waiters.map(async (waiter) => (await waiter.next('got')).at as number));
    got.push(await within(60_000, 'the mutex', mine));
    first.push(Math.min(...got) - began);
    last.push(Math.max(...got) - began);
    assert.ok(Math.min(...got) >= began, 'nobody had it before the death');
  }
  console.log(
    `# mutex after its holder's death: the first waiter ${distribution(first)}; the last of three ${distribution(last)}`,
  );
  assert.ok(Math.max(...last) < LIMIT_MS, `a waiter waited ${Math.max(...last)} ms`);
  for (const waiter of waiters) waiter.send({ kind: 'end' });
  for (const waiter of waiters) assert.is(await waiter.exited, 0, String(waiter.error));
  assert.equal(heldMutexes(cache), [], 'no mutex stays held');
  checkNothingLeaks(cache);
  cache.close();
}
