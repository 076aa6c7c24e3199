/** The region behind `SharedCache.getOrCreate`: region 0 of the engine, without an expiration time of its own. */
import { SlabBackend } from '../backend/slab-backend.ts';
import type { SharedCache } from '../store/shared-cache.ts';
import { RegionCore } from './core.ts';
import { adoptCore, CacheRegion } from './region.ts';
import type { Creator, SyncCreator } from './types.ts';

export class CacheCreations<V> {
  readonly #backend: SlabBackend<V>;
  readonly #region: CacheRegion<V>;

  constructor(cache: SharedCache<V>) {
    this.#backend = new SlabBackend<V>({ cache }, { region: '' });
    const options = { name: 'SharedCache', keyMangler: (key: string) => key }; // keys are the cache's: long ones throw
    this.#region = new CacheRegion<V>(options);
    adoptCore(this.#region, new RegionCore<V>(options, {}, 'cairn.slab', this.#backend, this.#backend));
  }

  /** `ttlMs` below 0: the engine's own. The creator that runs decides. */
  async getOrCreate(key: string, creator: Creator<V>, ttlMs: number): Promise<V> {
    if (ttlMs < 0) return this.#region.getOrCreate(key, creator);
    try {
      return await this.#region.getOrCreate(key, async () => {
        const value = await creator();
        this.#backend.setTtl(key, ttlMs);
        return value;
      });
    } finally {
      this.#backend.setTtl(key, undefined);
    }
  }

  getOrCreateSync(key: string, creator: SyncCreator<V>, ttlMs: number): V {
    if (ttlMs < 0) return this.#region.getOrCreateSync(key, creator);
    try {
      return this.#region.getOrCreateSync(key, () => {
        const value = creator();
        this.#backend.setTtl(key, ttlMs);
        return value;
      });
    } finally {
      this.#backend.setTtl(key, undefined);
    }
  }

  close(): void {
    this.#region.close();
  }
}
