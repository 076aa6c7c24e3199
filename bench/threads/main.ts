/**
 * `npm run bench:threads`: the same work in one thread and in two at once, on one shared cache and on a private Map each.
 * Rounds are interleaved; the figure is the share of perfect scaling (1: two threads do twice as much).
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache } from '../../src/index.ts';
import { ENTRIES, keyOf, stringOf, uniformOrder } from '../support/workload.ts';

const ROUND_MS = process.argv.includes('--quick') ? 100 : 400;
const ROUNDS = process.argv.includes('--quick') ? 3 : 9;
const WORK = ['get', '90/10 get/set', 'set'] as const;

interface Round {
  on: 'cairn' | 'Map';
  work: (typeof WORK)[number];
}

function operate(
  store: { get(key: string): unknown; set(key: string, value: string): unknown },
  work: Round['work'],
  order: Uint32Array,
): number {
  const until = performance.now() + ROUND_MS;
  const writes = work === 'get' ? 0 : work === 'set' ? 10 : 1;
  let n = 0;
  const began = performance.now();
  while (performance.now() < until) {
    for (let i = 0; i < 500; i++, n++) {
      const entry = order[n % order.length]!;
      if (n % 10 < writes) store.set(keyOf(entry), stringOf(n));
      else store.get(keyOf(entry));
    }
  }
  return n / (performance.now() - began);
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

if (!isMainThread) {
  const cache = SharedCache.attach<string>(workerData.handle);
  const map = new Map<string, string>();
  for (let i = 0; i < ENTRIES; i++) map.set(keyOf(i), stringOf(i));
  const order = uniformOrder(2 ** 18, ENTRIES);
  parentPort!.on('message', ({ on, work }: Round) =>
    parentPort!.postMessage(operate(on === 'cairn' ? cache : map, work, order)),
  );
  parentPort!.postMessage('ready');
} else {
  const cache = SharedCache.create<string>({ maxBytes: 64 * 2 ** 20 });
  for (let i = 0; i < ENTRIES; i++) cache.set(keyOf(i), stringOf(i));
  const workers = [0, 1].map(
    () =>
      new Worker(new URL(import.meta.url), {
        workerData: { handle: cache.handle },
        argv: process.argv.slice(2),
      }),
  );
  const answer = (worker: Worker) => new Promise<number>((resolve) => worker.once('message', resolve));
  await Promise.all(workers.map(answer));
  const ask = (worker: Worker, round: Round) => {
    const answered = answer(worker);
    worker.postMessage(round);
    return answered;
  };
  console.log(
    `Node ${process.version}, ${ENTRIES} entries of 85-byte strings, ${ROUNDS} interleaved rounds of ${ROUND_MS} ms\n`,
  );
  for (const work of WORK) {
    const scaling: Record<Round['on'], number[]> = { cairn: [], Map: [] };
    const alone: Record<Round['on'], number[]> = { cairn: [], Map: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const on of ['cairn', 'Map'] as const) {
        const one = await ask(workers[round & 1]!, { on, work });
        const two = await Promise.all(workers.map((worker) => ask(worker, { on, work })));
        alone[on].push(one);
        scaling[on].push((two[0]! + two[1]!) / 2 / one);
      }
    }
    for (const on of ['cairn', 'Map'] as const) {
      const spread = `${Math.min(...scaling[on]).toFixed(2)} to ${Math.max(...scaling[on]).toFixed(2)}`;
      console.log(
        `${work.padEnd(14)} ${on.padEnd(6)} ${(median(alone[on]) / 1000).toFixed(2).padStart(5)} M/s alone, scaling ${median(scaling[on]).toFixed(2)} (${spread})`,
      );
    }
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  cache.close();
}
