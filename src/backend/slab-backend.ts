/**
 * `SlabBackend`: a region's store in the shared engine. A shell on `Store`, as `SharedCache` is; what it adds is the
 * `CachedValue` with its binary metadata, the region's row, the tokens of fenced creations and the mutex table.
 */

import { createHash } from 'node:crypto';
import { debuglog } from 'node:util';
import * as L from '../../assembly/layout.ts';
import { createCodec } from '../codec/index.ts';
import type { Codec, CodecOption } from '../codec/types.ts';
import { Engine } from '../engine/engine.ts';
import type { CacheHandle } from '../engine/handle.ts';
import { OptionError, RegionLimitError } from '../errors.ts';
import { SlabMutex } from '../mutex/slab-mutex.ts';
import type { RegionCounters } from '../region/counters.ts';
import type { GenerationSource } from '../region/invalidation.ts';
import { DecodedTable } from '../store/decoded-table.ts';
import {
  type CacheOptions,
  CREATE_NAMES,
  checkCreateOptions,
  checkDecoded,
  type DecodedOptions,
} from '../store/options.ts';
import { QUIET } from '../store/reading.ts';
import { SharedCache } from '../store/shared-cache.ts';
import { countStat } from '../store/stats.ts';
import { codecFor, Store } from '../store/store.ts';
import { CacheBackend } from './cache-backend.ts';
import { CachedValue, NO_VALUE, type NoValue } from './cached-value.ts';
import { SlabCounters } from './slab-counters.ts';
import { SlabGenerations } from './slab-generations.ts';
import type { BackendContext, BegunCreation, Clock, SetOptions, ShareableBackend } from './types.ts';

/** `arguments` of `cairn.slab`: those of `SharedCache.create`, or a cache whose engine the region shares. */
export interface SlabArguments extends CacheOptions {
  /** The region lives on this cache's engine, beside its entries; all other options but `decoded` are the cache's. */
  cache?: SharedCache<any>;
}

/** What a token is: the version that must still stand. */
interface SlabToken {
  readonly version: number;
}

/** What a creation of the cache's own may add: how long the value lives, instead of the engine's `ttl`; 0 is never. */
interface SlabSetOptions extends SetOptions {
  readonly ttlMs?: number;
}

/** What `arguments` has for an engine; the clock is the region's. */
const ENGINE_OPTIONS = CREATE_NAMES.filter((name) => name !== 'clock') as readonly (keyof CacheOptions)[];
const debug = debuglog('cairn');
const ATTACHED = Symbol('cairn.attached');
const GENERATIONS = 2 ** 39;
const METADATA = ['ct', 'v', 'generation'];

/**
 * The shared store as a backend. Synchronous; safe from all threads; what it hands out is frozen. Values are bounded by
 * `maxBytes` of the engine, evicted by S3L, and expire by the engine's `ttl` if it has one.
 *
 * @throws {OptionError} in the constructor: an option is wrong, or the region's name is longer than 255 bytes.
 * @throws {RegionLimitError} an engine holds at most 64 regions.
 */
export class SlabBackend<V = unknown> extends CacheBackend<V> implements ShareableBackend {
  readonly generations: GenerationSource;
  readonly counters: RegionCounters;
  readonly clock: Clock;
  readonly #engine: Engine;
  readonly #store: Store;
  #open = true;

  constructor(args: SlabArguments, context: BackendContext) {
    super();
    const { engine, codec } = openEngine(args, context);
    this.#engine = engine;
    this.clock = () => engine.clock.now();
    try {
      const region = regionRow(engine, context.region);
      const { bytes, mode } = checkDecoded(args.decoded);
      const table = mode === 'off' ? undefined : new DecodedTable(bytes);
      this.#store = new Store(engine, region, codec, table, mode === 'freeze', cachedValue);
      this.generations = new SlabGenerations(engine, region);
      this.counters = new SlabCounters(engine, region);
    } catch (error) {
      engine.release();
      throw error;
    }
  }

  /** Attaches this thread to the backend of a handle; `codec` (object form) and `decoded` are this thread's own. */
  static attach<V = unknown>(
    handle: CacheHandle,
    context: BackendContext,
    options: { codec?: CodecOption; decoded?: DecodedOptions } = {},
  ): SlabBackend<V> {
    const engine = Engine.attach(handle, context.clock);
    let codec: Codec;
    try {
      codec = codecFor(engine, options.codec);
    } catch (error) {
      engine.release();
      throw error;
    }
    return new SlabBackend<V>(
      { decoded: options.decoded, [ATTACHED]: { engine, codec } } as SlabArguments,
      context,
    );
  }

  /** What another thread attaches to. */
  get handle(): CacheHandle {
    return this.#engine.handle;
  }

  override get(key: string): CachedValue<V> | NoValue {
    const found = this.#store.read(key, 0);
    return this.#store.lastVersion === 0 ? NO_VALUE : (found as CachedValue<V>);
  }

  /** In a large engine the cache misses of the keys overlap. */
  override getMulti(keys: readonly string[]): (CachedValue<V> | NoValue)[] {
    return this.#store.readMany(keys, NO_VALUE) as (CachedValue<V> | NoValue)[];
  }

  /** `false`: the token does not stand any more, or the value is larger than `maxValueBytes`. */
  override set(key: string, value: CachedValue<V>, options?: SetOptions): boolean {
    const { ct, v, generation } = value.metadata;
    if (!Number.isInteger(v) || v < 0 || v > L.V_MAX) {
      throw new OptionError('metadata.v', v, `expected an integer from 0 to ${L.V_MAX}`);
    }
    for (const name of Object.keys(value.metadata)) {
      if (!METADATA.includes(name)) {
        throw new OptionError(
          `metadata.${name}`,
          (value.metadata as never)[name],
          'the binary header has no place for it',
        );
      }
    }
    if (typeof ct !== 'number') throw new OptionError('metadata.ct', ct, 'expected epoch milliseconds');
    const token = options?.token as SlabToken | undefined;
    const ttl = (options as SlabSetOptions | undefined)?.ttlMs ?? this.#engine.ttlMs;
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const encoded = this.#store.codec.encode(value.payload);
    const own =
      generation !== undefined && Number.isInteger(generation) && generation >= 0 && generation < GENERATIONS;
    const code = this.#store.write(key, encoded, {
      mode: token === undefined ? L.MODE_SET : L.MODE_TOKEN,
      now,
      mono,
      expires: ttl ? now + ttl : 0,
      created: ct,
      generation: own ? generation : -1,
      expect: token?.version ?? 0,
      v,
    });
    return code === 0;
  }

  override delete(key: string): boolean {
    const store = this.#store;
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const length = store.writeKey(key);
    return store.call((x) => x.store_delete(length, store.keyMeta, now, mono, 0)) === 1;
  }

  /** Removes this region's entries at once: raises its cleared floor. */
  override clear(): void {
    this.generations.clear();
  }

  /** Mutex number hash(key) % `mutexes` of the shared table. */
  override getMutex(key: string): SlabMutex {
    const store = this.#store;
    const length = store.writeKey(key);
    return new SlabMutex(
      this.#engine,
      store.call((x) => x.mutex_of(length, store.keyMeta)),
    );
  }

  /** Keys that do not fit (960 bytes encoded) are hashed: no two of them share one, lone surrogates included. */
  override keyMangler(key: string): string {
    if (key.startsWith(HASHED)) return hashed(key); // or a short key could name the entry of a long one
    if (key.length * 2 <= L.KEY_MAX) return key;
    if (key.length <= L.KEY_MAX && !/[\u0100-\uffff]/.test(key)) return key;
    return hashed(key);
  }

  /**
   * The second read and the marking in one hold of the shard's lock. Where a value stands its version is the token; else
   * that of a placeholder, which reads as a miss and is shared by all who begin while it stands.
   */
  override beginCreation(key: string): BegunCreation<V> {
    const store = this.#store;
    const { clock, leaseMs } = this.#engine;
    for (;;) {
      const mono = clock.mono();
      const now = clock.nowAt(mono);
      const length = store.writeKey(key);
      const reclaimAt = mono + leaseMs * L.PLACEHOLDER_LEASES;
      const found = store.call((x) => x.store_begin(length, store.keyMeta, now, mono, reclaimAt, 1));
      const version = store.result(L.R_VERSION);
      if (found === L.MISS) return { value: NO_VALUE, token: { version } satisfies SlabToken };
      if (found === L.REFUSED) return { value: NO_VALUE, token: { version: 0 } satisfies SlabToken };
      if (found < 0) continue; // somebody stored or marked it between two looks
      const value = store.value(key, found, QUIET);
      // a large value is copied outside the lock: it must be the one that was marked
      if (store.lastVersion !== version) continue;
      return { value: value as CachedValue<V>, token: { version } satisfies SlabToken };
    }
  }

  override endCreation(key: string, token: unknown): void {
    const version = (token as SlabToken | undefined)?.version ?? 0;
    const store = this.#store;
    const mono = this.#engine.clock.mono();
    const now = this.#engine.clock.nowAt(mono);
    const length = store.writeKey(key);
    store.call((x) => x.store_end(length, store.keyMeta, now, mono, version));
  }

  override tokenStands(key: string, token: unknown): boolean {
    const store = this.#store;
    const length = store.writeKey(key);
    const version = store.call((x) => x.store_version(length, store.keyMeta));
    return version === (token as SlabToken).version;
  }

  /** @internal A creator runs: counted for `stats`. */
  noteLoad(unlocked: boolean): void {
    countStat(this.#engine, L.S_LOADS);
    if (unlocked) countStat(this.#engine, L.S_UNLOCKED);
  }

  /** Detaches this thread; closes the engine if this backend made it and nothing else of this thread uses it. */
  override close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#engine.release();
  }
}

const HASHED = 'sha256:';

function hashed(key: string): string {
  return HASHED + createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex');
}

/** Makes, shares or takes over an engine, as the arguments say. */
function openEngine(args: SlabArguments, context: BackendContext): { engine: Engine; codec: Codec } {
  const attached = (args as { [ATTACHED]?: { engine: Engine; codec: Codec } })[ATTACHED];
  if (attached) return attached;
  // members that are not the engine's are somebody else's: dogpile's rule for arguments
  const known: readonly string[] = args.cache === undefined ? ENGINE_OPTIONS : ['cache', 'decoded'];
  const strangers = Object.keys(args).filter((name) => !known.includes(name));
  if (strangers.length > 0)
    debug('region %s: cairn.slab ignores the arguments %s', context.region, strangers.join(', '));
  if (args.cache !== undefined) {
    if (!(args.cache instanceof SharedCache))
      throw new OptionError('cache', args.cache, 'expected a SharedCache');
    return { engine: SharedCache.engineOf(args.cache).retain(), codec: SharedCache.codecOf(args.cache) };
  }
  const options: CacheOptions = {};
  for (const name of ENGINE_OPTIONS) {
    if (args[name] !== undefined) (options as Record<string, unknown>)[name] = args[name];
  }
  const checked = checkCreateOptions(options);
  const codec = createCodec(args.codec);
  return { engine: Engine.create({ ...checked, codec: codec.name, clock: context.clock }), codec };
}

function regionRow(engine: Engine, name: string): number {
  if (!name.isWellFormed()) throw new OptionError('name', name, 'expected no lone surrogates');
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length > L.REGION_NAME_MAX) {
    throw new OptionError('name', name, `expected at most ${L.REGION_NAME_MAX} bytes as UTF-8`);
  }
  engine.u8.set(bytes, engine.stage);
  const row = engine.guard((x) => x.region_row(bytes.length));
  if (row < 0) throw new RegionLimitError(name);
  return row;
}

function cachedValue(payload: unknown, ct: number, v: number, generation: number): CachedValue {
  return Object.freeze(new CachedValue(payload, Object.freeze({ ct, v, generation })));
}
