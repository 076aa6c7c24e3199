/** Counters, striped per thread slot so that no two threads write one line, added up by whoever asks. */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';

/** Process-wide counters since the engine was made. */
export interface CacheStats {
  hits: number;
  misses: number;
  /** Values stored, increments included. */
  sets: number;
  /** Values removed by `delete`, `take` and the like. */
  deletes: number;
  /** Live entries that made room for others. */
  evictions: number;
  /** Entries reclaimed after they expired or were cleared. */
  expired: number;
  /** Values refused: larger than `maxValueBytes`, or no room. */
  refused: number;
  /** Lock-free reads that met a change and began anew. */
  readRetries: number;
  /** Reads that took a lock, after three of those. */
  lockedReads: number;
  /** Sleeps on a shard's lock. */
  lockWaits: number;
  /** Locks taken over from threads that had died. */
  takeovers: number;
  /** Shards dropped, since a thread died inside a commit. */
  drops: number;
  /** Times a thread waited for another's load. */
  mutexWaits: number;
  /** Creators run. */
  loads: number;
  /** Of those, without their mutex: a nested creator would have deadlocked. */
  unlockedLoads: number;
  /** Slab pages emptied to change class. */
  pagesEmptied: number;
}

const NAMES = [
  'hits',
  'misses',
  'sets',
  'deletes',
  'evictions',
  'expired',
  'refused',
  'readRetries',
  'lockedReads',
  'lockWaits',
  'takeovers',
  'drops',
  'mutexWaits',
  'loads',
  'unlockedLoads',
  'pagesEmptied',
] as const satisfies readonly (keyof CacheStats)[];

export function readStats(engine: Engine): CacheStats {
  const first = engine.u32[L.H_STATS >> 2]! >>> 3;
  const stats = {} as CacheStats;
  NAMES.forEach((name, counter) => {
    let sum = 0n;
    for (let slot = 0; slot < engine.maxThreads; slot++) {
      sum += Atomics.load(engine.u64, first + slot * (L.STATS_SIZE / 8) + counter);
    }
    stats[name] = Number(sum);
  });
  return stats;
}

/** Raises one of this thread's own counters. */
export function countStat(engine: Engine, counter: number): void {
  const at = (engine.u32[L.H_STATS >> 2]! + engine.slotNumber * L.STATS_SIZE + counter) >>> 3;
  engine.u64[at] = engine.u64[at]! + 1n;
}
