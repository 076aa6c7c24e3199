/** The internal form of `create`: hash seed and slab size can be given. For tests and benchmarks; not part of the package's surface. */
import type { CacheOptions } from './options.ts';
import { createCache, type SharedCache } from './shared-cache.ts';

/** `slabBytes`: bytes of slab pages and their 16-byte records, pages = floor(slabBytes / 4112 / shards) a shard. */
export function createWithSeed<V = unknown>(
  options: CacheOptions,
  seed: bigint,
  slabBytes?: number,
): SharedCache<V> {
  return createCache<V>(options, seed, slabBytes);
}
