/**
 * The shared regeneration mutex, from one thread's side: a lease in the engine's mutex table (assembly/mutex-table.ts).
 *
 * Waiting without blocking: per thread and mutex one representative waits, its other callers queue behind it in order.
 * The representative reads `turn`, tries, then waits for `turn` to change by `Atomics.waitAsync`. One that was given up
 * cannot be cancelled, so it is kept and used again. While anything waits, the thread holds one ref'd 50 ms interval: a
 * pending `waitAsync` keeps no thread alive, a releaser may have died before it notified, and an owner may be dead.
 *
 * A thread whose release woke somebody lets that one have the mutex first, or 2 ms pass.
 */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';
import { EngineClosedError, MutexError, OptionError } from '../errors.ts';
import { countStat } from '../store/stats.ts';
import type { SharedMutex } from './types.ts';

const TICK_MS = 50;
const YIELD_MS = 2;

interface Waiter {
  take(fence: number): void;
  fail(error: unknown): void;
}

interface Wait {
  index: number;
  queue: Waiter[];
  /** Ends the current sleep early. */
  wake: (() => void) | undefined;
}

/** What one thread waits for in one engine. */
class MutexWaits {
  readonly #engine: Engine;
  readonly #waits = new Map<number, Wait>();
  readonly #yieldUntil = new Map<number, number>();
  /** Pending `waitAsync`s by mutex, with the `turn` that each was armed with; they outlive the waits that made them. */
  readonly #armed = new Map<number, { turn: number }>();
  #interval: NodeJS.Timeout | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Tries once: the fence, or 0. */
  try(index: number): number {
    const engine = this.#engine;
    if (engine.down || engine.closed) engine.enter();
    const mono = engine.clock.mono();
    const yieldUntil = this.#yieldUntil.get(index);
    if (yieldUntil !== undefined) {
      if (mono < yieldUntil) return 0;
      this.#yieldUntil.delete(index);
    }
    return engine.guard((x) => x.mutex_try(index, mono, engine.leaseMs));
  }

  release(index: number, fence: number): void {
    const engine = this.#engine;
    if (engine.closed) return;
    if (engine.down) engine.enter();
    const wait = this.#waits.get(index);
    const own = this.#armed.has(index) ? 1 : 0;
    const woken = engine.guard((x) => x.mutex_release(index, fence));
    if (woken > own) this.#yieldUntil.set(index, engine.clock.mono() + YIELD_MS);
    wait?.wake?.();
  }

  /** The fence, or 0 if `signal` fires first. */
  wait(index: number, signal: AbortSignal | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        const { queue } = wait;
        queue.splice(queue.indexOf(waiter), 1);
        if (queue.length === 0) wait.wake?.();
        resolve(0);
      };
      const waiter: Waiter = {
        take(fence) {
          signal?.removeEventListener('abort', leave);
          resolve(fence);
        },
        fail(error) {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      let wait = this.#waits.get(index)!;
      if (wait !== undefined) {
        wait.queue.push(waiter);
        return;
      }
      wait = { index, queue: [waiter], wake: undefined };
      this.#waits.set(index, wait);
      this.#interval ??= setInterval(() => this.#tick(), TICK_MS);
      void this.#represent(wait);
    });
  }

  async #represent(wait: Wait): Promise<void> {
    countStat(this.#engine, L.S_MUTEX_WAITS);
    try {
      while (wait.queue.length > 0) {
        const turn = this.#turn(wait.index);
        const fence = this.try(wait.index);
        if (fence > 0) wait.queue.shift()!.take(fence);
        else await this.#sleep(wait, turn);
        this.#engine.clock.forget();
      }
    } catch (error) {
      for (const waiter of wait.queue.splice(0)) waiter.fail(error);
    } finally {
      this.#waits.delete(wait.index);
      if (this.#waits.size === 0) {
        clearInterval(this.#interval);
        this.#interval = undefined;
      }
    }
  }

  /** Until `turn` changes, a tick, or a release in this thread. */
  #sleep(wait: Wait, turn: number): Promise<void> {
    return new Promise((resolve) => {
      wait.wake = resolve;
      if (this.#yieldUntil.has(wait.index)) setTimeout(resolve, YIELD_MS);
      const { index } = wait;
      if (this.#armed.get(index)?.turn === turn) return;
      const { async, value } = Atomics.waitAsync(this.#engine.i32, this.#turnIndex(index), turn);
      if (!async) {
        resolve();
        return;
      }
      const armed = { turn };
      this.#armed.set(index, armed);
      void value.then(() => {
        if (this.#armed.get(index) === armed) this.#armed.delete(index);
        this.#waits.get(index)?.wake?.();
      });
    });
  }

  #tick(): void {
    const engine = this.#engine;
    for (const wait of this.#waits.values()) {
      if (!engine.closed) engine.guard((x) => x.mutex_probe(wait.index));
      wait.wake?.();
    }
  }

  /** Blocks this thread until the mutex is got (its fence) or `timeoutMs` have passed (0). */
  waitSync(index: number, timeoutMs: number): number {
    const engine = this.#engine;
    const until = engine.clock.mono() + timeoutMs;
    let counted = false;
    for (;;) {
      const turn = this.#turn(index);
      const fence = this.try(index);
      if (fence > 0) return fence;
      const left = until - engine.clock.mono();
      if (left <= 0) return 0;
      if (!counted) countStat(engine, L.S_MUTEX_WAITS);
      counted = true;
      const held = this.#yieldUntil.has(index) ? YIELD_MS : TICK_MS;
      if (Atomics.wait(engine.i32, this.#turnIndex(index), turn, Math.min(held, left)) === 'timed-out') {
        engine.guard((x) => x.mutex_probe(index));
      }
      engine.clock.forget();
    }
  }

  /** The fence of whoever took it last. */
  fence(index: number): number {
    const record = this.#engine.u32[L.H_MUTEX_TABLE >> 2]! + index * L.MUTEX_SIZE;
    return Number(Atomics.load(this.#engine.u64, (record + L.X_WORD) >>> 3) >> 32n);
  }

  #turnIndex(index: number): number {
    return (this.#engine.u32[L.H_MUTEX_TABLE >> 2]! + index * L.MUTEX_SIZE + L.X_TURN) >>> 2;
  }

  #turn(index: number): number {
    return Atomics.load(this.#engine.i32, this.#turnIndex(index));
  }
}

const waitsOf = new WeakMap<Engine, MutexWaits>();

function waitsFor(engine: Engine): MutexWaits {
  let waits = waitsOf.get(engine);
  if (!waits) waitsOf.set(engine, (waits = new MutexWaits(engine)));
  return waits;
}

/**
 * One of the engine's `mutexes`, as `getMutex(key)` and `cache.mutex(key)` return it: an object a use. Not re-entrant.
 * Held for at most `lease` milliseconds; a lease that was lost is released by doing nothing.
 *
 * Threads: every thread that is attached to the engine. A holder's death frees it: at once for whoever tries, within
 * about 50 ms for whoever waits.
 */
export class SlabMutex implements SharedMutex, Disposable {
  /** Orders the mutexes of several engines. */
  readonly engineId: number;
  /** hash(key) % mutexes: orders those of one engine. */
  readonly index: number;
  readonly #engine: Engine;
  readonly #waits: MutexWaits;
  #fence = 0;
  #generation = 0;

  /** @internal */
  constructor(engine: Engine, index: number) {
    this.engineId = engine.engineId;
    this.index = index;
    this.#engine = engine;
    this.#waits = waitsFor(engine);
  }

  /** Takes the mutex if nobody has it: `true` when got. Never waits. */
  tryAcquire(): boolean {
    this.#refuseTwice();
    return this.#took(this.#waits.try(this.index));
  }

  /**
   * `acquire()` waits without blocking the event loop and resolves to `true`, or to `false` if `signal` fires first;
   * `acquire(false)` is `tryAcquire()`. Rejects with {@link EngineClosedError} when the engine closes meanwhile.
   */
  acquire(wait: false): boolean;
  acquire(wait?: true, signal?: AbortSignal): Promise<boolean>;
  acquire(wait?: boolean, signal?: AbortSignal): boolean | Promise<boolean>;
  acquire(wait = true, signal?: AbortSignal): boolean | Promise<boolean> {
    if (!wait) return this.tryAcquire();
    return this.#acquire(signal);
  }

  async #acquire(signal: AbortSignal | undefined): Promise<boolean> {
    this.#refuseTwice();
    const fence = this.#waits.try(this.index);
    if (fence > 0) return this.#took(fence);
    return !signal?.aborted && this.#took(await this.#waits.wait(this.index, signal));
  }

  /** Blocks this thread until the mutex is got; `false`: `timeoutMs` passed first (default: no limit). */
  acquireSync(timeoutMs = Number.POSITIVE_INFINITY): boolean {
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      throw new OptionError('timeoutMs', timeoutMs, 'expected milliseconds, 0 or more');
    }
    this.#refuseTwice();
    return this.#took(this.#waits.waitSync(this.index, timeoutMs));
  }

  /** Lets go. Does nothing if the lease was lost meanwhile. @throws {MutexError} if this object never acquired it. */
  release(): void {
    const fence = this.#fence;
    if (fence === 0) throw new MutexError('the mutex was released without being held');
    this.#fence = 0;
    if (this.#generation === this.#engine.generation) this.#waits.release(this.index, fence);
  }

  /** Whether anybody holds it now. */
  locked(): boolean {
    const engine = this.#engine;
    return engine.guard((x) => x.mutex_held(this.index, engine.clock.mono())) === 1;
  }

  /** Whether this object acquired it and its lease has ended since: another thread may have it. */
  lost(): boolean {
    if (this.#fence === 0) return false;
    return !this.locked() || this.#waits.fence(this.index) !== this.#fence;
  }

  /** Ends the lease in `leaseMs` milliseconds, if it would not end before: what nobody awaits has a short one. */
  shorten(leaseMs: number): void {
    const engine = this.#engine;
    if (this.#fence === 0 || leaseMs >= engine.leaseMs || engine.down) return;
    const until = engine.clock.mono() + leaseMs;
    engine.guard((x) => x.mutex_shorten(this.index, this.#fence, until));
  }

  [Symbol.dispose](): void {
    if (this.#fence !== 0) this.release();
  }

  #refuseTwice(): void {
    if (this.#fence !== 0)
      throw new MutexError('the mutex is held by this object already: it is not re-entrant');
    if (this.#engine.closed) throw new EngineClosedError();
  }

  #took(fence: number): boolean {
    if (fence === 0) return false;
    this.#fence = fence;
    this.#generation = this.#engine.generation;
    return true;
  }
}
