/**
 * A cache region: the policies over one backend.
 *
 * A hit is one read and one judgement, at once and without a generator; only what is not fresh goes on to calls.ts.
 */
import type { CachedValue, NoValue } from '../backend/cached-value.ts';
import { OptionError } from '../errors.ts';
import { createAfterRead, createMany, createManySync, createOne, createOneSync, orAborted } from './calls.ts';
import type { RegionCore } from './core.ts';
import { type RegionStats, readRegionStats } from './counters.ts';
import type { Job } from './creation.ts';
import { judge } from './freshness.ts';
import { FRESH } from './invalidation.ts';
import {
  clearAll,
  dated,
  deleteKey,
  deleteKeys,
  invalidateAll,
  isLocked,
  keysOf,
  readEntry,
  readPayloads,
  writeValue,
  writeValues,
} from './operations.ts';
import { callOptions, invalidateHard, splitOptions, writeToken } from './options.ts';
import { RegionLife } from './region-life.ts';
import { storeFor } from './runner.ts';
import { atOnce, driveAsync, driveSync, isThenable } from './steps.ts';
import type {
  ConfigureOptions,
  CreateOptions,
  Creator,
  InvalidateOptions,
  MultiCreateOptions,
  MultiCreator,
  ReadOptions,
  RefusePromise,
  RegionOptions,
  SyncCreateOptions,
  SyncCreator,
  SyncMultiCreateOptions,
  SyncMultiCreator,
  WriteOptions,
} from './types.ts';

const BACKEND = 'the backend';

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
export class CacheRegion<V = unknown> extends RegionLife<V> {
  /**
   * The value of `key` if it is fresh, else `undefined`; {@link has} tells a stored `undefined` from a miss. Never
   * waits for a creation.
   */
  get(key: string, options?: ReadOptions): Promise<V | undefined> {
    const { core } = this;
    if (core === null) return this.whenReady().then(() => this.get(key, options));
    try {
      const entry = readEntry(core, key, options, true);
      return isThenable(entry)
        ? Promise.resolve(entry as PromiseLike<CachedValue<V> | null>).then(payloadOf<V>)
        : Promise.resolve(payloadOf(entry as CachedValue<V> | null));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getSync(key: string, options?: ReadOptions): V | undefined {
    return payloadOf(atOnce(readEntry(this.ready(), key, options, true), BACKEND));
  }

  /** The values of `keys` in their order, `undefined` where {@link get} would say so. One read of the backend. */
  async getMulti(keys: Iterable<string>, options?: ReadOptions): Promise<(V | undefined)[]> {
    if (this.core === null) await this.whenReady();
    return readPayloads(this.ready(), keys, options);
  }

  getMultiSync(keys: Iterable<string>, options?: ReadOptions): (V | undefined)[] {
    return atOnce(readPayloads(this.ready(), keys, options), BACKEND);
  }

  /**
   * The value with its time of creation (`cachedTime`, epoch milliseconds), its `age` by the region's clock, and its
   * `metadata`; `undefined` where {@link get} would not give it.
   */
  async getValueMetadata(key: string, options?: ReadOptions): Promise<CachedValue<V> | undefined> {
    if (this.core === null) await this.whenReady();
    const core = this.ready();
    return dated(core, await readEntry(core, key, options, true));
  }

  getValueMetadataSync(key: string, options?: ReadOptions): CachedValue<V> | undefined {
    const core = this.ready();
    return dated(core, atOnce(readEntry(core, key, options, true), BACKEND));
  }

  /** Whether `key` has a fresh value. */
  has(key: string, options?: ReadOptions): Promise<boolean> {
    const { core } = this;
    if (core === null) return this.whenReady().then(() => this.has(key, options));
    try {
      const entry = readEntry(core, key, options, false);
      return isThenable(entry)
        ? Promise.resolve(entry as PromiseLike<CachedValue<V> | null>).then(isFound)
        : Promise.resolve(isFound(entry as CachedValue<V> | null));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  hasSync(key: string, options?: ReadOptions): boolean {
    return isFound(atOnce(readEntry(this.ready(), key, options, false), BACKEND));
  }

  /**
   * Stores `value`, fresh from now. It wins over creations of `key` that are running. Resolves to `false` when it was
   * not stored: it is too large for the backend, or `token` (of an {@link AsyncCreationRunner}) does not stand any more.
   */
  async set(key: string, value: V, options?: WriteOptions): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    const core = this.ready();
    const token = writeToken(options);
    if (token === undefined) return writeValue(core, key, value);
    return driveAsync(storeFor(core, core.mangle(key), value, token));
  }

  setSync(key: string, value: V, options?: WriteOptions): boolean {
    const core = this.ready();
    const token = writeToken(options);
    if (token === undefined) return atOnce(writeValue(core, key, value), BACKEND);
    return driveSync(storeFor(core, core.mangle(key), value, token));
  }

  /** Stores several values with one time of creation. Resolves to `false` when one or more were not stored. */
  async setMulti(entries: Iterable<readonly [key: string, value: V]>): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    return writeValues(this.ready(), entries);
  }

  setMultiSync(entries: Iterable<readonly [key: string, value: V]>): boolean {
    return atOnce(writeValues(this.ready(), entries), BACKEND);
  }

  /** Removes `key`; answers whether something stood there. It wins over creations of `key` that are running. */
  async delete(key: string): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    return deleteKey(this.ready(), key);
  }

  deleteSync(key: string): boolean {
    return atOnce(deleteKey(this.ready(), key), BACKEND);
  }

  /** Removes several keys; answers how many stood. */
  async deleteMulti(keys: Iterable<string>): Promise<number> {
    if (this.core === null) await this.whenReady();
    return deleteKeys(this.ready(), keys);
  }

  deleteMultiSync(keys: Iterable<string>): number {
    return atOnce(deleteKeys(this.ready(), keys), BACKEND);
  }

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

function payloadOf<V>(entry: CachedValue<V> | null): V | undefined {
  return entry === null ? undefined : entry.payload;
}

function isFound(entry: CachedValue<unknown> | null): boolean {
  return entry !== null;
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
