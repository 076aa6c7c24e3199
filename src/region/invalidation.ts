/**
 * Invalidation of a whole region, counted and not timed.
 *
 * A region has one generation counter and three floors. `invalidate` and `clear` add 1 to the counter and raise one
 * floor to it. Every stored value carries the counter as it stood before its creator ran, or when it was set. A value
 * below the cleared floor is gone for every read, below the hard one missing, below the soft one stale; floors never
 * sink, so a soft invalidation does not undo a hard one. Where the counters live is the `GenerationSource`: in the
 * shared memory of a backend that has it, else in the region object.
 *
 * A value without a generation of this source was written by somebody else, to a store that others use too. It is
 * judged by time: below a floor when it was created before the moment at which this region raised that floor.
 *
 * A `RegionInvalidator` takes the place of the hard and the soft floor; clearing stays as it is.
 */
import type { Clock } from '../backend/types.ts';
import type { RegionInvalidator } from './types.ts';

/** Generation counter and floors of one region. */
export interface GenerationSource {
  /** The counter: what is stored now carries it. */
  current(): number;
  cleared(): number;
  hard(): number;
  soft(): number;
  /** Adds 1 to the counter and raises the hard or the soft floor to it. */
  invalidate(hard: boolean): void;
  /** Adds 1 to the counter and raises the cleared floor to it. */
  clear(): void;
  /** Whether this source gave out `generation`; a source without this method gave out all. */
  owns?(generation: number): boolean;
}

/** Counters in this thread. They start at a random number, which tells their generations from those of others. */
export class LocalGenerations implements GenerationSource {
  readonly #first = 1 + Math.floor(Math.random() * 2 ** 52);
  #current = this.#first;
  #cleared = 0;
  #hard = 0;
  #soft = 0;

  current(): number {
    return this.#current;
  }

  cleared(): number {
    return this.#cleared;
  }

  hard(): number {
    return this.#hard;
  }

  soft(): number {
    return this.#soft;
  }

  owns(generation: number): boolean {
    return generation >= this.#first && generation <= this.#current;
  }

  invalidate(hard: boolean): void {
    this.#current++;
    if (hard) this.#hard = this.#current;
    else this.#soft = this.#current;
  }

  clear(): void {
    this.#cleared = ++this.#current;
  }
}

/** How a value stands for the caller at hand. */
export const MISSING = 0;
export const STALE = 1;
export const FRESH = 2;
export type Freshness = typeof MISSING | typeof STALE | typeof FRESH;

/** Judges values of one region by what was invalidated. */
export class Invalidation {
  readonly source: GenerationSource;
  readonly strategy: RegionInvalidator | null;
  readonly #clock: Clock;
  #clearedAt = -Infinity;
  #hardAt = -Infinity;
  #softAt = -Infinity;

  constructor(source: GenerationSource, strategy: RegionInvalidator | null, clock: Clock) {
    this.source = source;
    this.strategy = strategy;
    this.#clock = clock;
  }

  /** Its counters, if they are in this thread: a region that gets another backend keeps them. */
  ownSource(): LocalGenerations | null {
    return this.source instanceof LocalGenerations ? this.source : null;
  }

  /** Takes over the times that another one of the same region noted. */
  inherit(before: Invalidation): void {
    this.#clearedAt = before.#clearedAt;
    this.#hardAt = before.#hardAt;
    this.#softAt = before.#softAt;
  }

  /** Whether the value was cleared, and so is gone for every read. */
  gone(ct: number, generation: number | undefined): boolean {
    return this.#counted(generation) ? generation < this.source.cleared() : ct < this.#clearedAt;
  }

  /** How a value of a creation stands, its age left aside. */
  judge(ct: number, generation: number | undefined, key: string): Freshness {
    const { source, strategy } = this;
    if (strategy !== null) {
      if (this.gone(ct, generation) || strategy.isHardInvalidated(ct, key)) return MISSING;
      return strategy.isSoftInvalidated(ct, key) ? STALE : FRESH;
    }
    if (this.#counted(generation)) {
      if (generation < source.hard() || generation < source.cleared()) return MISSING;
      return generation < source.soft() ? STALE : FRESH;
    }
    if (ct < this.#hardAt || ct < this.#clearedAt) return MISSING;
    return ct < this.#softAt ? STALE : FRESH;
  }

  /** Whether a value may be read: {@link judge} for those who want fresh or nothing. */
  readable(ct: number, generation: number | undefined, key: string): boolean {
    if (this.strategy === null) return this.judge(ct, generation, key) === FRESH;
    return !this.gone(ct, generation) && !this.strategy.isInvalidated(ct, key);
  }

  /** The time to note with a creation that starts now: only strategies ask for it. */
  startTime(): number {
    return this.strategy === null ? 0 : this.#clock();
  }

  /** Whether nothing was invalidated since a creation noted this generation and start time. */
  permits(generation: number, startedAt: number, key: string): boolean {
    const { source, strategy } = this;
    if (generation < source.cleared()) return false;
    if (strategy !== null) return !strategy.isInvalidated(startedAt, key);
    return generation >= source.hard() && generation >= source.soft();
  }

  /** A strategy may answer by a promise. */
  invalidate(hard: boolean): unknown {
    if (this.strategy !== null) return this.strategy.invalidate(hard);
    this.source.invalidate(hard);
    if (hard) this.#hardAt = this.#clock();
    else this.#softAt = this.#clock();
    return undefined;
  }

  clear(): void {
    this.source.clear();
    this.noteClear();
  }

  /** Notes the time of a clear that the backend itself did. */
  noteClear(): void {
    this.#clearedAt = this.#clock();
  }

  #counted(generation: number | undefined): generation is number {
    if (typeof generation !== 'number' || generation < 0) return false;
    return this.source.owns === undefined || this.source.owns(generation);
  }
}
