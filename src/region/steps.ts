/**
 * One code path for the promise and the `Sync` forms.
 *
 * A policy is a generator. Where an answer may be a promise it writes `yield* settled(answer, what)`: an answer given
 * at once goes straight through, a promise is yielded to the driver. `driveAsync` awaits it; `driveSync` throws
 * `SyncError` into the generator, so that its `finally` blocks run as for any other failure.
 */
import { SyncError } from '../errors.ts';

/** A promise that a policy met, and whose answer it is, for the message of `SyncError`. */
export interface Pending {
  readonly promise: PromiseLike<unknown>;
  readonly what: string;
}

/** A policy in steps: what it yields is pending, what it returns is the result. */
export type Steps<T> = Generator<Pending, T, unknown>;

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** The answer itself, or what its promise resolves to. */
export function* settled<T>(answer: T | PromiseLike<T>, what: string): Steps<T> {
  return isThenable(answer) ? ((yield { promise: answer, what }) as T) : (answer as T);
}

/** Runs `steps` up to its first promise at once, and the rest as promises settle. */
export async function driveAsync<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    let answer: unknown;
    let failed = false;
    try {
      answer = await step.value.promise;
    } catch (error) {
      answer = error;
      failed = true;
    }
    step = failed ? steps.throw(answer) : steps.next(answer);
  }
  return step.value;
}

/** Runs `steps` to its end; a promise fails it with {@link SyncError}. */
export function driveSync<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (!step.done) step = steps.throw(refused(step.value.promise, step.value.what));
  return step.value;
}

/** The answer, when it was given at once; throws {@link SyncError} on a promise. */
export function atOnce<T>(answer: T | PromiseLike<T>, what: string): T {
  if (isThenable(answer)) throw refused(answer, what);
  return answer as T;
}

/** The error that says so. Nobody waits for the promise any more, so its rejection must not go unhandled. */
export function refused(promise: PromiseLike<unknown>, what: string): SyncError {
  promise.then(undefined, () => {});
  return new SyncError(`${what} answered by a promise; use the asynchronous form`);
}
