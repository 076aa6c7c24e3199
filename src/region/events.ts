/**
 * Channels of `node:diagnostics_channel`, for whoever wants to be told what regions do in this thread. While nobody
 * listens an event costs one look at a flag. Listeners are called at once; what they throw becomes an uncaught
 * exception, as for all channels.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

/** `cairn:hit`: a read was answered from the cache. */
export interface HitEvent {
  readonly region: string;
  readonly key: string;
  /** Whether the value was stale. */
  readonly stale: boolean;
}

/** `cairn:miss`: a read found no fresh value. */
export interface MissEvent {
  readonly region: string;
  readonly key: string;
}

/** `cairn:load`: a creator returned. */
export interface LoadEvent {
  readonly region: string;
  readonly keys: readonly string[];
  readonly durationMs: number;
  /** Whether it ran under its mutex. */
  readonly locked: boolean;
}

/** `cairn:error`: a creator threw, or an error had no caller to go to. */
export interface ErrorEvent {
  readonly region: string;
  readonly keys: readonly string[];
  readonly error: unknown;
}

/** `cairn:invalidate`: this thread invalidated or cleared the region. */
export interface InvalidateEvent {
  readonly region: string;
  readonly how: 'hard' | 'soft' | 'clear';
}

export const onHit = channel('cairn:hit');
export const onMiss = channel('cairn:miss');
export const onLoad = channel('cairn:load');
export const onError = channel('cairn:error');
export const onInvalidate = channel('cairn:invalidate');

const debug = debuglog('cairn');
const KEYS_SHOWN = 300;

/** Tells that a creator returned. */
export function noteLoaded(
  region: string,
  runs: readonly { readonly name: string }[],
  durationMs: number,
  locked: boolean,
): void {
  if (!onLoad.hasSubscribers && !debug.enabled) return;
  const keys = runs.map((run) => run.name);
  if (onLoad.hasSubscribers) onLoad.publish({ region, keys, durationMs, locked });
  const shown = keys.join(', ');
  debug(
    'region %s: cache value generated in %s seconds for key(s): %s',
    region,
    (durationMs / 1000).toFixed(3),
    shown.length > KEYS_SHOWN ? `${shown.slice(0, KEYS_SHOWN)}...` : shown,
  );
}

/** Tells in the debug log why a key is being created: absent, of another version, or invalidated. */
export function noteMissing(region: string, key: string, why: string): void {
  debug('region %s: %s for key: %s', region, why, key);
}
