/** A pool library works as it is: piscina, four threads, the handle in its `workerData`. This file is its own worker. */
import { isMainThread, threadId, workerData } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { runChild } from '../support/child.ts';
import { checkHeap } from '../support/engine.ts';
import { HANG_MS, meet, newGate, slots, until } from '../support/threads.ts';

const THREADS = 4;
const TASKS = 400;

interface Task {
  number: number;
  /** All threads take part: a task waits here until each thread has one. */
  gate?: Int32Array;
}

let attached: SharedCache<any> | undefined;

/** A task, as piscina calls it. */
export default function work({ number, gate }: Task): { thread: number; made: boolean; wrong: string } {
  attached ??= SharedCache.attach<any>(workerData.cache);
  if (gate) meet(gate, THREADS);
  const key = `square of ${number % 50}`;
  const made = attached.add(key, { number: number % 50, square: (number % 50) ** 2 });
  const found = attached.get(key);
  attached.increment('tasks');
  attached.increment(`by ${threadId}`);
  attached.set(`task ${number}`, Buffer.alloc(number * 20, number));
  return { thread: threadId, made, wrong: found?.square === (number % 50) ** 2 ? '' : JSON.stringify(found) };
}

async function usePool(): Promise<void> {
  const cache = SharedCache.create<any>({ maxBytes: 32 * 2 ** 20, maxThreads: THREADS + 1 });
  // twice: destroying the first pool gives its slots back
  for (let round = 1; round <= 2; round++) {
    const pool = new Piscina({
      filename: import.meta.url,
      minThreads: THREADS,
      maxThreads: THREADS,
      workerData: { cache: cache.handle },
    });
    const gate = newGate();
    const first = Array.from({ length: THREADS }, (_, number) => pool.run({ number, gate }));
    const rest = Array.from({ length: TASKS - THREADS }, (_, i) => pool.run({ number: i + THREADS }));
    const results: ReturnType<typeof work>[] = await Promise.all([...first, ...rest]);
    const threads = new Set(results.map((result) => result.thread));
    assert.is(threads.size, THREADS);
    assert.equal([...new Set(results.map((result) => result.wrong))], ['']);
    assert.is(results.filter((result) => result.made).length, round === 1 ? 50 : 0);
    assert.is(cache.get('tasks'), round * TASKS);
    let sum = 0;
    for (const thread of threads) sum += cache.get(`by ${thread}`);
    assert.is(sum, TASKS);
    for (let number = 0; number < TASKS; number++) {
      assert.equal(cache.get(`task ${number}`), Buffer.alloc(number * 20, number));
    }
    cache.set('square of 7', 'changed here');
    const seen = await pool.run({ number: 7 });
    assert.is(seen.wrong, '"changed here"');
    cache.set('square of 7', { number: 7, square: 49 });
    cache.increment('tasks', -1);
    assert.is(slots(cache).live, THREADS + 1);
    await pool.destroy();
    assert.ok(await until(() => slots(cache).live === 1));
    checkHeap(cache);
  }
}

if (isMainThread && process.argv[2] === 'child') {
  await usePool();
  console.log('done');
} else if (isMainThread) {
  test('tasks on 4 threads share one cache', usePool);

  test('with the pool destroyed and nothing closed, the process ends by itself', async () => {
    const child = await runChild(import.meta.url, ['child'], HANG_MS);
    assert.is(child.code, 0, child.err);
    assert.match(child.out, /done/);
  });

  test.run();
}
