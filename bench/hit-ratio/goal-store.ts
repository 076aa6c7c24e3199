// The store with entries of one size, holding a wanted number of them: what a policy that counts entries compares with.

import { StoreContestant } from './store.ts';
import { HEADER_BYTES, replay, type Workload } from './traces.ts';

const PAGE_COST = 4096 + 16;
const PAGE = 4096;
/** Every entry fills one chunk of this class, and eight of them a page. */
const CHUNK = 512;
const ENTRIES_A_PAGE = PAGE / CHUNK;
const ENTRIES_A_BUCKET = 5;
const INDEX_BUCKETS_A_PAGE = 64;
const GHOST_BUCKETS_A_PAGE = 128;
/** Keys are padded to this many characters. */
const KEY = 20;
/** How far the store's number of live entries may be from the wanted one, and how often a better one is looked for. */
const NEAR = 0.005;
const ATTEMPTS = 4;

/** The same requests, with values that make every entry of one size. */
export function unitWorkload(log: Workload): Workload {
  const keys = log.keys.map((key) => key.padStart(KEY, '0'));
  const keyBytes = Uint32Array.from(keys, (key) => Buffer.byteLength(key));
  return {
    ...log,
    keys,
    keyBytes,
    sizes: Float64Array.from(keyBytes, (bytes) => CHUNK - HEADER_BYTES - bytes),
  };
}

/** Pages for so many entries and their index and ghosts; overflow buckets come on top. */
function pagesFor(entries: number): number {
  const buckets = Math.ceil(entries / ENTRIES_A_BUCKET);
  const table = Math.ceil(buckets / INDEX_BUCKETS_A_PAGE) + Math.ceil(buckets / GHOST_BUCKETS_A_PAGE);
  return Math.ceil(entries / ENTRIES_A_PAGE) + table;
}

export interface Fitted {
  objects: number;
  /** Live entries at the end. */
  live: number;
  pages: number;
}

/** Replays with more or fewer pages until the number of live entries at the end is the wanted one. */
export function replayFitted(
  workload: Workload,
  wanted: number,
  seed: number,
  first = pagesFor(wanted),
): Fitted {
  const seen = new Map<number, Fitted>();
  let pages = first;
  while (seen.size < ATTEMPTS && !seen.has(pages)) {
    using store = new StoreContestant(workload, pages * PAGE_COST, seed);
    const { objects } = replay(workload, store);
    const live = store.entries;
    seen.set(pages, { objects, live, pages });
    const missing = wanted - live;
    if (Math.abs(missing) <= Math.min(NEAR * wanted, ENTRIES_A_PAGE / 2)) break;
    pages += Math.round(missing / ENTRIES_A_PAGE);
  }
  const off = (fitted: Fitted): number => Math.abs(wanted - fitted.live);
  return [...seen.values()].reduce((a, b) => (off(b) < off(a) ? b : a));
}
