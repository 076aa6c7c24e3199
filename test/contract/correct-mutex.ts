/** A mutex that is right, for others to break. */
import type { CacheMutex } from '../../src/mutex/types.ts';

/** One mutex, as its objects share it. */
export interface State {
  holder: object | null;
  readonly waiters: { readonly mutex: object; take(got: boolean): void }[];
}

/** What is broken is this: an object a use, all answers at once but those of who waits. */
export class Correct implements CacheMutex {
  protected readonly state: State;
  constructor(state: State) {
    this.state = state;
  }
  protected get isHolder(): boolean {
    return this.state.holder === this;
  }
  acquire(wait = true, signal?: AbortSignal): boolean | Promise<boolean> {
    if (this.state.holder === null) {
      this.state.holder = this;
      return true;
    }
    return wait && !signal?.aborted && this.wait(signal);
  }
  protected wait(signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = {
        mutex: this,
        take: (got: boolean) => {
          signal?.removeEventListener('abort', leave);
          resolve(got);
        },
      };
      const leave = () => {
        this.state.waiters.splice(this.state.waiters.indexOf(waiter), 1);
        resolve(false);
      };
      this.state.waiters.push(waiter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
  release(): void {
    if (!this.isHolder) throw new Error('not held');
    this.handOn();
  }
  protected handOn(): void {
    const next = this.state.waiters.shift();
    this.state.holder = next?.mutex ?? null;
    next?.take(true);
  }
  locked(): boolean {
    return this.state.holder !== null;
  }
}
