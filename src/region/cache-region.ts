/**
 * The creations behind `SharedCache.getOrCreate`: the region machinery on region 0 of the engine. The cache reads by
 * itself, so a hit never comes here; what comes here is a miss.
 */
import { NO_VALUE } from '../backend/cached-value.ts';
import { SlabBackend } from '../backend/slab-backend.ts';
import { freezePlain } from '../codec/freeze.ts';
import type { SharedCache } from '../store/shared-cache.ts';
import { RegionCore } from './core.ts';
import { createOne, createOneSync } from './creation/calls.ts';
import type { Job } from './creation/creation.ts';
import { MISSING } from './invalidation.ts';
import type { Creator, SyncCreator } from './types.ts';

export class CacheCreations<V> {
  readonly #backend: SlabBackend<V>;
  readonly #core: RegionCore<V>;
  readonly #freeze: boolean;

  /** `freeze`: what creators return is frozen, and so is what another thread created, as the cache's own reads are. */
  constructor(cache: SharedCache<V>, freeze: boolean) {
    this.#freeze = freeze;
    this.#backend = new SlabBackend<V>({ cache, decoded: { mode: 'off' } }, { region: '' });
    // keys are the cache's own: one that is too long throws
    const options = { name: 'SharedCache', keyMangler: (key: string) => key, freeze };
    this.#core = new RegionCore<V>(options, {}, 'cairn.slab', this.#backend, this.#backend);
  }

  /** For a key that the caller has just missed. `ttlMs` below 0: the engine's own. The creator that runs decides. */
  async create(key: string, creator: Creator<V>, ttlMs: number): Promise<V> {
    const job = this.#job(creator, ttlMs, false);
    return this.#frozen(await createOne(this.#core, job, { name: key, key }, NO_VALUE, MISSING, null));
  }

  createSync(key: string, creator: SyncCreator<V>, ttlMs: number): V {
    const job = this.#job(creator, ttlMs, true);
    return this.#frozen(createOneSync(this.#core, job, { name: key, key }, NO_VALUE, MISSING));
  }

  /** The cache changed a key by itself: nobody joins a run of it that has begun. */
  noteChange(key: string): void {
    this.#core.runs.noteChange(key);
  }

  noteClear(): void {
    this.#core.runs.noteChangeOfAll();
  }

  close(): void {
    this.#core.closed = true;
    this.#backend.close();
  }

  #job(creator: Creator<V> | SyncCreator<V>, ttlMs: number, sync: boolean): Job<V> {
    const call = sync ? this.#core.syncDefaults : this.#core.callDefaults;
    return { call, creator, multi: false, sync, ttlMs: ttlMs < 0 ? undefined : ttlMs };
  }

  #frozen(value: V): V {
    if (this.#freeze) freezePlain(value);
    return value;
  }
}
