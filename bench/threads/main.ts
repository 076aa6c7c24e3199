/**
 * `node dist/bench/threads/main.js [--quick]`: how much more two threads do than one, on one shared cache, beside two threads with
 * a private `Map` each, which share nothing but the machine. Perfect scaling is 1: twice as much. In a round each side runs
 * alone in one thread, in both at once, and alone in the other thread. The figure is Cairn's scaling over that of the maps
 * in the same round, so that what the machine itself loses with two busy cores counts for both.
 */
import { Worker } from 'node:worker_threads';
import { SharedCache } from '../../src/index.ts';
import { finish, type Row } from '../run/rows.ts';
import { spreadOf } from '../run/spread.ts';
import { ENTRIES, keyOf, stringOf } from '../support/workload.ts';
import type { Task } from './worker.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 5 : 21;
const MS = quick ? 60 : 250;
const WORK = [
  { id: 'threads-get', title: 'get', writes: 0, goal: 0.95 },
  { id: 'threads-mixed', title: '90 % get, 10 % set', writes: 1, goal: 0.9 },
  { id: 'threads-set', title: 'set over an existing key', writes: 10, goal: 0.8 },
];
type On = Task['on'];

const cache = SharedCache.create<string>();
for (let i = 0; i < ENTRIES; i++) cache.set(keyOf(i), stringOf(i));
const workers = [0, 1].map(
  () => new Worker(new URL('worker.js', import.meta.url), { workerData: { handle: cache.handle } }),
);
const answer = (worker: Worker) =>
  new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  }).finally(() => worker.removeAllListeners('error'));

/** Operations a millisecond of each worker, all at once. */
function run(on: On, writes: number, chosen: Worker[], ms = MS): Promise<number[]> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  return Promise.all(
    chosen.map((worker) => {
      const answered = answer(worker);
      worker.postMessage({ on, writes, ms, threads: chosen.length, gate } satisfies Task);
      return answered;
    }),
  );
}

/** Speed of one thread, and the share of perfect scaling that two reach. */
async function scaling(on: On, writes: number): Promise<{ alone: number; share: number }> {
  const before = (await run(on, writes, [workers[0]!]))[0]!;
  const both = await run(on, writes, workers);
  const after = (await run(on, writes, [workers[1]!]))[0]!;
  return { alone: (before + after) / 2, share: (both[0]! + both[1]!) / (before + after) };
}

await Promise.all(workers.map(answer));
console.log(
  `Node ${process.version}, ${ENTRIES} entries of 85-byte strings, ${ROUNDS} interleaved rounds of ${MS} ms`,
);
const rows: Row[] = [];
for (const { id, title, writes, goal } of WORK) {
  for (const on of ['cairn', 'map'] as const) await run(on, writes, workers, 2 * MS); // compiles the loops
  const times: Record<On, { alone: number; share: number }[]> = { cairn: [], map: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const order: On[] = round % 2 ? ['cairn', 'map'] : ['map', 'cairn'];
    for (const on of order) times[on].push(await scaling(on, writes));
  }
  const of = (on: On, what: 'alone' | 'share') => spreadOf(times[on].map((time) => time[what])).value;
  console.log(
    `${title}: ${(of('cairn', 'alone') / 1000).toFixed(2)} million a second in one thread, Map ${(of('map', 'alone') / 1000).toFixed(2)}`,
  );
  rows.push({
    id,
    group: "two threads on one cache, beside two with a Map each: Cairn's scaling over the maps'",
    title,
    unit: 'share',
    ...spreadOf(times.cairn.map(({ share }, round) => share / times.map[round]!.share)),
    better: 'more',
    goal,
    rival: { title: 'a Map in each thread' },
    sides: { cairn: of('cairn', 'share'), rival: of('map', 'share'), unit: 'share' },
  });
}
await Promise.all(workers.map((worker) => worker.terminate()));
cache.close();
finish({ suite: 'threads', rows });
