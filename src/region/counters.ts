/**
 * What a region counts. The first four are counted on the fast path, so each thread has its own; the others change
 * about as often as creators run.
 */
export const HITS = 0;
export const MISSES = 1;
export const STALE_SERVED = 2;
export const JOINED = 3;
/** How many of them are counted by thread. */
export const BY_THREAD = 4;
export const LOADS = 4;
export const LOAD_ERRORS = 5;
export const WAITS = 6;
export const UNLOCKED = 7;
export const REFUSED = 8;
/** Microseconds that creators took. */
export const LOAD_MICROS = 9;
/** The first of the buckets of the load times. */
export const LOAD_TIMES = 10;
/** Bucket n holds what took less than 2 ** n milliseconds and no other does; the last one all that is longer. */
export const LOAD_BUCKETS = 18;
export const COUNTERS = LOAD_TIMES + LOAD_BUCKETS;

/** Where a region's counters live: in the shared memory of a backend that has it, else in the region's thread. */
export interface RegionCounters {
  add(counter: number, by: number): void;
  read(counter: number): number;
}

export class LocalCounters implements RegionCounters {
  readonly #counts = new Float64Array(COUNTERS);

  add(counter: number, by: number): void {
    this.#counts[counter]! += by;
  }

  read(counter: number): number {
    return this.#counts[counter]!;
  }
}

/** Counters of a region since its engine was made, over all threads; else since the region was configured. */
export interface RegionStats {
  /** Reads that were answered by a fresh value: `get`, `getMulti`, `getValueMetadata`, `getOrCreate` and the like. */
  hits: number;
  /** Reads that found none. What `getOrCreate` regenerates or serves stale was a miss first. */
  misses: number;
  /** Calls, or keys of a Multi call, that got a stale value. */
  staleServed: number;
  /** Creators run; for several keys at once it is one. */
  loads: number;
  /** Of those, how many failed: threw, rejected, or returned what they must not. */
  loadErrors: number;
  /** Callers that joined the run of another caller of their thread. */
  joined: number;
  /** Times a creation waited for a mutex that others held. */
  waits: number;
  /** Creators that ran without their mutex: waiting might have been a deadlock, or it was not to be had. */
  unlockedCreations: number;
  /**
   * Values that were not stored since their key was changed or invalidated while the creator ran, or since the backend
   * refused them (too large). Where it refuses several at once, that counts as one.
   */
  refusedStores: number;
  /** How long creators took. */
  loadTimes: {
    /** Milliseconds, all together. */
    totalMs: number;
    /** How many took less than `belowMs` milliseconds, and not less than the bucket before. */
    buckets: { belowMs: number; count: number }[];
  };
}

export function readRegionStats(counters: RegionCounters): RegionStats {
  const buckets = Array.from({ length: LOAD_BUCKETS }, (_, n) => ({
    belowMs: n === LOAD_BUCKETS - 1 ? Infinity : 2 ** n,
    count: counters.read(LOAD_TIMES + n),
  }));
  return {
    hits: counters.read(HITS),
    misses: counters.read(MISSES),
    staleServed: counters.read(STALE_SERVED),
    loads: counters.read(LOADS),
    loadErrors: counters.read(LOAD_ERRORS),
    joined: counters.read(JOINED),
    waits: counters.read(WAITS),
    unlockedCreations: counters.read(UNLOCKED),
    refusedStores: counters.read(REFUSED),
    loadTimes: { totalMs: counters.read(LOAD_MICROS) / 1000, buckets },
  };
}

/** Counts one creator that took `ms` milliseconds. */
export function countLoadTime(counters: RegionCounters, ms: number): void {
  counters.add(LOAD_MICROS, Math.round(ms * 1000));
  const bucket = ms < 1 ? 0 : Math.min(LOAD_BUCKETS - 1, Math.floor(Math.log2(ms)) + 1);
  counters.add(LOAD_TIMES + bucket, 1);
}
