/**
 * `mutexes` is a throttle: 4 threads that want 500 missing keys at `mutexes: 8` run never more than 8 creators at once,
 * each key's once; who asks meanwhile for an expired key whose mutex is busy gets the old value without waiting. This
 * file is its own worker.
 */
import { isMainThread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion, type RegionHandle } from '../../src/index.ts';
import { random, SEED } from '../support/engine.ts';
import { Crew, checkLeft, pick, runsOf, sharedRegion, turn } from '../support/region-threads.ts';
import { serve, until } from '../support/threads.ts';

const THREADS = 4;
const MUTEXES = 8;
const KEYS = 500;
const OLD_KEYS = 64;
const EXPIRATION = 1_000;
/** Keys of a call for several. */
const SEVERAL = 5;

/** Words of the side table: the clock, the gate (0: closed), creators that run, the most of them, ended ones, then runs by key. */
const CLOCK = 0;
const GATE = 1;
const RUNNING = 2;
const MOST = 3;
const FINISHED = 4;
const RUNS = 8;
const WORDS = RUNS + KEYS + OLD_KEYS;

interface Job {
  handle: RegionHandle;
  side: SharedArrayBuffer;
  seed: number;
}

/** All threads read the same time, which goes on only when the test says so. */
function clockOf(side: Int32Array): () => number {
  return () => 1_000_000 + Atomics.load(side, CLOCK);
}

function enter(side: Int32Array): void {
  const running = Atomics.add(side, RUNNING, 1) + 1;
  for (let most = Atomics.load(side, MOST); most < running; most = Atomics.load(side, MOST)) {
    if (Atomics.compareExchange(side, MOST, most, running) === most) break;
  }
}

async function pass(side: Int32Array): Promise<void> {
  while (Atomics.load(side, GATE) === 0) await Atomics.waitAsync(side, GATE, 0).value;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const oldNames = numbers(OLD_KEYS).map((n) => `old ${n}`);

/** A thread's part: what `ask` began goes on behind the answer, until `end` asks what became of it. */
class Asker {
  readonly #side: Int32Array;
  readonly #region: CacheRegion<string>;
  readonly #rnd: () => number;
  #asked: Promise<string[]>[] = [];
  #names: string[][] = [];

  constructor({ handle, side, seed }: Job) {
    this.#side = new Int32Array(side);
    this.#region = attachRegion<string>(handle, { clock: clockOf(this.#side) });
    this.#rnd = random(seed);
  }

  async #create(names: readonly string[]): Promise<string[]> {
    const side = this.#side;
    enter(side);
    for (const name of names) Atomics.add(side, RUNS + Number(name.slice(4)), 1);
    await pass(side);
    await turn();
    Atomics.sub(side, RUNNING, 1);
    Atomics.add(side, FINISHED, 1);
    return names.map((name) => `made ${name}`);
  }

  /** Asks for all keys at once, in an order of its own. */
  ask(several: boolean): void {
    const names = pick(this.#rnd, KEYS, KEYS).map((n) => `key ${n}`);
    const region = this.#region;
    if (several) {
      while (names.length > 0) this.#names.push(names.splice(0, SEVERAL));
      this.#asked = this.#names.map((some) =>
        region.getOrCreateMulti(some, (wanted) => this.#create(wanted)),
      );
    } else {
      this.#names = names.map((name) => [name]);
      this.#asked = names.map((name) =>
        region.getOrCreate(name, async () => (await this.#create([name]))[0]!).then((value) => [value]),
      );
    }
  }

  /** Asks for all expired keys by one form. */
  async askOld(how: string): Promise<string[]> {
    const side = this.#side;
    const region = this.#region;
    const make = (name: string) => {
      Atomics.add(side, RUNS + KEYS + Number(name.slice(4)), 1);
      return `made ${name}`;
    };
    const makeAll = (names: readonly string[]) => names.map(make);
    if (how === 'one') return Promise.all(oldNames.map((name) => region.getOrCreate(name, () => make(name))));
    if (how === 'several') return region.getOrCreateMulti(oldNames, makeAll);
    if (how === 'one Sync') return oldNames.map((name) => region.getOrCreateSync(name, () => make(name)));
    if (how === 'several Sync') return region.getOrCreateMultiSync(oldNames, makeAll);
    const refresh = 'background';
    return Promise.all(oldNames.map((name) => region.getOrCreate(name, () => make(name), { refresh })));
  }

  /** What was wrong, once all that `ask` began has ended. */
  async end(): Promise<string[]> {
    const wrong: string[] = [];
    const answers = await Promise.all(this.#asked);
    answers.forEach((values, n) => {
      const right = this.#names[n]!.map((name) => `made ${name}`);
      if (values.join() !== right.join()) wrong.push(`${values} in the place of ${right}`);
    });
    if (runsOf(this.#region) > 0) wrong.push(`${runsOf(this.#region)} creations were left`);
    this.#region.close();
    return wrong;
  }
}

if (!isMainThread) {
  let asker: Asker;
  serve({
    begin(job: Job) {
      asker = new Asker(job);
    },
    ask: (several: boolean) => asker.ask(several),
    askOld: (how: string) => asker.askOld(how),
    end: () => asker.end(),
  });
}

const FORMS = ['one', 'several', 'one Sync', 'several Sync', 'background'];

async function begin(crew: Crew) {
  const side = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const shared = sharedRegion<string>(MUTEXES, { clock: clockOf(side), expirationTime: EXPIRATION });
  const { handle } = shared.region;
  await crew.ask('begin', (me): Job => ({ handle, side: side.buffer as SharedArrayBuffer, seed: SEED + me }));
  return { side, shared };
}

function open(side: Int32Array): void {
  Atomics.store(side, GATE, 1);
  Atomics.notify(side, GATE);
}

/** Each key was created once, and never more creators ran than there are mutexes. */
function checkRuns(side: Int32Array, wrong: string[][]): void {
  assert.equal(wrong.flat(), []);
  const runs = [...side.subarray(RUNS, RUNS + KEYS)];
  assert.equal(
    runs.flatMap((count, key) => (count === 1 ? [] : [`key ${key}: ${count} creations`])),
    [],
  );
  assert.is(side[RUNNING], 0);
}

if (isMainThread) {
  const crew = new Crew(import.meta.url, THREADS);

  test('8 creators at most, and old values at once while all 8 are parked', async () => {
    const { side, shared } = await begin(crew);
    const { region } = shared;
    await region.setMulti(oldNames.map((name) => [name, `stored ${name}`] as const));
    Atomics.add(side, CLOCK, EXPIRATION + 1);
    await crew.ask('ask', () => false);
    assert.ok(await until(() => Atomics.load(side, RUNNING) === MUTEXES), 'all mutexes are busy');
    // Nobody opens the gate before these are answered: who waited for a creator would hang.
    for (const how of FORMS) {
      const answers = await crew.ask<string[]>('askOld', () => how);
      for (const values of answers) {
        assert.equal(
          values,
          oldNames.map((name) => `stored ${name}`),
          how,
        );
      }
    }
    assert.is(Atomics.load(side, RUNNING), MUTEXES);
    assert.is(Atomics.load(side, FINISHED), 0, 'all creators are still parked');
    assert.is(region.stats().staleServed, THREADS * OLD_KEYS * FORMS.length);
    const began = performance.now();
    open(side);
    checkRuns(side, await crew.ask<string[]>('end', () => undefined));
    const ms = Math.round(performance.now() - began);
    assert.is(side[MOST], MUTEXES);
    const oldRuns = side.subarray(RUNS + KEYS);
    assert.ok(
      oldRuns.every((count) => count === 0),
      'no creator of an expired key ran',
    );
    const { loads, unlockedCreations, waits } = region.stats();
    assert.equal({ loads, unlockedCreations }, { loads: KEYS, unlockedCreations: 0 });
    console.log(`# ${KEYS} keys in ${ms} ms with ${waits} waits`);
    for (const name of oldNames)
      assert.is(await region.getOrCreate(name, () => `new ${name}`), `new ${name}`);
    checkLeft(shared);
  });

  test('some threads ask for several keys at once: 8 creators at most', async () => {
    const { side, shared } = await begin(crew);
    open(side);
    await crew.ask('ask', (me) => me % 2 === 0);
    checkRuns(side, await crew.ask<string[]>('end', () => undefined));
    const { loads, unlockedCreations, waits } = shared.region.stats();
    assert.is(unlockedCreations, 0);
    assert.is(loads, Atomics.load(side, FINISHED));
    assert.ok(side[MOST]! <= MUTEXES, `${side[MOST]} creators ran at once`);
    assert.ok(side[MOST]! > 1, 'only one creator ran at once');
    assert.ok(loads < KEYS, 'creators of several keys made some');
    console.log(`# ${KEYS} keys by ${loads} loads, at most ${side[MOST]} at once, ${waits} waits`);
    checkLeft(shared);
  });

  test.after(() => crew.end());
  test.run();
}
