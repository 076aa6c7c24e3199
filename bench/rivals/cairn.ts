/** Cairn with everything as it is by default, but for `ttl` and, above what the default ceiling holds, `maxBytes`. */
import type * as Cairn from '../../src/index.ts';
import { HOUR_MS } from './in-process.ts';
import type { Load, Rival } from './types.ts';

/** Above this many entries of a benchmark the default ceiling of 64 MiB would evict. */
const DEFAULT_HOLDS = 250_000;

/** `from`: the module of the build that takes part, for duels between two builds. */
async function make(maxBytes: number | undefined, from = '../../src/index.js'): Promise<Rival> {
  const { SharedCache } = (await import(from)) as typeof Cairn;
  const cache = SharedCache.create({ ttl: HOUR_MS, ...(maxBytes !== undefined && { maxBytes }) });
  return {
    title: 'Cairn, ttl',
    cache,
    fill: (key, value) => cache.set(key, value),
    read: (key) => cache.get(key),
    close: () => cache.close(),
  };
}

export function makeCairn({ entries }: Load, from?: string): Promise<Rival> {
  return make(entries > DEFAULT_HOLDS ? Math.min(4 * 2 ** 30 - 65536, entries * 256) : undefined, from);
}

/** Full: every new key evicts. Holds about `load.entries`; how many exactly its `size` tells, so that the rival holds as many. */
export function makeFullCairn({ entries }: Load, from?: string): Promise<Rival> {
  return make(entries * 214, from);
}
