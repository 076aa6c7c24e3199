/**
 * The keys that are being created in this thread, and what changed under them.
 *
 * A run is a creation's part for one key. It is `open` from its start until the key changes (set, delete, invalidate,
 * clear) or its creation is abandoned: while it is open, callers of the same thread that miss the key may join it. It
 * is `clean` from its second read until the key changes, also by another run's store: only a clean run's value is
 * stored. Both are written here and nowhere else, but for `clean`, which the run sets at its second read through
 * `fence`, and `open` of an abandoned creation's runs.
 *
 * A change that a backend makes by a promise counts as going on until that settles: no run that reads the key
 * meanwhile is clean. A store that goes on is waited for by the changes that come after it (`storing`), so they are
 * applied in this order; also one that a `Sync` form issued and could not wait for.
 */
import { type CachedValue, NO_VALUE, type NoValue } from '../../backend/cached-value.ts';
import type { CreationToken } from '../../backend/types.ts';
import { judge } from '../freshness.ts';
import { type Freshness, MISSING } from '../invalidation.ts';
import type { CallOptions } from '../options.ts';
import { isThenable } from '../steps.ts';
import type { ExpirationTime } from '../types.ts';
import type { Creation, Wanted } from './creation.ts';
import type { Outcome } from './outcome.ts';

/** A creation's part for one key. */
export class Run<V> {
  readonly creation: Creation<V>;
  /** As the caller wrote it, and as the backend has it. */
  readonly name: string;
  readonly key: string;
  /** The stale value that its caller read, or `NO_VALUE`. */
  readonly stale: CachedValue<V> | NoValue;
  open = true;
  clean = false;
  /** Whether the key got another value, or none, since it began: what was stale then is not served any more. */
  replaced = false;
  /** Whether it is in the table no more. */
  ended = false;
  /** The region's generation and, for strategies, the time: at its start, then at its second read. */
  generation: number;
  startedAt: number;
  /** What the second read found. */
  found: CachedValue<V> | NoValue = NO_VALUE;
  state: Freshness = MISSING;
  /** The backend's token, if the second read gave one. */
  begun = false;
  token: CreationToken = undefined;
  stored = false;
  outcome: Outcome<V> | null = null;
  #announced = false;
  #listeners: ((outcome: Outcome<V>) => void)[] | null = null;

  constructor(creation: Creation<V>, wanted: Wanted<V>) {
    const { invalidation } = creation.core;
    this.creation = creation;
    this.name = wanted.name;
    this.key = wanted.key;
    this.stale = wanted.stale;
    this.generation = invalidation.source.current();
    this.startedAt = invalidation.startTime();
  }

  get expiration(): ExpirationTime {
    return this.creation.job.call.expiration;
  }

  /** Called right before the second read: what changes from now on keeps the value from being stored. */
  fence(): void {
    const { invalidation, runs } = this.creation.core;
    this.clean = !runs.isChanging(this.key);
    this.generation = invalidation.source.current();
    this.startedAt = invalidation.startTime();
  }

  /** Notes what the second read found. */
  note(found: CachedValue<V> | NoValue, state: Freshness): void {
    this.found = found;
    this.state = state;
  }

  /** Whether the key is as it was when the run began to create, as far as other threads' changes go. */
  tokenStands(): boolean {
    if (!this.begun) return true;
    const answer = this.creation.core.backend.tokenStands?.(this.key, this.token) ?? true;
    if (!isThenable(answer)) return answer;
    // Nobody can wait for it here.
    answer.then(undefined, () => {});
    return true;
  }

  /** Whether nothing was invalidated since the generation and time that it noted. */
  isValid(): boolean {
    return this.creation.core.invalidation.permits(this.generation, this.startedAt, this.key);
  }

  /** Whether the stale value may stand in for the new one: not if the key was changed, or invalidated hard, since. */
  mayServeStale(): boolean {
    const { core } = this.creation;
    return !this.replaced && judge(core, this.stale, this.key, null) !== MISSING;
  }

  /** Whether its value may still be stored. Of one that has ended only the backend's token can tell. */
  mayStore(): boolean {
    return (this.ended ? this.begun : this.clean) && this.isValid();
  }

  /** Tells those who wait what came of it. */
  announce(): void {
    if (this.#announced || this.outcome === null) return;
    this.#announced = true;
    for (const listener of this.#listeners ?? []) listener(this.outcome);
    this.#listeners = null;
  }

  /** Calls `listener` once, at once if it was announced already. */
  whenAnnounced(listener: (outcome: Outcome<V>) => void): void {
    if (this.#announced) listener(this.outcome!);
    else if (this.#listeners === null) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }
}

export class Runs<V> {
  readonly #byKey = new Map<string, Run<V>[]>();
  // The stores of a key that are going on.
  readonly #storing = new Map<string, Set<PromiseLike<unknown>>>();
  // How many changes of a key are going on.
  readonly #changing = new Map<string, number>();

  add(run: Run<V>): void {
    const runs = this.#byKey.get(run.key);
    if (runs === undefined) this.#byKey.set(run.key, [run]);
    else runs.push(run);
  }

  remove(run: Run<V>): void {
    run.ended = true;
    const runs = this.#byKey.get(run.key);
    if (runs === undefined) return;
    if (runs.length === 1) this.#byKey.delete(run.key);
    else runs.splice(runs.indexOf(run), 1);
  }

  /** Whether the key is being created in this thread, by a creation that somebody still hopes for. */
  has(key: string): boolean {
    return this.#byKey.get(key)?.some((run) => !run.creation.overdue) ?? false;
  }

  /** The run that a caller on a missing key may join, the order of locks left aside. */
  joinable(key: string, { expiration, family }: CallOptions<V>): Run<V> | undefined {
    return this.#byKey
      .get(key)
      ?.findLast(
        (run) =>
          run.open &&
          run.stale === NO_VALUE &&
          !run.creation.sync &&
          run.expiration === expiration &&
          run.creation.job.call.family === family &&
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
    for (const run of this.#byKey.get(key) ?? []) {
      run.open = run.clean = false;
      run.replaced = true;
    }
  }

  /** Notes a change of all keys. */
  noteChangeOfAll(): void {
    for (const runs of this.#byKey.values()) for (const run of runs) run.open = run.clean = false;
  }

  /** Makes a change of `keys` and notes it, for as long as it goes on. */
  change<T>(keys: readonly string[], make: () => T | PromiseLike<T>): T | PromiseLike<T> {
    for (const key of keys) this.noteChange(key);
    const answer = make();
    if (!isThenable(answer)) return answer;
    for (const key of keys) this.#changing.set(key, (this.#changing.get(key) ?? 0) + 1);
    const ended = () => {
      for (const key of keys) {
        this.noteChange(key);
        const left = this.#changing.get(key)! - 1;
        if (left === 0) this.#changing.delete(key);
        else this.#changing.set(key, left);
      }
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

  /** Notes a store of `keys` until it settles. */
  noteStoring(keys: readonly string[], store: PromiseLike<unknown>): void {
    for (const key of keys) {
      const stores = this.#storing.get(key);
      if (stores === undefined) this.#storing.set(key, new Set([store]));
      else stores.add(store);
    }
    const ended = () => {
      for (const key of keys) {
        const stores = this.#storing.get(key)!;
        stores.delete(store);
        if (stores.size === 0) this.#storing.delete(key);
      }
    };
    store.then(ended, ended);
  }

  /** The stores of `keys` that are going on. */
  storing(keys: readonly string[]): PromiseLike<unknown>[] {
    if (this.#storing.size === 0) return [];
    return keys.flatMap((key) => [...(this.#storing.get(key) ?? [])]);
  }

  /** How many there are. */
  get size(): number {
    let size = 0;
    for (const runs of this.#byKey.values()) size += runs.length;
    return size;
  }
}
