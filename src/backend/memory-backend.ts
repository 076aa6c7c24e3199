/** A `Map` of this thread: unbounded, nothing is copied. */
import { OptionError } from '../errors.ts';
import { CacheBackend } from './cache-backend.ts';
import { type CachedValue, NO_VALUE, type NoValue } from './cached-value.ts';

export interface MemoryArguments<V = unknown> {
  /** Where to keep the values, for instance to look at them; default: a new `Map`. `clear` empties it. */
  readonly map?: Map<string, CachedValue<V>>;
}

/**
 * Keeps values in a `Map` of this thread, without bounds. Readers get the very object that was stored.
 * Synchronous. Registered as `cairn.memory`. Source: dogpile.cache `MemoryBackend`.
 */
export class MemoryBackend<V = unknown> extends CacheBackend<V> {
  readonly #map: Map<string, CachedValue<V>>;

  constructor(args: MemoryArguments<V> = {}) {
    super();
    const { map } = args;
    if (map !== undefined && !(map instanceof Map))
      throw new OptionError('arguments.map', map, 'must be a Map');
    this.#map = map ?? new Map();
  }

  override get(key: string): CachedValue<V> | NoValue {
    return this.#map.get(key) ?? NO_VALUE;
  }

  override set(key: string, value: CachedValue<V>): void {
    this.#map.set(key, value);
  }

  override delete(key: string): boolean {
    return this.#map.delete(key);
  }

  override clear(): void {
    this.#map.clear();
  }
}
