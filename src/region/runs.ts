/**
 * The creations that run in this thread, by mangled key, and what changed under them.
 *
 * A run is one attempt to create a key. It is `open` from its start until the key changes (set, delete, invalidate,
 * clear): while it is open, callers of the same thread that miss the key may join it. It is `clean` from its second
 * read until the key changes, also by another run's store: only a clean run's value is stored. Both are written here
 * and nowhere else, but for `clean`, which the run sets at its second read through `fence`.
 *
 * A change that a backend makes by a promise counts as going on until that settles: no run that reads the key
 * meanwhile is clean. A store that goes on is waited for by the changes that come after it (`storing`), so they are
 * applied in this order.
 */
import type { CachedValue, NoValue } from '../backend/cached-value.ts';
import type { CreationToken } from '../backend/types.ts';
import type { RegionCore } from './core.ts';
import type { CreationContext, Lock } from './lock-order.ts';
import type { Outcome } from './outcome.ts';
import { isThenable } from './steps.ts';
import type { Creator, ExpirationTime } from './types.ts';

/** One attempt to create a key, with all that belongs to it. */
export class Run<V> {
  readonly core: RegionCore<V>;
  readonly key: string;
  readonly creator: Creator<V>;
  readonly expiration: ExpirationTime;
  /** The stale value that its caller read, or `NO_VALUE`. */
  readonly found: CachedValue<V> | NoValue;
  readonly lock: Lock;
  /** The chain of creations within which it was begun. */
  readonly chain: CreationContext | null;
  readonly sync: boolean;
  /** What joiners wait for; only asynchronous runs on a missing key have it. */
  promise: Promise<Outcome<V>> | null = null;
  open = true;
  clean = false;
  /** The region's generation and, for strategies, the time: at its start, then at its second read. */
  generation: number;
  startedAt: number;
  /** The backend's token, from its second read on. */
  token: CreationToken = undefined;
  /** Its store, while that goes on. */
  storing: PromiseLike<unknown> | null = null;

  constructor(
    core: RegionCore<V>,
    key: string,
    creator: Creator<V>,
    expiration: ExpirationTime,
    found: CachedValue<V> | NoValue,
    lock: Lock,
    chain: CreationContext | null,
    sync: boolean,
  ) {
    this.core = core;
    this.key = key;
    this.creator = creator;
    this.expiration = expiration;
    this.found = found;
    this.lock = lock;
    this.chain = chain;
    this.sync = sync;
    this.generation = core.invalidation.source.current();
    this.startedAt = core.invalidation.startTime();
  }

  /** Called right before the second read: what changes from now on keeps the value from being stored. */
  fence(): void {
    this.clean = !this.core.runs.isChanging(this.key);
    this.generation = this.core.invalidation.source.current();
    this.startedAt = this.core.invalidation.startTime();
  }

  /** Whether the key is as it was when the run began to create, as far as other threads' changes go. */
  tokenStands(): boolean {
    if (this.token === undefined) return true;
    const answer = this.core.backend.tokenStands?.(this.key, this.token) ?? true;
    return isThenable(answer) || answer;
  }

  /** Whether nothing was invalidated since the generation and time that it noted. */
  isValid(): boolean {
    return this.core.invalidation.permits(this.generation, this.startedAt, this.key);
  }
}

export class Runs<V> {
  readonly #byKey = new Map<string, Run<V>[]>();
  // How many changes of a key are going on.
  readonly #changing = new Map<string, number>();

  add(run: Run<V>): void {
    const runs = this.#byKey.get(run.key);
    if (runs === undefined) this.#byKey.set(run.key, [run]);
    else runs.push(run);
  }

  remove(run: Run<V>): void {
    const runs = this.#byKey.get(run.key);
    if (runs === undefined) return;
    if (runs.length === 1) this.#byKey.delete(run.key);
    else runs.splice(runs.indexOf(run), 1);
  }

  /** The run that a caller on a missing key may join, the order of locks left aside. */
  joinable(key: string, expiration: ExpirationTime): Run<V> | undefined {
    const runs = this.#byKey.get(key);
    if (runs === undefined) return undefined;
    return runs.findLast(
      (run) =>
        run.open &&
        run.promise !== null &&
        run.expiration === expiration &&
        run.isValid() &&
        run.tokenStands(),
    );
  }

  /** Whether the key has other runs in this thread. */
  hasOther(run: Run<V>): boolean {
    return this.#byKey.get(run.key)?.some((other) => other !== run) ?? false;
  }

  /** Notes that a run's value takes the key's place: it is a change for all other runs of the key. */
  noteStore(stored: Run<V>): void {
    for (const run of this.#byKey.get(stored.key) ?? []) if (run !== stored) run.clean = false;
  }

  /** Notes a change of `key` from outside of any run. */
  noteChange(key: string): void {
    for (const run of this.#byKey.get(key) ?? []) run.open = run.clean = false;
  }

  /** Notes a change of all keys. */
  noteChangeOfAll(): void {
    for (const runs of this.#byKey.values()) for (const run of runs) run.open = run.clean = false;
  }

  /** Makes a change of `key` and notes it, for as long as it goes on. */
  change<T>(key: string, make: () => T | PromiseLike<T>): T | PromiseLike<T> {
    this.noteChange(key);
    const answer = make();
    if (!isThenable(answer)) return answer;
    this.#changing.set(key, (this.#changing.get(key) ?? 0) + 1);
    const ended = () => {
      this.noteChange(key);
      const left = this.#changing.get(key)! - 1;
      if (left === 0) this.#changing.delete(key);
      else this.#changing.set(key, left);
    };
    return answer.then(
      (value) => {
        ended();
        return value as T;
      },
      (error) => {
        ended();
        throw error;
      },
    );
  }

  isChanging(key: string): boolean {
    return this.#changing.has(key);
  }

  /** A store of `key` that is going on, if there is one. */
  storing(key: string): PromiseLike<unknown> | null {
    return this.#byKey.get(key)?.find((run) => run.storing !== null)?.storing ?? null;
  }

  /** How many keys have runs. */
  get size(): number {
    return this.#byKey.size;
  }
}
