/** One thread of the pool: answers the requests that it is sent, several at once. */
import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { RegionHandle } from '../../src/index.ts';
import { BROKEN, type Counters, createOrigin, isIntact } from './origin.ts';
import { openWay, type Way, type WayName } from './ways.ts';

export interface WorkerData {
  root: string;
  paths: string[];
  name: WayName;
  counters: Counters;
}

/** To a worker: first `open`, then requests by their place in the stream, at the end `finish`. */
export type ToWorker =
  | { kind: 'open'; handle: RegionHandle | null }
  | { kind: 'request'; request: number; file: number }
  | { kind: 'finish' };

export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'answer'; request: number; file: number; etag: string }
  | { kind: 'finished'; keptBytes: number };

const SETTLE_MS = 100;

const { root, paths, name, counters } = workerData as WorkerData;
const load = createOrigin(root, counters);
const send = (message: FromWorker): void => parentPort!.postMessage(message);
let way: Way;

async function answer(request: number, file: number): Promise<void> {
  const found = await way.answer(paths[file]!);
  send({ kind: 'answer', request, file, etag: found.etag });
  if (!isIntact(found)) Atomics.add(counters, BROKEN, 1);
}

function receive(message: ToWorker): void {
  if (message.kind === 'open') way = openWay(name, load, paths.length, message.handle);
  else if (message.kind === 'request') void answer(message.request, message.file);
  else void finish();
}

/** What waits for the garbage collector is no part of what a way keeps; buffers are freed a while after it ran. */
async function finish(): Promise<void> {
  globalThis.gc?.();
  await setTimeout(SETTLE_MS);
  send({ kind: 'finished', keptBytes: way.keptBytes() });
}

parentPort!.on('message', receive);
send({ kind: 'ready' });
