/**
 * `SharedCache`: the store, synchronous and Map-like. One copy of the data for all threads of the process.
 */
import * as L from '../../assembly/layout.ts';
import { createCodec } from '../codec/index.ts';
import type { Codec } from '../codec/types.ts';
import { Engine } from '../engine/engine.ts';
import type { CacheHandle } from '../engine/handle.ts';
import { EngineClosedError, OptionError, ValueTypeError } from '../errors.ts';
import { SlabMutex } from '../mutex/slab-mutex.ts';
import { CacheCreations } from '../region/cache-region.ts';
import { DecodedTable } from './decoded-table.ts';
import {
  type AttachOptions,
  type CacheOptions,
  checkAttachOptions,
  checkCreateOptions,
  checkDecoded,
  checkNames,
  checkTtl,
  type Milliseconds,
} from './options.ts';
import { PEEK } from './reading.ts';
import { scanKeys } from './scan.ts';
import { type CacheStats, readStats } from './stats.ts';
import { codecFor, Store } from './store.ts';

/** Options of a write. */
export interface SetOptions {
  /** Milliseconds; `null` or `Infinity`: never. Default: the cache's own `ttl`. */
  ttl?: Milliseconds | null;
}

/** What `info` tells of an entry. */
export interface EntryInfo {
  /** Bytes of the value, encoded. */
  size: number;
  /** Epoch ms. */
  createdAt: number;
  /** Epoch ms, `null`: never. */
  expiresAt: number | null;
}

const SET_NAMES = ['ttl'];
const construct = Symbol('cairn.construct');

/**
 * A cache whose one copy is shared by all worker threads of a process.
 *
 * Methods are synchronous and safe from every attached thread; per key they are linearizable. Reads take no lock. Writes
 * take one of a shard, for microseconds. Nothing here keeps an idle process alive.
 *
 * After the owner's `close`, calls throw {@link EngineClosedError}. Keys are strings of up to 960 bytes encoded
 * ({@link KeyError}); values are what the codec takes ({@link CodecError}).
 */
export class SharedCache<V = unknown> implements Disposable {
  readonly #engine: Engine;
  readonly #store: Store;
  readonly #ttlMs: number;
  readonly #freeze: boolean;
  #open = true;
  #creations: CacheCreations<V> | undefined;

  /** @internal Use {@link SharedCache.create} or {@link SharedCache.attach}. */
  constructor(key: typeof construct, engine: Engine, options: AttachOptions | undefined) {
    if (key !== construct)
      throw new OptionError('new SharedCache', undefined, 'use SharedCache.create or SharedCache.attach');
    this.#engine = engine;
    this.#ttlMs = engine.ttlMs;
    this.#freeze = checkDecoded(options?.decoded).mode === 'freeze';
    const decoded = checkDecoded(options?.decoded);
    this.#store = new Store(
      engine,
      0,
      codecFor(engine, options?.codec),
      decoded.mode === 'off' ? undefined : new DecodedTable(decoded.bytes),
      decoded.mode === 'freeze',
    );
  }

  /**
   * Makes a cache; this thread owns it. All options are checked first.
   *
   * @throws {OptionError} naming the option that is wrong, with its value.
   */
  static create<V = unknown>(options?: CacheOptions): SharedCache<V> {
    return createCache<V>(options);
  }

  /**
   * Attaches this thread to the cache of a handle, at any depth of nesting. A thread has one slot, however often it
   * attaches; a worker that ends without `close` is as good as one that closed.
   *
   * @throws {VersionError} a handle of another build, or none; a codec of another name.
   * @throws {ThreadLimitError} `maxThreads` threads are attached.
   * @throws {EngineClosedError} the owner has closed it.
   */
  static attach<V = unknown>(handle: CacheHandle, options?: AttachOptions): SharedCache<V> {
    checkAttachOptions(options);
    const engine = Engine.attach(handle, options?.clock);
    try {
      return new SharedCache<V>(construct, engine, options);
    } catch (error) {
      engine.release();
      throw error;
    }
  }

  /** What another thread needs to attach: pass it in `workerData` or by `postMessage`. */
  get handle(): CacheHandle {
    this.#check();
    return this.#engine.handle;
  }

  /** The value of `key`, or `undefined`. What is handed out may be shared with other callers of this thread, and frozen. */
  get(key: string): V | undefined {
    if (!this.#open) this.#check();
    return this.#store.read(key, 0) as V | undefined;
  }

  /** Like `get`, without a recency effect and without counting a hit or a miss. */
  peek(key: string): V | undefined {
    if (!this.#open) this.#check();
    return this.#store.read(key, PEEK) as V | undefined;
  }

  /** Whether a value stands under `key`; a stored `undefined` counts. No recency effect. */
  has(key: string): boolean {
    if (!this.#open) this.#check();
    return this.#store.has(key);
  }

  /** The values of `keys`, in their order, `undefined` in gaps. */
  getMany(keys: Iterable<string>): (V | undefined)[] {
    if (!this.#open) this.#check();
    const list = Array.isArray(keys) ? (keys as string[]) : [...keys];
    return this.#store.readMany(list, undefined) as (V | undefined)[];
  }

  /**
   * Stores a value. `false`: refused, since key and value are larger than `maxValueBytes`; the old value is gone then.
   *
   * @throws {CodecError} a value that could not come back as it is; what stood under `key` stands.
   */
  set(key: string, value: V, options?: SetOptions): boolean {
    return this.#write(key, value, options, L.MODE_SET, 0) === 0;
  }

  /** Stores a value only if none stands: `true` if it was stored. Atomic over all threads. */
  add(key: string, value: V, options?: SetOptions): boolean {
    return this.#write(key, value, options, L.MODE_ADD, 0) === 0;
  }

  /** Stores a value only over one that stands: `true` if it was stored. Atomic over all threads. */
  replace(key: string, value: V, options?: SetOptions): boolean {
    return this.#write(key, value, options, L.MODE_REPLACE, 0) === 0;
  }

  /** Stores each entry by itself; the count of those that were stored. */
  setMany(entries: Iterable<readonly [string, V]>, options?: SetOptions): number {
    let stored = 0;
    for (const [key, value] of entries) if (this.set(key, value, options)) stored++;
    return stored;
  }

  /** Removes a key: `true` if a value stood there. */
  delete(key: string): boolean {
    this.#check();
    return this.#delete(key, 0) === 1;
  }

  /** Removes keys, each by itself; how many values stood there. */
  deleteMany(keys: Iterable<string>): number {
    let removed = 0;
    for (const key of keys) if (this.delete(key)) removed++;
    return removed;
  }

  /**
   * Adds `by` to the number under `key` and returns the sum; an absent key gets `initial + by`. Keeps the expiry unless it
   * creates. Atomic over all threads, in place.
   *
   * @throws {ValueTypeError} another kind of value stands there, or the result would not be finite.
   */
  increment(key: string, by = 1, options?: SetOptions & { initial?: number }): number {
    this.#check();
    checkNames('options', options, ['ttl', 'initial']);
    const initial = options?.initial ?? 0;
    if (typeof by !== 'number' || typeof initial !== 'number') {
      throw new ValueTypeError(`increment of ${JSON.stringify(key)}: by and initial must be numbers`);
    }
    const ttl = options?.ttl === undefined ? this.#ttlMs : checkTtl(options.ttl);
    const store = this.#store;
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const length = store.writeKey(key);
    this.#creations?.noteChange(key);
    const code = store.call((x) =>
      x.store_increment(length, store.keyMeta, by, initial, now, mono, ttl ? now + ttl : 0),
    );
    if (code === L.WRONG_TYPE)
      throw new ValueTypeError(`increment of ${JSON.stringify(key)}: the value is not a number`);
    if (code === L.NOT_FINITE)
      throw new ValueTypeError(`increment of ${JSON.stringify(key)}: the result is not finite`);
    if (code < 0) throw new ValueTypeError(`increment of ${JSON.stringify(key)}: there is no room`);
    return store.result(L.R_NUMBER);
  }

  /**
   * Compare-and-set: `change` gets the value that stands (or `undefined`) and returns the new one, which is stored only if
   * nothing changed meanwhile; else `change` runs again. It runs outside any lock. Returns what `change` returned last: that
   * is what stands then, unless it is larger than `maxValueBytes`, in which case nothing does.
   */
  update(key: string, change: (value: V | undefined) => V, options?: SetOptions): V {
    ttlOf(options);
    for (;;) {
      const value = this.peek(key);
      const version = this.#store.lastVersion;
      const next = change(value);
      const code = this.#write(key, next, options, L.MODE_VERSION, version);
      if (code === 0 || code === L.REFUSED) return next;
    }
  }

  /**
   * The value of `key`; where none stands, what `creator` makes, which is stored. One creator runs per key over all
   * threads; the others wait for it without blocking, and callers of one thread share a promise. The creator's caller gets
   * its own object, frozen if it is a plain graph. A value that another thread changed meanwhile is not overwritten.
   */
  getOrCreate(key: string, creator: () => V | PromiseLike<V>, options?: SetOptions): Promise<V> {
    try {
      const ttl = ttlOf(options);
      const found = this.#readOrCheck(key, creator);
      if (this.#store.lastVersion !== 0) return Promise.resolve(found as V);
      return this.#creating().create(key, creator, ttl);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The same at once; blocks this thread while another one creates `key`, for at most 10 seconds.
   *
   * @throws {SyncError} `ERR_CAIRN_SYNC`: a creator that returns a promise.
   * @throws {WaitTimeoutError} `ERR_CAIRN_WAIT_TIMEOUT`: another thread was creating it for longer than that.
   */
  getOrCreateSync(key: string, creator: () => V, options?: SetOptions): V {
    const ttl = ttlOf(options);
    const found = this.#readOrCheck(key, creator);
    return this.#store.lastVersion === 0 ? this.#creating().createSync(key, creator, ttl) : (found as V);
  }

  /** Removes a key and returns its value, or `undefined`. Of several takers one gets it. */
  take(key: string): V | undefined {
    this.#check();
    for (;;) {
      const value = this.#store.read(key, 0);
      const version = this.#store.lastVersion;
      if (version === 0) return undefined;
      if (this.#delete(key, version) === 1) return value as V;
    }
  }

  /** Gives the value of `key` a new time to live, from now: `true` if a value stands there. */
  touch(key: string, ttl: Milliseconds | null): boolean {
    this.#check();
    const ms = checkTtl(ttl);
    const store = this.#store;
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const length = store.writeKey(key);
    return store.call((x) => x.store_touch(length, store.keyMeta, now, mono, ms ? now + ms : 0)) === 1;
  }

  /** Size and times of the value under `key`, or `undefined`. No recency effect. */
  info(key: string): EntryInfo | undefined {
    this.#check();
    const type = this.#store.look(key);
    if (type < 0) return undefined;
    const expires = this.#store.result(L.R_EXPIRES);
    return {
      size: type === L.TYPE_NUMBER ? 8 : this.#store.resultWord(L.R_LENGTH),
      createdAt: this.#store.result(L.R_CREATED),
      expiresAt: expires === 0 ? null : expires,
    };
  }

  /** Removes everything at once, whatever the number of entries; their memory is reclaimed by later writes. */
  clear(): void {
    this.#check();
    this.#creations?.noteClear();
    this.#store.call((x) => {
      x.region_raise(0, L.G_CLEARED);
      return 0;
    });
  }

  /** Entries, over all threads. May count some that expired and were not yet reclaimed. */
  get size(): number {
    this.#check();
    return this.#engine.guard((x) => x.region_count(0, 0));
  }

  /** Bytes that the engine uses now: all regions' entries, index, ghosts and fixed parts. Never above `maxBytes`. */
  get bytes(): number {
    this.#check();
    const { u32 } = this.#engine;
    const regions = Atomics.load(u32, L.H_REGION_COUNT >> 2);
    return this.#engine.guard((x) => {
      let bytes = u32[L.H_PAGES >> 2]! + x.index_bytes();
      for (let region = 0; region < regions; region++) bytes += x.region_count(region, 1);
      return Math.min(bytes, this.maxBytes); // entries move between regions while they are added up
    });
  }

  /** The ceiling. */
  get maxBytes(): number {
    return this.#engine.maxBytes;
  }

  /** Keys, weakly consistent: none twice, none missed that stayed put. */
  keys(): IterableIterator<string> {
    this.#check();
    return scanKeys(this.#store, () => this.#check());
  }

  /** Entries in the manner of `keys`; values as `peek` gives them. */
  *entries(): IterableIterator<[string, V]> {
    for (const key of this.keys()) {
      const value = this.#store.read(key, PEEK);
      if (this.#store.lastVersion !== 0) yield [key, value as V];
    }
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries();
  }

  /** The regeneration mutex that `key` shares with others: number hash % `mutexes`. */
  mutex(key: string): SlabMutex {
    this.#check();
    const store = this.#store;
    const length = store.writeKey(key);
    return new SlabMutex(
      this.#engine,
      store.call((x) => x.mutex_of(length, store.keyMeta)),
    );
  }

  /** Counters of all threads together, since the engine was made. */
  stats(): CacheStats {
    this.#check();
    return readStats(this.#engine);
  }

  /** Detaches this thread; the owner's `close` ends the engine for all threads. Closing twice does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#creations?.close();
    this.#engine.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal For backends and tests. */
  static engineOf(cache: SharedCache<any>): Engine {
    return cache.#engine;
  }

  /** @internal */
  static codecOf(cache: SharedCache<any>): Codec {
    return cache.#store.codec;
  }

  #check(): void {
    if (!this.#open) throw new EngineClosedError();
    if (this.#engine.closed) throw this.#engine.closedError();
  }

  #readOrCheck(key: string, creator: unknown): unknown {
    if (!this.#open) this.#check();
    if (typeof creator !== 'function') throw new OptionError('creator', creator, 'expected a function');
    return this.#store.read(key, 0);
  }

  #creating(): CacheCreations<V> {
    this.#check();
    this.#creations ??= new CacheCreations<V>(this, this.#freeze);
    return this.#creations;
  }

  #write(key: string, value: V, options: SetOptions | undefined, mode: number, expect: number): number {
    if (!this.#open) this.#check();
    let ttl = this.#ttlMs;
    if (options !== undefined) {
      checkNames('options', options, SET_NAMES);
      if (options.ttl !== undefined) ttl = checkTtl(options.ttl);
    }
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const encoded = this.#store.codec.encode(value);
    const code = this.#store.write(key, encoded, {
      mode,
      now,
      mono,
      expires: ttl ? now + ttl : 0,
      created: now,
      generation: -1,
      expect,
      v: 1,
    });
    if (code === 0 || code === L.REFUSED) this.#creations?.noteChange(key);
    return code;
  }

  #delete(key: string, version: number): number {
    const store = this.#store;
    this.#creations?.noteChange(key);
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const length = store.writeKey(key);
    return store.call((x) => x.store_delete(length, store.keyMeta, now, mono, version));
  }
}

/** Milliseconds of a write's `ttl`, 0: never, -1: not given. */
function ttlOf(options: SetOptions | undefined): number {
  checkNames('options', options, SET_NAMES);
  return options?.ttl === undefined ? -1 : checkTtl(options.ttl);
}

/** @internal Makes a cache with a given hash seed and slab size, for tests and benchmarks. */
export function createCache<V>(
  options: CacheOptions | undefined,
  seed?: bigint,
  slabBytes?: number,
): SharedCache<V> {
  const checked = checkCreateOptions(options);
  const codec = createCodec(options?.codec);
  const engine = Engine.create({ ...checked, codec: codec.name, clock: options?.clock, seed, slabBytes });
  return new SharedCache<V>(construct, engine, options);
}
