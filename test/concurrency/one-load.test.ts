/**
 * One load: a missing key is created once over all threads, and never more creators run at once than there are mutexes.
 * This file is its own worker.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, createRegion, SharedCache, type SlabBackend } from '../../src/index.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';

const THREADS = 8;
/** Words of the side table: 0 running creators, 1 the most of them, 2 start gate, 3 ready threads, from 16 on runs by key. */
const RUNNING = 0;
const MOST = 1;
const GATE = 2;
const READY = 3;
const RUNS = 16;

interface Job {
  what: 'burst' | 'many' | 'plain';
  handle: never;
  side: SharedArrayBuffer;
  keys: number;
  callers: number;
  seed: number;
}

function enter(side: Int32Array): void {
  const running = Atomics.add(side, RUNNING, 1) + 1;
  for (let most = Atomics.load(side, MOST); most < running; most = Atomics.load(side, MOST)) {
    if (Atomics.compareExchange(side, MOST, most, running) === most) break;
  }
}

/** The longest time that this thread's event loop did not turn. */
function watchGaps(): () => number {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

async function work(job: Job): Promise<{ values: string[]; gap: number }> {
  const side = new Int32Array(job.side);
  const region = attachRegion<string>(job.handle);
  const rnd = random(job.seed);
  const creatorOf = (key: number) => async () => {
    enter(side);
    Atomics.add(side, RUNS + key, 1);
    await delay(job.what === 'burst' ? 20 : 1 + rnd() * 2);
    Atomics.sub(side, RUNNING, 1);
    return `value ${key}`;
  };
  // code that runs for the first time is compiled then, which is not what the gaps are about
  for (let n = 0; n < 20; n++) {
    const warm = async () => delay(1, 'warm');
    await (job.what === 'plain' ? warm() : region.getOrCreate(`warm ${job.seed} ${n}`, warm));
  }
  Atomics.add(side, READY, 1);
  Atomics.notify(side, READY);
  Atomics.wait(side, GATE, 0);
  const stop = watchGaps();
  let values: string[] = [];
  if (job.what === 'burst') {
    values = await Promise.all(
      Array.from({ length: job.callers }, () => region.getOrCreate('key 0', creatorOf(0))),
    );
  } else {
    // every thread asks for every key, in an order of its own
    const order = Array.from({ length: job.keys }, (_, i) => i).sort(() => rnd() - 0.5);
    let next = 0;
    const caller = async () => {
      for (let i = next++; i < order.length; i = next++) {
        const key = order[i]!;
        const value =
          job.what === 'plain'
            ? await creatorOf(key)()
            : await region.getOrCreate(`key ${key}`, creatorOf(key));
        if (value !== `value ${key}`) values.push(value);
      }
    };
    await Promise.all(Array.from({ length: job.callers }, caller));
  }
  const gap = stop();
  region.close();
  return { values, gap };
}

async function inThreads(what: Job['what'], mutexes: number, keys: number, callers: number) {
  const region = createRegion<string>({
    name: 'loads',
    backend: 'cairn.slab',
    arguments: { maxBytes: 2 ** 22, mutexes },
  });
  const side = new Int32Array(new SharedArrayBuffer((RUNS + keys) * 4));
  const jobs = Array.from({ length: THREADS }, (_, i) => ({
    what,
    handle: region.handle,
    side: side.buffer,
    keys,
    callers,
    seed: SEED + i,
  }));
  const workers = jobs.map((job) => new Worker(new URL(import.meta.url), { workerData: job }));
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  const answers = workers.map(
    (worker) =>
      new Promise<{ values: string[]; gap: number }>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  for (;;) {
    const ready = Atomics.load(side, READY);
    if (ready === THREADS) break;
    await delay(1);
  }
  Atomics.store(side, GATE, 1);
  Atomics.notify(side, GATE);
  const results = await Promise.all(answers);
  await Promise.all(ended);
  const cache = SharedCache.attach((region.actualBackend as SlabBackend).handle);
  checkHeap(cache);
  cache.close();
  region.close();
  return { side, results };
}

if (!isMainThread) {
  parentPort!.postMessage(await work(workerData as Job));
} else {
  test('8 threads x 32 callers on one missing key: one run, all get its value', async () => {
    const { side, results } = await inThreads('burst', 1024, 1, 32);
    assert.is(side[RUNS], 1);
    assert.is(results.flatMap((result) => result.values).filter((value) => value === 'value 0').length, 256);
  });

  test('1,000 missing keys at mutexes: 4: each created once, never more than 4 at a time', async () => {
    // A loop that stands still does so each time; the machine's own pauses do not.
    let stoodStill = true;
    for (let attempt = 0; attempt < 3 && stoodStill; attempt++) {
      const { side, results } = await inThreads('many', 4, 1000, 16);
      assert.equal(
        [...side.subarray(RUNS)].filter((runs) => runs !== 1),
        [],
      );
      assert.ok(side[MOST]! <= 4, `${side[MOST]} creators ran at once`);
      assert.ok(side[MOST]! >= 2, 'the throttle let only one in');
      assert.equal(
        results.flatMap((result) => result.values),
        [],
      );
      const plain = await inThreads('plain', 4, 1000, 16);
      const gap = Math.max(...results.map((result) => result.gap));
      const plainGap = Math.max(...plain.results.map((result) => result.gap));
      console.log(
        `# longest event-loop gap ${gap.toFixed(1)} ms, with the creators called directly ${plainGap.toFixed(1)} ms`,
      );
      stoodStill = gap >= plainGap + 200;
    }
    assert.not(stoodStill, 'ten times the goal: an event loop stood still');
  });

  test.run();
}
