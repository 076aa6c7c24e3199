/** Types that backends, regions and applications share. */
import type { RegionCounters } from '../region/counters.ts';
import type { GenerationSource } from '../region/invalidation.ts';
import type { CacheBackend } from './cache-backend.ts';
import type { CachedValue, NoValue } from './cached-value.ts';

export type { CacheBackend } from './cache-backend.ts';
export type { Metadata, NoValue } from './cached-value.ts';

/** A duration or a point in time, in milliseconds. */
export type Milliseconds = number;

/** Returns epoch milliseconds. One that goes backwards or returns `NaN` reads as its last value. */
export type Clock = () => Milliseconds;

/** A method may answer at once or by a promise; the `Sync` forms of a region need the former. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Says which state of a key a creation replaces. Only the backend that made it can read it. */
export type CreationToken = unknown;

/** What `beginCreation` answers: what stands under the key, and the token for the `set` that may follow. */
export interface BegunCreation<V> {
  readonly value: CachedValue<V> | NoValue;
  readonly token: CreationToken;
}

export interface SetOptions {
  /** Store only if what the token stands for is still there; else answer `false` and change nothing. */
  readonly token?: CreationToken;
}

export interface SetMultiOptions {
  /** Tokens by key; a key without one is stored unconditionally. */
  readonly tokens?: ReadonlyMap<string, CreationToken>;
}

/** Second argument of a backend's constructor. */
export interface BackendContext {
  /** Name of the region that the backend works for. */
  readonly region: string;
  /** The region's injected clock, already monotone; absent when it was given none. */
  readonly clock?: Clock | undefined;
}

/** A class that a region can build a backend from. It never changes `args` and ignores members it does not know. */
export type BackendClass<V = any> = new (args: any, context: BackendContext) => CacheBackend<V>;

/** What a backend has besides when other threads can attach to it. */
export interface ShareableBackend {
  /** Structured-cloneable; `attach` of the same class takes it on another thread. */
  readonly handle: unknown;
  /** The generation counters, where all threads share them. */
  readonly generations: GenerationSource;
  /** The clock that all threads of this backend share; used by regions that were given none. */
  readonly clock: Clock;
  /** Where the region counts, so that all threads see one number. */
  readonly counters?: RegionCounters;
  /** Counts a creator that runs, for the statistics of the whole store; `unlocked`: without the mutex. */
  noteLoad?(unlocked: boolean): void;
}

/** A backend class whose instances have a `handle`. */
export interface ShareableBackendClass<V = any> extends BackendClass<V> {
  attach(handle: unknown, context: BackendContext, args?: object): CacheBackend<V>;
}
