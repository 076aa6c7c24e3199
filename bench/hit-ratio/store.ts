// The real store as a contestant: one shard with pages of exactly the bytes that the references get.

import { createWithSeed } from '../../src/store/create.ts';
import type { SharedCache } from '../../src/store/shared-cache.ts';
import { mix } from './sizes.ts';
import { type Contestant, HEADER_BYTES, LARGEST_PART, type Workload } from './traces.ts';

/** The least that a store may be asked for; the pages are given beside it, exactly. */
const LEAST_BYTES = 2 ** 20;

/** Replays by key; close it, it holds the memory. */
export class StoreContestant implements Contestant, Disposable {
  readonly #cache: SharedCache<Uint8Array>;
  readonly #keys: string[];
  readonly #sizes: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(workload: Workload, capacity: number, seed: number) {
    this.#cache = createWithSeed<Uint8Array>(
      {
        maxBytes: Math.max(capacity, LEAST_BYTES),
        shards: 1,
        maxValueBytes: Math.floor(capacity / LARGEST_PART) - HEADER_BYTES,
        codec: 'bytes',
        decoded: { mode: 'off' },
      },
      mix(BigInt(seed)),
      capacity,
    );
    this.#keys = workload.keys;
    this.#sizes = workload.sizes;
    this.#bytes = new Uint8Array(workload.sizes.reduce((a, b) => Math.max(a, b), 0));
  }

  get(id: number): boolean {
    return this.#cache.get(this.#keys[id]) !== undefined;
  }

  set(id: number): void {
    this.#cache.set(this.#keys[id], this.#bytes.subarray(0, this.#sizes[id]));
  }

  /** Live entries. */
  get entries(): number {
    return this.#cache.size;
  }

  [Symbol.dispose](): void {
    this.#cache.close();
  }
}
