/** What stands between a region and its backend: a value with its metadata, or nothing. */

/**
 * Says "nothing stands under this key" between region and backend. It comes from the global symbol registry, so
 * two copies of the package agree. Callers of a region never see it: there a miss is `undefined`.
 */
export const NO_VALUE: unique symbol = Symbol.for('cairn.NO_VALUE');
export type NoValue = typeof NO_VALUE;

/** Format of what regions store. A value with another `metadata.v` is a miss for every read. */
export const VALUE_VERSION = 1;

/** What a region stores beside a value. A backend keeps all of it, also members that it does not know. */
export interface Metadata {
  /** Time of creation: milliseconds of the region's clock, read after the creator returned. */
  readonly ct: number;
  /** {@link VALUE_VERSION} of the writer. */
  readonly v: number;
  /** The region's generation before the creator ran; absent where another writer kept none. */
  readonly generation?: number;
}

/** A stored value and its metadata, as backends and proxies see it. */
export class CachedValue<V = unknown> {
  readonly payload: V;
  readonly metadata: Metadata;

  constructor(payload: V, metadata: Metadata) {
    this.payload = payload;
    this.metadata = metadata;
  }

  /** Time of creation, in epoch milliseconds of the region's clock. */
  get cachedTime(): number {
    return this.metadata.ct;
  }

  /** Milliseconds since the creation, by this thread's own time: with an injected clock, compute it yourself. */
  get age(): number {
    return performance.timeOrigin + performance.now() - this.metadata.ct;
  }
}
