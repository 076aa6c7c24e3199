/** The slow upstream, a thread of its own: answers `/items/:id` after a while, and refuses when too many ask at once. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** Indexes of what it counts, in shared memory. */
export const CALLS = 0;
export const OPEN = 1;
export const MOST = 2;
export const REFUSED = 3;
export const COUNTS = 4;

export const LATENCY_MS = 50;
/** More than this many at once, and it answers 503. */
export const CAPACITY = 32;

export interface UpstreamData {
  readonly counts: SharedArrayBuffer;
}

/** What it answers. */
export function bodyOf(id: number): string {
  return JSON.stringify({ id, name: `item ${id}`, price: id / 100 });
}

function serve(counts: Int32Array): void {
  const server = createServer((request, response) => {
    Atomics.add(counts, CALLS, 1);
    const open = Atomics.add(counts, OPEN, 1) + 1;
    if (open > counts[MOST]) counts[MOST] = open; // this thread alone writes it
    const end = (status: number, body: string) => {
      Atomics.sub(counts, OPEN, 1);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    };
    if (open > CAPACITY) {
      Atomics.add(counts, REFUSED, 1);
      end(503, '{"error":"too many requests"}');
      return;
    }
    const id = Number(request.url!.slice('/items/'.length));
    setTimeout(() => end(200, bodyOf(id)), LATENCY_MS);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as AddressInfo).port));
}

if (workerData?.counts !== undefined) serve(new Int32Array((workerData as UpstreamData).counts));
