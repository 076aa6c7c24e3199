/** How the creation of one key ended, before each of its callers makes of it what its own options say. */
import { type CachedValue, NO_VALUE, type NoValue } from '../../backend/cached-value.ts';

/** A value, fresh or stale, or an error with the stale value to serve instead. */
export type Outcome<V> =
  | { readonly failed: false; readonly value: V; readonly stale: boolean }
  | { readonly failed: true; readonly error: unknown; readonly stale: CachedValue<V> | NoValue };

export function succeeded<V>(value: V, stale = false): Outcome<V> {
  return { failed: false, value, stale };
}

export function failed<V>(error: unknown, stale: CachedValue<V> | NoValue = NO_VALUE): Outcome<V> {
  return { failed: true, error, stale };
}
