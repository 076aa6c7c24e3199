/** One of the two threads: does what it is asked to, on the shared cache or on a `Map` of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { SharedCache } from '../../src/index.ts';
import { ENTRIES, keyOf, stringOf, uniformOrder } from '../support/workload.ts';
import type * as Loop from './loop.ts';

export interface Task {
  on: 'cairn' | 'map';
  writes: number;
  ms: number;
  /** So many threads start at once; `gate` counts those that are ready. */
  threads: number;
  gate: Int32Array;
}

const port = parentPort!;
const cache = SharedCache.attach<string>(workerData.handle);
const map = new Map<string, string>();
for (let i = 0; i < ENTRIES; i++) map.set(keyOf(i), stringOf(i));
const order = uniformOrder(2 ** 18, ENTRIES);
const values = Array.from({ length: 1024 }, (_, i) => stringOf(i));
const load = async (on: Task['on']) => ((await import(`./loop.js?on=${on}`)) as typeof Loop).operate;
const operate = { cairn: await load('cairn'), map: await load('map') };

/** Returns when as many threads as there should be have called it. */
function meet({ gate, threads }: Task): void {
  if (Atomics.add(gate, 0, 1) === threads - 1) Atomics.notify(gate, 0);
  for (let seen = Atomics.load(gate, 0); seen < threads; seen = Atomics.load(gate, 0)) {
    Atomics.wait(gate, 0, seen, 100);
  }
}

port.on('message', (task: Task) => {
  meet(task);
  const { on, writes, ms } = task;
  const load = { order, values, writes };
  port.postMessage(on === 'cairn' ? operate.cairn(cache, load, ms) : operate.map(map, load, ms));
});
port.postMessage('ready');
