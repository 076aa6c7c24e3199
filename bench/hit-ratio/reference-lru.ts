// LRU in exact bytes: no pages, nothing wasted. Charged what the store's entries cost, so that the two compare.

import { type Contestant, entryBytes, LARGEST_PART, type Workload } from './traces.ts';

/** Index (64 bytes for 5 entries) and ghosts (32 bytes for 5) an entry, rounded. */
export const METADATA_BYTES = 19;

/** Replays on key numbers. */
export class LruReference implements Contestant {
  readonly #capacity: number;
  readonly #entryBytes: Float64Array;
  readonly #present: Uint8Array;
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  /** Stands between the newest and the oldest entry of the ring. */
  readonly #gap: number;
  #used = 0;

  constructor(workload: Workload, capacity: number) {
    const keys = workload.keys.length;
    this.#capacity = capacity;
    this.#entryBytes = entryBytes(workload);
    this.#present = new Uint8Array(keys);
    this.#newer = new Int32Array(keys + 1);
    this.#older = new Int32Array(keys + 1);
    this.#gap = keys;
    this.#newer[keys] = this.#older[keys] = keys;
  }

  get(id: number): boolean {
    if (this.#present[id] === 0) return false;
    this.#unlink(id);
    this.#link(id);
    return true;
  }

  set(id: number): void {
    if (this.#entryBytes[id] > this.#capacity / LARGEST_PART) return;
    this.#used += this.#entryBytes[id] + METADATA_BYTES;
    while (this.#used > this.#capacity) {
      const oldest = this.#newer[this.#gap];
      this.#unlink(oldest);
      this.#present[oldest] = 0;
      this.#used -= this.#entryBytes[oldest] + METADATA_BYTES;
    }
    this.#link(id);
    this.#present[id] = 1;
  }

  #link(id: number): void {
    const newest = this.#older[this.#gap];
    this.#older[id] = newest;
    this.#newer[id] = this.#gap;
    this.#newer[newest] = id;
    this.#older[this.#gap] = id;
  }

  #unlink(id: number): void {
    this.#newer[this.#older[id]] = this.#newer[id];
    this.#older[this.#newer[id]] = this.#older[id];
  }
}
