/** What applications hand to a region. */

import type { ProxyBackend } from '../backend/proxy-backend.ts';
import type { Awaitable, Clock, CreationToken, Milliseconds } from '../backend/types.ts';
import type { KeyGenerator } from './decorators/argument-keys.ts';
import type { CacheRegion } from './region.ts';

/** What a creator is called with. */
export interface CreatorContext {
  /** Fires when nobody waits for the value any more, since every caller's own signal fired or its patience ended. */
  readonly signal: AbortSignal;
}

/** Makes the value of a missing or stale key. Any value will do, also `undefined`. */
export type Creator<V> = (context: CreatorContext) => Awaitable<V>;
/** Makes the value of a key in a `Sync` form: at once. */
export type SyncCreator<V> = (context: CreatorContext) => V;
/**
 * Makes the values of several keys: gets the missing and stale ones as one array, each once, sorted by code unit, and
 * returns as many values in that order.
 */
export type MultiCreator<V> = (keys: readonly string[], context: CreatorContext) => Awaitable<readonly V[]>;
/** The same at once. */
export type SyncMultiCreator<V> = (keys: readonly string[], context: CreatorContext) => readonly V[];
/** `never` where a function of a `Sync` form is seen to return a promise, so that it does not compile. */
export type RefusePromise<F extends (...args: never[]) => unknown> = [ReturnType<F>] extends [never]
  ? unknown
  : ReturnType<F> extends PromiseLike<unknown>
    ? never
    : unknown;

/** Makes of a value what the backend keeps in its place. */
export type Serializer<V> = (value: V) => unknown;
/** Makes the value again. It may throw {@link CantDeserializeError}, which counts as a miss. */
export type Deserializer<V> = (serialized: any) => V;

/**
 * Regenerates a stale value in its own way, while the caller gets the stale one. It calls `creator`, stores the value by
 * `region.set(key, value, { token })`, which is refused if the key changed meanwhile, and calls `mutex.release()`. The
 * region releases where it did not: when the promise that it returned settles, and in any case after 5 seconds.
 * What it throws goes to the region's `onError`. `key` is as the caller wrote it.
 * Source: dogpile.cache `async_creation_runner`.
 */
export type AsyncCreationRunner<V> = (
  region: CacheRegion<V>,
  key: string,
  creator: () => Awaitable<V>,
  mutex: { release(): void },
  token: CreationToken,
) => unknown;

/** Turns an application's key into the backend's. */
export type KeyMangler = (key: string) => string;

/**
 * Told of errors that have no caller to go to: of a creator that nobody waits for, of a runner, of a failing release.
 * What it throws is ignored.
 */
export type ErrorListener = (error: unknown, context: ErrorContext) => void;
export interface ErrorContext {
  /** Name of the region. */
  readonly region: string;
  /** The keys that it was about, as their callers wrote them. */
  readonly keys: readonly string[];
}

/** How long a value counts as fresh, in milliseconds; `null` is for ever. At exactly that age it is still fresh. */
export type ExpirationTime = Milliseconds | null;

/** A proxy to wrap around the backend: an instance for this region alone, or a class to make one of. */
export type Wrap = ProxyBackend<any> | (new () => ProxyBackend<any>);

/**
 * Decides which values are invalid, instead of the region's generations. Asked with a creation time (milliseconds of
 * the region's clock) and a mangled key on reads, and with the time at which a creator started before its value is
 * stored: a value from before an invalidation that came meanwhile is not kept.
 * Source: dogpile.cache `RegionInvalidationStrategy`.
 */
export interface RegionInvalidator {
  /** Called by `region.invalidate`. */
  invalidate(hard: boolean): Awaitable<void>;
  isInvalidated(ct: Milliseconds, key: string): boolean;
  /** The value counts as missing. */
  isHardInvalidated(ct: Milliseconds, key: string): boolean;
  /** The value counts as stale. */
  isSoftInvalidated(ct: Milliseconds, key: string): boolean;
  wasHardInvalidated(): boolean;
  wasSoftInvalidated(): boolean;
}

export interface RegionOptions<V = any> {
  /** Names the region; on a shared engine the same name is the same region. Not empty. */
  readonly name: string;
  /** Where to read the time; default: the backend's clock, else this thread's monotonic one. Asked every time. */
  readonly clock?: Clock | undefined;
  /** Applied to every key; takes the place of the backend's own. */
  readonly keyMangler?: KeyMangler | undefined;
  /** Applied to every value on its way to the backend, whichever that is. */
  readonly serializer?: Serializer<V> | undefined;
  /** Applied to every value on its way from the backend. */
  readonly deserializer?: Deserializer<V> | undefined;
  /** Makes the keys of decorated functions that bring none of their own. Default: collision-free, of all arguments. */
  readonly keyGenerator?: KeyGenerator | undefined;
  /** Regenerates stale values of `getOrCreate`, unless the call says otherwise. */
  readonly asyncCreationRunner?: AsyncCreationRunner<V> | undefined;
  /** Whether a creator's result is deep-frozen when it is a graph of plain objects and arrays. Default `true`. */
  readonly freeze?: boolean | undefined;
  /** Default: such errors are only written to the debug log (`NODE_DEBUG=cairn`). */
  readonly onError?: ErrorListener | undefined;
}

export interface ConfigureOptions {
  /** Default `null`. */
  readonly expirationTime?: ExpirationTime | undefined;
  /** For the backend's constructor; never changed, and what it does not know it ignores. */
  readonly arguments?: object | undefined;
  /** The first is the outermost. */
  readonly wrap?: readonly Wrap[] | undefined;
  readonly regionInvalidator?: RegionInvalidator | undefined;
  /** Whether a configured region takes this backend in the place of its own, which is closed. Default `false`. */
  readonly replaceExistingBackend?: boolean | undefined;
}

export interface AttachOptions<V = any> extends Omit<RegionOptions<V>, 'name'> {
  /** For the backend's `attach`: what is this thread's own. `cairn.slab` takes `codec` (object form) and `decoded`. */
  readonly arguments?: object | undefined;
  readonly wrap?: readonly Wrap[] | undefined;
  readonly regionInvalidator?: RegionInvalidator | undefined;
}

export interface ReadOptions {
  /** In place of the region's, for this call. */
  readonly expirationTime?: ExpirationTime | undefined;
  /** Read also what is expired or invalidated (but not what was cleared). Default `false`. */
  readonly ignoreExpiration?: boolean | undefined;
}

/** Options of `getOrCreateMulti`, and with {@link CreateOptions} of `getOrCreate`. */
export interface MultiCreateOptions<V = any> {
  /** In place of the region's, for this call. */
  readonly expirationTime?: ExpirationTime | undefined;
  /** Whether a value that this call's creator made is stored. It is returned either way. Default: all are. */
  readonly shouldCache?: ((value: V) => boolean) | undefined;
  /** Ends this caller's wait: it rejects with the signal's reason. The creator goes on for others who wait. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds to wait while others create; then the stale value is served, or {@link WaitTimeoutError} thrown, and
   * the creator does not run (but for others who joined this call). Its own running does not count. Default: no limit, 10,000 for `Sync` forms.
   */
  readonly waitTimeout?: Milliseconds | null | undefined;
  /** When the creator fails and a stale value stands, return that instead of the error. Default `false`. */
  readonly staleOnError?: boolean | undefined;
  /**
   * Milliseconds that a creator may take before the stale value, if one stands, is returned in its stead. The creator
   * goes on, and its value is stored. Not for `Sync` forms. Default: no limit.
   */
  readonly softTimeout?: Milliseconds | null | undefined;
  /** `'background'`: a stale value is returned at once and regenerated behind it. Default `'inline'`. */
  readonly refresh?: 'inline' | 'background' | undefined;
}

export interface CreateOptions<V = any> extends MultiCreateOptions<V> {
  /** Regenerates a stale value in its own way; goes before the region's. */
  readonly asyncCreationRunner?: AsyncCreationRunner<V> | undefined;
}

/** Options of the `Sync` forms: nothing can end a creator that runs at once. */
export type SyncCreateOptions<V = any> = Omit<CreateOptions<V>, 'softTimeout'>;
export type SyncMultiCreateOptions<V = any> = Omit<MultiCreateOptions<V>, 'softTimeout'>;

export interface WriteOptions {
  /** What an {@link AsyncCreationRunner} was given: the value is stored only if the key is as it was then. */
  readonly token?: CreationToken;
}

export interface InvalidateOptions {
  /** `true` (the default): what stands counts as missing. `false`: as stale. */
  readonly hard?: boolean | undefined;
}

/** Names of options that are functions, or hold some: every thread must bring its own. */
export type HandleFunction =
  | 'clock'
  | 'keyMangler'
  | 'serializer'
  | 'deserializer'
  | 'wrap'
  | 'regionInvalidator';

/** What another thread needs to attach to a region. Structured-cloneable. */
export interface RegionHandle {
  readonly kind: 'cairn.region';
  readonly name: string;
  readonly expirationTime: ExpirationTime;
  /** Which functions the region was given; `attachRegion` wants each of them again. */
  readonly functions: readonly HandleFunction[];
  /** Name under which the backend's class is registered. */
  readonly backendName: string;
  readonly backend: unknown;
}
