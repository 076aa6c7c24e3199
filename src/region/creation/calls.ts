/**
 * What a call of `getOrCreate` and its kin does with keys that were not found fresh: serve the stale value, join a run
 * of this thread, regenerate behind the caller, or create. One decision for all forms; what differs is who waits how.
 */
import { type CachedValue, NO_VALUE, type NoValue } from '../../backend/cached-value.ts';
import { ReentrantCreationError, WaitTimeoutError } from '../../errors.ts';
import type { RegionCore } from '../core.ts';
import { JOINED } from '../counters.ts';
import { judge } from '../freshness.ts';
import { FRESH, type Freshness, STALE } from '../invalidation.ts';
import { atOnce, driveAsync, driveSync, isThenable } from '../steps.ts';
import { Creation, type Job, type Wanted } from './creation.ts';
import { type CreationContext, currentContext, isCreating, mayJoin, stackContext } from './lock-order.ts';
import { regenerate } from './regenerate.ts';
import { Run } from './runs.ts';
import { whenAborted } from './signals.ts';
import { type Cause, DONE, waitFor } from './waiting.ts';

type Entry<V> = CachedValue<V> | NoValue;

/** A key of a call, as its caller wrote it and as the backend has it. */
export interface CallKey {
  readonly name: string;
  readonly key: string;
}

const SERVE = 0;
const BEHIND = 1;
const CREATE = 2;

/** @throws {ReentrantCreationError} the key is being created by the caller's own chain, and has no stale value. */
function decide<V>(
  core: RegionCore<V>,
  job: Job<V>,
  chain: CreationContext | null,
  { name, key, stale, lock }: Wanted<V>,
): Run<V> | typeof SERVE | typeof BEHIND | typeof CREATE {
  if (isCreating(chain, core, key, lock)) {
    if (stale === NO_VALUE) throw new ReentrantCreationError(name);
    return SERVE;
  }
  if (stale !== NO_VALUE) return job.call.background || job.call.runner !== null ? BEHIND : CREATE;
  if (job.sync) return CREATE;
  const joined = core.runs.joinable(key, job.call);
  if (joined === undefined) return CREATE;
  const { claims, chain: begunIn } = joined.creation;
  return mayJoin(chain, claims[0].lock, begunIn) ? joined : CREATE;
}

function wantedOf<V>(
  core: RegionCore<V>,
  { name, key }: CallKey,
  found: Entry<V>,
  state: Freshness,
): Wanted<V> {
  return { name, key, stale: state === STALE ? found : NO_VALUE, lock: core.lockOf(key) };
}

/** Goes on from a first read of one key that is not fresh. Everything up to the first wait happens at once. */
export function createOne<V>(
  core: RegionCore<V>,
  job: Job<V>,
  callKey: CallKey,
  found: Entry<V>,
  state: Freshness,
  noted: CreationContext | null,
): Promise<V> {
  const chain = currentContext(noted);
  const wanted = wantedOf(core, callKey, found, state);
  const decision = decide(core, job, chain, wanted);
  if (decision === SERVE || decision === BEHIND) {
    if (decision === BEHIND) startBehind(core, job, [wanted]);
    return Promise.resolve(serve(core, wanted.name, wanted.stale));
  }
  if (decision instanceof Run) {
    core.counters.add(JOINED, 1);
    decision.creation.attend();
    return resultLater(decision, null, job);
  }
  const own = new Creation(core, job, chain, [wanted]);
  void driveAsync(regenerate(own));
  return resultLater(own.runs[0], own, job);
}

/** The same for the `Sync` form. */
export function createOneSync<V>(
  core: RegionCore<V>,
  job: Job<V>,
  callKey: CallKey,
  found: Entry<V>,
  state: Freshness,
): V {
  const chain = currentContext(null);
  const wanted = wantedOf(core, callKey, found, state);
  const decision = decide(core, job, chain, wanted);
  if (decision !== CREATE) {
    if (decision === BEHIND) startBehind(core, job, [wanted]);
    return serve(core, wanted.name, wanted.stale);
  }
  const own = new Creation(core, job, chain, [wanted], { sync: true });
  driveSync(regenerate(own));
  return oneResult(own.runs[0], job, DONE);
}

/** Reads `keys` (each key of the backend once) and creates what is not fresh. The values are in their order. */
export async function createMany<V>(
  core: RegionCore<V>,
  job: Job<V>,
  keys: readonly CallKey[],
): Promise<V[]> {
  const noted = stackContext();
  const unique = uniqueOf(keys);
  const found = await orAborted(core.readMulti(unique.map(({ key }) => key)), job.call.signal);
  job.call.signal?.throwIfAborted();
  const plan = planMany(core, job, unique, found, currentContext(noted));
  const { runs, own } = plan;
  for (const creation of othersOf(runs, own)) creation.attend();
  if (own !== null) void driveAsync(regenerate(own));
  const cause = runs.length > 0 ? await announced(runs, own, job) : DONE;
  return resultsOf(core, job, keys, plan, cause);
}

export function createManySync<V>(core: RegionCore<V>, job: Job<V>, keys: readonly CallKey[]): V[] {
  const unique = uniqueOf(keys);
  const found = atOnce(core.readMulti(unique.map(({ key }) => key)), 'the backend');
  const plan = planMany(core, job, unique, found, currentContext(null));
  if (plan.own !== null) driveSync(regenerate(plan.own));
  return resultsOf(core, job, keys, plan, DONE);
}

/** The values in the order of `keys`. Stale ones count only if the call gets all. */
function resultsOf<V>(
  core: RegionCore<V>,
  job: Job<V>,
  keys: readonly CallKey[],
  { results, served, runs }: Plan<V>,
  cause: Cause,
): V[] {
  for (const run of runs) {
    const { value, stale } = resultOf(run, job, cause);
    if (stale) served.push(run.name);
    results.set(run.key, value);
  }
  for (const name of served) core.noteStale(name);
  return keys.map(({ key }) => results.get(key)!);
}

function uniqueOf(keys: readonly CallKey[]): CallKey[] {
  const unique = new Map<string, CallKey>();
  for (const callKey of keys) if (!unique.has(callKey.key)) unique.set(callKey.key, callKey);
  return [...unique.values()];
}

/** What a call for several keys does with them. */
interface Plan<V> {
  /** Values by key. */
  readonly results: Map<string, V>;
  /** Names of those that are stale. */
  readonly served: string[];
  /** What it waits for: those of its own creation, and those that it joined. */
  readonly runs: readonly Run<V>[];
  readonly own: Creation<V> | null;
}

/** Decides for each key; no creation has begun when it throws. */
function planMany<V>(
  core: RegionCore<V>,
  job: Job<V>,
  keys: readonly CallKey[],
  found: readonly Entry<V>[],
  chain: CreationContext | null,
): Plan<V> {
  const results = new Map<string, V>();
  const served: string[] = [];
  const joined: Run<V>[] = [];
  const behind: Wanted<V>[] = [];
  const create: Wanted<V>[] = [];
  keys.forEach((callKey, n) => {
    const state = judge(core, found[n], callKey.key, job.call.expiration);
    core.noteRead(callKey.name, state === FRESH);
    if (state === FRESH) {
      results.set(callKey.key, (found[n] as CachedValue<V>).payload);
      return;
    }
    const wanted = wantedOf(core, callKey, found[n], state);
    const decision = decide(core, job, chain, wanted);
    if (decision instanceof Run) joined.push(decision);
    else if (decision === CREATE) create.push(wanted);
    else {
      if (decision === BEHIND) behind.push(wanted);
      served.push(wanted.name);
      results.set(callKey.key, (wanted.stale as CachedValue<V>).payload);
    }
  });
  if (joined.length > 0) core.counters.add(JOINED, joined.length);
  startBehind(core, job, behind);
  const own = create.length > 0 ? new Creation(core, job, chain, create, { sync: job.sync }) : null;
  return { results, served, runs: own === null ? joined : [...own.runs, ...joined], own };
}

/** Regenerates with nobody waiting, unless this thread is at it already. */
function startBehind<V>(core: RegionCore<V>, job: Job<V>, wanted: readonly Wanted<V>[]): void {
  const idle = wanted.filter(({ key }) => !core.runs.has(key));
  if (idle.length === 0) return;
  void driveAsync(regenerate(new Creation(core, job, null, idle, { behind: true })));
}

async function resultLater<V>(run: Run<V>, own: Creation<V> | null, job: Job<V>): Promise<V> {
  return oneResult(run, job, await announced([run], own, job));
}

/** Waits until all `runs` are announced, or the caller's patience ends. Then it attends others' creations no more. */
async function announced<V>(runs: readonly Run<V>[], own: Creation<V> | null, job: Job<V>): Promise<Cause> {
  if (job.call.impatient) {
    const cause = await waitFor(runs, own, job.call);
    if (cause !== DONE) return cause;
  } else {
    await Promise.all(
      runs.map(
        (run) =>
          new Promise((resolve) => {
            run.whenAnnounced(resolve);
          }),
      ),
    );
  }
  for (const creation of othersOf(runs, own)) creation.leave(false);
  return DONE;
}

function othersOf<V>(runs: readonly Run<V>[], own: Creation<V> | null): Set<Creation<V>> {
  const others = new Set(runs.map((run) => run.creation));
  if (own !== null) others.delete(own);
  return others;
}

function oneResult<V>(run: Run<V>, job: Job<V>, cause: Cause): V {
  const { value, stale } = resultOf(run, job, cause);
  if (stale) run.creation.core.noteStale(run.name);
  return value;
}

/** What a caller gets of a run that has ended, or that it waits for no longer. */
function resultOf<V>(run: Run<V>, job: Job<V>, cause: Cause): { value: V; stale: boolean } {
  const { outcome } = run;
  if (cause !== DONE && outcome === null) {
    if (!run.mayServeStale()) throw new WaitTimeoutError(run.name, job.call.waitTimeoutMs);
    return { value: (run.stale as CachedValue<V>).payload, stale: true };
  }
  if (!outcome!.failed) return outcome!;
  if (!job.call.staleOnError || outcome!.stale === NO_VALUE) throw outcome!.error;
  return { value: outcome!.stale.payload, stale: true };
}

function serve<V>(core: RegionCore<V>, name: string, stale: Entry<V>): V {
  core.noteStale(name);
  return (stale as CachedValue<V>).payload;
}

/** The answer of a first read, or the signal's reason as soon as it fires. */
export function orAborted<T>(answer: T | PromiseLike<T>, signal: AbortSignal | null): T | PromiseLike<T> {
  if (signal === null || !isThenable(answer)) return answer;
  return new Promise<T>((resolve, reject) => {
    const done = whenAborted(signal, () => reject(signal.reason));
    answer.then(
      (value) => {
        done();
        resolve(value as T);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
}

/** Goes on from a first read that was answered by a promise. */
export async function createAfterRead<V>(
  core: RegionCore<V>,
  job: Job<V>,
  callKey: CallKey,
  reading: PromiseLike<Entry<V>>,
): Promise<V> {
  const noted = stackContext();
  const found = core.decode(await orAborted(reading, job.call.signal));
  job.call.signal?.throwIfAborted();
  const state = judge(core, found, callKey.key, job.call.expiration);
  core.noteRead(callKey.name, state === FRESH);
  if (state === FRESH) return (found as CachedValue<V>).payload;
  return createOne(core, job, callKey, found, state, noted);
}
