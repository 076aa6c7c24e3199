/**
 * Mutexes of one thread, for backends that have none: one per key, alive while held or waited for.
 *
 * A release hands the mutex to the longest waiter, so it is never free while somebody waits.
 */
import { MutexError } from '../errors.ts';
import type { CacheMutex } from './types.ts';

/** A mutex between the asynchronous calls of one thread. It never blocks the thread. */
export class LocalMutex implements CacheMutex {
  #held = false;
  readonly #waiters: ((got: boolean) => void)[] = [];
  readonly #onChange: (mutex: LocalMutex, held: boolean) => void;

  /** `onChange` is called when the mutex stops or begins to be free. */
  constructor(onChange: (mutex: LocalMutex, held: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** `true` at once when it is free; else `false` without `wait`, or a promise: of `false` if `signal` fires first. */
  acquire(wait = true, signal?: AbortSignal): boolean | Promise<boolean> {
    if (this.#held) return wait && !signal?.aborted && this.#wait(signal);
    this.#held = true;
    this.#onChange(this, true);
    return true;
  }

  #wait(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(take), 1);
        resolve(false);
      };
      const take = (got: boolean) => {
        signal?.removeEventListener('abort', leave);
        resolve(got);
      };
      this.#waiters.push(take);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Hands the mutex on. Throws {@link MutexError} (`ERR_CAIRN_MUTEX`) when nobody holds it. */
  release(): void {
    if (!this.#held) throw new MutexError('release: the mutex is not held');
    const next = this.#waiters.shift();
    if (next !== undefined) {
      next(true);
      return;
    }
    this.#held = false;
    this.#onChange(this, false);
  }

  locked(): boolean {
    return this.#held;
  }
}

/**
 * The held mutexes of one region, by mangled key. One that is free is not kept: acquire it in the same synchronous
 * stretch in which you get it.
 */
export class LocalMutexes {
  readonly #byKey = new Map<string, LocalMutex>();

  get(key: string): LocalMutex {
    return (
      this.#byKey.get(key) ??
      new LocalMutex((mutex, held) => {
        if (held) this.#byKey.set(key, mutex);
        else if (this.#byKey.get(key) === mutex) this.#byKey.delete(key);
      })
    );
  }

  /** How many are held. */
  get size(): number {
    return this.#byKey.size;
  }
}
