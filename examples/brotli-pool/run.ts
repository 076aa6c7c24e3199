/**
 * One run of a stream, one way, in a process of its own, so that no run inherits the memory of another. The parent sends
 * a plan and gets progress and a result.
 *
 * Request `n` goes to thread `n % threads`, whatever the way; each thread has up to `PIPELINE` of them in hand.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type CacheStats, createRegion, SharedCache } from '../../src/index.ts';
import { BROKEN, LOADS, MOST_AT_ONCE, newCounters } from './origin.ts';
import { countDistinct } from './stream.ts';
import type { WayName } from './ways.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker.ts';

/** Requests that a thread has in hand at once. */
export const PIPELINE = 8;
const MAX_CACHE_BYTES = 64 * 2 ** 20;
const PROGRESS_MS = 100;

export interface RunPlan {
  way: WayName;
  /** Of Cairn's engine; absent: its default. */
  mutexes?: number;
  threads: number;
  root: string;
  paths: string[];
  /** Numbers of files, in the order in which they are asked for. */
  stream: Uint16Array;
}

export interface RunResult {
  requests: number;
  distinctFiles: number;
  /** Times the origin was asked. */
  loads: number;
  /** Share of the requests that were answered without a load of their own. */
  hitRatio: number;
  seconds: number;
  requestsPerSecond: number;
  /** From sending a request to a thread to its answer, in milliseconds. */
  latencyMs: { p50: number; p99: number };
  /** Bytes of cached answers, over all threads. */
  keptBytes: number;
  /** From idle threads to the end of the run, garbage collected. */
  residentGrowthBytes: number;
  mostLoadsAtOnce: number;
  /** Answers whose ETag was not that of their body, or not that of the file's other answers. */
  wrongAnswers: number;
  /** Counters of Cairn's engine. */
  stats?: CacheStats;
}

type FromRun = { done: number } | { result: RunResult };

/** Runs a plan in a process of its own. `onProgress` gets the number of requests answered. */
export function run(plan: RunPlan, onProgress: (done: number) => void): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), {
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message: FromRun) => {
      if ('done' in message) onProgress(message.done);
      else resolve(message.result);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      reject(new Error(`The run '${plan.way}' ended without a result (${signal ?? `exit code ${code}`})`));
    });
    child.send(plan);
  });
}

async function execute(plan: RunPlan): Promise<RunResult> {
  const counters = newCounters();
  const pool = await startPool(
    { root: plan.root, paths: plan.paths, name: plan.way, counters },
    plan.threads,
  );
  const idle = residentBytes();
  const cairn = plan.way === 'cairn' ? openCairn(plan.mutexes) : null;
  const emptyBytes = cairn?.cache.bytes ?? 0;
  for (const worker of pool) post(worker, { kind: 'open', handle: cairn?.handle ?? null });

  const { latencies, seconds, mixedEtags } = await dispatch(plan.stream, pool);
  const kept = await Promise.all(pool.map(finish));
  const requests = plan.stream.length;
  const loads = Atomics.load(counters, LOADS);
  const result: RunResult = {
    requests,
    distinctFiles: countDistinct(plan.stream),
    loads,
    hitRatio: 1 - loads / requests,
    seconds,
    requestsPerSecond: requests / seconds,
    latencyMs: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    keptBytes: cairn ? cairn.cache.bytes - emptyBytes : kept.reduce((sum, bytes) => sum + bytes, 0),
    residentGrowthBytes: residentBytes() - idle,
    mostLoadsAtOnce: Atomics.load(counters, MOST_AT_ONCE),
    wrongAnswers: Atomics.load(counters, BROKEN) + mixedEtags,
  };
  if (cairn) result.stats = cairn.cache.stats();
  return result;
}

/** A cache for its counters, and a region on it for the threads. */
function openCairn(mutexes: number | undefined) {
  const cache = SharedCache.create({ maxBytes: MAX_CACHE_BYTES, ...(mutexes && { mutexes }) });
  const region = createRegion({ name: 'compressed files' }).configure('cairn.slab', { arguments: { cache } });
  return { cache, handle: region.handle };
}

function startPool(workerData: WorkerData, threads: number): Promise<Worker[]> {
  const starts = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
    // An error in a worker ends the run: nobody would answer its requests.
    worker.on('error', (error) => {
      throw error;
    });
    return new Promise<Worker>((resolve) => worker.once('message', () => resolve(worker)));
  });
  return Promise.all(starts);
}

/** Sends the whole stream through the pool. */
function dispatch(stream: Uint16Array, pool: Worker[]) {
  const sentAt = new Float64Array(stream.length);
  const latencies = new Float64Array(stream.length);
  const etags = new Map<number, string>();
  let mixedEtags = 0;
  let done = 0;
  let reportedAt = 0;
  const began = performance.now();

  return new Promise<{ latencies: Float64Array; seconds: number; mixedEtags: number }>((resolve) => {
    const receive = (message: FromWorker, sendNext: () => void): void => {
      if (message.kind !== 'answer') return;
      const now = performance.now();
      latencies[message.request] = now - sentAt[message.request]!;
      sendNext();
      const known = etags.get(message.file);
      if (known === undefined) etags.set(message.file, message.etag);
      else if (known !== message.etag) mixedEtags++;
      done++;
      if (now - reportedAt >= PROGRESS_MS) {
        reportedAt = now;
        process.send!({ done } satisfies FromRun);
      }
      if (done === stream.length) resolve({ latencies, seconds: (now - began) / 1000, mixedEtags });
    };
    pool.forEach((worker, index) => {
      let next = index;
      const sendNext = (): void => {
        if (next >= stream.length) return;
        sentAt[next] = performance.now();
        post(worker, { kind: 'request', request: next, file: stream[next]! });
        next += pool.length;
      };
      worker.on('message', (message: FromWorker) => receive(message, sendNext));
      for (let i = 0; i < PIPELINE; i++) sendNext();
    });
  });
}

function finish(worker: Worker): Promise<number> {
  return new Promise((resolve) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'finished') resolve(message.keptBytes);
    });
    post(worker, { kind: 'finish' });
  });
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

// As the child of `run` above; as an imported module this does nothing.
if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('message', async (plan) => {
    const result = await execute(plan as RunPlan);
    process.send!({ result } satisfies FromRun, () => process.exit());
  });
  process.on('disconnect', () => process.exit(1));
}
