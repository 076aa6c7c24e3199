/**
 * A pool that parks its idle workers in `Atomics.wait`, as piscina does by default: no event loop turns there, so what
 * is still open behind a task stands still. Its mutex must not. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion, createRegion, SharedCache } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';
import { HANG_MS } from '../support/threads.ts';

/** Where the creators of workers are. */
const BEGUN = 0;
const FINISHED = 1;
/** Set by the main thread when the task has ended: from then on the creator may finish, if its loop turns. */
const GO = 2;

let region: CacheRegion<string> | undefined;

/** A task, as piscina calls it: serves the stale value and leaves its regeneration open. */
export default async function work(task: 'refresh' | 'turn'): Promise<string | undefined> {
  region ??= attachRegion<string>(workerData.region);
  const progress: Int32Array = workerData.progress;
  if (task === 'turn') {
    while (Atomics.load(progress, FINISHED) === 0) await new Promise((resolve) => setImmediate(resolve));
    return undefined;
  }
  const creator = async () => {
    Atomics.add(progress, BEGUN, 1);
    while (Atomics.load(progress, GO) === 0) await new Promise((resolve) => setImmediate(resolve));
    Atomics.add(progress, FINISHED, 1);
    return 'of the worker';
  };
  const value = await region.getOrCreate('k', creator, { refresh: 'background' });
  // The creator runs a turn behind its caller: let it begin.
  while (Atomics.load(progress, BEGUN) === 0) await new Promise((resolve) => setImmediate(resolve));
  return value;
}

async function withPool(
  atomics: 'sync' | 'async',
  body: (pool: Piscina, own: CacheRegion<string>, progress: Int32Array) => Promise<void>,
): Promise<void> {
  const own = createRegion<string>({
    name: 'pool',
    backend: 'cairn.slab',
    // Far above the hang limit: what ends the wait is not this.
    arguments: { maxBytes: 2 ** 20, lease: 600_000 },
  });
  const progress = new Int32Array(new SharedArrayBuffer(12));
  await own.set('k', 'stale');
  await own.invalidate({ hard: false });
  const pool = new Piscina({
    filename: import.meta.url,
    minThreads: 1,
    maxThreads: 1,
    atomics,
    workerData: { region: own.handle, progress },
  });
  const cache = SharedCache.attach(own.handle.backend as any);
  try {
    await body(pool, own, progress);
    checkHeap(cache);
  } finally {
    await pool.destroy();
    cache.close();
    own.close();
  }
}

/** Asks again and again until `done`, as the users of a stale value do. */
async function ask<T>(call: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + HANG_MS;
  for (;;) {
    const answer = await call();
    if (done(answer)) return answer;
    assert.ok(performance.now() < end, 'hangs');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

if (isMainThread) {
  test('a parked worker: its refresh is taken over when its 5 seconds are over', async () => {
    await withPool('sync', async (pool, own, progress) => {
      assert.is(await pool.run('refresh'), 'stale');
      Atomics.store(progress, GO, 1);
      assert.is(await own.keyIsLocked('k'), true);
      const began = performance.now();
      const value = await ask(
        () => own.getOrCreate('k', () => 'of the main thread'),
        (answer) => answer !== 'stale',
      );
      assert.is(value, 'of the main thread');
      console.log(`# taken over after ${Math.round(performance.now() - began)} ms`);
      assert.is(Atomics.load(progress, FINISHED), 0, 'the worker was parked all the time');
      // A task that turns its loop lets it come to its end, too late.
      await pool.run('turn');
      await ask(
        async () => own.stats().refusedStores,
        (refused) => refused === 1,
      );
      assert.is(await own.get('k'), 'of the main thread');
      assert.is(await own.keyIsLocked('k'), false);
    });
  });

  test("atomics: 'async': the worker's loop turns, and the refresh ends by itself", async () => {
    await withPool('async', async (pool, own, progress) => {
      assert.is(await pool.run('refresh'), 'stale');
      Atomics.store(progress, GO, 1);
      const value = await ask(
        () => own.get('k'),
        (answer) => answer !== undefined,
      );
      assert.is(value, 'of the worker');
      assert.is(Atomics.load(progress, FINISHED), 1);
      await ask(
        () => own.keyIsLocked('k'),
        (locked) => !locked,
      );
    });
  });

  test.run();
}
