/** What a region consists of once it is configured. Fixed for life. */
import { debuglog } from 'node:util';
import { CachedValue, NO_VALUE, type NoValue, VALUE_VERSION } from '../backend/cached-value.ts';
import type { Awaitable, CacheBackend, Clock, ShareableBackend } from '../backend/types.ts';
import { type CantDeserializeError, KeyError, OptionError } from '../errors.ts';
import { LocalMutexes } from '../mutex/local-mutex.ts';
import { isSharedMutex } from '../mutex/types.ts';
import { threadClock } from './clock.ts';
import {
  HITS,
  LOADS,
  LocalCounters,
  MISSES,
  type RegionCounters,
  STALE_SERVED,
  UNLOCKED,
} from './counters.ts';
import { Lock, placeOf } from './creation/lock-order.ts';
import { Runs } from './creation/runs.ts';
import { onError, onHit, onMiss } from './events.ts';
import { Invalidation, LocalGenerations } from './invalidation.ts';
import { type CallOptions, callDefaults, DEFAULTS } from './options.ts';
import type { CacheRegion } from './region.ts';
import { isThenable } from './steps.ts';
import type {
  ConfigureOptions,
  Deserializer,
  ErrorListener,
  ExpirationTime,
  HandleFunction,
  KeyMangler,
  RegionOptions,
  Serializer,
} from './types.ts';

const debug = debuglog('cairn');

// Orders the locks of regions whose backends have no shared ones.
let lastId = 0;

export class RegionCore<V> {
  readonly id = ++lastId;
  readonly name: string;
  /** As the region uses it: under all proxies. */
  readonly backend: CacheBackend<V>;
  /** The innermost one. */
  readonly actualBackend: CacheBackend<V>;
  readonly backendName: string;
  readonly expirationTime: ExpirationTime;
  readonly clock: Clock;
  readonly mangler: KeyMangler | null;
  readonly freeze: boolean;
  readonly functions: readonly HandleFunction[];
  readonly invalidation: Invalidation;
  /** Whether all threads of the backend share the generations. */
  readonly sharesGenerations: boolean;
  readonly runs = new Runs<V>();
  readonly localMutexes = new LocalMutexes();
  readonly counters: RegionCounters;
  /** How a call without options goes, by its form. */
  readonly callDefaults: CallOptions<V>;
  readonly multiDefaults: CallOptions<V>;
  readonly syncDefaults: CallOptions<V>;
  readonly syncMultiDefaults: CallOptions<V>;
  /** The region itself, for its runner. */
  region: CacheRegion<V> | null = null;
  closed = false;
  readonly #serializer: Serializer<V> | null;
  readonly #deserializer: Deserializer<V> | null;
  readonly #onError: ErrorListener | null;
  readonly #shareable: Partial<ShareableBackend>;

  constructor(
    options: RegionOptions,
    configured: ConfigureOptions,
    backendName: string,
    backend: CacheBackend<V>,
    actualBackend: CacheBackend<V>,
    before: RegionCore<V> | null = null,
  ) {
    const shareable = actualBackend as Partial<ShareableBackend>;
    const { clock, keyMangler } = options;
    this.#shareable = shareable;
    this.name = options.name;
    this.backend = backend;
    this.actualBackend = actualBackend;
    this.backendName = backendName;
    this.expirationTime = configured.expirationTime ?? DEFAULTS.expirationTime;
    this.clock = clock ?? shareable.clock?.bind(actualBackend) ?? threadClock;
    this.mangler = keyMangler ?? backend.keyMangler?.bind(backend) ?? null;
    this.freeze = options.freeze ?? DEFAULTS.freeze;
    this.sharesGenerations = shareable.generations !== undefined;
    this.invalidation = new Invalidation(
      shareable.generations ?? before?.invalidation.ownSource() ?? new LocalGenerations(),
      configured.regionInvalidator ?? before?.invalidation.strategy ?? null,
      this.clock,
    );
    this.functions = functionsGiven(options, configured, this.invalidation.strategy !== null);
    if (before !== null) this.invalidation.inherit(before.invalidation);
    this.counters = shareable.counters ?? new LocalCounters();
    this.callDefaults = callDefaults(this.expirationTime, options.asyncCreationRunner ?? null);
    this.multiDefaults = { ...this.callDefaults, runner: null };
    this.syncDefaults = { ...this.callDefaults, waitTimeoutMs: DEFAULTS.waitTimeoutSync };
    this.syncMultiDefaults = { ...this.syncDefaults, runner: null };
    this.#serializer = options.serializer ?? null;
    this.#deserializer = options.deserializer ?? null;
    this.#onError = options.onError ?? null;
  }

  /** The backend's key for `key`. */
  mangle(key: string): string {
    if (typeof key !== 'string') throw new KeyError(key, 'must be a string');
    if (this.mangler === null) return key;
    const mangled: unknown = this.mangler(key);
    if (typeof mangled !== 'string') throw new OptionError('keyMangler', mangled, 'must return a string');
    return mangled;
  }

  /** What the backend gave, with its payload deserialized; `NO_VALUE` where that cannot be done. */
  decode(found: CachedValue<any> | NoValue): CachedValue<V> | NoValue {
    if (this.#deserializer === null || found === NO_VALUE) return found;
    const { payload, metadata } = found;
    // What other versions stored is not for this deserializer.
    if (metadata.v !== VALUE_VERSION) return found;
    try {
      return new CachedValue(this.#deserializer(payload), metadata);
    } catch (error) {
      // By its code: it may come from another copy of the package.
      if ((error as CantDeserializeError | null)?.code === 'ERR_CAIRN_DESERIALIZE') return NO_VALUE;
      throw error;
    }
  }

  /** What is stored in the place of `value`. */
  encode(value: V): V {
    return this.#serializer === null ? value : (this.#serializer(value) as V);
  }

  /** Reads several keys of the backend, in their order. */
  readMulti(keys: readonly string[]): Awaitable<(CachedValue<V> | NoValue)[]> {
    if (keys.length === 0) return [];
    const found = this.backend.getMulti(keys);
    if (this.#deserializer === null) return found;
    const decode = (entries: (CachedValue<V> | NoValue)[]) => entries.map((entry) => this.decode(entry));
    return isThenable(found)
      ? found.then(decode as (entries: unknown) => (CachedValue<V> | NoValue)[])
      : decode(found as (CachedValue<V> | NoValue)[]);
  }

  /** The lock under which `key` (mangled) is created, not yet taken. */
  lockOf(key: string): Lock {
    const mutex = this.backend.getMutex(key);
    if (mutex === null) return new Lock(this.localMutexes.get(key), this.id, key, true);
    if (isSharedMutex(mutex)) return new Lock(mutex, this.id, '', false);
    const place = placeOf(mutex, this.id, key);
    return new Lock(mutex, place.regionId, place.key, false);
  }

  /** Notes a read: whether it found a fresh value. */
  noteRead(name: string, fresh: boolean): void {
    this.counters.add(fresh ? HITS : MISSES, 1);
    if (fresh) {
      if (onHit.hasSubscribers) onHit.publish({ region: this.name, key: name, stale: false });
    } else if (onMiss.hasSubscribers) onMiss.publish({ region: this.name, key: name });
  }

  /** Notes that a caller gets the stale value. */
  noteStale(name: string): void {
    this.counters.add(STALE_SERVED, 1);
    if (onHit.hasSubscribers) onHit.publish({ region: this.name, key: name, stale: true });
  }

  /** Notes that a creator runs. */
  noteLoad(unlocked: boolean): void {
    this.counters.add(LOADS, 1);
    if (unlocked) this.counters.add(UNLOCKED, 1);
    this.#shareable.noteLoad?.(unlocked);
  }

  /** Notes an error, whoever gets it. */
  noteError(error: unknown, keys: readonly string[]): void {
    if (onError.hasSubscribers) onError.publish({ region: this.name, keys, error });
  }

  /** Where errors go that no caller waits for. `told`: `noteError` was called for it already. */
  readonly report = (error: unknown, keys: readonly string[] = [], told = false): void => {
    debug('region %s: %O', this.name, error);
    if (!told) this.noteError(error, keys);
    const ignore = (thrown: unknown) => debug('region %s: onError threw %O', this.name, thrown);
    try {
      const answer: unknown = this.#onError?.(error, { region: this.name, keys });
      if (isThenable(answer)) answer.then(undefined, ignore);
    } catch (thrown) {
      ignore(thrown);
    }
  };
}

/** Which functions other threads must bring to attach to this region. */
function functionsGiven(
  options: RegionOptions,
  configured: ConfigureOptions,
  strategy: boolean,
): HandleFunction[] {
  const given: HandleFunction[] = [];
  if (options.clock !== undefined) given.push('clock');
  if (options.keyMangler !== undefined) given.push('keyMangler');
  if (options.serializer !== undefined) given.push('serializer');
  if (options.deserializer !== undefined) given.push('deserializer');
  if (configured.wrap !== undefined && configured.wrap.length > 0) given.push('wrap');
  if (strategy) given.push('regionInvalidator');
  return given;
}
