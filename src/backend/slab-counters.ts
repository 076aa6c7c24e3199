/**
 * A region's counters in shared memory. What the fast path counts stands in the stripe of the thread's slot, which no
 * other thread writes; the rest in the region's row.
 */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';
import { BY_THREAD, type RegionCounters } from '../region/counters.ts';

export class SlabCounters implements RegionCounters {
  readonly #engine: Engine;
  /** Index in the `f64` view of this region's place in the first stripe. */
  readonly #stripes: number;
  /** Index in the `u64` view of the region's row. */
  readonly #row: number;

  constructor(engine: Engine, region: number) {
    this.#engine = engine;
    this.#stripes = (engine.u32[L.H_STATS >> 2]! + L.S_REGIONS + region * L.S_REGION_SIZE) >>> 3;
    this.#row = (engine.u32[L.H_REGIONS >> 2]! + region * L.REGION_SIZE + L.G_COUNTERS) >>> 3;
  }

  add(counter: number, by: number): void {
    const engine = this.#engine;
    if (counter < BY_THREAD) {
      engine.f64[this.#stripes + engine.slotNumber * (L.STATS_SIZE / 8) + counter]! += by;
    } else {
      Atomics.add(engine.u64, this.#row + counter, BigInt(by));
    }
  }

  read(counter: number): number {
    const engine = this.#engine;
    if (counter >= BY_THREAD) return Number(Atomics.load(engine.u64, this.#row + counter));
    let sum = 0;
    for (let slot = 0; slot < engine.maxThreads; slot++) {
      sum += engine.f64[this.#stripes + slot * (L.STATS_SIZE / 8) + counter]!;
    }
    return sum;
  }
}
