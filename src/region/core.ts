/** What a region consists of once it is configured. Fixed for life, but for its counter. */
import { debuglog } from 'node:util';
import type { CacheBackend, Clock, ShareableBackend } from '../backend/types.ts';
import { KeyError, OptionError } from '../errors.ts';
import { LocalMutexes } from '../mutex/local-mutex.ts';
import { threadClock } from './clock.ts';
import { Invalidation, LocalGenerations } from './invalidation.ts';
import { Lock } from './lock-order.ts';
import { DEFAULTS } from './options.ts';
import { Runs } from './runs.ts';
import type {
  ConfigureOptions,
  ErrorListener,
  ExpirationTime,
  HandleFunction,
  KeyMangler,
  RegionOptions,
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
  /** How often a creator ran without a lock: the order forbade to wait, or the mutex was not to be had. */
  unlockedCreations = 0;
  closed = false;
  readonly #onError: ErrorListener | null;
  readonly #shareable: Partial<ShareableBackend>;

  constructor(
    options: RegionOptions,
    configured: ConfigureOptions,
    backendName: string,
    backend: CacheBackend<V>,
    actualBackend: CacheBackend<V>,
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
    this.functions = functionsGiven(options, configured);
    this.sharesGenerations = shareable.generations !== undefined;
    this.invalidation = new Invalidation(
      shareable.generations ?? new LocalGenerations(),
      configured.regionInvalidator ?? null,
      this.clock,
    );
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

  /** The lock under which `key` (mangled) is created, not yet taken. */
  lockOf(key: string): Lock {
    const mutex = this.backend.getMutex(key);
    return new Lock(mutex ?? this.localMutexes.get(key), this.id, key, mutex === null);
  }

  /** Notes that a creator runs. */
  noteLoad(unlocked: boolean): void {
    if (unlocked) this.unlockedCreations++;
    this.#shareable.noteLoad?.(unlocked);
  }

  /** Where errors go that no caller waits for. */
  readonly report = (error: unknown): void => {
    debug('region %s: %O', this.name, error);
    try {
      this.#onError?.(error);
    } catch (thrown) {
      debug('region %s: onError threw %O', this.name, thrown);
    }
  };
}

/** Which functions other threads must bring to attach to this region. */
function functionsGiven(options: RegionOptions, configured: ConfigureOptions): HandleFunction[] {
  const given: HandleFunction[] = [];
  if (options.clock !== undefined) given.push('clock');
  if (options.keyMangler !== undefined) given.push('keyMangler');
  if (configured.wrap !== undefined && configured.wrap.length > 0) given.push('wrap');
  if (configured.regionInvalidator !== undefined) given.push('regionInvalidator');
  return given;
}
