/** Missing, stale or fresh: what a value that a backend returned is to its reader. */
import { type CachedValue, NO_VALUE, type NoValue, VALUE_VERSION } from '../backend/cached-value.ts';
import type { RegionCore } from './core.ts';
import { noteMissing } from './events.ts';
import { FRESH, type Freshness, MISSING, STALE } from './invalidation.ts';
import type { ExpirationTime } from './types.ts';

/** For creations, which can serve what is stale. The clock is read only where the age counts. */
export function judge<V>(
  core: RegionCore<V>,
  entry: CachedValue<V> | NoValue,
  key: string,
  expiration: ExpirationTime,
): Freshness {
  if (entry === NO_VALUE) return missing(core, key, 'no value present');
  const { ct, v, generation } = entry.metadata;
  if (v !== VALUE_VERSION) return missing(core, key, 'dogpile version update');
  const valid = core.invalidation.judge(ct, generation, key);
  if (valid === MISSING) return missing(core, key, 'hard invalidation detected');
  if (valid === STALE || expiration === null) return valid;
  return core.clock() - ct > expiration ? STALE : FRESH;
}

function missing<V>(core: RegionCore<V>, key: string, why: string): typeof MISSING {
  noteMissing(core.name, key, why);
  return MISSING;
}

/** For plain reads, which want it fresh or not at all; `undefined` expiration reads whatever was not cleared. */
export function isReadable<V>(
  core: RegionCore<V>,
  entry: CachedValue<V> | NoValue,
  key: string,
  expiration: ExpirationTime | undefined,
): entry is CachedValue<V> {
  if (entry === NO_VALUE) return false;
  const { ct, v, generation } = entry.metadata;
  if (v !== VALUE_VERSION) return false;
  if (expiration === undefined) return !core.invalidation.gone(ct, generation);
  if (!core.invalidation.readable(ct, generation, key)) return false;
  return expiration === null || core.clock() - ct <= expiration;
}
