/**
 * Reads and changes of keys, and of a region as a whole. Each answers at once where the backend does, else by a promise,
 * so that it serves the promise and the `Sync` form of the operation.
 */
import { CachedValue, type NoValue, VALUE_VERSION } from '../backend/cached-value.ts';
import type { Awaitable } from '../backend/types.ts';
import { MutexError, OptionError } from '../errors.ts';
import type { RegionCore } from './core.ts';
import { onInvalidate } from './events.ts';
import { isReadable } from './freshness.ts';
import { readExpiration } from './options.ts';
import { isThenable } from './steps.ts';
import type { ReadOptions } from './types.ts';

/** The answer made into another, at once when it was given at once. */
export function after<T, R>(answer: Awaitable<T>, then: (value: T) => R): Awaitable<R> {
  return isThenable(answer) ? answer.then(then as (value: unknown) => R) : then(answer as T);
}

function expirationFor<V>(core: RegionCore<V>, options: ReadOptions | undefined) {
  return options === undefined ? core.expirationTime : readExpiration(options, core.expirationTime);
}

/** What stands under `key`, if it may be read, else `null`. `counted`: as a hit or a miss. */
export function readEntry<V>(
  core: RegionCore<V>,
  key: string,
  options: ReadOptions | undefined,
  counted: boolean,
): Awaitable<CachedValue<V> | null> {
  const expiration = expirationFor(core, options);
  const mangled = core.mangle(key);
  const found = core.backend.get(mangled);
  const judged = (raw: CachedValue<V> | NoValue): CachedValue<V> | null => {
    const entry = core.decode(raw);
    const readable = isReadable(core, entry, mangled, expiration);
    if (counted) core.noteRead(key, readable);
    return readable ? entry : null;
  };
  return isThenable(found)
    ? found.then(judged as (raw: unknown) => CachedValue<V> | null)
    : judged(found as CachedValue<V> | NoValue);
}

/** The payloads of `keys`, in their order. */
export function readPayloads<V>(
  core: RegionCore<V>,
  keys: Iterable<string>,
  options: ReadOptions | undefined,
): Awaitable<(V | undefined)[]> {
  const expiration = expirationFor(core, options);
  const names = listOf(keys);
  const mangled = names.map((name) => core.mangle(name));
  return after(core.readMulti(mangled), (found) =>
    found.map((entry, n) => {
      const readable = isReadable(core, entry, mangled[n], expiration);
      core.noteRead(names[n], readable);
      return readable ? entry.payload : undefined;
    }),
  );
}

/** A value as `getValueMetadata` hands it out: its age is by the region's clock. */
class DatedValue<V> extends CachedValue<V> {
  readonly #clock: () => number;
  constructor(entry: CachedValue<V>, clock: () => number) {
    super(entry.payload, entry.metadata);
    this.#clock = clock;
  }
  override get age(): number {
    return this.#clock() - this.metadata.ct;
  }
}

export function dated<V>(core: RegionCore<V>, entry: CachedValue<V> | null): CachedValue<V> | undefined {
  return entry === null ? undefined : new DatedValue(entry, core.clock);
}

/** Answers whether it was stored. */
export function writeValue<V>(core: RegionCore<V>, key: string, value: V): Awaitable<boolean> {
  const mangled = core.mangle(key);
  const payload = core.encode(value);
  return changeKeys(core, [mangled], () => {
    const cached = new CachedValue(payload, newMetadata(core));
    return after(core.backend.set(mangled, cached), isStored);
  });
}

/** Answers whether all were stored. They have one time of creation. */
export function writeValues<V>(
  core: RegionCore<V>,
  entries: Iterable<readonly [string, V]>,
): Awaitable<boolean> {
  const values = new Map<string, V>();
  for (const [key, value] of listOf(entries, 'entries')) values.set(core.mangle(key), core.encode(value));
  if (values.size === 0) return true;
  return changeKeys(core, [...values.keys()], () => {
    const metadata = newMetadata(core);
    const cached = Array.from(values, ([key, value]) => [key, new CachedValue(value, metadata)] as const);
    return after(core.backend.setMulti(cached), isStored);
  });
}

function newMetadata<V>(core: RegionCore<V>) {
  return { ct: core.clock(), v: VALUE_VERSION, generation: core.invalidation.source.current() };
}

function isStored(answer: unknown): boolean {
  return answer !== false;
}

export function deleteKey<V>(core: RegionCore<V>, key: string): Awaitable<boolean> {
  const mangled = core.mangle(key);
  return changeKeys(core, [mangled], () => core.backend.delete(mangled));
}

/** Answers how many stood. */
export function deleteKeys<V>(core: RegionCore<V>, keys: Iterable<string>): Awaitable<number> {
  const mangled = [...new Set(listOf(keys).map((key) => core.mangle(key)))];
  if (mangled.length === 0) return 0;
  return changeKeys(core, mangled, () => core.backend.deleteMulti(mangled));
}

function listOf<T>(items: Iterable<T>, field = 'keys'): T[] {
  if (typeof items === 'object' && items !== null && Symbol.iterator in items) return [...items];
  throw new OptionError(field, items, 'must be an array, or another iterable object');
}

/** Keys of a call, as an array. */
export function keysOf(keys: Iterable<string>): string[] {
  return listOf(keys);
}

/** A change comes after the stores of its keys that are going on, and before those that are still to come. */
function changeKeys<V, T>(
  core: RegionCore<V>,
  mangled: readonly string[],
  make: () => Awaitable<T>,
): Awaitable<T> {
  const storing = core.runs.storing(mangled);
  if (storing.length === 0) return core.runs.change(mangled, make);
  for (const key of mangled) core.runs.noteChange(key);
  return Promise.allSettled(storing).then(() => core.runs.change(mangled, make));
}

/** Whether the mutex of `key` is held. Never takes it. */
export function isLocked<V>(core: RegionCore<V>, key: string): boolean {
  const mangled = core.mangle(key);
  const mutex = core.backend.getMutex(mangled) ?? core.localMutexes.get(mangled);
  if (mutex.locked === undefined)
    throw new MutexError('the mutex cannot tell whether it is held: no locked()');
  return mutex.locked();
}

export function invalidateAll<V>(core: RegionCore<V>, hard: boolean): Awaitable<unknown> {
  core.runs.noteChangeOfAll();
  const answer = core.invalidation.invalidate(hard);
  tell(core, hard ? 'hard' : 'soft');
  return answer;
}

export function clearAll<V>(core: RegionCore<V>): Awaitable<unknown> {
  const { backend, invalidation } = core;
  core.runs.noteChangeOfAll();
  // A backend that owns the generations raises their floor when it clears.
  if (core.sharesGenerations && backend.clear !== undefined) invalidation.noteClear();
  else invalidation.clear();
  const answer = backend.clear?.();
  tell(core, 'clear');
  return answer;
}

function tell<V>(core: RegionCore<V>, how: 'hard' | 'soft' | 'clear'): void {
  if (onInvalidate.hasSubscribers) onInvalidate.publish({ region: core.name, how });
}
