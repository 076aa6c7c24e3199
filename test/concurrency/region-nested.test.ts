/**
 * Creators that ask for other keys, three levels deep, in 8 threads at once, with all forms mixed: nothing locks up, and
 * every call gets a value of its key that is no older than the last change which had ended before the call. Only a key
 * of the caller's own chain may be refused. This file is its own worker.
 */
import { isMainThread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion, type RegionHandle } from '../../src/index.ts';
import { random, SEED } from '../support/engine.ts';
import { Crew, checkLeft, pick, runsOf, sharedRegion, turn } from '../support/region-threads.ts';
import { serve } from '../support/threads.ts';

const THREADS = 8;
const POOL = 60;
const LEVELS = 3;
/** Keys of a call for several, and how many keys are deleted behind a call from outside of creators. */
const SEVERAL = 6;
const DELETED = 8;
const OF_ALL_SHARE = 0.1;

/** Words of the side table: how many changes of all keys, and of each key, were begun, and how many had ended. */
const BEGUN = 0;
const ENDED = POOL + 1;
const WORDS = 2 * (POOL + 1);
const OF_ALL = 0;

interface Job {
  handle: RegionHandle;
  side: SharedArrayBuffer;
  calls: number;
  /** Calls from outside of creators that a thread has going at once. */
  lanes: number;
  forms: 'promise' | 'sync' | 'both';
  seed: number;
}

interface Report {
  wrong: string[];
  calls: number;
  loads: number;
  /** Calls that were refused since a key was of their own chain. */
  refused: number;
  deepest: number;
}

/** The creators that a call stands in, by their keys. */
interface Chain {
  readonly keys: ReadonlySet<string>;
  readonly outer: Chain | null;
  readonly level: number;
}

const nameOf = (key: number) => `key ${key}`;
const keyOf = (name: string) => Number(name.slice(4));

function isIn(chain: Chain | null, names: readonly string[]): boolean {
  for (let at = chain; at !== null; at = at.outer) if (names.some((name) => at.keys.has(name))) return true;
  return false;
}

class Caller {
  readonly report: Report = { wrong: [], calls: 0, loads: 0, refused: 0, deepest: 0 };
  /** What a Sync creator began and could not wait for. */
  readonly left: Promise<void>[] = [];
  readonly #side: Int32Array;
  readonly #region: CacheRegion<string>;
  readonly #rnd: () => number;
  readonly #forms: Job['forms'];

  constructor(side: Int32Array, region: CacheRegion<string>, rnd: () => number, forms: Job['forms']) {
    this.#side = side;
    this.#region = region;
    this.#rnd = rnd;
    this.#forms = forms;
  }

  #wrong(what: string): void {
    if (this.report.wrong.length < 20) this.report.wrong.push(what);
  }

  /** Its key, and how many changes had begun when its creator did. */
  #value(name: string): string {
    const begun = (of: number) => Atomics.load(this.#side, BEGUN + of);
    return `${name}:${begun(OF_ALL)}:${begun(1 + keyOf(name))}`;
  }

  #check(how: string, names: readonly string[], ended: readonly number[][], values: readonly string[]): void {
    if (values.length !== names.length) this.#wrong(`${how}: ${values.length} values of ${names.length}`);
    names.forEach((name, n) => {
      const [of, all, own] = String(values[n]).split(':');
      if (of !== name) this.#wrong(`${how}: ${values[n]} in the place of ${name}`);
      const [allEnded, ownEnded] = ended[n]!;
      if (Number(all) < allEnded!)
        this.#wrong(`${how}: ${values[n]} is from before invalidation ${allEnded}`);
      if (Number(own) < ownEnded!)
        this.#wrong(`${how}: ${values[n]} is from before change ${ownEnded} of it`);
    });
  }

  #names(count: number): string[] {
    return pick(this.#rnd, count, POOL).map(nameOf);
  }

  /** One call within `chain`; it has ended when this answers, but for `left`. */
  call(chain: Chain | null, mustBeSync: boolean): Promise<void> | void {
    const several = this.#rnd() < 0.5;
    const names = this.#names(several ? 2 + Math.floor(this.#rnd() * (SEVERAL - 1)) : 1);
    const ended = names.map((name) =>
      [OF_ALL, 1 + keyOf(name)].map((of) => Atomics.load(this.#side, ENDED + of)),
    );
    const sync = mustBeSync || this.#forms === 'sync' || (this.#forms === 'both' && this.#rnd() < 0.4);
    const how = `${several ? 'several' : 'one'}${sync ? ' Sync' : ''} at level ${chain?.level ?? 0}`;
    const take = (values: readonly string[]) => this.#check(how, names, ended, values);
    const refused = (error: Error) => {
      if (error.name === 'ReentrantCreationError' && isIn(chain, names)) this.report.refused++;
      else this.#wrong(`${how}: ${names} ${error.stack}`);
    };
    this.report.calls++;
    const region = this.#region;
    if (!sync) {
      const asked = several
        ? region.getOrCreateMulti(names, (keys) => this.#create(chain, keys))
        : region
            .getOrCreate(names[0]!, () => this.#create(chain, names).then(([made]) => made!))
            .then((one) => [one]);
      return asked.then(take, refused);
    }
    try {
      if (several) take(region.getOrCreateMultiSync(names, (keys) => this.#createSync(chain, keys)));
      else take([region.getOrCreateSync(names[0]!, () => this.#createSync(chain, names)[0]!)]);
    } catch (error) {
      refused(error as Error);
    }
  }

  #begin(outer: Chain | null, keys: readonly string[]): { chain: Chain; values: string[]; asks: number } {
    const chain = { keys: new Set(keys), outer, level: (outer?.level ?? 0) + 1 };
    this.report.loads++;
    this.report.deepest = Math.max(this.report.deepest, chain.level);
    const asks = chain.level > LEVELS ? 0 : Math.floor(this.#rnd() * 3);
    return { chain, values: keys.map((name) => this.#value(name)), asks };
  }

  async #create(outer: Chain | null, keys: readonly string[]): Promise<string[]> {
    const { chain, values, asks } = this.#begin(outer, keys);
    for (let turns = Math.floor(this.#rnd() * 4); turns > 0; turns--) await turn();
    const atOnce = this.#rnd() < 0.5;
    const asked: unknown[] = [];
    for (let n = 0; n < asks; n++) {
      const one = this.call(chain, false);
      if (atOnce) asked.push(one);
      else await one;
    }
    await Promise.all(asked);
    return values;
  }

  #createSync(outer: Chain | null, keys: readonly string[]): string[] {
    const { chain, values, asks } = this.#begin(outer, keys);
    for (let n = 0; n < asks; n++) {
      const left = this.#forms === 'both' && this.#rnd() < 0.2;
      const one = this.call(chain, !left);
      if (one !== undefined) this.left.push(one);
    }
    return values;
  }

  /** Takes values away: of some keys, now and then of all. */
  change(): void {
    const region = this.#region;
    const changed = (of: readonly number[], change: () => void) => {
      for (const one of of) Atomics.add(this.#side, BEGUN + one, 1);
      change();
      for (const one of of) Atomics.add(this.#side, ENDED + one, 1);
    };
    if (this.#rnd() < OF_ALL_SHARE) {
      changed([OF_ALL], () => (this.#rnd() < 0.5 ? region.clearSync() : region.invalidateSync()));
    } else {
      const names = this.#names(DELETED);
      changed(
        names.map((name) => 1 + keyOf(name)),
        () => region.deleteMultiSync(names),
      );
    }
  }
}

async function nest(job: Job): Promise<Report> {
  const region = attachRegion<string>(job.handle);
  const caller = new Caller(new Int32Array(job.side), region, random(job.seed), job.forms);
  const lane = async () => {
    for (let n = 0; n < job.calls / job.lanes; n++) {
      await caller.call(null, false);
      caller.change();
      // A Sync call leaves the loop no turn.
      await turn();
    }
  };
  await Promise.all(Array.from({ length: job.lanes }, lane));
  while (caller.left.length > 0) await Promise.all(caller.left.splice(0));
  if (runsOf(region) > 0) caller.report.wrong.push(`${runsOf(region)} creations were left`);
  region.close();
  return caller.report;
}

if (!isMainThread) serve({ nest });

function check(crew: Crew, mutexes: number, forms: Job['forms'], lanes: number, calls: number): void {
  const title = `mutexes: ${mutexes}, forms: ${forms}, ${lanes} calls at once: no deadlock, right values`;
  test(title, async () => {
    const shared = sharedRegion<string>(mutexes);
    const { handle } = shared.region;
    const side = new SharedArrayBuffer(WORDS * 4);
    const began = performance.now();
    const jobOf = (me: number): Job => ({ handle, side, calls, lanes, forms, seed: SEED + me });
    const reports = await crew.ask<Report>('nest', jobOf);
    const ms = Math.round(performance.now() - began);
    assert.equal(
      reports.flatMap(({ wrong }) => wrong),
      [],
    );
    const sum = (of: 'calls' | 'loads' | 'refused') => reports.reduce((all, report) => all + report[of], 0);
    const stats = shared.region.stats();
    assert.is(stats.loads, sum('loads'));
    assert.ok(sum('refused') > 0, 'no creator asked for a key of its own chain');
    assert.is(Math.max(...reports.map(({ deepest }) => deepest)), LEVELS + 1);
    // With one mutex a nested creation goes on under its outer one's; a Sync call may meet one of another lane.
    if (mutexes === 1 && forms !== 'both') assert.is(stats.unlockedCreations, 0);
    else assert.ok(stats.unlockedCreations > 0, 'no lower mutex was asked for in vain');
    assert.ok(stats.waits > 0, 'no thread ever waited for another');
    console.log(
      `# mutexes ${mutexes}, ${forms}: ${sum('calls')} calls in ${ms} ms, ${sum('loads')} loads, ` +
        `${stats.unlockedCreations} unlocked, ${stats.waits} waits, ${sum('refused')} refused`,
    );
    checkLeft(shared);
  });
}

if (isMainThread) {
  const crew = new Crew(import.meta.url, THREADS);
  for (const mutexes of [1, 2, 7, 64, 1024]) {
    for (const forms of ['promise', 'sync', 'both'] as const)
      check(crew, mutexes, forms, forms === 'sync' ? 1 : 3, 300);
  }
  test.after(() => crew.end());
  test.run();
}
