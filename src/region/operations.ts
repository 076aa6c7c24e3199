/**
 * Reads and changes of one key, and of a region as a whole. Each answers at once where the backend does, else by a
 * promise, so that it serves the promise and the `Sync` form of the operation.
 */
import { CachedValue, type NoValue, VALUE_VERSION } from '../backend/cached-value.ts';
import type { Awaitable } from '../backend/types.ts';
import type { RegionCore } from './core.ts';
import { isReadable } from './freshness.ts';
import { readExpiration } from './options.ts';
import { isThenable } from './steps.ts';
import type { ReadOptions } from './types.ts';

/** What stands under `key`, if it may be read, else `null`. */
export function readEntry<V>(
  core: RegionCore<V>,
  key: string,
  options: ReadOptions | undefined,
): Awaitable<CachedValue<V> | null> {
  const { expirationTime } = core;
  const expiration = options === undefined ? expirationTime : readExpiration(options, expirationTime);
  const mangled = core.mangle(key);
  const found = core.backend.get(mangled);
  if (isThenable(found)) {
    return found.then((entry) => {
      const later = entry as CachedValue<V> | NoValue;
      return isReadable(core, later, mangled, expiration) ? later : null;
    });
  }
  const entry = found as CachedValue<V> | NoValue;
  return isReadable(core, entry, mangled, expiration) ? entry : null;
}

export function writeValue<V>(core: RegionCore<V>, key: string, value: V): Awaitable<unknown> {
  const mangled = core.mangle(key);
  return changeKey(core, mangled, () => {
    const generation = core.invalidation.source.current();
    return core.backend.set(
      mangled,
      new CachedValue(value, { ct: core.clock(), v: VALUE_VERSION, generation }),
    );
  });
}

export function deleteKey<V>(core: RegionCore<V>, key: string): Awaitable<boolean> {
  const mangled = core.mangle(key);
  return changeKey(core, mangled, () => core.backend.delete(mangled));
}

/** A change comes after a store of the key that is going on, and before one that is still to come. */
function changeKey<V, T>(core: RegionCore<V>, mangled: string, make: () => Awaitable<T>): Awaitable<T> {
  const storing = core.runs.storing(mangled);
  if (storing === null) return core.runs.change(mangled, make);
  core.runs.noteChange(mangled);
  const next = () => core.runs.change(mangled, make);
  return storing.then(next, next);
}

export function invalidateAll<V>(core: RegionCore<V>, hard: boolean): Awaitable<unknown> {
  core.runs.noteChangeOfAll();
  return core.invalidation.invalidate(hard);
}

export function clearAll<V>(core: RegionCore<V>): Awaitable<unknown> {
  const { backend, invalidation } = core;
  core.runs.noteChangeOfAll();
  // A backend that owns the generations raises their floor when it clears.
  if (core.sharesGenerations && backend.clear !== undefined) invalidation.noteClear();
  else invalidation.clear();
  return backend.clear?.();
}
