/** What applications hand to a region. */

import type { ProxyBackend } from '../backend/proxy-backend.ts';
import type { Awaitable, Clock, Milliseconds } from '../backend/types.ts';

/** Makes the value of a missing or stale key. Any value will do, also `undefined`. */
export type Creator<V> = () => Awaitable<V>;
/** Makes the value of a key in a `Sync` form: at once. */
export type SyncCreator<V> = () => V;

/** Turns an application's key into the backend's. */
export type KeyMangler = (key: string) => string;

/** Told of errors that have no caller to go to, such as a failing release. What it throws is ignored. */
export type ErrorListener = (error: unknown) => void;

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

export interface RegionOptions {
  /** Names the region; on a shared engine the same name is the same region. Not empty. */
  readonly name: string;
  /** Where to read the time; default: the backend's clock, else this thread's monotonic one. Asked every time. */
  readonly clock?: Clock | undefined;
  /** Applied to every key; takes the place of the backend's own. */
  readonly keyMangler?: KeyMangler | undefined;
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
}

export interface AttachOptions extends Omit<RegionOptions, 'name'> {
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

export interface CreateOptions {
  /** In place of the region's, for this call. */
  readonly expirationTime?: ExpirationTime | undefined;
  /** When the creator fails and a stale value stands, return that instead of the error. Default `false`. */
  readonly staleOnError?: boolean | undefined;
}

export interface InvalidateOptions {
  /** `true` (the default): what stands counts as missing. `false`: as stale. */
  readonly hard?: boolean | undefined;
}

/** Names of options that are functions, or hold some: every thread must bring its own. */
export type HandleFunction = 'clock' | 'keyMangler' | 'wrap' | 'regionInvalidator';

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
