/** `SlabMutex` over several threads: exclusion, leases that are lost, fairness, what a wait keeps alive, closing. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { EngineClosedError, MutexError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { extendLease, random, SEED } from '../support/engine.ts';
import { checkAtRest } from '../support/stress-heap.ts';
import { endAll, nowMs, Thread, until, within } from '../support/stress-threads.ts';

const HANG_MS = 60_000;
const ROUNDS = 400;

interface Data {
  role: string;
  handle: CacheHandle;
  me: number;
  words: SharedArrayBuffer;
  blocking: boolean;
}

// ---- Other threads

/** Raises a plain counter under the mutex, by every way to take it. */
async function raises(cache: SharedCache, { me, words }: Data): Promise<void> {
  const counter = new Int32Array(words);
  const rnd = random(SEED + me);
  const raise = () => {
    const seen = counter[0]!;
    for (const end = nowMs() + rnd() * 0.02; nowMs() < end; ) {
      // long enough for another to come in between
    }
    counter[0] = seen + 1;
  };
  const once = async () => {
    const mutex = cache.mutex('wanted');
    const what = rnd();
    if (what < 0.4) await mutex.acquire();
    else if (what < 0.8) mutex.acquireSync();
    else while (!mutex.tryAcquire()) await new Promise((resolve) => setImmediate(resolve));
    raise();
    if (rnd() < 0.3) await null; // held over a microtask, with callers of this thread queueing
    mutex.release();
  };
  // three callers in this thread, which may not block while one of them holds it
  const careful = async () => {
    const mutex = cache.mutex('wanted');
    await mutex.acquire();
    raise();
    await new Promise((resolve) => setImmediate(resolve));
    mutex.release();
  };
  for (let n = 0; n < ROUNDS - 60; n++) await once();
  for (let n = 0; n < 20; n++) await Promise.all([careful(), careful(), careful()]);
  parentPort!.postMessage({ kind: 'raised' });
}

/** Takes the mutex and lets it go in a tight loop. */
async function hogs(cache: SharedCache, { words, blocking }: Data): Promise<void> {
  const stop = new Int32Array(words);
  let turns = 0;
  while (!Atomics.load(stop, 0)) {
    const mutex = cache.mutex('wanted');
    if (blocking) mutex.acquireSync();
    else await mutex.acquire();
    for (const end = nowMs() + 0.01; nowMs() < end; ) {
      // held most of the time
    }
    mutex.release();
    Atomics.store(stop, 1, turns);
    if (++turns === 100) parentPort!.postMessage({ kind: 'hogging' });
  }
}

/** Waits for the mutex, with nothing else that keeps this thread alive. */
async function waits(cache: SharedCache, { blocking }: Data): Promise<void> {
  const mutex = cache.mutex('wanted');
  parentPort!.postMessage({ kind: 'waits' });
  try {
    if (blocking) mutex.acquireSync();
    else await mutex.acquire();
    mutex.release();
    parentPort!.postMessage({ kind: 'got' });
  } catch (error) {
    parentPort!.postMessage({ kind: 'failed', name: (error as Error).name });
  }
}

/** Holds the mutex until it is told to let go, whatever became of its lease. */
function holds(cache: SharedCache): void {
  const mutex = cache.mutex('wanted');
  mutex.acquireSync();
  parentPort!.once('message', () => {
    mutex.release();
    parentPort!.postMessage({ kind: 'released' });
  });
  parentPort!.postMessage({ kind: 'holds' });
}

if (!isMainThread) {
  const data = workerData as Data;
  const cache = SharedCache.attach(data.handle);
  const roles: Record<string, (cache: SharedCache, data: Data) => void> = { raises, hogs, waits, holds };
  roles[data.role]!(cache, data);
}

// ---- The test's side

/** Runs a test with a cache of its own, and ends what it left running, so that a failure is no hang. */
function check(
  name: string,
  run: (cache: SharedCache, start: (role: string, more?: Partial<Data>) => Thread) => void | Promise<void>,
  lease = 60_000,
): void {
  test(name, async () => {
    const cache = SharedCache.create({ maxBytes: 2 ** 21, mutexes: 4, lease, maxThreads: 8 });
    const { handle } = cache;
    try {
      await run(cache, (role, more) => new Thread(import.meta.url, role, { handle, ...more }));
    } finally {
      await endAll();
      cache.close();
    }
  });
}

check('four threads, every way to take it: nobody is in it with another', async (cache, start) => {
  const words = new SharedArrayBuffer(4);
  const workers = Array.from({ length: 4 }, (_, me) => start('raises', { me, words }));
  await Promise.all(workers.map((worker) => worker.next('raised', 120_000)));
  for (const worker of workers) assert.is(await within(HANG_MS, 'the end of a worker', worker.exited), 0);
  assert.is(new Int32Array(words)[0], 4 * ROUNDS);
  assert.not(cache.mutex('wanted').locked());
  checkAtRest(cache);
});

check('one thread: tryAcquire, timeouts, misuse', async (cache) => {
  const mutex = cache.mutex('wanted');
  assert.throws(() => mutex.release(), isMutexError);
  assert.ok(mutex.tryAcquire());
  assert.ok(mutex.locked());
  assert.throws(() => mutex.tryAcquire(), isMutexError);
  assert.throws(() => mutex.acquireSync(), isMutexError);
  const other = cache.mutex('wanted');
  assert.is(other.index, mutex.index);
  assert.not(other.tryAcquire());
  assert.not(other.acquire(false));
  assert.not(other.acquireSync(5));
  assert.throws(() => other.release(), isMutexError);
  const got = other.acquire();
  mutex.release();
  assert.is(await within(HANG_MS, 'the mutex', got), true);
  assert.throws(() => mutex.release(), isMutexError);
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  assert.not(mutex.locked());
  // as many waiters as you like, in their order
  assert.ok(mutex.tryAcquire());
  const order: number[] = [];
  const all = Array.from({ length: 20 }, async (_, n) => {
    const one = cache.mutex('wanted');
    await one.acquire();
    order.push(n);
    one.release();
  });
  mutex.release();
  await within(HANG_MS, 'twenty callers', Promise.all(all));
  assert.equal(
    order,
    Array.from({ length: 20 }, (_, n) => n),
  );
});

check(
  'a lease that is lost: another takes it, and the late release does nothing',
  async (cache, start) => {
    const holder = start('holds');
    await holder.next('holds');
    const mutex = cache.mutex('wanted');
    assert.is(await within(HANG_MS, 'the lease to end', mutex.acquire()), true);
    extendLease(cache, mutex, 60_000);
    holder.send({ kind: 'release' });
    await holder.next('released');
    assert.ok(mutex.locked(), 'still held by the one who took it');
    assert.not(cache.mutex('wanted').tryAcquire());
    mutex.release();
    assert.not(mutex.locked());
    // the same between two callers of one thread, who share an owner
    const first = cache.mutex('wanted');
    const second = cache.mutex('wanted');
    assert.ok(first.acquireSync());
    assert.ok(second.acquireSync());
    extendLease(cache, second, 60_000);
    first.release();
    assert.ok(second.locked());
    assert.not(cache.mutex('wanted').tryAcquire());
    second.release();
    assert.not(second.locked());
    // and a thread that is blocked in its wait sees the end of a lease as well
    const again = start('holds');
    await again.next('holds');
    const waiter = start('waits', { blocking: true });
    await waiter.next('got', HANG_MS);
    again.send({ kind: 'release' });
    await again.next('released');
    await Promise.all([holder, again, waiter].map((thread) => thread.exited));
  },
  20,
);

for (const blocking of [true, false]) {
  check(
    `a thread that takes it in a tight loop (${blocking ? 'blocking' : 'promises'}) starves no other`,
    async (cache, start) => {
      const words = new SharedArrayBuffer(8);
      const turns = () => Atomics.load(new Int32Array(words), 1);
      const hog = start('hogs', { words, blocking });
      await hog.next('hogging');
      const took: number[] = [];
      for (let n = 0; n < 50; n++) {
        const mutex = cache.mutex('wanted');
        const seen = turns();
        await until(HANG_MS, 'the loop', () => turns() > seen + 3);
        const began = nowMs();
        if (n % 2) mutex.acquireSync();
        else await within(HANG_MS, 'the mutex', mutex.acquire());
        took.push(nowMs() - began);
        mutex.release();
      }
      Atomics.store(new Int32Array(words), 0, 1);
      assert.is(await within(HANG_MS, 'the end of the loop', hog.exited), 0);
      const longest = Math.max(...took);
      console.log(
        `# beside a tight loop (${blocking ? 'blocking' : 'promises'}): got within ${longest.toFixed(1)} ms`,
      );
      assert.ok(longest < 1000, `waited ${longest} ms`);
    },
  );
}

check('a waiting promise keeps its thread alive, nothing else does', async (cache, start) => {
  const mutex = cache.mutex('wanted');
  assert.ok(mutex.tryAcquire());
  const waits = cache.stats().mutexWaits;
  const waiter = start('waits', { blocking: false });
  await waiter.next('waits');
  await until(HANG_MS, 'the wait', () => cache.stats().mutexWaits > waits);
  // another thread begins, works and ends by itself meanwhile: long enough for the first to end, if nothing held it
  const idle = start('waits', { blocking: false });
  await idle.next('waits');
  await idle.kill();
  mutex.release();
  await waiter.next('got', HANG_MS);
  assert.is(await within(HANG_MS, 'the end of a thread that waits for nothing', waiter.exited), 0);
  assert.ok(mutex.acquireSync(HANG_MS), 'what a dead waiter left behind stops nobody');
  mutex.release();
});

check(
  'a wait that a death ended leaves nothing behind: nobody wants the mutex, so it is there at once',
  async (cache, start) => {
    const holder = start('holds');
    await holder.next('holds');
    const mutex = cache.mutex('wanted');
    const waits = cache.stats().mutexWaits;
    const got = mutex.acquire();
    await until(HANG_MS, 'the wait', () => cache.stats().mutexWaits > waits);
    await holder.kill();
    await within(HANG_MS, 'the mutex', got);
    mutex.release();
    assert.not(mutex.locked());
    assert.ok(mutex.tryAcquire());
    mutex.release();
  },
);

check('a waiter that is terminated takes nobody’s turn away', async (cache, start) => {
  for (let n = 0; n < 6; n++) {
    const mutex = cache.mutex('wanted');
    assert.ok(mutex.acquireSync());
    const waits = cache.stats().mutexWaits;
    const waiters = [true, false, true, false].map((blocking) => start('waits', { blocking }));
    await until(HANG_MS, 'four waiters', () => cache.stats().mutexWaits >= waits + 4);
    const killed = [waiters[0]!.kill(), waiters[1]!.kill()];
    mutex.release();
    await Promise.all(killed);
    await Promise.all(waiters.slice(2).map((waiter) => waiter.next('got', HANG_MS)));
    await Promise.all(waiters.map((waiter) => waiter.exited));
  }
});

check("the owner's close fails every wait, in every thread", async (cache, start) => {
  const mutex = cache.mutex('wanted');
  assert.ok(mutex.tryAcquire());
  const waiters = [true, false, false].map((blocking) => start('waits', { blocking }));
  await until(HANG_MS, 'three waiters', () => cache.stats().mutexWaits >= 3);
  const own = cache.mutex('wanted');
  const waiting = own.acquire().then(
    () => 'got',
    (error: unknown) => error,
  );
  const began = nowMs();
  cache.close();
  for (const waiter of waiters) assert.is((await waiter.next('failed', HANG_MS)).name, 'EngineClosedError');
  console.log(`# three waits failed ${(nowMs() - began).toFixed(1)} ms after the close`);
  assert.instance(await within(HANG_MS, 'the own wait', waiting), EngineClosedError);
  for (const waiter of waiters) assert.is(await within(HANG_MS, 'the end of a waiter', waiter.exited), 0);
  assert.throws(
    () => cache.mutex('wanted'),
    (error: unknown) => error instanceof EngineClosedError,
  );
  assert.throws(
    () => own.tryAcquire(),
    (error: unknown) => error instanceof EngineClosedError,
  );
  mutex.release();
});

function isMutexError(error: unknown): boolean {
  return error instanceof MutexError;
}

if (isMainThread) test.run();
