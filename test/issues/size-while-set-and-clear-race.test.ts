/**
 * `clear` raises a floor while other threads store. `size` and `bytes` are right: exact whenever all is at rest, and never above
 * what there can be, or below nothing, in between. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { type CacheRegion, createRegion, SharedCache } from '../../src/index.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';
import { checkAtRest, fixedBytes } from '../support/stress-heap.ts';
import { HANG_MS, serve, Thread } from '../support/threads.ts';

const OPTIONS = { maxBytes: 8 * 2 ** 20, maxThreads: 4, mutexes: 8, shards: 2 };
const KEYS = 40;
const THREADS = 3; // this one and two more
const RACE_MS = 1000;
const ROUNDS_MS = 1500;
const OPS = 12; // of a thread in a round
const ROW = 1; // of the region, behind the cache's own

/** Words: the number of the round, how many threads are done with it. */
const ROUND = 0;
const READY = 1;

interface Data {
  handle: CacheHandle;
  me: number;
  words: Int32Array;
}

const LARGE = 'x'.repeat(3000);

/** One thread's part: every thread does all of it, so that a clear of one meets a store of another at any point. */
class Racer {
  readonly cache: SharedCache<any>;
  readonly region: CacheRegion<any>;
  readonly #rnd: () => number;
  clears = 0;

  constructor(cache: SharedCache<any>, me: number) {
    this.cache = cache;
    this.region = createRegion({ name: 'raced', backend: 'cairn.slab', arguments: { cache } });
    this.#rnd = random(SEED + me);
  }

  /** `rare`: how often a clear or invalidation comes. */
  step(n: number, rare: number): void {
    const { cache, region } = this;
    const rnd = this.#rnd;
    const key = `key ${Math.floor(rnd() * KEYS)}`;
    if (rnd() < rare) {
      this.clears++;
      const what = rnd();
      if (what < 0.5) cache.clear();
      else if (what < 0.8) region.clearSync();
      else region.invalidateSync({ hard: what < 0.9 });
      return;
    }
    const what = rnd();
    if (what < 0.3) cache.set(key, n);
    else if (what < 0.4) cache.set(key, LARGE);
    else if (what < 0.5) cache.delete(key);
    else if (what < 0.55) cache.increment('count');
    else if (what < 0.9) region.setSync(key, n);
    else region.deleteSync(key);
  }
}

if (!isMainThread) {
  const { handle, me, words } = workerData as Data;
  const racer = new Racer(SharedCache.attach<any>(handle), me);
  serve({
    ready: () => true,
    race: () => {
      const end = performance.now() + RACE_MS;
      for (let n = 0; performance.now() < end; n++) racer.step(n, 0.2);
      return racer.clears;
    },
    /** A round begins when the word changes; below 0 there are no more. */
    rounds: () => {
      for (let round = 0; ; ) {
        while (Atomics.load(words, ROUND) === round) Atomics.wait(words, ROUND, round, HANG_MS);
        round = Atomics.load(words, ROUND);
        if (round < 0) return;
        for (let n = 0; n < OPS; n++) racer.step(n, 0.04);
        Atomics.add(words, READY, 1);
        Atomics.notify(words, READY);
      }
    },
  });
} else {
  const cache = SharedCache.create<any>(OPTIONS);
  const engine = SharedCache.engineOf(cache);
  const { x } = engine;
  const fixed = fixedBytes(cache);
  const words = new Int32Array(new SharedArrayBuffer(8));
  const threads = [1, 2].map((me) => new Thread(import.meta.url, { handle: cache.handle, me, words }));
  const racer = new Racer(cache, 0);
  const { region } = racer;

  test('a clear counts at once, whoever stores next', () => {
    for (let n = 0; n < 5; n++) {
      cache.set(`key ${n}`, LARGE);
      region.setSync(`key ${n}`, n);
    }
    cache.clear();
    assert.is(cache.size, 0);
    assert.is(x.region_count(0, 1), 0);
    assert.is(x.region_count(ROW, 0), 5);
    region.clearSync();
    assert.is(x.region_count(ROW, 0), 0);
    assert.is(cache.bytes, fixed);
    cache.set('key 1', 1);
    cache.delete('key 2'); // from below the floor
    assert.is(cache.size, 1);
    cache.delete('key 1');
    checkAtRest(cache);
    assert.is(cache.bytes, fixed);
  });

  test('a floor that is raised before its counter: what is stored between the two stands, and is counted', () => {
    for (const [row, floor] of [
      [0, L.G_CLEARED],
      [ROW, L.G_CLEARED],
      [ROW, L.G_HARD],
      [ROW, L.G_SOFT],
    ] as const) {
      const at = (field: number) => (engine.u32[L.H_REGIONS >> 2]! + row * L.REGION_SIZE + field) >> 3;
      const set = () => (row ? region.setSync('k', 1) : cache.set('k', 1));
      const get = () => (row ? region.getSync('k') : cache.get('k'));
      set();
      const generation = [L.G_GENERATION, L.G_CLEARED, L.G_HARD, L.G_SOFT]
        .map((field) => Atomics.load(engine.u64, at(field)))
        .sort((a, b) => Number(a - b))
        .at(-1)!;
      // a thread that raises it stands still between its two stores
      Atomics.store(engine.u64, at(floor), generation + 1n);
      assert.is(get(), undefined);
      assert.is(x.region_count(row, 0), floor === L.G_CLEARED ? 0 : 1);
      set();
      assert.is(get(), 1, `floor ${floor}`);
      assert.is(x.region_count(row, 0), 1);
      checkHeap(cache);
      Atomics.store(engine.u64, at(L.G_GENERATION), generation + 1n);
      assert.is(get(), 1);
      assert.is(x.region_count(row, 0), 1);
      if (row) region.deleteSync('k');
      else cache.delete('k');
      assert.is(x.region_count(row, 0), 0);
      checkHeap(cache);
    }
  });

  test(`three threads set and clear for ${RACE_MS} ms`, async () => {
    await Promise.all(threads.map((thread) => thread.ask('ready')));
    const others = threads.map((thread) => thread.ask<number>('race'));
    const rows = engine.u32[L.H_REGIONS >> 2]!;
    const word = (row: number, field: number) =>
      Atomics.load(engine.u32, (rows + row * L.REGION_SIZE + field) >> 2);
    let most = 0;
    let looks = 0;
    const end = performance.now() + RACE_MS;
    for (let n = 0; performance.now() < end; n++) {
      racer.step(n, 0.05);
      if (n % 16) continue;
      looks++;
      const { size, bytes } = cache;
      most = Math.max(most, size);
      assert.ok(size >= 0 && size <= KEYS + 1, `size ${size} of ${KEYS + 1} keys`);
      assert.ok(bytes >= fixed && bytes <= cache.maxBytes, `bytes ${bytes}`);
      const inRegion = x.region_count(ROW, 0);
      assert.ok(inRegion >= 0 && inRegion <= KEYS, `size of the region ${inRegion} of ${KEYS} keys`);
      const regionBytes = x.region_count(ROW, 1);
      assert.ok(regionBytes >= 0 && regionBytes <= KEYS * 128, `bytes of the region ${regionBytes}`);
      // the counter never says a generation to whose beginning no floor was raised yet: what is stored in it would count below
      for (let i = 0; i < 500; i++) {
        const row = i & 1;
        const counter = word(row, L.G_GENERATION);
        if (counter <= word(row, L.G_CLEARED)) continue;
        if (counter <= word(row, L.G_HARD) || counter <= word(row, L.G_SOFT)) continue;
        assert.unreachable(`row ${row}: the counter was raised to ${counter} before a floor was`);
      }
    }
    const all = (await Promise.all(others)).reduce((sum, clears) => sum + clears, racer.clears);
    console.log(`# ${all} clears and invalidations, ${looks} looks, at most ${most} entries`);
    assert.ok(all > 100 && most > 3, 'the race was one');
    checkHeap(cache);
  });

  test(`rounds of a few calls for ${ROUNDS_MS} ms: exact after each`, async () => {
    const others = threads.map((thread) => thread.ask('rounds'));
    const end = performance.now() + ROUNDS_MS;
    let rounds = 0;
    try {
      while (performance.now() < end) {
        rounds++;
        Atomics.store(words, READY, 0);
        Atomics.store(words, ROUND, rounds);
        Atomics.notify(words, ROUND);
        for (let n = 0; n < OPS; n++) racer.step(n, 0.04);
        for (let ready = 0; ready < THREADS - 1; ready = Atomics.load(words, READY))
          Atomics.wait(words, READY, ready, HANG_MS);
        checkHeap(cache); // compares counters and entries
        assert.is(cache.size, [...cache.keys()].length, `round ${rounds}`);
        assert.is(cache.bytes, fixedBytes(cache) + x.region_count(0, 1) + x.region_count(ROW, 1));
      }
    } finally {
      Atomics.store(words, ROUND, -1);
      Atomics.notify(words, ROUND);
      await Promise.all(others);
    }
    console.log(`# ${rounds} rounds`);
    assert.ok(rounds > 50);
  });

  test('when all have gone: everything can be taken away, and nothing is left', async () => {
    await Promise.all(threads.map((thread) => thread.leave()));
    for (let n = 0; n < KEYS; n++) {
      cache.delete(`key ${n}`);
      region.deleteSync(`key ${n}`);
    }
    cache.delete('count');
    assert.is(cache.size, 0);
    assert.is(x.region_count(ROW, 0), 0);
    assert.is(x.region_count(ROW, 1), 0);
    assert.is(cache.bytes, fixedBytes(cache));
    checkAtRest(cache);
    region.close();
    cache.close();
  });
  test.run();
}
