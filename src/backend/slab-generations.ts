/** A region's generation counter and floors where all threads share them: its row in the engine's region table. */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';
import type { GenerationSource } from '../region/invalidation.ts';

export class SlabGenerations implements GenerationSource {
  readonly #engine: Engine;
  readonly #region: number;
  readonly #row: number;

  constructor(engine: Engine, region: number) {
    this.#engine = engine;
    this.#region = region;
    this.#row = engine.u32[L.H_REGIONS >> 2]! + region * L.REGION_SIZE;
  }

  /** A floor is raised before the counter is, so it may be the higher of the two for a moment. */
  current(): number {
    return Math.max(this.#read(L.G_GENERATION), this.cleared(), this.hard(), this.soft());
  }

  cleared(): number {
    return this.#read(L.G_CLEARED);
  }

  hard(): number {
    return this.#read(L.G_HARD);
  }

  soft(): number {
    return this.#read(L.G_SOFT);
  }

  invalidate(hard: boolean): void {
    this.#raise(hard ? L.G_HARD : L.G_SOFT);
  }

  clear(): void {
    this.#raise(L.G_CLEARED);
  }

  #raise(floor: number): void {
    const engine = this.#engine;
    if (engine.closed) engine.enter();
    engine.guard((x) => x.region_raise(this.#region, floor));
  }

  /**
   * Two halves, since a BigInt costs more than all else on a hit. The counters only rise, so a high half that is the same before
   * and after belongs to the low one.
   */
  #read(field: number): number {
    const { u32 } = this.#engine;
    const low = (this.#row + field) >>> 2;
    for (;;) {
      const high = Atomics.load(u32, low + 1);
      const value = Atomics.load(u32, low);
      if (Atomics.load(u32, low + 1) === high) return high * 2 ** 32 + value;
    }
  }
}
