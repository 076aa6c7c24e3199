/**
 * The engine's clocks. `mono` is the process's monotonic clock, one origin for all threads: waits, leases and
 * placeholders run on it. `now` is epoch milliseconds: the engine's creation epoch plus elapsed monotonic time, so that a
 * wall clock that jumps changes nothing, or an injected clock, which never goes back: a reading that is smaller than the
 * last or no number reads as the last.
 *
 * A reading costs a quarter of a hit, so hits on entries that expire may reuse one that this thread made in the same
 * synchronous stretch: at most 16 hits, and a microtask or a wait of Cairn's own forgets it. The reading and how many hits may
 * still use it stand in the thread's slot, so that they need no call out of Wasm. Everything else reads anew, and an injected
 * clock is asked every time.
 */
import { performance } from 'node:perf_hooks'; // the global is a getter
import * as L from '../../assembly/layout.ts';

export const REUSE_HITS = 16;

export class EngineClock {
  readonly #epoch: number;
  #injected: (() => number) | undefined;
  readonly #f64: Float64Array;
  readonly #u32: Uint32Array;
  #last = 0;
  #armed = false;
  /** Byte offset of this thread's slot. */
  #slot = 0;
  /** While set, an injected clock lets nothing expire: the look that finds out whether it has to be asked. */
  blind = false;

  constructor(f64: Float64Array, u32: Uint32Array, injected: (() => number) | undefined) {
    this.#f64 = f64;
    this.#u32 = u32;
    this.#epoch = f64[L.H_EPOCH >> 3]! - f64[L.H_ORIGIN >> 3]!;
    this.#injected = injected;
  }

  /** Another attach of this thread may bring the clock that the first had none of; the first one that was given stays. */
  inject(clock: (() => number) | undefined): void {
    this.#injected ??= clock;
  }

  /** The thread has joined, with this slot; its joining cleared what hits may reuse. */
  joined(slot: number): void {
    this.#slot = slot;
  }

  get injected(): boolean {
    return this.#injected !== undefined;
  }

  mono(): number {
    return performance.now();
  }

  /** Epoch milliseconds, read anew. */
  now(): number {
    if (this.#injected) return this.#ask();
    return performance.now() + this.#epoch;
  }

  /** Epoch milliseconds that belong to a reading of `mono` made by the caller. For writes: what hits reuse is forgotten. */
  nowAt(mono: number): number {
    if (this.#injected) return this.#ask();
    this.forget();
    return mono + this.#epoch;
  }

  /**
   * For hits, where no reading may be reused. Called in the middle of an export, where no code of the user's may run: of an
   * injected clock it gives the last reading, so whoever reads asks `now` before (Store, `askFirst`).
   */
  hitNow(): number {
    if (this.#injected) return this.blind ? 0 : this.#last;
    const now = performance.now() + this.#epoch;
    if (!this.#armed) {
      queueMicrotask(this.#forget); // may throw out of stack: then nothing is reused
      this.#armed = true;
    }
    this.#f64[(this.#slot + L.SLOT_NOW) >>> 3] = now;
    this.#u32[(this.#slot + L.SLOT_NOW_LEFT) >>> 2] = REUSE_HITS - 1;
    return now;
  }

  /** Called before and after every wait. */
  forget(): void {
    this.#u32[(this.#slot + L.SLOT_NOW_LEFT) >>> 2] = 0;
  }

  #forget = () => {
    this.#armed = false;
    this.forget();
  };

  #ask(): number {
    const read = Number(this.#injected!());
    if (read > this.#last && read < Number.POSITIVE_INFINITY) this.#last = read;
    return this.#last;
  }
}
