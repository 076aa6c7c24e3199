/** The origin: what a cache is to spare. It reads a file, compresses it as far as brotli can, and makes its ETag. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

export interface Answer {
  etag: string;
  body: Uint8Array;
}

/** Where all threads of a run count together. */
export type Counters = Int32Array<SharedArrayBuffer>;
/** Loads that run now. */
export const RUNNING = 0;
/** The most that ran at once. */
export const MOST_AT_ONCE = 1;
/** Loads begun. */
export const LOADS = 2;
/** Answers whose ETag was not that of their body. */
export const BROKEN = 3;

const compress = promisify(brotliCompress);
const QUALITY_11 = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

export function newCounters(): Counters {
  return new Int32Array(new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT));
}

/** The function that loads a file under `root`. Compression runs on libuv's threads, as in a server. */
export function createOrigin(root: string, counters: Counters): (path: string) => Promise<Answer> {
  return async (path) => {
    Atomics.add(counters, LOADS, 1);
    raiseTo(counters, MOST_AT_ONCE, Atomics.add(counters, RUNNING, 1) + 1);
    try {
      const compressed = await compress(await readFile(join(root, path)), QUALITY_11);
      // A copy, since zlib's buffer is a small part of a larger one that a cache would keep whole.
      const body = new Uint8Array(compressed);
      return { etag: etagOf(body), body };
    } finally {
      Atomics.sub(counters, RUNNING, 1);
    }
  };
}

/** Whether body and ETag belong together. */
export function isIntact({ etag, body }: Answer): boolean {
  return etag === etagOf(body);
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`;
}

function raiseTo(counters: Counters, index: number, value: number): void {
  for (let seen = Atomics.load(counters, index); seen < value; ) {
    const now = Atomics.compareExchange(counters, index, seen, value);
    if (now === seen) return;
    seen = now;
  }
}
