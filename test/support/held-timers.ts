/**
 * Timers that take longer than a test may are fired by hand, so that no test depends on how busy the machine is.
 * Importing this changes `setTimeout` and `clearTimeout` of the process.
 */
import * as assert from 'uvu/assert';

/** From this delay on a timer is held until {@link fireHeld}. */
export const HELD_MS = 100_000;

const held = new Map<unknown, () => void>();
const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
globalThis.setTimeout = ((done: () => void, ms = 0, ...args: []) => {
  if (ms < HELD_MS) return realSet(done, ms, ...args);
  const timer = realSet(() => {}, 0);
  held.set(timer, done);
  return timer;
}) as typeof setTimeout;
globalThis.clearTimeout = (timer) => {
  if (!held.delete(timer)) realClear(timer);
};

/** How many timers are held. */
export function heldTimers(): number {
  return held.size;
}

/** Fires the one timer that is held. */
export function fireHeld(): void {
  assert.is(held.size, 1, 'timers that are set');
  for (const [timer, done] of held) {
    held.delete(timer);
    done();
  }
}
