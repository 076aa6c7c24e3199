/** How a caller waits for the runs that make its values, and when it stops. */
import { NO_VALUE } from '../../backend/cached-value.ts';
import { WaitTimeoutError } from '../../errors.ts';
import type { CallOptions } from '../options.ts';
import { CREATES, type Creation } from './creation.ts';
import type { Run } from './runs.ts';
import { whenAborted } from './signals.ts';

/** All are announced. */
export const DONE = 0;
/** It waited for others for as long as its `waitTimeout`. */
export const WAITED = 1;
/** Its own creator took longer than its `softTimeout`. */
export const SOFT = 2;
export type Cause = typeof DONE | typeof WAITED | typeof SOFT;

// Timers of Node.js take no longer times: whoever waits for 24 days has no limit.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function timer(ms: number, done: () => void): NodeJS.Timeout | undefined {
  return ms <= LONGEST_TIMER_MS ? setTimeout(done, ms) : undefined;
}

/** Waits for `runs`, whose creations the caller attends; `own` is the one that it began. Rejects with the signal's reason. */
export function waitFor<V>(
  runs: readonly Run<V>[],
  own: Creation<V> | null,
  call: CallOptions<V>,
): Promise<Cause> {
  return new Promise((resolve, reject) => {
    const { signal } = call;
    // A stale value can stand in for all, or for none.
    const softMs = runs.every((run) => run.stale !== NO_VALUE) ? call.softTimeoutMs : Infinity;
    let left = false;
    let unsubscribe: (() => void) | undefined;
    let pending = runs.length;
    let waitLeftMs = call.waitTimeoutMs;
    let waitingSince = 0;
    let waiting: NodeJS.Timeout | undefined;
    let soft: NodeJS.Timeout | undefined;

    const stopWaiting = () => {
      clearTimeout(waiting);
      if (waiting !== undefined) waitLeftMs -= performance.now() - waitingSince;
      waiting = undefined;
    };
    const startWaiting = () => {
      if (waiting !== undefined || waitLeftMs === Infinity) return;
      waitingSince = performance.now();
      waiting = timer(Math.max(0, waitLeftMs), () => {
        leave(false, new WaitTimeoutError(runs[0].name, call.waitTimeoutMs));
        resolve(WAITED);
      });
    };
    const onAbort = () => {
      leave(false, signal!.reason);
      reject(signal!.reason);
    };
    const onCreate = () => {
      stopWaiting();
      soft = timer(softMs, () => {
        // Whatever stands in for the new value must still be a value.
        if (!runs.every((run) => run.mayServeStale())) return;
        leave(true, undefined);
        resolve(SOFT);
      });
    };
    const end = () => {
      clearTimeout(waiting);
      clearTimeout(soft);
      unsubscribe?.();
      if (own !== null) own.onCreate = null;
    };
    const leave = (lingers: boolean, reason: unknown) => {
      left = true;
      end();
      for (const creation of new Set(runs.map((run) => run.creation))) creation.leave(lingers, reason);
    };
    const onAnnounced = () => {
      if (left) return;
      if (--pending > 0) {
        // With its own creation ended, what is left are others' runs.
        if (own?.runs.every((run) => run.outcome !== null)) startWaiting();
        return;
      }
      end();
      resolve(DONE);
    };

    // The creator may have fired it already.
    if (signal?.aborted) return onAbort();
    if (signal !== null) unsubscribe = whenAborted(signal, onAbort);
    if (own !== null && own.phase === CREATES) onCreate();
    else {
      if (own !== null) own.onCreate = onCreate;
      startWaiting();
    }
    for (const run of runs) run.whenAnnounced(onAnnounced);
  });
}
