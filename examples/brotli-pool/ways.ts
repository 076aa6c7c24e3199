/** The three ways to answer, as one thread of the pool sees them. */
import { LRUCache } from 'lru-cache';
import { attachRegion, type RegionHandle } from '../../src/index.ts';
import type { Answer } from './origin.ts';

export type WayName = 'none' | 'lru' | 'cairn';
export type Load = (path: string) => Promise<Answer>;

export interface Way {
  answer(path: string): Promise<Answer>;
  /** Bytes of answers that this thread alone keeps. */
  keptBytes(): number;
  close(): void;
}

/** Every request is a load. */
function withoutCache(load: Load): Way {
  return { answer: load, keptBytes: () => 0, close() {} };
}

/**
 * The thread's own `lru-cache`, with room for every file. Its `fetch` runs one load for callers of this thread that ask
 * for one file at once; other threads know nothing of it.
 */
function withLruCache(load: Load, files: number): Way {
  const cache = new LRUCache<string, Answer>({ max: files, fetchMethod: (path) => load(path) });
  return {
    answer: (path) => cache.forceFetch(path),
    keptBytes: () => [...cache.values()].reduce((sum, { body }) => sum + body.byteLength, 0),
    close: () => cache.clear(),
  };
}

/** One region for all threads: what one thread loads, the others read, and those that ask meanwhile wait for it. */
function withCairn(load: Load, handle: RegionHandle): Way {
  const region = attachRegion<Answer>(handle);
  return {
    answer: (path) => region.getOrCreate(path, () => load(path)),
    keptBytes: () => 0,
    close: () => region.close(),
  };
}

export function openWay(name: WayName, load: Load, files: number, handle: RegionHandle | null): Way {
  if (name === 'cairn') return withCairn(load, handle!);
  return name === 'lru' ? withLruCache(load, files) : withoutCache(load);
}
