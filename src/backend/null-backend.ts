/** A backend that keeps nothing: caching switched off, with everything else in place. */
import type { CacheMutex } from '../mutex/types.ts';
import { CacheBackend } from './cache-backend.ts';
import { NO_VALUE, type NoValue } from './cached-value.ts';

// Always free, so creators of one key may run at once.
const NULL_MUTEX: CacheMutex = Object.freeze({
  acquire: () => true,
  release: () => {},
  locked: () => false,
});

/**
 * Keeps nothing, so every call of `getOrCreate` runs its creator, or joins one that this thread is running for the
 * key. Synchronous. Registered as `cairn.null`. Source: dogpile.cache `NullBackend`.
 */
export class NullBackend<V = unknown> extends CacheBackend<V> {
  override get(_key: string): NoValue {
    return NO_VALUE;
  }

  override set(): void {}

  override delete(_key: string): boolean {
    return false;
  }

  override getMutex(_key: string): CacheMutex {
    return NULL_MUTEX;
  }
}
