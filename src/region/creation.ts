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
 * A creator that asks for the very key that it creates gets the stale value or an error: that is looked at before
 * anything else. A mutex that the chain of creators holds already is not taken again (lock-order.ts).
 *
 * Who writes what: runs.ts says for `open` and `clean` of a run. Only `regenerate` enters a run in the region's table
 * and takes it out. The generation stored with a value is the one that `Run.fence` noted before the second read.
 */
import { CachedValue, NO_VALUE, type NoValue, VALUE_VERSION } from '../backend/cached-value.ts';
import type { BegunCreation, CreationToken } from '../backend/types.ts';
import { freezePlain } from '../codec/freeze.ts';
import { EngineClosedError, ReentrantCreationError } from '../errors.ts';
import type { RegionCore } from './core.ts';
import { judge } from './freshness.ts';
import { FRESH, type Freshness, MISSING, STALE } from './invalidation.ts';
import {
  CreationContext,
  callWithin,
  currentContext,
  endContext,
  isCreating,
  mayJoin,
  stackContext,
} from './lock-order.ts';
import { BUSY, HELD, OWNED, releaseLock, takeLock, UNLOCKED } from './locking.ts';
import { failed, type Outcome, resultOf, succeeded } from './outcome.ts';
import { Run } from './runs.ts';
import { driveAsync, driveSync, isThenable, refused, type Steps, settled } from './steps.ts';
import type { Creator, ExpirationTime } from './types.ts';

/** What one call of `getOrCreate` asks for, after its options were checked. */
export interface Request<V> {
  /** As the caller wrote it: for messages. */
  readonly key: string;
  readonly mangled: string;
  readonly creator: Creator<V>;
  readonly expiration: ExpirationTime;
  readonly staleOnError: boolean;
}

/** Goes on from a first read that is not fresh. Everything up to the first wait happens at once. */
export function createAsync<V>(
  core: RegionCore<V>,
  request: Request<V>,
  found: CachedValue<V> | NoValue,
  state: Freshness,
  noted: CreationContext | null,
): Promise<V> {
  const { mangled, expiration, staleOnError } = request;
  const chain = currentContext(noted);
  const lock = core.lockOf(mangled);
  const stale = state === STALE ? found : NO_VALUE;
  if (isCreating(chain, core, mangled, lock)) return Promise.resolve(reentered(request, stale));
  if (state === MISSING) {
    const joined = core.runs.joinable(mangled, expiration);
    if (joined !== undefined && mayJoin(chain, joined.lock, joined.chain)) {
      return finish(joined.promise!, staleOnError);
    }
  }
  const run = new Run(core, mangled, request.creator, expiration, stale, lock, chain, false);
  const outcome = outcomeOf(run);
  if (state === MISSING) run.promise = outcome;
  return finish(outcome, staleOnError);
}

/** The same after a first read that was answered by a promise. */
export async function createAfterRead<V>(
  core: RegionCore<V>,
  request: Request<V>,
  reading: PromiseLike<CachedValue<V> | NoValue>,
): Promise<V> {
  const noted = stackContext();
  const found = await reading;
  const state = judge(core, found, request.mangled, request.expiration);
  if (state === FRESH) return (found as CachedValue<V>).payload;
  return createAsync(core, request, found, state, noted);
}

/** The same for the `Sync` form. It joins nobody. */
export function createSync<V>(
  core: RegionCore<V>,
  request: Request<V>,
  found: CachedValue<V> | NoValue,
  state: Freshness,
): V {
  const chain = currentContext(null);
  const lock = core.lockOf(request.mangled);
  const stale = state === STALE ? found : NO_VALUE;
  if (isCreating(chain, core, request.mangled, lock)) return reentered(request, stale);
  const run = new Run(core, request.mangled, request.creator, request.expiration, stale, lock, chain, true);
  return resultOf(driveSync(regenerate(run)), request.staleOnError);
}

function reentered<V>(request: Request<V>, stale: CachedValue<V> | NoValue): V {
  if (stale === NO_VALUE) throw new ReentrantCreationError(request.key);
  return stale.payload;
}

async function finish<V>(outcome: Promise<Outcome<V>>, staleOnError: boolean): Promise<V> {
  return resultOf(await outcome, staleOnError);
}

/** Never rejects: several callers may wait for it, or none. */
async function outcomeOf<V>(run: Run<V>): Promise<Outcome<V>> {
  try {
    return await driveAsync(regenerate(run));
  } catch (error) {
    return failed(error);
  }
}

function* regenerate<V>(run: Run<V>): Steps<Outcome<V>> {
  const { core, lock, chain } = run;
  core.runs.add(run);
  try {
    const access = yield* takeLock(lock, chain, run.found === NO_VALUE, run.sync);
    // Under a lock that the chain holds, a sibling may be at this key already.
    const busy = access === BUSY || (access === HELD && run.found !== NO_VALUE && core.runs.hasOther(run));
    if (busy) return succeeded((run.found as CachedValue<V>).payload);
    const context = new CreationContext(chain, lock, access === OWNED, core, run.key);
    try {
      return yield* readAndCreate(run, context, access === UNLOCKED);
    } finally {
      endContext(context);
      if (access === OWNED) releaseLock(lock, core.report);
    }
  } finally {
    core.runs.remove(run);
  }
}

function* readAndCreate<V>(run: Run<V>, context: CreationContext, unlocked: boolean): Steps<Outcome<V>> {
  const { core, key } = run;
  const { backend } = core;
  run.fence();
  const begun =
    backend.beginCreation === undefined ? null : yield* settled(backend.beginCreation(key), 'the backend');
  if (begun !== null) run.token = begun.token;
  let stored = false;
  try {
    const second = begun === null ? yield* settled(backend.get(key), 'the backend') : begun.value;
    const state = judge(core, second, key, run.expiration);
    if (state === FRESH) return succeeded((second as CachedValue<V>).payload);
    core.noteLoad(unlocked);
    let value: V;
    try {
      const answer = callWithin(context, run.sync, run.creator);
      if (run.sync && isThenable(answer)) return failed(refused(answer, 'the creator'));
      value = yield* settled(answer, 'the creator');
    } catch (error) {
      return failed(error, state === STALE ? second : NO_VALUE);
    }
    if (core.freeze) freezePlain(value);
    stored = yield* store(run, value, begun);
    return succeeded(value);
  } finally {
    if (begun !== null && !stored) yield* endCreation(run, begun.token);
  }
}

/** Stores the value if it may be; answers whether it did. */
function* store<V>(run: Run<V>, value: V, begun: BegunCreation<V> | null): Steps<boolean> {
  const { core, key } = run;
  if (core.closed || !run.clean || !run.isValid()) return false;
  const metadata = { ct: core.clock(), v: VALUE_VERSION, generation: run.generation };
  // Without tokens, the first of several runs to store decides; with tokens, the first that is not refused.
  if (begun === null) core.runs.noteStore(run);
  try {
    const cached = new CachedValue(value, metadata);
    const answer =
      begun === null ? core.backend.set(key, cached) : core.backend.set(key, cached, { token: begun.token });
    if (isThenable(answer)) run.storing = answer;
    if ((yield* settled<unknown>(answer, 'the backend')) === false) return false;
  } catch (error) {
    // Whoever closed the engine meanwhile does not take the value from those who waited for it.
    if (error instanceof EngineClosedError) return false;
    throw error;
  } finally {
    run.storing = null;
  }
  if (begun !== null) core.runs.noteStore(run);
  return true;
}

/** Its failure hides no result: the mark that stays is reclaimed by the backend. */
function* endCreation<V>(run: Run<V>, token: CreationToken): Steps<void> {
  try {
    yield* settled(run.core.backend.endCreation?.(run.key, token), 'the backend');
  } catch (error) {
    run.core.report(error);
  }
}
