/**
 * `node dist/bench/life/main.js [--quick]`: what making an engine costs, and what it costs a thread to attach to a full one. Each attach
 * is the first of a fresh worker; measured inside it, around the call.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache } from '../../src/index.ts';
import { finish, type Row } from '../run/rows.ts';
import { spreadOf } from '../run/spread.ts';
import { keyOf } from '../support/workload.ts';

const quick = process.argv.includes('--quick');
const TIMES = quick ? 5 : 15;
const MAX_BYTES = quick ? 2 ** 28 : 2 ** 30;

if (!isMainThread) {
  const began = performance.now();
  const cache = SharedCache.attach(workerData);
  const ms = performance.now() - began;
  if (cache.get(keyOf(1)) === 'never') throw new Error('impossible');
  cache.close();
  parentPort!.postMessage(ms);
} else {
  const creates: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const began = performance.now();
    const cache = SharedCache.create({ maxBytes: MAX_BYTES });
    creates.push(performance.now() - began);
    cache.close();
  }
  const cache = SharedCache.create<string>({ maxBytes: MAX_BYTES });
  const value = 'x'.repeat(900);
  // until the first shard evicts: the others are as good as full then, since keys are spread evenly
  for (let i = 0; cache.stats().evictions === 0; i++)
    for (let k = 0; k < 1000; k++) cache.set(keyOf(i * 1000 + k), value);
  const attaches: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: cache.handle });
    attaches.push((await once(worker, 'message'))[0] as number);
    await once(worker, 'exit');
  }
  cache.close();
  const size = `${MAX_BYTES / 2 ** 20} MiB`;
  const group = 'making and attaching';
  const row = (id: string, title: string, times: number[], goal: number): Row => ({
    id,
    group,
    title,
    unit: 'ms',
    ...spreadOf(times),
    better: 'less',
    goal,
  });
  finish({
    suite: 'life',
    rows: [
      row('life-attach', `attach of a thread to a full engine of ${size}`, attaches, 3),
      row('life-create', `SharedCache.create of ${size}`, creates, 15),
    ],
  });
}
