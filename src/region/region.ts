/**
 * A cache region: the policies over one backend.
 *
 * A hit is one read and one judgement, at once and without a generator; only what is not fresh goes on to calls.ts.
 */
import type { CachedValue, NoValue } from '../backend/cached-value.ts';
import { OptionError } from '../errors.ts';
import type { RegionCore } from './core.ts';
import { type RegionStats, readRegionStats } from './counters.ts';
import {
  createAfterRead,
  createMany,
  createManySync,
  createOne,
  createOneSync,
  orAborted,
} from './creation/calls.ts';
import type { Job } from './creation/creation.ts';
import { cacheMultiOnArguments, cacheMultiOnArgumentsSync } from './decorators/multi.ts';
import { cacheOnArguments, cacheOnArgumentsSync } from './decorators/single.ts';
import type {
  CacheDecorator,
  CacheDecoratorSync,
  CacheListOnArgumentsOptions,
  CacheMapDecorator,
  CacheMapDecoratorSync,
  CacheMapOnArgumentsOptions,
  CacheMultiDecorator,
  CacheMultiDecoratorSync,
  CacheOnArgumentsOptions,
} from './decorators/types.ts';
import { judge } from './freshness.ts';
import { FRESH } from './invalidation.ts';
import { clearAll, invalidateAll, isLocked, keysOf } from './operations.ts';
import { callOptions, invalidateHard, splitOptions } from './options.ts';
import { BACKEND, RegionEntries } from './region-entries.ts';
import { atOnce, isThenable } from './steps.ts';
import type {
  ConfigureOptions,
  CreateOptions,
  Creator,
  InvalidateOptions,
  MultiCreateOptions,
  MultiCreator,
  RefusePromise,
  RegionOptions,
  SyncCreateOptions,
  SyncCreator,
  SyncMultiCreateOptions,
  SyncMultiCreator,
} from './types.ts';

/**
 * Values of one kind with one set of policies, over a backend. Every operation returns a promise and has a twin that
 * ends in `Sync`: that one works at once, blocks the thread where it has to wait for another thread, and throws
 * {@link SyncError} (`ERR_CAIRN_SYNC`) where the backend, the mutex or the creator is asynchronous.
 *
 * Errors of all operations: {@link RegionNotConfiguredError} (`ERR_CAIRN_NOT_CONFIGURED`), {@link EngineClosedError}
 * (`ERR_CAIRN_CLOSED`), {@link KeyError} (`ERR_CAIRN_KEY`), {@link OptionError} (`ERR_CAIRN_OPTION`), `Sync` forms
 * also {@link RegionNotReadyError} (`ERR_CAIRN_NOT_READY`), and what the backend throws. Promise forms always reject
 * and never throw.
 */
export class CacheRegion<V = unknown> extends RegionEntries<V> {
  /**
   * The value of `key` if it is fresh; else what `creator` makes, which is stored. One creator runs per key: over all
   * threads where the backend's mutexes are shared, else in this thread. Meanwhile others get the stale value if there
   * is one; else they wait, and callers of this thread join its run.
   *
   * The creator's caller gets the very object that it made, deep-frozen if it is a graph of plain objects and arrays
   * (region option `freeze`). It is stored unless `key` was changed or invalidated while the creator ran. A creator
   * that throws stores nothing: its error goes to its caller and to those who joined it, unless `staleOnError`.
   *
   * A creator may call this for other keys. Where the order of locks forbids it to wait for them, they are created
   * without a lock. Does not block the thread.
   *
   * @throws {ReentrantCreationError} `ERR_CAIRN_REENTRANT`: `creator` asked for `key`, and there is no stale value.
   * @throws {WaitTimeoutError} `ERR_CAIRN_WAIT_TIMEOUT`: `waitTimeout` has passed, and there is no stale value.
   * @throws The reason of `signal`, as soon as it fires.
   */
  getOrCreate(key: string, creator: Creator<V>, options?: CreateOptions<V>): Promise<V> {
    const { core } = this;
    if (core === null) return this.#whenReadyFor(options).then(() => this.getOrCreate(key, creator, options));
    try {
      checkCreator(creator);
      const call =
        options === undefined ? core.callDefaults : callOptions(options, core.callDefaults, 'getOrCreate');
      call.signal?.throwIfAborted();
      const mangled = core.mangle(key);
      const found = core.backend.get(mangled);
      if (isThenable(found)) {
        const job: Job<V> = { call, creator, multi: false, sync: false };
        const callKey = { name: key, key: mangled };
        return createAfterRead(core, job, callKey, found as PromiseLike<CachedValue<V> | NoValue>);
      }
      const entry = core.decode(found as CachedValue<V> | NoValue);
      const state = judge(core, entry, mangled, call.expiration);
      core.noteRead(key, state === FRESH);
      if (state === FRESH) return Promise.resolve((entry as CachedValue<V>).payload);
      const job: Job<V> = { call, creator, multi: false, sync: false };
      return createOne(core, job, { name: key, key: mangled }, entry, state, null);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * {@link getOrCreate} at once. It blocks the thread while another thread creates `key`, for at most `waitTimeout`
   * (10,000 milliseconds unless given), and joins nobody. Where this thread itself holds or waits for the mutex, or
   * for a later one, blocking could last for ever: then it serves the stale value or creates without the lock.
   *
   * @throws {SyncError} `ERR_CAIRN_SYNC`: the backend, the mutex or `creator` answered by a promise.
   */
  getOrCreateSync<C extends SyncCreator<V>>(
    key: string,
    creator: C & RefusePromise<C>,
    options?: SyncCreateOptions<V>,
  ): V {
    const core = this.ready();
    checkCreator(creator);
    const call = syncCall(core, options, 'getOrCreateSync');
    const mangled = core.mangle(key);
    const entry = core.decode(atOnce(core.backend.get(mangled), BACKEND));
    const state = judge(core, entry, mangled, call.expiration);
    core.noteRead(key, state === FRESH);
    if (state === FRESH) return (entry as CachedValue<V>).payload;
    const job: Job<V> = { call, creator, multi: false, sync: true };
    return createOneSync(core, job, { name: key, key: mangled }, entry, state);
  }

  /**
   * {@link getOrCreate} for several keys. What is not fresh is created by one call of `creator`, under the mutexes of
   * all those keys: it gets them as one array, each once, sorted by code unit, and returns as many values in that
   * order. Keys that this thread is creating already are joined, and served stale where others are at them. The
   * values are in the order of `keys`, which may have duplicates. There is no runner for several keys.
   *
   * @throws {CreatorResultError} `ERR_CAIRN_CREATOR_RESULT`: too few or too many values; nothing is stored.
   */
  async getOrCreateMulti(
    keys: Iterable<string>,
    creator: MultiCreator<V>,
    options?: MultiCreateOptions<V>,
  ): Promise<V[]> {
    const { core } = this;
    if (core === null) {
      return this.#whenReadyFor(options).then(() => this.getOrCreateMulti(keys, creator, options));
    }
    checkCreator(creator);
    const call =
      options === undefined
        ? core.multiDefaults
        : callOptions(options, core.multiDefaults, 'getOrCreateMulti');
    call.signal?.throwIfAborted();
    return createMany(core, { call, creator, multi: true, sync: false }, this.#callKeys(core, keys));
  }

  getOrCreateMultiSync<C extends SyncMultiCreator<V>>(
    keys: Iterable<string>,
    creator: C & RefusePromise<C>,
    options?: SyncMultiCreateOptions<V>,
  ): V[] {
    const core = this.ready();
    checkCreator(creator);
    const call = syncCall(core, options, 'getOrCreateMultiSync');
    return createManySync(core, { call, creator, multi: true, sync: true }, this.#callKeys(core, keys));
  }

  /** As `whenReady`, or until the call's signal fires. */
  async #whenReadyFor(options: MultiCreateOptions<V> | undefined): Promise<void> {
    const signal = options?.signal;
    if (!(signal instanceof AbortSignal)) return this.whenReady();
    signal.throwIfAborted();
    await orAborted(this.whenReady(), signal);
  }

  #callKeys(core: RegionCore<V>, keys: Iterable<string>) {
    return keysOf(keys).map((name) => ({ name, key: core.mangle(name) }));
  }

  /**
   * Whether `key` is being created, or another key of the same mutex, by any thread that shares it. Never takes it.
   *
   * @throws {MutexError} `ERR_CAIRN_MUTEX`: the backend's mutex cannot tell.
   */
  async keyIsLocked(key: string): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    return isLocked(this.ready(), key);
  }

  keyIsLockedSync(key: string): boolean {
    return isLocked(this.ready(), key);
  }

  /**
   * Makes all that the region stored so far count as missing, or, with `hard: false`, as stale. All threads of a
   * shared backend see it at their next read. Values whose creators are running are not stored.
   */
  async invalidate(options?: InvalidateOptions): Promise<void> {
    if (this.core === null) await this.whenReady();
    await invalidateAll(this.ready(), invalidateHard(options));
  }

  invalidateSync(options?: InvalidateOptions): void {
    atOnce(invalidateAll(this.ready(), invalidateHard(options)), 'the invalidation strategy');
  }

  /** Removes all that the region stored. It wins over creations that are running. */
  async clear(): Promise<void> {
    if (this.core === null) await this.whenReady();
    await clearAll(this.ready());
  }

  clearSync(): void {
    atOnce(clearAll(this.ready()), BACKEND);
  }

  /**
   * Makes of a function one whose results are kept in this region, under keys of its name, the namespace and its
   * arguments. It answers by a promise. Also a standard method decorator. `invalidate`, `set`, `get`, `refresh` and
   * `original` stand on the function that it returns.
   * Source: dogpile.cache `cache_on_arguments`.
   *
   * @throws {OptionError} `ERR_CAIRN_OPTION`: an option is wrong; at decoration: a method or a function without a name
   * has no namespace, or name and namespace are taken in this region; at a call: an argument cannot be part of a key.
   */
  cacheOnArguments<R extends V = V>(options?: CacheOnArgumentsOptions<R>): CacheDecorator<R> {
    return cacheOnArguments<V, R>(this, options);
  }

  /** {@link cacheOnArguments} for functions that answer at once; it refuses asynchronous ones. */
  cacheOnArgumentsSync<R extends V = V>(options?: CacheOnArgumentsOptions<R>): CacheDecoratorSync<R> {
    return cacheOnArgumentsSync<V, R>(this, options);
  }

  /**
   * The same for a function of any number of arguments that answers a value for each: every argument has a key of its
   * own, and the function is called with those that are missing. With `asMap` it returns a `Map` of what it found, and
   * what is missing from that is neither kept nor returned.
   * Source: dogpile.cache `cache_multi_on_arguments`.
   */
  cacheMultiOnArguments<R extends V = V>(options: CacheMapOnArgumentsOptions<R>): CacheMapDecorator<R>;
  cacheMultiOnArguments<R extends V = V>(options?: CacheListOnArgumentsOptions<R>): CacheMultiDecorator<R>;
  cacheMultiOnArguments(options?: any): any {
    return cacheMultiOnArguments<V>(this, options);
  }

  cacheMultiOnArgumentsSync<R extends V = V>(
    options: CacheMapOnArgumentsOptions<R>,
  ): CacheMapDecoratorSync<R>;
  cacheMultiOnArgumentsSync<R extends V = V>(
    options?: CacheListOnArgumentsOptions<R>,
  ): CacheMultiDecoratorSync<R>;
  cacheMultiOnArgumentsSync(options?: any): any {
    return cacheMultiOnArgumentsSync<V>(this, options);
  }

  /**
   * What the region counted: since its engine was made, over all threads, where the backend is shared; else since it
   * was configured. The numbers are not of one moment. Throws as the `Sync` forms do.
   */
  stats(): RegionStats {
    return readRegionStats(this.ready().counters);
  }
}

/**
 * Makes a region, not yet configured: `configure` gives it a backend, here or in another module. With `backend`, and
 * the options of `configure`, both steps are done.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: an option is unknown or wrong; it is named with its value.
 */
export function createRegion<V = unknown>(
  options: RegionOptions<V> & ConfigureOptions & { readonly backend?: string | undefined },
): CacheRegion<V> {
  const { region, configure } = splitOptions(options);
  const created = new CacheRegion<V>(region);
  return configure === null ? created : created.configure(options.backend!, configure);
}

function checkCreator(creator: unknown): void {
  if (typeof creator !== 'function') throw new OptionError('creator', creator, 'must be a function');
}

function syncCall<V>(
  core: RegionCore<V>,
  options: CreateOptions<V> | undefined,
  name: 'getOrCreateSync' | 'getOrCreateMultiSync',
) {
  const defaults = name === 'getOrCreateSync' ? core.syncDefaults : core.syncMultiDefaults;
  if (options === undefined) return defaults;
  const call = callOptions(options, defaults, name);
  call.signal?.throwIfAborted();
  return call;
}
