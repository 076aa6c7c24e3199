/**
 * Threads in lockstep, on a clock that they share: L:ConcurrencyTest of dogpile.cache without sleeping.
 *
 * Time is counted in ticks. In each tick every thread does what is due (begin a call, end its creator), lets its event
 * loop turn, and meets the others at a barrier. The last one there moves the clock by one, unless a thread waits while
 * nobody creates: it is about to be woken, which is real time and must not count. So what dogpile.cache bounds by
 * seconds is bounded here by ticks, however slow the machine is.
 */
import type { CacheRegion } from '../../src/index.ts';
import { attachRegion } from '../../src/index.ts';
import type { RegionHandle } from '../../src/region/types.ts';
import { random } from '../support/engine.ts';
import { HANG_MS } from '../support/threads.ts';
import { type Deferred, deferred, turns } from '../unit/region-fixtures.ts';

/** Words of the table that all threads share. From `BY_KEY` on: creators that run, by key. */
const CLOCK = 0;
const ROUND = 1;
const ARRIVED = 2;
const WAITING = 3;
const CREATING = 4;
const DONE = 5;
const OVERLAPS = 6;
const GENERATIONS = 7;
const ENDED = 8;
const BY_KEY = 9;
const KEYS = 16;
/** Where the regions' clocks begin, so that no time of creation is 0. */
const EPOCH = 1_000_000;

export interface Plan {
  readonly threads: number;
  readonly expire: number;
  readonly create: number;
  readonly uses: number;
  readonly use: number;
  readonly pause: number;
  /** Of the store itself: then the value is gone. */
  readonly ttl?: number;
  /** Each call asks for 1 to 5 of this many keys, instead of for one. */
  readonly multi?: number;
  readonly seed: number;
}

export interface Outcome {
  readonly failures: string[];
  /** Calls that did not end in the tick in which they began. */
  readonly slow: number;
  /** The greatest age of a value when it was got. */
  readonly oldest: number;
}

export class Table {
  readonly words: Int32Array<SharedArrayBuffer>;
  constructor(buffer = new SharedArrayBuffer((BY_KEY + KEYS) * 4)) {
    this.words = new Int32Array(buffer);
  }
  readonly clock = (): number => EPOCH + Atomics.load(this.words, CLOCK);
  get overlaps(): number {
    return Atomics.load(this.words, OVERLAPS);
  }
  get generations(): number {
    return Atomics.load(this.words, GENERATIONS);
  }
  get ticks(): number {
    return Atomics.load(this.words, CLOCK);
  }
}

/** Meets the others; the last to come moves the clock. Answers whether all threads are done. */
function meetAll({ words }: Table, threads: number): boolean {
  const round = Atomics.load(words, ROUND);
  if (Atomics.add(words, ARRIVED, 1) + 1 === threads) {
    const waits = Atomics.exchange(words, WAITING, 0);
    if (waits === 0 || Atomics.load(words, CREATING) > 0) Atomics.add(words, CLOCK, 1);
    // Decided here for all: DONE may change again before the last one has left the barrier.
    Atomics.store(words, ENDED, Atomics.load(words, DONE) === threads ? 1 : 0);
    Atomics.store(words, ARRIVED, 0);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND);
  } else {
    while (Atomics.load(words, ROUND) === round) {
      if (Atomics.wait(words, ROUND, round, HANG_MS) === 'timed-out') throw new Error('the barrier hangs');
    }
  }
  return Atomics.load(words, ENDED) === 1;
}

/** The creator of one thread: it ends `create` ticks after it began, when its thread is told to go on. */
class TickCreator {
  due = Infinity;
  #gate: Deferred<void> | null = null;
  readonly #table: Table;
  readonly #plan: Plan;

  constructor(table: Table, plan: Plan) {
    this.#table = table;
    this.#plan = plan;
  }

  get running(): boolean {
    return this.#gate !== null;
  }

  /** Makes the time of creation, under whichever key. */
  readonly create = async (keys: readonly string[]): Promise<number> => {
    const { words, clock } = this.#table;
    for (const key of keys) {
      if (Atomics.add(words, BY_KEY + Number(key), 1) !== 0) Atomics.add(words, OVERLAPS, 1);
    }
    Atomics.add(words, CREATING, 1);
    this.due = clock() + this.#plan.create;
    this.#gate = deferred();
    await this.#gate.promise;
    Atomics.add(words, GENERATIONS, keys.length);
    for (const key of keys) Atomics.sub(words, BY_KEY + Number(key), 1);
    return clock();
  };

  /** Lets it end; whoever calls must wait for the end of the call that it belongs to. */
  finish(): void {
    this.#gate!.resolve();
    this.#gate = null;
    this.due = Infinity;
    Atomics.sub(this.#table.words, CREATING, 1);
  }
}

/** What one thread does. */
export async function runPlan(handle: RegionHandle, buffer: SharedArrayBuffer, plan: Plan): Promise<Outcome> {
  const table = new Table(buffer);
  const region = attachRegion<number>(handle, { clock: table.clock });
  const creator = new TickCreator(table, plan);
  const rnd = random(plan.seed);
  const failures: string[] = [];
  let slow = 0;
  let oldest = 0;
  let uses = 0;
  let next = table.clock();
  let call: Promise<void> | null = null;

  const begin = () => {
    const began = table.clock();
    call = callOnce(region, creator, plan, rnd)
      .then(
        (values) => {
          for (const value of values) oldest = Math.max(oldest, table.clock() - value);
        },
        (error) => failures.push(String(error)),
      )
      .then(() => {
        if (table.clock() > began) slow++;
        call = null;
        next = table.clock() + plan.use + plan.pause;
        if (++uses === plan.uses) Atomics.add(table.words, DONE, 1);
      });
  };

  for (;;) {
    if (creator.running && table.clock() >= creator.due) {
      creator.finish();
      await call;
    } else if (call === null && uses < plan.uses && table.clock() >= next) begin();
    await turns();
    if (call !== null && !creator.running) Atomics.add(table.words, WAITING, 1);
    if (meetAll(table, plan.threads)) break;
  }
  region.close();
  return { failures, slow, oldest };
}

async function callOnce(
  region: CacheRegion<number>,
  creator: TickCreator,
  plan: Plan,
  rnd: () => number,
): Promise<number[]> {
  if (plan.multi === undefined) return [await region.getOrCreate('0', () => creator.create(['0']))];
  const keys = Array.from({ length: 1 + Math.floor(rnd() * 5) }, () => `${Math.floor(rnd() * plan.multi!)}`);
  return region.getOrCreateMulti(keys, async (missing) => {
    const made = await creator.create(missing);
    return missing.map(() => made);
  });
}
