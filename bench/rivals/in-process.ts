/** Caches and maps in the heap of one thread. */
import { createRequire } from 'node:module';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { CacheableMemory } from 'cacheable';
import { LRUCache } from 'lru-cache';
import type { Load, Rival } from './types.ts';

export const HOUR_MS = 3_600_000;

export function makeMap(): Rival {
  const cache = new Map<string, unknown>();
  return {
    title: 'Map',
    cache,
    fill: (key, value) => cache.set(key, value),
    read: (key) => cache.get(key),
    close: () => cache.clear(),
  };
}

/** With `ttl`, as Cairn has it in the same duel; `fetchMethod` is there for the duel of `fetch` and costs others nothing. */
export function makeLru({ entries }: Load): Rival {
  const cache = new LRUCache<string, object>({
    max: entries,
    ttl: HOUR_MS,
    fetchMethod: () => {
      throw new Error('a fetch that had to hit missed');
    },
  });
  return {
    title: 'lru-cache, ttl',
    package: 'lru-cache',
    cache,
    fill: (key, value) => cache.set(key, value as object),
    read: (key) => cache.get(key),
    close: () => cache.clear(),
  };
}

/** Its memory tier alone, without a limit that would evict. */
export function makeBentocache({ entries }: Load): Rival {
  const cache = new BentoCache({
    default: 'memory',
    stores: {
      memory: bentostore({ ttl: HOUR_MS }).useL1Layer(memoryDriver({ maxItems: entries + 1 })),
    },
  });
  return {
    title: 'bentocache, memory tier',
    package: 'bentocache',
    cache,
    fill: (key, value) => cache.set({ key, value }),
    read: (key) => cache.get({ key }),
    close: () => cache.disconnectAll(),
  };
}

export function makeCacheable(): Rival {
  const cache = new CacheableMemory({ ttl: HOUR_MS, lruSize: 0, storeHashSize: 16 });
  return {
    title: 'cacheable, CacheableMemory',
    package: 'cacheable',
    cache,
    fill: (key, value) => cache.set(key, value),
    read: (key) => cache.get(key),
    close: () => cache.clear(),
  };
}

/** Shared between threads too: strings and numbers of a fixed size, no eviction, no expiry. */
export function makeSharedMap({ entries }: Load): Rival {
  const SharedMap = createRequire(import.meta.url)('sharedmap') as new (
    maxSize: number,
    keySize: number,
    valueSize: number,
  ) => { get(key: string): unknown; set(key: string, value: unknown): void };
  const cache = new SharedMap(Math.ceil(entries / 0.8), 32, 96);
  return {
    title: 'sharedmap, 80 % full',
    package: 'sharedmap',
    cache,
    fill: (key, value) => cache.set(key, value),
    read: (key) => cache.get(key),
    close: () => undefined,
  };
}
