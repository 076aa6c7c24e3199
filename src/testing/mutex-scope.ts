/** What a test of a mutex works with, and the options of `mutexSuite`. */
import type { CacheMutex } from '../mutex/types.ts';
import type { Check } from './check.ts';
import { Scope, type Suite, type SuiteOptions } from './suite.ts';

export interface MutexSuiteOptions<S = undefined> extends SuiteOptions<S> {
  /**
   * The mutex of `key`, as a backend's `getMutex` gives it: each call may give another object, all objects of one key
   * are one mutex. All mutexes of a test are free when it begins.
   */
  readonly create: (key: string, store: S) => CacheMutex;
  /** It has `locked()`. Default `true`. */
  readonly locked?: boolean | undefined;
  /** `acquire(true, signal)` answers `false` when `signal` fires first, and leaves the queue. Default `false`. */
  readonly signal?: boolean | undefined;
  /** Some two keys can be held at once. Default `true`; `false` where one mutex is for all keys. */
  readonly independent?: boolean | undefined;
  /** What `release()` does on an object that does not hold the mutex. Default `'throws'`; `'ignored'`: nothing. */
  readonly releaseUnheld?: 'throws' | 'ignored' | undefined;
  /** It is a `SharedMutex`: it has `tryAcquire`, `acquireSync`, `index` and `engineId`. Default `false`. */
  readonly shared?: boolean | undefined;
}

// Whoever holds it wrongly does so for longer.
const FREE_WITHIN_MS = 500;

export const MUTEX_FLAGS = ['locked', 'signal', 'independent', 'shared'] as const;

/** Default of each option of `mutexSuite` that has one. */
export const MUTEX_DEFAULTS = Object.freeze({
  locked: true,
  signal: false,
  independent: true,
  releaseUnheld: 'throws',
  shared: false,
});

export class MutexScope<S> extends Scope<S> {
  readonly #options: MutexSuiteOptions<S>;

  constructor(store: S, check: Check, options: MutexSuiteOptions<S>) {
    super(store, check);
    this.#options = options;
  }

  /** A mutex object of `key`. */
  create(key = 'foo'): CacheMutex {
    return this.#options.create(key, this.store);
  }

  /** A mutex object of `key` that was acquired without waiting. */
  async held(key = 'foo'): Promise<CacheMutex> {
    const mutex = this.create(key);
    this.check.ok(await mutex.acquire(false), `acquire(false) of the free mutex of '${key}' must be truthy`);
    return mutex;
  }

  /** Whether the mutex of `key` is free, found out by taking it for a moment. */
  async isFree(key = 'foo'): Promise<boolean> {
    const mutex = this.create(key);
    if (!(await mutex.acquire(false))) return false;
    await mutex.release();
    return true;
  }

  /** Fails if the mutex of `key` is not free soon: one that was woken may be let go first. */
  async becomesFree(what: string, key = 'foo'): Promise<void> {
    const limit = performance.now() + FREE_WITHIN_MS;
    let free = await this.isFree(key);
    for (let round = 0; !free && (round < 100 || performance.now() < limit); round++) {
      await this.turn();
      free = await this.isFree(key);
    }
    this.check.ok(free, what);
  }

  /** Two keys whose mutexes are not one: several keys may share a mutex. */
  async twoKeys(): Promise<[string, string]> {
    const { independent = MUTEX_DEFAULTS.independent } = this.#options;
    if (!independent) return ['foo', 'bar'];
    const first = await this.held('foo');
    try {
      for (let n = 0; n < 200; n++) if (await this.isFree(`bar${n}`)) return ['foo', `bar${n}`];
    } finally {
      await first.release();
    }
    return this.check.fail("no key out of 200 has another mutex than 'foo'; is `independent` to be false?");
  }
}

export type MutexSuite<S> = Suite<S, MutexScope<S>>;

/** A wait, and whether it has ended. */
export function waiting(
  mutex: CacheMutex,
  signal?: AbortSignal,
): { answer: Promise<boolean>; ended: boolean } {
  const wait = { answer: Promise.resolve(false), ended: false };
  wait.answer = Promise.resolve(signal === undefined ? mutex.acquire() : mutex.acquire(true, signal)).then(
    (got) => {
      wait.ended = true;
      return got;
    },
  );
  wait.answer.catch(() => {});
  return wait;
}
