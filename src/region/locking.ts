/** Taking and releasing the lock of one creation, by the rules of lock-order.ts. */

import type { CreationContext, Lock } from './lock-order.ts';
import { forgetLock, isHeld, mayBlock, mayWait, noteLock } from './lock-order.ts';
import { isThenable, refused, type Steps, settled } from './steps.ts';

/** Got, and to be released. */
export const OWNED = 0;
/** An outer creation of the chain holds it. */
export const HELD = 1;
/** Not got, where a missing value must be created all the same. */
export const UNLOCKED = 2;
/** Not got, where a stale value can be served. */
export const BUSY = 3;
export type Access = typeof OWNED | typeof HELD | typeof UNLOCKED | typeof BUSY;

/** `missing`: waits for the lock if the order allows it. Else it only tries. */
export function* takeLock(
  lock: Lock,
  chain: CreationContext | null,
  missing: boolean,
  sync: boolean,
): Steps<Access> {
  if (isHeld(chain, lock)) return HELD;
  const wait = missing && mayWait(chain, lock) && (!sync || mayBlock(lock));
  let got = false;
  noteLock(lock);
  try {
    got = yield* acquire(lock, wait, sync);
  } finally {
    if (!got) forgetLock(lock);
  }
  if (got) return OWNED;
  return missing ? UNLOCKED : BUSY;
}

function* acquire(lock: Lock, wait: boolean, sync: boolean): Steps<boolean> {
  const { mutex, shared } = lock;
  if (shared !== null) {
    // Without a promise where it is free: the creator then begins at once.
    if (shared.tryAcquire()) return true;
    if (!wait) return false;
    if (sync) return shared.acquireSync();
  }
  const answer = mutex.acquire(wait);
  if (sync && isThenable(answer)) {
    // Nobody will wait for it, so when it is got it must go back.
    const late = answer.then((got) => {
      if (got) mutex.release();
    });
    throw refused(late, 'the mutex');
  }
  return Boolean(yield* settled(answer, 'the mutex'));
}

/** Never throws: what `release` throws goes to `onError`, so that it hides no result. */
export function releaseLock(lock: Lock, onError: (error: unknown) => void): void {
  forgetLock(lock);
  try {
    const answer: unknown = lock.mutex.release();
    if (isThenable(answer)) answer.then(undefined, onError);
  } catch (error) {
    onError(error);
  }
}
