/**
 * One attempt to create one or several keys: its runs, its locks, and who waits for it.
 *
 * It goes through three phases: it queues for its locks, it creates (which begins with the second read), it has ended.
 * Callers attend it: the one that began it, and those that joined one of its runs. A caller leaves when it has its
 * values, when its signal fires, or when its patience ends. When the last one has left, the creation is abandoned,
 * unless one of them took the stale value and wants the new one stored (it lingers):
 *
 *            attended                 lingering                        abandoned
 *   queues   waits                    (does not occur: a stale         leaves its queues at once; the creator
 *                                     value does not queue)            does not run
 *   creates  its callers get the      goes on                          a creator that runs goes on and its
 *            outcome                                                    signal fires, else it does not run;
 *                                                                       nobody may join any more
 *
 * What nobody attends (these two, and a refresh in the background from its start) has shared mutexes for at most five
 * seconds from then, since a parked thread may never finish it. Its value is stored all the same if nothing stands
 * against it, and its error goes to the region's `onError`, but for the abort's own reason.
 */
import type { CachedValue, NoValue } from '../../backend/cached-value.ts';
import type { RegionCore } from '../core.ts';
import type { CallOptions } from '../options.ts';
import type { AsyncCreationRunner, CreatorContext } from '../types.ts';
import type { Claim, CreationContext, Lock } from './lock-order.ts';
import { Run } from './runs.ts';

/** How long what nobody waits for may keep a shared mutex. */
export const UNATTENDED_LEASE_MS = 5_000;

/** What a call wants to be done. */
export interface Job<V> {
  readonly call: CallOptions<V>;
  /** Takes one key, or all keys of the creation as an array. */
  readonly creator: (...args: any[]) => unknown;
  /** Whether it is a creator of several keys. */
  readonly multi: boolean;
  /** Whether the creator must answer at once. */
  readonly sync: boolean;
  /** For the backend: how long the value lives; `undefined`: as long as its others. */
  readonly ttlMs?: number | undefined;
}

/** A key that was not found fresh. */
export interface Wanted<V> {
  /** As the caller wrote it. */
  readonly name: string;
  /** As the backend has it. */
  readonly key: string;
  /** The stale value, or `NO_VALUE`. */
  readonly stale: CachedValue<V> | NoValue;
  readonly lock: Lock;
}

/** A lock of the creation, with the runs that need it. */
export interface RunClaim<V> extends Claim {
  readonly runs: Run<V>[];
  /** Set when it was tried: one of locking.ts. */
  access: number;
}

export const QUEUES = 0;
export const CREATES = 1;
export const ENDED = 2;

export class Creation<V> {
  readonly core: RegionCore<V>;
  readonly job: Job<V>;
  /** The chain of creations within which it was begun. */
  readonly chain: CreationContext | null;
  /** Whether it is driven without ever waiting for a promise. */
  readonly sync: boolean;
  /** Regenerates in the place of the creator's caller. */
  readonly runner: AsyncCreationRunner<V> | null;
  /** Whether nobody waits for it from its start. */
  readonly behind: boolean;
  /** In the order in which the creator gets the keys: by code unit. */
  readonly runs: readonly Run<V>[];
  /** In ascending order of locks. */
  readonly claims: readonly RunClaim<V>[];
  /** For `Sync` forms: until when it may wait, by `performance.now()`. */
  readonly waitUntil: number;
  phase: typeof QUEUES | typeof CREATES | typeof ENDED = QUEUES;
  abandoned = false;
  /** Why, if it is. */
  reason: unknown;
  /** What its creator threw, once it did. */
  failure: { readonly error: unknown } | null = null;
  /** Called when it has its locks, and goes on to read again and to create. */
  onCreate: (() => void) | null = null;
  #attended: number;
  #lingers = false;
  /** Since when nobody waits for it, by `performance.now()`. */
  #unattendedSince = Infinity;
  #lastReason: unknown;
  #queue: AbortController | null = null;
  #controller: AbortController | null = null;

  constructor(
    core: RegionCore<V>,
    job: Job<V>,
    chain: CreationContext | null,
    wanted: readonly Wanted<V>[],
    { sync = false, behind = false }: { sync?: boolean; behind?: boolean } = {},
  ) {
    this.core = core;
    this.job = job;
    this.chain = chain;
    this.sync = sync;
    this.behind = behind;
    this.runner = behind ? job.call.runner : null;
    this.waitUntil = sync ? performance.now() + job.call.waitTimeoutMs : Infinity;
    this.#attended = behind ? 0 : 1;
    if (behind) this.#unattendedSince = performance.now();
    const byRank = wanted.map((item) => ({ item, run: new Run(this, item) }));
    this.runs = byRank.map(({ run }) => run).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (byRank.length > 1) byRank.sort((a, b) => a.item.lock.compare(b.item.lock));
    const claims: RunClaim<V>[] = [];
    for (const { item, run } of byRank) {
      const last = claims.at(-1);
      if (last?.lock.is(item.lock)) last.runs.push(run);
      else claims.push({ lock: item.lock, owned: false, access: -1, runs: [run] });
    }
    this.claims = claims;
  }

  get attended(): boolean {
    return this.#attended > 0;
  }

  /** One more caller waits for it. */
  attend(): void {
    this.#attended++;
  }

  /**
   * A caller leaves. `lingers`: with the stale value, and it wants the new one stored. `reason`: why it gave up; one that
   * has all it wanted has none.
   */
  leave(lingers: boolean, reason?: unknown): void {
    this.#attended--;
    this.#lingers ||= lingers;
    this.#lastReason = reason ?? this.#lastReason;
    if (this.#attended > 0 || this.phase === ENDED) return;
    this.#unattendedSince = performance.now();
    this.shortenLeases();
    if (!this.#lingers) this.#abandon(this.#lastReason);
  }

  /** Whether nobody has waited for it for longer than it may keep others waiting. */
  get overdue(): boolean {
    return performance.now() - this.#unattendedSince > UNATTENDED_LEASE_MS;
  }

  #abandon(reason: unknown): void {
    this.abandoned = true;
    this.reason = reason;
    for (const run of this.runs) run.open = false;
    this.#queue?.abort(reason);
    this.#controller?.abort(reason);
  }

  /** Fires when the creation need not queue any more. */
  get queueSignal(): AbortSignal {
    this.#queue ??= new AbortController();
    return this.#queue.signal;
  }

  /** What the creator is called with. The signal is made when it is asked for. */
  readonly context: CreatorContext = new LazyContext(() => {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.abandoned) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  });

  /** For what nobody attends: other threads must not wait longer for it than this. */
  shortenLeases(): void {
    for (const { lock, owned } of this.claims) {
      if (owned) lock.shared?.shorten?.(UNATTENDED_LEASE_MS);
    }
  }

  /** The names of its keys, for messages. */
  names(): string[] {
    return this.runs.map((run) => run.name);
  }

  /** Runs whose outcome is still open. */
  unsettled(): Run<V>[] {
    return this.runs.filter((run) => run.outcome === null);
  }
}

class LazyContext implements CreatorContext {
  readonly #signal: () => AbortSignal;
  constructor(signal: () => AbortSignal) {
    this.#signal = signal;
  }
  get signal(): AbortSignal {
    return this.#signal();
  }
}
