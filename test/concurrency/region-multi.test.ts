/**
 * `getOrCreateMulti` over 8 threads that ask for overlapping keys in orders of their own: nothing locks up, and what is
 * missing is created once over all threads. This file is its own worker.
 */
import { isMainThread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion, type RegionHandle } from '../../src/index.ts';
import { random, SEED } from '../support/engine.ts';
import { Crew, checkLeft, pick, Rounds, runsOf, sharedRegion, turn } from '../support/region-threads.ts';
import { serve } from '../support/threads.ts';

const THREADS = 8;
const POOL = 200;
const ASKED_FOR = 50;
/** Share of the rounds that begin a generation: whatever stood is missing again. */
const NEW_GENERATION = 0.75;
/** Mutexes and rounds: 1,000 rounds together. */
const ONE_CALL = [
  [1, 100],
  [2, 100],
  [3, 100],
  [7, 150],
  [64, 250],
  [1024, 300],
] as const;

/** Words of the side table: the generation, the rounds, then by key who asked and how often it was created. */
const GENERATION = 0;
const ROUNDS = 1;
const ASKED = 8;
const RUNS = ASKED + POOL;
const WORDS = RUNS + POOL;

interface Job {
  handle: RegionHandle;
  side: SharedArrayBuffer;
  rounds: number;
  /** Calls of a thread at once. */
  calls: number;
  seed: number;
}

interface Report {
  wrong: string[];
  /** Calls of creators. */
  loads: number;
  calls: Record<string, number>;
}

const nameOf = (key: number) => `key ${key}`;
const keyOf = (name: string) => Number(name.slice(4));

class Caller {
  readonly report: Report = { wrong: [], loads: 0, calls: {} };
  readonly #side: Int32Array;
  readonly #region: CacheRegion<string>;
  readonly #rnd: () => number;

  constructor(side: Int32Array, region: CacheRegion<string>, rnd: () => number) {
    this.#side = side;
    this.#region = region;
    this.#rnd = rnd;
  }

  wrong(what: string): void {
    if (this.report.wrong.length < 20) this.report.wrong.push(what);
  }

  #value(name: string): string {
    return `${name} of generation ${Atomics.load(this.#side, GENERATION)}`;
  }

  #make(name: string): string {
    Atomics.add(this.#side, RUNS + keyOf(name), 1);
    return this.#value(name);
  }

  #makeAll(names: readonly string[], wanted: ReadonlySet<string>): string[] {
    this.report.loads++;
    names.forEach((name, n) => {
      if (!wanted.has(name)) this.wrong(`the creator got ${name}, which was not asked for`);
      if (n > 0 && !(names[n - 1]! < name)) this.wrong(`the creator got ${names[n - 1]} before ${name}`);
    });
    return names.map((name) => this.#make(name));
  }

  /** 50 keys, some of them twice or more. */
  #keys(): string[] {
    const rnd = this.#rnd;
    const keys = pick(rnd, ASKED_FOR, POOL);
    for (const key of keys) Atomics.store(this.#side, ASKED + key, 1);
    const twice = pick(rnd, Math.floor(rnd() * 10), ASKED_FOR).map((n) => keys[n]!);
    for (const key of twice) keys.splice(Math.floor(rnd() * (keys.length + 1)), 0, key);
    return keys.map(nameOf);
  }

  async #ask(how: string, names: string[]): Promise<string[]> {
    const region = this.#region;
    const wanted = new Set(names);
    const late = this.#rnd() < 0.5;
    if (how === 'sync') return region.getOrCreateMultiSync(names, (keys) => this.#makeAll(keys, wanted));
    if (how === 'multi') {
      return region.getOrCreateMulti(names, async (keys) => {
        const made = this.#makeAll(keys, wanted);
        if (late) await turn();
        return made;
      });
    }
    const creator = (name: string) => {
      this.report.loads++;
      const made = this.#make(name);
      return late ? turn().then(() => made) : made;
    };
    return Promise.all(names.map((name) => region.getOrCreate(name, () => creator(name))));
  }

  async call(how: string): Promise<void> {
    const names = this.#keys();
    this.report.calls[how] = (this.report.calls[how] ?? 0) + 1;
    try {
      const values = await this.#ask(how, names);
      const right = names.map((name) => this.#value(name));
      if (values.length !== right.length) this.wrong(`${how}: ${values.length} values of ${right.length}`);
      const bad = right.findIndex((value, n) => values[n] !== value);
      if (bad >= 0) this.wrong(`${how}: ${values[bad]} in the place of ${right[bad]}`);
    } catch (error) {
      this.wrong(`${how}: ${error}`);
    }
  }
}

/** With all threads at rest: whether each key was created as it should be; then often a new generation. */
function between(side: Int32Array, region: CacheRegion<string>, caller: Caller, rnd: () => number): void {
  for (let key = 0; key < POOL; key++) {
    const [asked, runs] = [side[ASKED + key], side[RUNS + key]];
    if (asked !== runs) caller.wrong(`${nameOf(key)}: ${runs} creations, ${asked ? '' : 'not '}asked for`);
  }
  if (rnd() >= NEW_GENERATION) return;
  if (rnd() < 0.5) region.invalidateSync();
  else region.clearSync();
  side.fill(0, ASKED);
  Atomics.add(side, GENERATION, 1);
}

/** Sync forms are for a thread that does nothing else at the time: it would stop its own creations. */
function forms(rnd: () => number, calls: number): string[] {
  const kinds = calls === 1 ? ['multi', 'multi', 'sync', 'single'] : ['multi', 'multi', 'single'];
  return Array.from({ length: calls }, () => kinds[Math.floor(rnd() * kinds.length)]!);
}

async function rounds(job: Job): Promise<Report> {
  const side = new Int32Array(job.side);
  const region = attachRegion<string>(job.handle);
  const rnd = random(job.seed);
  const caller = new Caller(side, region, rnd);
  const meeting = new Rounds(side, ROUNDS, THREADS);
  for (let round = 0; round < job.rounds; round++) {
    meeting.meet(() => between(side, region, caller, rnd));
    await Promise.all(forms(rnd, job.calls).map((how) => caller.call(how)));
    if (runsOf(region) > 0) caller.wrong(`${runsOf(region)} creations were left`);
  }
  meeting.meet(() => between(side, region, caller, rnd));
  region.close();
  return caller.report;
}

if (!isMainThread) serve({ rounds });

function check(crew: Crew, mutexes: number, count: number, calls: number): void {
  const title = `mutexes: ${mutexes}, ${calls === 1 ? 'a call' : `${calls} calls`} a thread: each missing key is created once`;
  test(title, async () => {
    const shared = sharedRegion<string>(mutexes);
    const side = new SharedArrayBuffer(WORDS * 4);
    const began = performance.now();
    const { handle } = shared.region;
    const jobOf = (me: number): Job => ({ handle, side, rounds: count, calls, seed: SEED + me });
    const reports = await crew.ask<Report>('rounds', jobOf);
    const ms = Math.round(performance.now() - began);
    assert.equal(
      reports.flatMap(({ wrong }) => wrong),
      [],
    );
    const stats = shared.region.stats();
    assert.is(stats.unlockedCreations, 0);
    assert.is(
      stats.loads,
      reports.reduce((sum, { loads }) => sum + loads, 0),
    );
    assert.ok(stats.waits > 0, 'no thread ever waited for another');
    console.log(
      `# mutexes ${mutexes}: ${count} rounds in ${ms} ms, ${stats.loads} loads, ${stats.waits} waits`,
    );
    checkLeft(shared);
  });
}

if (isMainThread) {
  const crew = new Crew(import.meta.url, THREADS);
  for (const [mutexes, count] of ONE_CALL) check(crew, mutexes, count, 1);
  for (const mutexes of [1, 7, 1024]) check(crew, mutexes, 30, 3);
  test.after(() => crew.end());
  test.run();
}
