/**
 * Which mutexes a creation may wait for.
 *
 * Every lock has a rank: those of shared mutex tables first, by (engine, index), then all others, by (region
 * instance, mangled key). A creation takes its locks in ascending order, each once, and the one lock of several keys
 * once for all of them. A creator that asks for another key runs a creation within its own; the chain of these is a
 * `CreationContext`, kept by `AsyncLocalStorage` around asynchronous creators and by a variable around `Sync` ones.
 *
 * O1  A creation waits, for a mutex or for another creation's result, only if the rank is above every rank in its
 *     chain. A creation counts with its ranks also where it goes without its locks, since others may have joined it.
 *     The result of a creation with several locks has the lowest of their ranks, as it may have to wait for that one.
 * O2  It may also join a creation that was begun within its own innermost context: that one obeys O1 for the whole
 *     chain of the joiner.
 * O3  A `Sync` creation stops all of its thread, so it waits only for a rank above every lock that the thread holds
 *     or queues for, and never for a lock that only this thread can release.
 * O4  A context whose locks were released is dead: what it left running no longer counts it. A creation that nobody
 *     waits for from its start belongs to no chain.
 *
 * By O1 and O2 every wait goes to a higher rank or down into the waiter's own creations, so no cycle can close. By O3
 * a blocked thread holds only what is below what it waits for. A call for several keys that joins creations waits for
 * those when it holds no lock of its own any more.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type CacheMutex, isSharedMutex, type SharedMutex } from '../../mutex/types.ts';

/** A mutex with its place in the order. One object per creation and key. */
export class Lock {
  mutex: CacheMutex;
  /** The mutex again, if it belongs to a shared table. */
  readonly shared: SharedMutex | null;
  /** Whether only this thread can release it. */
  readonly threadOnly: boolean;
  readonly #major: number;
  readonly #minor: number;
  readonly #key: string;

  /** `key` orders it among those of its region that are in no shared table. */
  constructor(mutex: CacheMutex, regionId: number, key: string, threadOnly: boolean) {
    const shared = isSharedMutex(mutex) ? mutex : null;
    this.mutex = mutex;
    this.shared = shared;
    this.threadOnly = threadOnly;
    this.#major = shared === null ? Infinity : shared.engineId;
    this.#minor = shared === null ? regionId : shared.index;
    this.#key = shared === null ? key : '';
  }

  /** Whether both are one mutex. */
  is(other: Lock): boolean {
    if (this.mutex === other.mutex) return true;
    return this.shared !== null && this.#major === other.#major && this.#minor === other.#minor;
  }

  /** Below 0, 0 or above 0 as its rank is lower, the same or higher. */
  compare(other: Lock): number {
    if (this.#major !== other.#major) return this.#major < other.#major ? -1 : 1;
    if (this.#minor !== other.#minor) return this.#minor - other.#minor;
    return this.#key < other.#key ? -1 : this.#key > other.#key ? 1 : 0;
  }

  isAbove(other: Lock): boolean {
    return this.compare(other) > 0;
  }
}

// Of a mutex that is in no shared table several keys, or regions, may have the same object. It keeps the place at which it
// was seen first, or two creations could take two of them in opposite orders.
const places = new WeakMap<CacheMutex, { readonly regionId: number; readonly key: string }>();

/** Where a mutex of another make stands in the order. */
export function placeOf(mutex: CacheMutex, regionId: number, key: string) {
  let place = places.get(mutex);
  if (place === undefined) places.set(mutex, (place = { regionId, key }));
  return place;
}

/** What a creation has of one lock. */
export interface Claim {
  readonly lock: Lock;
  /** Whether it is held for this creation; else it runs under an outer one's, or without. */
  owned: boolean;
}

/** A creator that runs, with those within which it was begun. */
export class CreationContext {
  readonly parent: CreationContext | null;
  claims: readonly Claim[];
  /** The region, by its core: two of one name on one engine are the same. */
  readonly core: { readonly name: string };
  /** The keys that its creator makes. */
  runs: readonly { readonly key: string }[] = [];
  alive = true;
  /** Whether it is in the asynchronous storage. */
  stored = false;

  constructor(parent: CreationContext | null, claims: readonly Claim[], core: { readonly name: string }) {
    this.parent = parent;
    this.claims = claims;
    this.core = core;
  }
}

// While a storage was ever entered, Node.js follows every promise of the process, which makes each of them twice as
// dear. So it is switched off whenever no asynchronous creator runs: there is nothing alive in it then.
const storage = new AsyncLocalStorage<CreationContext>();
let storedAlive = 0;

// The context of the `Sync` creator that is on the stack, unless an asynchronous one was called within it.
let onStack: CreationContext | null = null;

/** The context of the `Sync` creator on the stack: it must be noted before the first `await`. */
export function stackContext(): CreationContext | null {
  return onStack;
}

/** The innermost context that is alive. */
export function currentContext(noted: CreationContext | null): CreationContext | null {
  let context = noted ?? onStack ?? storage.getStore() ?? null;
  while (context !== null && !context.alive) context = context.parent;
  return context;
}

/** Calls `creator` so that what it calls finds `context`, unless that has ended: then it holds nothing. */
export function callWithin<T>(context: CreationContext, sync: boolean, creator: () => T): T {
  if (!context.alive) return creator();
  const before = onStack;
  onStack = sync ? context : null;
  try {
    if (sync) return creator();
    if (!context.stored) storedAlive++;
    context.stored = true;
    return storage.run(context, creator);
  } finally {
    onStack = before;
  }
}

/** Calls `run` so that what it calls belongs to no creator. */
export function callOutside<T>(run: () => T): T {
  const before = onStack;
  onStack = null;
  try {
    return storage.getStore() === undefined ? run() : storage.run(undefined as never, run);
  } finally {
    onStack = before;
  }
}

/** Ends a context before its locks are released: from now on it holds nothing. */
export function endContext(context: CreationContext): void {
  if (!context.alive) return;
  context.alive = false;
  // A timer or a connection that the creator opened may keep the context for ever, but not what it made.
  context.claims = [];
  context.runs = [];
  if (context.stored && --storedAlive === 0) storage.disable();
}

/** Whether this very key is being created by the chain. */
export function isCreating(
  chain: CreationContext | null,
  core: { readonly name: string },
  key: string,
  lock: Lock,
): boolean {
  for (let context = chain; context !== null; context = context.parent) {
    if (!context.alive || !context.runs.some((run) => run.key === key)) continue;
    if (context.core === core) return true;
    const engine = context.claims[0].lock.shared?.engineId;
    if (engine !== undefined && engine === lock.shared?.engineId && context.core.name === core.name)
      return true;
  }
  return false;
}

/** Whether the chain holds this mutex, for another key: then it is not taken again. */
export function isHeld(chain: CreationContext | null, lock: Lock): boolean {
  for (let context = chain; context !== null; context = context.parent) {
    if (context.alive && context.claims.some((claim) => claim.owned && claim.lock.is(lock))) return true;
  }
  return false;
}

/** O1: whether the chain may wait for this rank. */
export function mayWait(chain: CreationContext | null, lock: Lock): boolean {
  for (let context = chain; context !== null; context = context.parent) {
    if (context.alive && !context.claims.every((claim) => lock.isAbove(claim.lock))) return false;
  }
  return true;
}

/** O1 and O2: whether the chain may wait for a creation whose lowest lock this is, begun within `begunIn`. */
export function mayJoin(chain: CreationContext | null, lock: Lock, begunIn: CreationContext | null): boolean {
  if (mayWait(chain, lock)) return true;
  for (let context = begunIn; context !== null; context = context.parent) {
    if (context === chain) return true;
  }
  return false;
}

// Every lock that this thread holds or queues for.
const threadLocks = new Set<Lock>();

export function noteLock(lock: Lock): void {
  threadLocks.add(lock);
}

export function forgetLock(lock: Lock): void {
  threadLocks.delete(lock);
}

/** O3: whether the thread may block until it gets this lock. */
export function mayBlock(lock: Lock): boolean {
  if (lock.threadOnly) return false;
  for (const other of threadLocks) {
    // A creator that hangs has lost its lease: anybody may take that mutex.
    if (!lock.isAbove(other) && !other.shared?.lost?.()) return false;
  }
  return true;
}
