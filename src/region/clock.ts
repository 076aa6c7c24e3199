/** Where a region reads the time. */
import type { Clock } from '../backend/types.ts';

/** Epoch milliseconds by the monotonic clock of this thread, for backends that bring no clock of their own. */
export function threadClock(): number {
  return performance.timeOrigin + performance.now();
}

/** A clock that never goes back: a smaller reading, or one that is no finite number, gives the last good one. */
export function monotone(clock: Clock): Clock {
  let last = 0;
  return () => {
    const now: unknown = clock();
    if (typeof now === 'number' && now > last && now < Infinity) last = now;
    return last;
  };
}
