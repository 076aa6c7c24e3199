/** Storing what a creator made, unless something stands against it. */
import { CachedValue, VALUE_VERSION } from '../../backend/cached-value.ts';
import type { SetMultiOptions, SetOptions } from '../../backend/types.ts';
import { EngineClosedError } from '../../errors.ts';
import { REFUSED } from '../counters.ts';
import { isThenable, type Steps, settled } from '../steps.ts';
import type { Run } from './runs.ts';

/** Stores the values that `shouldCache` takes and that nothing stands against. Answers whether all of these were stored. */
export function* store<V>(
  runs: readonly Run<V>[],
  values: readonly V[],
  shouldCache: ((value: V) => boolean) | null,
): Steps<boolean> {
  const { core } = runs[0].creation;
  const wanted: Run<V>[] = [];
  const payloads: V[] = [];
  runs.forEach((run, n) => {
    if (shouldCache !== null && !shouldCache(values[n])) return;
    wanted.push(run);
    payloads.push(core.encode(values[n]));
  });
  if (core.closed) return false;
  const ct = core.clock();
  const entries = new Map<Run<V>, CachedValue<V>>();
  for (const [n, run] of wanted.entries()) {
    const metadata = { ct, v: VALUE_VERSION, generation: run.generation };
    if (run.mayStore()) entries.set(run, new CachedValue(payloads[n], metadata));
    else core.counters.add(REFUSED, 1);
  }
  return entries.size > 0 && (yield* storeEntries(entries)) && entries.size === runs.length;
}

function* storeEntries<V>(entries: ReadonlyMap<Run<V>, CachedValue<V>>): Steps<boolean> {
  const runs = [...entries.keys()];
  const { core } = runs[0].creation;
  // Without tokens, the first of several runs to store decides; with tokens, the first that is not refused.
  const fenced = runs[0].begun;
  if (!fenced) for (const run of runs) core.runs.noteStore(run);
  try {
    const given = runs.length === 1 ? setOne(runs[0], entries) : setMany(runs, entries);
    const answer = isThenable(given) ? Promise.resolve(given) : given;
    if (isThenable(answer)) {
      core.runs.noteStoring(
        runs.map((run) => run.key),
        answer,
      );
    }
    if ((yield* settled<unknown>(answer, 'the backend')) === false) {
      core.counters.add(REFUSED, 1);
      return false;
    }
  } catch (error) {
    // Whoever closed the engine meanwhile does not take the values from those who waited for them.
    if (error instanceof EngineClosedError) return false;
    throw error;
  }
  if (fenced) for (const run of runs) core.runs.noteStore(run);
  for (const run of runs) run.stored = true;
  return true;
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
