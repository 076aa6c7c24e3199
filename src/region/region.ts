/**
 * A cache region: the policies over one backend.
 *
 * A hit is one read and one judgement, at once and without a generator; only what is not fresh goes on to
 * creation.ts. A region is unconfigured, loading (its backend's class comes by a promise), configured or closed:
 * `#core` stands exactly while it is configured, `#loading` while asynchronous operations wait for it.
 */
import type { CachedValue, NoValue } from '../backend/cached-value.ts';
import type { Awaitable, CacheBackend } from '../backend/types.ts';
import {
  EngineClosedError,
  OptionError,
  RegionAlreadyConfiguredError,
  RegionNotConfiguredError,
  RegionNotReadyError,
} from '../errors.ts';
import { buildCore } from './build.ts';
import type { RegionCore } from './core.ts';
import { createAfterRead, createAsync, createSync } from './creation.ts';
import { judge } from './freshness.ts';
import { handleOf } from './handle.ts';
import { FRESH } from './invalidation.ts';
import { clearAll, deleteKey, invalidateAll, readEntry, writeValue } from './operations.ts';
import {
  checkConfigureOptions,
  checkRegionOptions,
  createExpiration,
  DEFAULTS,
  invalidateHard,
  splitOptions,
} from './options.ts';
import { atOnce, isThenable } from './steps.ts';
import type {
  ConfigureOptions,
  CreateOptions,
  Creator,
  InvalidateOptions,
  ReadOptions,
  RegionHandle,
  RegionOptions,
  SyncCreator,
} from './types.ts';

const BACKEND = 'the backend';

/** The core of a configured region. */
export let coreOf: <V>(region: CacheRegion<V>) => RegionCore<V>;
/** Configures a region with a core that was built elsewhere. */
export let adoptCore: <V>(region: CacheRegion<V>, built: Awaitable<RegionCore<V>>) => void;

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
export class CacheRegion<V = unknown> {
  static {
    coreOf = (region) => region.#ready();
    adoptCore = (region, built) => region.#adopt(built);
  }

  readonly #options: RegionOptions;
  #core: RegionCore<V> | null = null;
  #loading: Promise<void> | null = null;
  #loadError: unknown;
  #closed = false;

  /** As {@link createRegion}, without its `backend`. */
  constructor(options: RegionOptions) {
    checkRegionOptions(options);
    this.#options = { ...options };
  }

  get name(): string {
    return this.#options.name;
  }

  /**
   * Gives the region its backend, by the name under which the class is registered, and its policies. Returns the
   * region. If the class comes by a promise, the first asynchronous operation waits for it, and fails as it does.
   *
   * @throws {RegionAlreadyConfiguredError} `ERR_CAIRN_CONFIGURED`.
   * @throws {BackendNotFoundError} `ERR_CAIRN_BACKEND`: no such name.
   * @throws {OptionError} `ERR_CAIRN_OPTION`. After any error the region is as it was.
   */
  configure(backend: string, options: ConfigureOptions = {}): this {
    if (this.isConfigured) throw new RegionAlreadyConfiguredError(this.name);
    if (this.#closed) throw this.#refusal();
    checkConfigureOptions(options);
    const make = options.arguments ?? {};
    this.#adopt(buildCore(this.#options, options, backend, (Backend, context) => new Backend(make, context)));
    return this;
  }

  #adopt(built: Awaitable<RegionCore<V>>): void {
    this.#loadError = undefined;
    if (!isThenable(built)) {
      this.#core = built as RegionCore<V>;
      return;
    }
    this.#loading = Promise.resolve(built).then(
      (core) => {
        this.#loading = null;
        if (this.#closed) core.backend.close?.();
        else this.#core = core;
      },
      (error) => {
        this.#loading = null;
        this.#loadError = error;
        throw error;
      },
    );
    // Operations that wait get the error; if there is none, the next one does.
    this.#loading.catch(() => {});
  }

  /** Whether it has a backend, or is loading one. */
  get isConfigured(): boolean {
    return this.#core !== null || this.#loading !== null;
  }

  /** The backend as the region uses it: the outermost proxy, if there are any. Throws as the `Sync` forms do. */
  get backend(): CacheBackend<V> {
    return this.#ready().backend;
  }

  /** The backend within all proxies. Throws as the `Sync` forms do. */
  get actualBackend(): CacheBackend<V> {
    return this.#ready().actualBackend;
  }

  /**
   * What another thread hands to `attachRegion`; structured-cloneable.
   *
   * @throws {RegionHandleError} `ERR_CAIRN_HANDLE`: the backend cannot be shared with other threads.
   */
  get handle(): RegionHandle {
    return handleOf(this.#ready());
  }

  /**
   * The value of `key` if it is fresh, else `undefined`; {@link has} tells a stored `undefined` from a miss. Never
   * waits for a creation.
   */
  get(key: string, options?: ReadOptions): Promise<V | undefined> {
    const core = this.#core;
    if (core === null) return this.#whenReady().then(() => this.get(key, options));
    try {
      const entry = readEntry(core, key, options);
      return isThenable(entry)
        ? Promise.resolve(entry as PromiseLike<CachedValue<V> | null>).then(payloadOf<V>)
        : Promise.resolve(payloadOf(entry as CachedValue<V> | null));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getSync(key: string, options?: ReadOptions): V | undefined {
    return payloadOf(atOnce(readEntry(this.#ready(), key, options), BACKEND));
  }

  /** Whether `key` has a fresh value. */
  has(key: string, options?: ReadOptions): Promise<boolean> {
    const core = this.#core;
    if (core === null) return this.#whenReady().then(() => this.has(key, options));
    try {
      const entry = readEntry(core, key, options);
      return isThenable(entry)
        ? Promise.resolve(entry as PromiseLike<CachedValue<V> | null>).then(isFound)
        : Promise.resolve(isFound(entry as CachedValue<V> | null));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  hasSync(key: string, options?: ReadOptions): boolean {
    return isFound(atOnce(readEntry(this.#ready(), key, options), BACKEND));
  }

  /** Stores `value`, fresh from now. It wins over creations of `key` that are running. */
  async set(key: string, value: V): Promise<void> {
    if (this.#core === null) await this.#whenReady();
    await writeValue(this.#ready(), key, value);
  }

  setSync(key: string, value: V): void {
    atOnce(writeValue(this.#ready(), key, value), BACKEND);
  }

  /** Removes `key`; answers whether something stood there. It wins over creations of `key` that are running. */
  async delete(key: string): Promise<boolean> {
    if (this.#core === null) await this.#whenReady();
    return deleteKey(this.#ready(), key);
  }

  deleteSync(key: string): boolean {
    return atOnce(deleteKey(this.#ready(), key), BACKEND);
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
   */
  getOrCreate(key: string, creator: Creator<V>, options?: CreateOptions): Promise<V> {
    const core = this.#core;
    if (core === null) return this.#whenReady().then(() => this.getOrCreate(key, creator, options));
    try {
      const expiration = expirationOf(core, creator, options);
      const mangled = core.mangle(key);
      const found = core.backend.get(mangled);
      if (isThenable(found)) {
        const request = requestOf(key, mangled, creator, expiration, options);
        return createAfterRead(core, request, found as PromiseLike<CachedValue<V> | NoValue>);
      }
      const entry = found as CachedValue<V> | NoValue;
      const state = judge(core, entry, mangled, expiration);
      if (state === FRESH) return Promise.resolve((entry as CachedValue<V>).payload);
      return createAsync(core, requestOf(key, mangled, creator, expiration, options), entry, state, null);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * {@link getOrCreate} at once. It blocks the thread while another thread creates `key`, and joins nobody. Where
   * this thread itself holds or waits for the mutex, or for a later one, blocking could last for ever: then it
   * serves the stale value or creates without the lock.
   */
  getOrCreateSync(key: string, creator: SyncCreator<V>, options?: CreateOptions): V {
    const core = this.#ready();
    const expiration = expirationOf(core, creator, options);
    const mangled = core.mangle(key);
    const entry = atOnce(core.backend.get(mangled), BACKEND);
    const state = judge(core, entry, mangled, expiration);
    if (state === FRESH) return (entry as CachedValue<V>).payload;
    return createSync(core, requestOf(key, mangled, creator, expiration, options), entry, state);
  }

  /**
   * Makes all that the region stored so far count as missing, or, with `hard: false`, as stale. All threads of a
   * shared backend see it at their next read. Values whose creators are running are not stored.
   */
  async invalidate(options?: InvalidateOptions): Promise<void> {
    if (this.#core === null) await this.#whenReady();
    await invalidateAll(this.#ready(), invalidateHard(options));
  }

  invalidateSync(options?: InvalidateOptions): void {
    atOnce(invalidateAll(this.#ready(), invalidateHard(options)), 'the invalidation strategy');
  }

  /** Removes all that the region stored. It wins over creations that are running. */
  async clear(): Promise<void> {
    if (this.#core === null) await this.#whenReady();
    await clearAll(this.#ready());
  }

  clearSync(): void {
    atOnce(clearAll(this.#ready()), BACKEND);
  }

  /**
   * Ends this thread's use of the region, and the engine if the region created it. Creators that run still give
   * their values to their callers. Does nothing on a region that is not configured, or closed.
   */
  close(): void {
    if (!this.isConfigured) return;
    const core = this.#core;
    this.#closed = true;
    this.#core = null;
    if (core === null) return;
    core.closed = true;
    core.backend.close?.();
  }

  #ready(): RegionCore<V> {
    if (this.#core === null) throw this.#refusal();
    return this.#core;
  }

  async #whenReady(): Promise<void> {
    if (this.#core === null && this.#loading !== null) await this.#loading;
    this.#ready();
  }

  #refusal(): unknown {
    if (this.#closed) return new EngineClosedError(`the region '${this.name}' is closed`);
    if (this.#loading !== null) return new RegionNotReadyError(this.name);
    return this.#loadError ?? new RegionNotConfiguredError(this.name);
  }
}

/**
 * Makes a region, not yet configured: `configure` gives it a backend, here or in another module. With `backend`, and
 * the options of `configure`, both steps are done.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: an option is unknown or wrong; it is named with its value.
 */
export function createRegion<V = unknown>(
  options: RegionOptions & ConfigureOptions & { readonly backend?: string | undefined },
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

function expirationOf<V>(core: RegionCore<V>, creator: unknown, options: CreateOptions | undefined) {
  if (typeof creator !== 'function') throw new OptionError('creator', creator, 'must be a function');
  return options === undefined ? core.expirationTime : createExpiration(options, core.expirationTime);
}

function requestOf<V>(
  key: string,
  mangled: string,
  creator: Creator<V>,
  expiration: number | null,
  options: CreateOptions | undefined,
) {
  return { key, mangled, creator, expiration, staleOnError: options?.staleOnError ?? DEFAULTS.staleOnError };
}
