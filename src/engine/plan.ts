/**
 * Where everything lies in the memory of a new engine, and whether the options leave room for data. Pure arithmetic; the
 * offsets of the records themselves are in assembly/layout.ts.
 */
import * as L from '../../assembly/layout.ts';
import { OptionError } from '../errors.ts';

export interface PlanInput {
  maxBytes: number;
  maxThreads: number;
  mutexes: number;
  shards: number;
  maxValueBytes: number;
  /** Tests and benchmarks: exactly this many bytes of pages and page records, in all shards together. */
  slabBytes?: number | undefined;
}

export interface Plan {
  totalBytes: number;
  slots: number;
  stats: number;
  regions: number;
  mutexTable: number;
  shardTable: number;
  shardStride: number;
  pages: number;
  pagesPerShard: number;
  indexDir: number;
  ghostDir: number;
  /** Bytes that hold no data: header, slots, tables, control blocks. */
  fixedBytes: number;
}

export const WASM_PAGE = 65536;
const align = (n: number, to: number) => Math.ceil(n / to) * to;

/** Bytes of a shard's control block with directories and records for `pages` pages. */
function shardBytes(pages: number) {
  const indexDir = Math.ceil(pages / 5) + 1;
  const ghostDir = Math.ceil(pages / 10) + 1;
  const stride = align(L.SH_FIXED + indexDir * 4 + ghostDir * 4 + 16 + pages * L.RECORD_SIZE, 64);
  return { indexDir, ghostDir, stride };
}

/** @throws {OptionError} naming the option that takes too much, or that does not fit. */
export function planEngine(input: PlanInput): Plan {
  const { maxThreads, mutexes, shards } = input;
  const slots = L.H_SIZE;
  const stats = slots + maxThreads * L.SLOT_SIZE;
  const regions = stats + maxThreads * L.STATS_SIZE;
  const mutexTable = regions + L.REGIONS * L.REGION_SIZE;
  const shardTable = align(mutexTable + mutexes * L.MUTEX_SIZE, 64);

  let totalBytes = Math.floor(input.maxBytes / WASM_PAGE) * WASM_PAGE;
  let pagesPerShard: number;
  if (input.slabBytes === undefined) {
    pagesPerShard = Math.max(0, Math.floor((totalBytes - shardTable) / shards / L.PAGE_COST));
    const fits = (pages: number) =>
      align(shardTable + shards * shardBytes(pages).stride, L.PAGE_SIZE) + shards * pages * L.PAGE_SIZE <=
      totalBytes;
    while (pagesPerShard > 0 && !fits(pagesPerShard)) {
      const over =
        align(shardTable + shards * shardBytes(pagesPerShard).stride, L.PAGE_SIZE) +
        shards * pagesPerShard * L.PAGE_SIZE -
        totalBytes;
      pagesPerShard = Math.max(0, pagesPerShard - Math.max(1, Math.floor(over / shards / (L.PAGE_COST + 2))));
    }
  } else {
    pagesPerShard = Math.floor(input.slabBytes / shards / L.PAGE_COST);
  }
  const { indexDir, ghostDir, stride } = shardBytes(pagesPerShard);
  const pages = align(shardTable + shards * stride, L.PAGE_SIZE);
  if (input.slabBytes !== undefined) {
    totalBytes = align(pages + shards * pagesPerShard * L.PAGE_SIZE, WASM_PAGE);
  }
  const data = shards * pagesPerShard * L.PAGE_SIZE;
  if (data < input.maxBytes / 2 || pagesPerShard < 8) {
    const parts: [string, number, number][] = [
      ['maxThreads', maxThreads, maxThreads * (L.SLOT_SIZE + L.STATS_SIZE)],
      ['mutexes', mutexes, mutexes * L.MUTEX_SIZE],
      ['shards', shards, shards * L.SH_FIXED],
    ];
    const [name, value, bytes] = parts.sort((a, b) => b[2] - a[2])[0]!;
    throw new OptionError(
      name,
      value,
      `takes ${bytes} bytes, and the fixed parts leave less than half of maxBytes (${input.maxBytes})`,
    );
  }
  if (input.maxValueBytes > (pagesPerShard * L.PAGE_SIZE) / 3) {
    throw new OptionError(
      'maxValueBytes',
      input.maxValueBytes,
      `expected at most a third of a shard's pages (${Math.floor((pagesPerShard * L.PAGE_SIZE) / 3)} bytes of ${shards} shards)`,
    );
  }
  return {
    totalBytes,
    slots,
    stats,
    regions,
    mutexTable,
    shardTable,
    shardStride: stride,
    pages,
    pagesPerShard,
    indexDir,
    ghostDir,
    fixedBytes: totalBytes - data,
  };
}
