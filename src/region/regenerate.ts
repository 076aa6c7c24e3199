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
import { CachedValue, NO_VALUE, type NoValue, VALUE_VERSION } from '../backend/cached-value.ts';
import type { Awaitable, BegunCreation, SetMultiOptions, SetOptions } from '../backend/types.ts';
import { freezePlain } from '../codec/freeze.ts';
import { CreatorResultError, EngineClosedError, WaitTimeoutError } from '../errors.ts';
import { countLoadTime, LOAD_ERRORS, REFUSED } from './counters.ts';
import { CREATES, type Creation, ENDED } from './creation.ts';
import { noteLoaded } from './events.ts';
import { judge } from './freshness.ts';
import { FRESH } from './invalidation.ts';
import { CreationContext, callWithin, endContext } from './lock-order.ts';
import { BUSY, HELD, OWNED, releaseLocks, takeLocks, UNLOCKED } from './locking.ts';
import { failed, succeeded } from './outcome.ts';
import { handOver } from './runner.ts';
import type { Run } from './runs.ts';
import { isThenable, refused, type Steps, settled } from './steps.ts';

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
  if (!run.creation.behind) run.creation.core.noteStale(run.name);
  run.outcome = succeeded((run.stale as CachedValue<V>).payload);
}

/** What nobody waits for any more goes to `onError`, but for the reason why they left. */
function reportFailure<V>(creation: Creation<V>): void {
  const errors = new Set<unknown>();
  for (const { outcome } of creation.runs) if (outcome?.failed) errors.add(outcome.error);
  if (creation.abandoned) errors.delete(creation.reason);
  for (const error of errors) creation.core.report(error, creation.names());
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
    noteFound(run, value);
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
  let values: readonly V[];
  try {
    const answer = callCreator(creation, runs, context);
    if (job.sync && isThenable(answer)) return failAll(runs, refused(answer, 'the creator'));
    const result = yield* settled(answer, 'the creator');
    values = job.multi ? checkResult<V>(result, runs.length) : [result as V];
  } catch (error) {
    noteFailure(creation, error);
    for (const run of runs) run.outcome = failed(error, run.staleNow);
    return;
  }
  if (core.freeze) for (const value of values) freezePlain(value);
  yield* store(runs, values, job.call.shouldCache);
  runs.forEach((run, n) => {
    run.outcome = succeeded(values[n]);
  });
}

function failAll<V>(runs: readonly Run<V>[], error: unknown): void {
  for (const run of runs) run.outcome = failed(error);
}

/** The next turn of the event loop: the caller has its stale value by then. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Calls the creator for `runs` within `context`, and counts and times it. */
export function callCreator<V>(
  creation: Creation<V>,
  runs: readonly Run<V>[],
  context: CreationContext,
): unknown {
  const { core, job } = creation;
  const locked = !creation.claims.some(
    (claim) => claim.access === UNLOCKED && claim.runs.some((run) => runs.includes(run)),
  );
  core.noteLoad(!locked);
  const began = performance.now();
  const ended = () => {
    const durationMs = performance.now() - began;
    countLoadTime(core.counters, durationMs);
    noteLoaded(core.name, runs, durationMs, locked);
  };
  let answer: unknown;
  try {
    answer = callWithin(context, creation.sync, () =>
      job.multi
        ? job.creator(
            runs.map((run) => run.name),
            creation.context,
          )
        : job.creator(creation.context),
    );
  } catch (error) {
    ended();
    throw error;
  }
  if (isThenable(answer) && !job.sync) {
    answer.then(ended, ended);
    return answer;
  }
  ended();
  return answer;
}

function noteFailure<V>(creation: Creation<V>, error: unknown): void {
  creation.core.counters.add(LOAD_ERRORS, 1);
  creation.core.noteError(error, creation.names());
}

function checkResult<V>(result: unknown, length: number): readonly V[] {
  if (!Array.isArray(result) || result.length !== length) throw new CreatorResultError(length, result);
  return result;
}

/** Stores the values that `shouldCache` takes and that nothing stands against; notes in `stored` which were. */
export function* store<V>(
  runs: readonly Run<V>[],
  values: readonly V[],
  shouldCache: ((value: V) => boolean) | null,
): Steps<void> {
  const { core } = runs[0].creation;
  const wanted: Run<V>[] = [];
  const payloads: V[] = [];
  runs.forEach((run, n) => {
    if (shouldCache !== null && !shouldCache(values[n])) return;
    wanted.push(run);
    payloads.push(core.encode(values[n]));
  });
  if (core.closed) return;
  const ct = core.clock();
  const entries = new Map<Run<V>, CachedValue<V>>();
  for (const [n, run] of wanted.entries()) {
    const metadata = { ct, v: VALUE_VERSION, generation: run.generation };
    if (run.mayStore()) entries.set(run, new CachedValue(payloads[n], metadata));
    else core.counters.add(REFUSED, 1);
  }
  if (entries.size === 0) return;
  const storing = [...entries.keys()];
  // Without tokens, the first of several runs to store decides; with tokens, the first that is not refused.
  const fenced = storing[0].begun;
  if (!fenced) for (const run of storing) core.runs.noteStore(run);
  try {
    const answer = storing.length === 1 ? setOne(storing[0], entries) : setMany(storing, entries);
    if (isThenable(answer)) for (const run of storing) run.storing = answer;
    if ((yield* settled<unknown>(answer, BACKEND)) === false) return core.counters.add(REFUSED, 1);
  } catch (error) {
    // Whoever closed the engine meanwhile does not take the values from those who waited for them.
    if (error instanceof EngineClosedError) return;
    throw error;
  } finally {
    for (const run of storing) run.storing = null;
  }
  if (fenced) for (const run of storing) core.runs.noteStore(run);
  for (const run of storing) run.stored = true;
}

function setOne<V>(run: Run<V>, entries: ReadonlyMap<Run<V>, CachedValue<V>>): unknown {
  const { core, job } = run.creation;
  const value = entries.get(run)!;
  if (!run.begun) return core.backend.set(run.key, value);
  const options: SetOptions & { ttlMs?: number } = { token: run.token };
  if (job.ttlMs !== undefined) options.ttlMs = job.ttlMs;
  return core.backend.set(run.key, value, options);
}

function setMany<V>(runs: readonly Run<V>[], entries: ReadonlyMap<Run<V>, CachedValue<V>>): unknown {
  const { backend } = runs[0].creation.core;
  const values = runs.map((run) => [run.key, entries.get(run)!] as const);
  if (!runs[0].begun) return backend.setMulti(values);
  const options: SetMultiOptions = { tokens: new Map(runs.map((run) => [run.key, run.token])) };
  return backend.setMulti(values, options);
}

/** Its failure hides no result: the mark that stays is reclaimed by the backend. */
function* endCreation<V>(run: Run<V>): Steps<void> {
  const { core } = run.creation;
  try {
    yield* settled(core.backend.endCreation?.(run.key, run.token), BACKEND);
  } catch (error) {
    core.report(error, [run.name]);
  }
}
