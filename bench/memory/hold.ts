/**
 * Four worker threads that hold something: `node --expose-gc dist/bench/memory/hold.js idle|cairn|lru ENTRIES`. Its last line: the
 * resident memory of the process when all have read everything twice, as JSON.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { SharedCache } from '../../src/index.ts';
import { HOUR_MS } from '../rivals/in-process.ts';
import { keyOf, stringOf } from '../support/workload.ts';

const THREADS = 4;

function readAll(store: { get(key: string): unknown }, entries: number): void {
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < entries; i++) {
      if (typeof store.get(keyOf(i)) !== 'string') throw new Error(`entry ${i} is missing`);
    }
  }
}

if (!isMainThread) {
  const { what, entries, handle } = workerData;
  // held until the end: what a thread has decoded counts
  const shared = what === 'cairn' ? SharedCache.attach(handle) : undefined;
  if (shared) readAll(shared, entries);
  let own: LRUCache<string, string> | undefined;
  if (what === 'lru') {
    own = new LRUCache<string, string>({ max: entries, ttl: HOUR_MS });
    // as programs store them: keys and values that are one piece each
    for (let i = 0; i < entries; i++)
      own.set(Buffer.from(keyOf(i)).toString('latin1'), Buffer.from(stringOf(i)).toString('latin1'));
    readAll(own, entries);
  }
  gc!();
  parentPort!.on('message', () => process.exit((shared ?? own)?.size === 0 ? 1 : 0));
  parentPort!.postMessage('ready');
} else {
  const [what, count] = process.argv.slice(2);
  const entries = Number(count);
  const cache =
    what === 'cairn'
      ? SharedCache.create<string>({ ttl: HOUR_MS, maxBytes: Math.max(64 * 2 ** 20, entries * 256) })
      : undefined;
  if (cache) for (let i = 0; i < entries; i++) cache.set(keyOf(i), stringOf(i));
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: { what, entries, handle: cache?.handle } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  gc!();
  const { rss } = process.memoryUsage();
  console.log(JSON.stringify({ rss, bytes: cache?.bytes ?? 0, size: cache?.size ?? 0 }));
  for (const worker of workers) worker.postMessage('end');
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  cache?.close();
}
