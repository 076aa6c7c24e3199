/**
 * The dogpile policy: one thread at a time creates a value, the others wait for it or are served the stale one.
 *
 *   first read (by the caller)   fresh: returned at once, and nothing here is entered
 *      │ stale                        │ missing
 *      │                              ├─ an open run of this thread may be joined ──────────────▶ its outcome
 *   try the lock                   wait for the lock, if the order of locks allows it, else try
 *      ├─ busy: the stale value       │   not got: go on without it
 *      └──────────────┬───────────────┘
 *   second read, which is also `beginCreation` where the backend has it
 *      ├─ fresh: somebody created it while this one waited; returned
 *   the creator runs
 *      ├─ throws: nothing is stored, the error and the stale value go to the callers
 *   the value is stored, unless the key changed or was invalidated since the second read, or the token is refused
 *   `endCreation` if nothing was stored, then the lock is released, whatever happened
 *
 * For several keys the same happens to each: the locks are taken one after the other, the second reads are one, and the
 * creator is called once, with the keys that are still not fresh.
 *
 * Who writes what: runs.ts says for `open` and `clean` of a run, creation.ts for who attends. `regenerate` alone
 * enters runs in the region's table and takes them out. The generation stored with a value is the one that `Run.fence`
 * noted before the second read.
 */
import { type CachedValue, NO_VALUE, type NoValue } from '../../backend/cached-value.ts';
import type { Awaitable, BegunCreation } from '../../backend/types.ts';
import { freezePlain } from '../../codec/freeze.ts';
import { SyncError, WaitTimeoutError } from '../../errors.ts';
import { judge } from '../freshness.ts';
import { FRESH, MISSING, STALE } from '../invalidation.ts';
import { driveAsync, isThenable, type Steps, settled } from '../steps.ts';
import { CREATES, type Creation, ENDED } from './creation.ts';
import { callCreator } from './creator.ts';
import { CreationContext, endContext } from './lock-order.ts';
import { BUSY, HELD, OWNED, releaseLocks, takeLocks } from './locking.ts';
import { failed, succeeded } from './outcome.ts';
import { handOver } from './runner.ts';
import type { Run } from './runs.ts';
import { store } from './storing.ts';

const BACKEND = 'the backend';

/** Settles all runs of `creation`, and never throws. */
export function* regenerate<V>(creation: Creation<V>): Steps<void> {
  const { core, chain, claims, runs } = creation;
  for (const run of runs) core.runs.add(run);
  let context: CreationContext | null = null;
  try {
    yield* takeLocks(creation);
    serveBusy(creation);
    const open = creation.unsettled();
    if (open.length === 0) return;
    creation.phase = CREATES;
    creation.onCreate?.();
    if (!creation.attended) creation.shortenLeases();
    context = new CreationContext(
      chain,
      claims.filter((claim) => claim.access !== BUSY),
      core,
    );
    yield* readAndCreate(creation, open, context);
  } catch (error) {
    for (const run of creation.unsettled()) {
      const served = error instanceof WaitTimeoutError && run.stale !== NO_VALUE;
      if (served) serveStale(run);
      else run.outcome = failed(error);
    }
  } finally {
    creation.phase = ENDED;
    if (context !== null) endContext(context);
    releaseLocks(creation);
    for (const run of runs) core.runs.remove(run);
    for (const run of runs) run.announce();
    if (!creation.attended) reportFailure(creation);
  }
}

/** Where somebody else is at a key that has a stale value, that is served. */
function serveBusy<V>(creation: Creation<V>): void {
  for (const { access, runs } of creation.claims) {
    if (access === OWNED) continue;
    for (const run of runs) {
      // Under a lock that the chain holds, a sibling may be at this key already.
      const busy = access !== HELD || creation.core.runs.hasOther(run);
      if (run.stale !== NO_VALUE && busy) serveStale(run);
    }
  }
}

function serveStale<V>(run: Run<V>): void {
  run.outcome = succeeded((run.stale as CachedValue<V>).payload, true);
}

/** What nobody waits for any more goes to `onError`, but for the reason why they left. */
function reportFailure<V>(creation: Creation<V>): void {
  const errors = new Set<unknown>();
  for (const { outcome } of creation.runs) if (outcome?.failed) errors.add(outcome.error);
  if (creation.abandoned) errors.delete(creation.reason);
  for (const error of errors) {
    creation.core.report(error, creation.names(), creation.failure?.error === error);
  }
}

function* readAndCreate<V>(
  creation: Creation<V>,
  runs: readonly Run<V>[],
  context: CreationContext,
): Steps<void> {
  try {
    yield* secondRead(creation, runs);
    const needed: Run<V>[] = [];
    for (const run of runs) {
      if (run.state !== FRESH) needed.push(run);
      else {
        run.outcome = succeeded((run.found as CachedValue<V>).payload);
        run.announce();
      }
    }
    if (needed.length === 0) return;
    context.runs = needed;
    if (creation.runner !== null) yield* handOver(creation, needed[0], context, creation.runner);
    else yield* create(creation, needed, context);
  } finally {
    for (const run of runs) if (run.begun && !run.stored) yield* endCreation(run);
  }
}

/** Reads each key again and begins its creation, in one step where the backend has one. */
function* secondRead<V>(creation: Creation<V>, runs: readonly Run<V>[]): Steps<void> {
  const { core } = creation;
  const { backend } = core;
  for (const run of runs) run.fence();
  if (backend.beginCreation === undefined) {
    const found: readonly (CachedValue<V> | NoValue)[] =
      runs.length === 1
        ? [yield* settled(backend.get(runs[0].key), BACKEND)]
        : yield* settled(backend.getMulti(runs.map((run) => run.key)), BACKEND);
    for (const [n, run] of runs.entries()) noteFound(run, found[n] ?? NO_VALUE);
    return;
  }
  // All are begun before one is waited for. Each notes its own token, since what was begun has to be ended.
  const begins: Awaitable<void>[] = [];
  let thrown: { error: unknown } | null = null;
  try {
    for (const run of runs) begins.push(begin(run));
  } catch (error) {
    thrown = { error };
  }
  if (begins.some(isThenable)) yield* settled(Promise.allSettled(begins), BACKEND);
  if (thrown !== null) throw thrown.error;
  for (const answer of begins) yield* settled(answer, BACKEND);
}

function begin<V>(run: Run<V>): Awaitable<void> {
  const begun = run.creation.core.backend.beginCreation!(run.key);
  const note = ({ value, token }: BegunCreation<V>) => {
    run.begun = true;
    run.token = token;
    // A `Sync` form has refused to wait for it, and is over: nobody else takes the mark away.
    if (run.ended) void driveAsync(endCreation(run));
    else noteFound(run, value);
  };
  if (isThenable(begun)) return begun.then(note as (begun: unknown) => void);
  note(begun as BegunCreation<V>);
}

function noteFound<V>(run: Run<V>, raw: Run<V>['found']): void {
  const { core } = run.creation;
  const found = core.decode(raw);
  run.note(found, judge(core, found, run.key, run.expiration));
}

function* create<V>(creation: Creation<V>, runs: readonly Run<V>[], context: CreationContext): Steps<void> {
  const { core, job } = creation;
  if (creation.behind) yield* settled(nextTurn(), 'the event loop');
  if (creation.abandoned) throw creation.reason;
  if (creation.behind && core.closed) return serveAll(runs);
  let values: readonly V[];
  try {
    values = yield* settled(callCreator(creation, runs, context), 'the creator');
  } catch (error) {
    // A creator that must not answer by a promise is a mistake, which no stale value may hide.
    const hopeless = error instanceof SyncError;
    for (const run of runs) run.outcome = failed(error, hopeless ? NO_VALUE : yield* staleNow(run));
    return;
  }
  if (core.freeze) for (const value of values) freezePlain(value);
  yield* store(runs, values, job.call.shouldCache);
  for (const [n, run] of runs.entries()) run.outcome = succeeded(values[n]);
}

function serveAll<V>(runs: readonly Run<V>[]): void {
  for (const run of runs) serveStale(run);
}

/** The stale value as it stands after the creator failed: the key may have been changed or invalidated meanwhile. */
function* staleNow<V>(run: Run<V>): Steps<CachedValue<V> | NoValue> {
  const { core } = run.creation;
  try {
    if (run.clean && run.isValid() && run.tokenStands()) return run.state === STALE ? run.found : NO_VALUE;
    noteFound(run, yield* settled(core.backend.get(run.key), BACKEND));
  } catch (error) {
    // The creator's error is what its callers are to see.
    core.report(error, [run.name]);
    return NO_VALUE;
  }
  return run.state === MISSING ? NO_VALUE : run.found;
}

/** The next turn of the event loop: the caller has its stale value by then. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Its failure hides no result: the mark that stays is reclaimed by the backend. */
function* endCreation<V>(run: Run<V>): Steps<void> {
  const { core } = run.creation;
  if (core.closed) return;
  try {
    yield* settled(core.backend.endCreation?.(run.key, run.token), BACKEND);
  } catch (error) {
    core.report(error, [run.name]);
  }
}
