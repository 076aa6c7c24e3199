/**
 * Options of `SharedCache.create` and `attach`: their types, defaults and checks. Everything is checked here, before an
 * engine is made; an unknown or wrong option is named with its value.
 */
import * as L from '../../assembly/layout.ts';
import type { CodecOption } from '../codec/types.ts';
import { OptionError } from '../errors.ts';

/** Milliseconds. */
export type Milliseconds = number;
/** Bytes. */
export type Bytes = number;

/** How a thread keeps values that it has decoded. */
export interface DecodedOptions {
  /** Encoded bytes of what this thread keeps decoded. Default 8 MiB. */
  bytes?: Bytes;
  /**
   * `'freeze'` (default): graphs of plain objects and arrays are deep-frozen and handed to every caller. `'share'`: handed
   * to every caller unfrozen; a mutation shows in this thread and in no other. `'off'`: decoded anew for each caller.
   */
  mode?: 'freeze' | 'share' | 'off';
}

/** Options of an attach; they are this thread's own. */
export interface AttachOptions {
  /** Object codecs must be given again, since a handle carries no functions; the name must be the creator's. */
  codec?: CodecOption;
  decoded?: DecodedOptions;
  /** Epoch milliseconds. Default: the engine's creation epoch plus elapsed monotonic time. */
  clock?: () => Milliseconds;
}

/** Options of {@link SharedCache.create}. */
export interface CacheOptions extends AttachOptions {
  /** Hard ceiling for everything the engine holds. 1 MiB to 4 GiB less 64 KiB; default 64 MiB. */
  maxBytes?: Bytes;
  /** Time to live of entries written without one. A positive number; `null` or `Infinity` (default): never expires. */
  ttl?: Milliseconds | null;
  /** Regeneration mutexes: 1 to 65,536, default 1,024. How many creators may run at once over all threads. */
  mutexes?: number;
  /** Lease of a held mutex, default 60,000. */
  lease?: Milliseconds;
  /** Largest key and value, encoded. Default `maxBytes / 16`, at most 16 MiB. */
  maxValueBytes?: Bytes;
  /** Threads that may be attached at once: 1 to 256, default 64. */
  maxThreads?: number;
  /** Independent parts with a lock each: a power of two up to 256. Default: by size, see README. */
  shards?: number;
}

/** Every default in one object. `maxValueBytes` and `shards` depend on `maxBytes`. */
export const DEFAULTS = Object.freeze({
  maxBytes: 64 * 2 ** 20,
  ttl: null,
  mutexes: 1024,
  lease: 60_000,
  maxThreads: 64,
  codec: 'structured' as const,
  decoded: Object.freeze({ bytes: 8 * 2 ** 20, mode: 'freeze' as const }),
});

export const MAX_BYTES = 4 * 2 ** 30 - 65536;
const MIN_BYTES = 2 ** 20;

export interface CheckedOptions {
  maxBytes: number;
  ttlMs: number;
  mutexes: number;
  leaseMs: number;
  maxValueBytes: number;
  maxThreads: number;
  shards: number;
}

/** Names of all options of `create`. */
export const CREATE_NAMES = [
  'maxBytes',
  'ttl',
  'mutexes',
  'lease',
  'maxValueBytes',
  'maxThreads',
  'shards',
  'codec',
  'decoded',
  'clock',
];
const ATTACH_NAMES = ['codec', 'decoded', 'clock'];

function integer(name: string, value: unknown, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new OptionError(name, value, `expected an integer from ${min} to ${max}`);
  }
  return value;
}

/** Milliseconds of a `ttl`, 0: never. @throws {OptionError} */
export function checkTtl(value: unknown, name = 'ttl'): number {
  if (value === null || value === Number.POSITIVE_INFINITY) return 0;
  if (typeof value !== 'number' || !(value > 0)) {
    throw new OptionError(name, value, 'expected a positive number of milliseconds, or null for never');
  }
  return value;
}

export function checkNames(what: string, options: unknown, names: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null)
    throw new OptionError(what, options, 'expected an object');
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new OptionError(
        name,
        (options as Record<string, unknown>)[name],
        `unknown option (known: ${names.join(', ')})`,
      );
    }
  }
}

export function checkClock(clock: unknown): void {
  if (clock !== undefined && typeof clock !== 'function')
    throw new OptionError('clock', clock, 'expected a function');
}

/** Bytes and mode of the decoded values. */
export function checkDecoded(decoded: DecodedOptions | undefined): {
  bytes: number;
  mode: 'freeze' | 'share' | 'off';
} {
  checkNames('decoded', decoded, ['bytes', 'mode']);
  const mode = decoded?.mode === undefined ? DEFAULTS.decoded.mode : decoded.mode;
  if (!['freeze', 'share', 'off'].includes(mode)) {
    throw new OptionError('decoded.mode', mode, "expected 'freeze', 'share' or 'off'");
  }
  return { bytes: integer('decoded.bytes', decoded?.bytes, DEFAULTS.decoded.bytes, 0, 2 ** 32), mode };
}

export function checkAttachOptions(options: AttachOptions | undefined): void {
  checkNames('options', options, ATTACH_NAMES);
  checkClock(options?.clock);
  checkDecoded(options?.decoded);
}

/** @throws {OptionError} naming the first option that is wrong. */
export function checkCreateOptions(options: CacheOptions | undefined): CheckedOptions {
  checkNames('options', options, CREATE_NAMES);
  const o = options ?? {};
  const maxBytes = integer('maxBytes', o.maxBytes, DEFAULTS.maxBytes, MIN_BYTES, MAX_BYTES);
  const maxValueBytes = integer(
    'maxValueBytes',
    o.maxValueBytes,
    Math.min(L.VALUE_MAX, Math.floor(maxBytes / 16)),
    1,
    L.VALUE_MAX,
  );
  const shards = integer('shards', o.shards, defaultShards(maxBytes, maxValueBytes), 1, 256);
  if ((shards & (shards - 1)) !== 0) throw new OptionError('shards', shards, 'expected a power of two');
  const lease = o.lease === undefined ? DEFAULTS.lease : o.lease;
  if (typeof lease !== 'number' || !(lease > 0) || lease > 2 ** 31) {
    throw new OptionError(
      'lease',
      lease,
      'expected a positive number of milliseconds, at most 2,147,483,648',
    );
  }
  checkClock(o.clock);
  checkDecoded(o.decoded);
  return {
    maxBytes,
    ttlMs: checkTtl(o.ttl === undefined ? DEFAULTS.ttl : o.ttl),
    mutexes: integer('mutexes', o.mutexes, DEFAULTS.mutexes, 1, 65536),
    leaseMs: lease,
    maxValueBytes,
    maxThreads: integer('maxThreads', o.maxThreads, DEFAULTS.maxThreads, 1, 256),
    shards,
  };
}

/** The largest power of two up to 64 that gives each shard four times the largest value and 4 MiB. */
function defaultShards(maxBytes: number, maxValueBytes: number): number {
  let shards = 1;
  while (shards < 64 && maxBytes / (shards * 2) >= Math.max(4 * maxValueBytes, 4 * 2 ** 20)) shards *= 2;
  return shards;
}
