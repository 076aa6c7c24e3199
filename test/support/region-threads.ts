/** What the tests of regions over several threads share: an engine with a region, rounds, and what must be left behind. */
import * as assert from 'uvu/assert';
import { type CacheRegion, createRegion, type RegionOptions, type SharedCache } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { createWithSeed } from '../../src/store/create.ts';
import { checkHeap, SEED } from './engine.ts';
import { heldMutexes } from './stress-heap.ts';
import { HANG_MS, Thread } from './threads.ts';

export interface SharedRegion<V> {
  readonly region: CacheRegion<V>;
  readonly cache: SharedCache;
}

/** A region on an engine of its own. Which key has which mutex is a matter of the seed, and no lease ends a hang. */
export function sharedRegion<V>(
  mutexes: number,
  options: Omit<RegionOptions<V>, 'name'> & { expirationTime?: number } = {},
): SharedRegion<V> {
  const cache = createWithSeed({ maxBytes: 2 ** 22, mutexes, lease: 10 * HANG_MS }, BigInt(SEED));
  const region = createRegion<V>({ name: 'shared', backend: 'cairn.slab', arguments: { cache }, ...options });
  return { region, cache };
}

/** Creations that this thread has not ended. */
export function runsOf(region: CacheRegion<any>): number {
  return coreOf(region).runs.size;
}

/** With all threads at rest: the heap balances, no mutex is held, no creation is left. Then everything is closed. */
export function checkLeft({ region, cache }: SharedRegion<any>): void {
  checkHeap(cache);
  assert.equal(heldMutexes(cache), [], 'mutexes that are held');
  assert.is(runsOf(region), 0, 'creations of the main thread');
  region.close();
  cache.close();
}

/** Worker threads of the module `url`, for all tests of a file. */
export class Crew {
  readonly threads: readonly Thread[];
  #failed: unknown = null;

  constructor(url: string, count: number) {
    this.threads = Array.from({ length: count }, () => new Thread(url, {}));
  }

  /** Asks all threads at once, each with its own argument. After a failure they may hang: later tests fail at once. */
  async ask<T>(name: string, argument: (me: number) => unknown): Promise<T[]> {
    if (this.#failed !== null) throw new Error(`threads that failed before: ${this.#failed}`);
    try {
      return await Promise.all(this.threads.map((thread, me) => thread.ask<T>(name, argument(me))));
    } catch (error) {
      this.#failed = error;
      throw error;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }
}

/** Lets threads begin together again and again. Blocks the thread. */
export class Rounds {
  static readonly WORDS = 2;
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #threads: number;

  /** Uses the words `at` and `at + 1`, which are 0 at first. */
  constructor(words: Int32Array, at: number, threads: number) {
    this.#words = words;
    this.#at = at;
    this.#threads = threads;
  }

  /** Waits until all threads are here. The last one calls `between`, with all others waiting; then they go on. */
  meet(between: () => void = () => {}): void {
    const come = this.#at;
    const round = this.#at + 1;
    const now = Atomics.load(this.#words, round);
    if (Atomics.add(this.#words, come, 1) + 1 === this.#threads) {
      between();
      Atomics.store(this.#words, come, 0);
      Atomics.add(this.#words, round, 1);
      Atomics.notify(this.#words, round);
      return;
    }
    while (Atomics.load(this.#words, round) === now) {
      if (Atomics.wait(this.#words, round, now, HANG_MS) === 'timed-out')
        throw new Error('hung: a thread is missing');
    }
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `count` of the numbers below `of`, each once, in random order. */
export function pick(rnd: () => number, count: number, of: number): number[] {
  const all = Array.from({ length: of }, (_, n) => n);
  for (let n = 0; n < count; n++) {
    const other = n + Math.floor(rnd() * (of - n));
    [all[n], all[other]] = [all[other]!, all[n]!];
  }
  return all.slice(0, count);
}
