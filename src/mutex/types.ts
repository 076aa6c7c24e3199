/** What a region needs of the mutexes under which values are created. */

/**
 * A regeneration mutex. Anything with these members will do. Not re-entrant: a region keeps track of what it holds.
 * Source: dogpile.cache `CacheMutex`.
 */
export interface CacheMutex {
  /**
   * Takes the mutex. With `wait` (the default) the answer comes when it is got; `false` then means that it will not
   * be got, and the region creates without it. Without `wait` it never waits for another holder. When `signal` fires
   * first the caller has left: a mutex that looks at it takes it out of its queue and answers `false`; another's late
   * answer is released at once.
   */
  acquire(wait?: boolean, signal?: AbortSignal): boolean | PromiseLike<boolean>;
  /** Gives it back. */
  release(): void;
  /** Whether anybody holds it. Synchronous; never acquires. */
  locked?(): boolean;
}

/** A mutex of a table that all threads share: its place in the table gives the order in which several are taken. */
export interface SharedMutex extends CacheMutex {
  /** Names the engine, alike in all threads. */
  readonly engineId: number;
  /** Place in the engine's mutex table. */
  readonly index: number;
  /** Takes it if it is free. */
  tryAcquire(): boolean;
  /** Blocks the thread until it is got; `false` when `timeoutMs` have passed. */
  acquireSync(timeoutMs?: number): boolean;
  /** Whether it was taken by this object and its lease has ended since. */
  lost?(): boolean;
  /** Ends the holder's lease in `leaseMs` milliseconds, if it would not end before. */
  shorten?(leaseMs: number): void;
}

/** Tells a mutex of a shared table from any other. */
export function isSharedMutex(mutex: CacheMutex): mutex is SharedMutex {
  const shared = mutex as Partial<SharedMutex>;
  return typeof shared.acquireSync === 'function' && typeof shared.index === 'number';
}
