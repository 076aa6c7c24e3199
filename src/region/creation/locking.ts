/** Taking and releasing the locks of one creation, by the rules of lock-order.ts. */

import { NO_VALUE } from '../../backend/cached-value.ts';
import { WaitTimeoutError } from '../../errors.ts';
import type { CacheMutex } from '../../mutex/types.ts';
import { WAITS } from '../counters.ts';
import { isThenable, refused, type Steps, settled } from '../steps.ts';
import type { Creation, RunClaim } from './creation.ts';
import { forgetLock, isHeld, mayBlock, mayWait, noteLock } from './lock-order.ts';

/** Got, and to be released. */
export const OWNED = 0;
/** An outer creation of the chain holds it. */
export const HELD = 1;
/** Not got, where a missing value must be created all the same. */
export const UNLOCKED = 2;
/** Not got, where a stale value can be served. */
export const BUSY = 3;
export type Access = typeof OWNED | typeof HELD | typeof UNLOCKED | typeof BUSY;

/**
 * Takes the locks in their order, or finds out how to go on without them. It throws where the creation is to end:
 * a `Sync` form has waited long enough, or everybody left. What was got until then is `owned`.
 */
export function* takeLocks<V>(creation: Creation<V>): Steps<void> {
  for (const claim of creation.claims) {
    claim.access = yield* takeLock(claim, creation);
    if (creation.abandoned) throw creation.reason;
  }
}

/** Waits for the lock if a value is missing and the order allows it. Else it only tries. */
function* takeLock<V>(claim: RunClaim<V>, creation: Creation<V>): Steps<Access> {
  const { lock } = claim;
  const { chain, core, sync } = creation;
  // One that is free is not kept: while this creation took others, somebody may have made it anew.
  if (lock.threadOnly) lock.mutex = core.localMutexes.get(claim.runs[0].key);
  if (isHeld(chain, lock)) return HELD;
  const missing = claim.runs.some((run) => run.stale === NO_VALUE);
  const wait = missing && mayWait(chain, lock) && (!sync || mayBlock(lock));
  noteLock(lock);
  try {
    claim.owned = yield* acquire(claim, creation, wait);
  } finally {
    if (!claim.owned) forgetLock(lock);
  }
  if (claim.owned) return OWNED;
  return missing ? UNLOCKED : BUSY;
}

function* acquire<V>({ lock }: RunClaim<V>, creation: Creation<V>, wait: boolean): Steps<boolean> {
  const { mutex, shared } = lock;
  const { core, sync } = creation;
  if (shared !== null) {
    // Without a promise where it is free: the creator then begins at once.
    if (shared.tryAcquire()) return true;
    if (!wait) return false;
    core.counters.add(WAITS, 1);
    if (sync) return block(creation, (timeoutMs) => shared.acquireSync(timeoutMs));
  }
  if (sync || !wait) {
    const answer = mutex.acquire(wait);
    if (!sync || !isThenable(answer)) return Boolean(yield* settled(answer, 'the mutex'));
    // Nobody will wait for it, so when it is got it must go back.
    const late = answer.then((got) => {
      if (got) giveBack(mutex, core.report);
    });
    throw refused(late, 'the mutex');
  }
  const answer = mutex.acquire(true, creation.queueSignal);
  if (!isThenable(answer)) return Boolean(answer);
  if (shared === null) core.counters.add(WAITS, 1);
  return yield* settled(orLeft(mutex, answer, creation.queueSignal, core.report), 'the mutex');
}

function block<V>(creation: Creation<V>, acquire: (timeoutMs: number) => boolean): boolean {
  const left = creation.waitUntil - performance.now();
  if (left > 0 && acquire(left)) return true;
  if (performance.now() < creation.waitUntil) return false;
  throw new WaitTimeoutError(creation.runs[0].name, creation.job.call.waitTimeoutMs);
}

/** The mutex's answer, or `false` as soon as `signal` fires; what such a mutex still gives goes back. */
function orLeft(
  mutex: CacheMutex,
  answer: PromiseLike<boolean>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let left = signal.aborted;
    const leave = () => {
      left = true;
      resolve(false);
    };
    if (left) resolve(false);
    else signal.addEventListener('abort', leave, { once: true });
    answer.then(
      (got) => {
        signal.removeEventListener('abort', leave);
        if (!left) resolve(Boolean(got));
        else if (got) giveBack(mutex, onError);
      },
      (error) => {
        signal.removeEventListener('abort', leave);
        if (left) onError(error);
        else reject(error);
      },
    );
  });
}

/** Releases what the creation holds, the highest first. Never throws: errors go to `onError`, so they hide no result. */
export function releaseLocks<V>(creation: Creation<V>): void {
  for (const claim of creation.claims.toReversed()) {
    if (!claim.owned) continue;
    claim.owned = false;
    forgetLock(claim.lock);
    giveBack(claim.lock.mutex, (error) => creation.core.report(error, creation.names()));
  }
}

function giveBack(mutex: CacheMutex, onError: (error: unknown) => void): void {
  try {
    const answer: unknown = mutex.release();
    if (isThenable(answer)) answer.then(undefined, onError);
  } catch (error) {
    onError(error);
  }
}
