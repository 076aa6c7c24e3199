/** Calling a creator: within its context, counted, timed, and told. */
import { CreatorResultError } from '../../errors.ts';
import { countLoadTime, LOAD_ERRORS } from '../counters.ts';
import { noteLoaded } from '../events.ts';
import { isThenable, refused } from '../steps.ts';
import type { Creation } from './creation.ts';
import { type CreationContext, callWithin } from './lock-order.ts';
import { UNLOCKED } from './locking.ts';
import type { Run } from './runs.ts';

/** The values for `runs`, in their order, at once or by a promise. It fails as the creator does. */
export function callCreator<V>(
  creation: Creation<V>,
  runs: readonly Run<V>[],
  context: CreationContext,
): readonly V[] | Promise<readonly V[]> {
  const { core, job } = creation;
  const locked = !creation.claims.some((claim) => claim.access === UNLOCKED) && context.alive;
  core.noteLoad(!locked);
  const began = performance.now();
  const ended = () => {
    const durationMs = performance.now() - began;
    countLoadTime(core.counters, durationMs);
    noteLoaded(core.name, runs, durationMs, locked);
  };
  const failed = (error: unknown): never => {
    core.counters.add(LOAD_ERRORS, 1);
    creation.failure = { error };
    core.noteError(error, creation.names());
    throw error;
  };
  const made = (result: unknown) => valuesOf<V>(result, job.multi, runs.length);
  let answer: unknown;
  try {
    try {
      answer = callWithin(context, creation.sync, () => callFor(creation, runs));
    } finally {
      if (job.sync || !isThenable(answer)) ended();
    }
    if (!isThenable(answer)) return made(answer);
    if (job.sync) throw refused(answer, 'the creator');
  } catch (error) {
    return failed(error);
  }
  // A thenable may do its work when it is asked for its value, so it is asked once.
  return Promise.resolve(answer).finally(ended).then(made).catch(failed);
}

function callFor<V>({ job, context }: Creation<V>, runs: readonly Run<V>[]): unknown {
  if (!job.multi) return job.creator(context);
  return job.creator(
    runs.map((run) => run.name),
    context,
  );
}

function valuesOf<V>(result: unknown, multi: boolean, length: number): readonly V[] {
  if (!multi) return [result as V];
  if (!Array.isArray(result) || result.length !== length) throw new CreatorResultError(length, result);
  return result;
}
