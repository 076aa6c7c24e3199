/**
 * dogpile.cache, 3g: L:ConcurrencyTest, F:test_threaded_dogpile, F:test_threaded_get_multi, F:test_mutex_threaded, with
 * worker threads over cairn.slab. A tick of the shared clock (lockstep.ts) is 0.05 of dogpile.cache's seconds. This file
 * is its own worker.
 */
import { isMainThread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion, createRegion, SlabBackend } from '../../src/index.ts';
import { random, SEED } from '../support/engine.ts';
import { HANG_MS, meet, newGate, serve, Thread } from '../support/threads.ts';
import { checkRegionHeap, turns } from './fixtures.ts';
import { type Outcome, type Plan, runPlan, Table } from './lockstep.ts';

const THREADS = 10;
const TICKS = 20;

function region(options: object, args: object = {}): CacheRegion<any> {
  const all = { maxBytes: 2 ** 22, maxThreads: THREADS + 1, ...args };
  return createRegion<any>({ name: 'threads', backend: 'cairn.slab', arguments: all, ...options });
}

/** One word each: creators that run, runs, overlaps, threads that came. */
const RUNNING = 0;
const RUNS = 1;
const OVERLAPS = 2;

/** Blocks a `Sync` thread, or turns the event loop of another. */
function nap(sync: boolean): void | Promise<void> {
  if (!sync) return turns();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/** Calls one creator that fails in the first `failing` runs, and that ends when all other callers wait. */
async function failingOnce(
  shared: CacheRegion<string>,
  side: Int32Array,
  plan: FailingPlan,
): Promise<string> {
  const begin = () => {
    const run = Atomics.add(side, RUNS, 1) + 1;
    if (Atomics.add(side, RUNNING, 1) !== 0) Atomics.add(side, OVERLAPS, 1);
    return run;
  };
  const end = (run: number) => {
    Atomics.sub(side, RUNNING, 1);
    if (run <= plan.failing) throw new Error(`run ${run} failed`);
    return `value of run ${run}`;
  };
  const limit = performance.now() + HANG_MS / 4;
  const others = () => {
    if (performance.now() > limit) throw new Error('the others do not wait');
    return shared.stats().waits >= plan.callers - 1;
  };
  if (plan.sync) {
    const creator = (): string => {
      const run = begin();
      while (!others()) void nap(true);
      return end(run);
    };
    return shared.getOrCreateSync('k', creator, { waitTimeout: HANG_MS });
  }
  return shared.getOrCreate('k', async () => {
    const run = begin();
    while (!others()) await nap(false);
    return end(run);
  });
}

interface FailingPlan {
  readonly callers: number;
  readonly failing: number;
  readonly sync: boolean;
}

/** `rounds` calls for random keys of ten, each value too old at once; counts creators that overlap by key. */
function multiSync(shared: CacheRegion<number>, side: Int32Array, rounds: number, seed: number): number {
  const rnd = random(seed);
  let created = 0;
  const creator = (keys: readonly string[]) => {
    created += keys.length;
    for (const key of keys) if (Atomics.add(side, Number(key), 1) !== 0) Atomics.add(side, TICKS, 1);
    Atomics.wait(side, TICKS + 1, 0, rnd());
    for (const key of keys) Atomics.sub(side, Number(key), 1);
    return keys.map(() => 1);
  };
  for (let round = 0; round < rounds; round++) {
    const keys = Array.from({ length: 1 + Math.floor(rnd() * 5) }, () => `${Math.floor(rnd() * 10)}`);
    const values = shared.getOrCreateMultiSync(keys, creator, { waitTimeout: HANG_MS });
    if (values.length !== keys.length) throw new Error('values are missing');
    shared.deleteMultiSync(keys);
  }
  return created;
}

/** Five rounds with the mutex; in each it looks five times whether somebody else is in. */
async function mutexRounds(backend: SlabBackend, side: Int32Array, sync: boolean): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const mutex = backend.getMutex('foo');
    if (!(sync ? mutex.acquireSync(HANG_MS) : await mutex.acquire())) throw new Error('not acquired');
    for (let look = 0; look < 5; look++) {
      if (Atomics.add(side, RUNNING, 1) !== 0) Atomics.add(side, OVERLAPS, 1);
      Atomics.add(side, RUNS, 1);
      await nap(sync);
      Atomics.sub(side, RUNNING, 1);
    }
    mutex.release();
    await nap(sync);
  }
}

if (!isMainThread) {
  serve({
    plan: runPlan,
    async failing(handle: never, side: Int32Array, gate: Int32Array, plan: FailingPlan) {
      const shared = attachRegion<string>(handle);
      meet(gate, plan.callers);
      try {
        return await failingOnce(shared, side, plan);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      } finally {
        shared.close();
      }
    },
    multiSync(
      handle: never,
      side: Int32Array,
      gate: Int32Array,
      threads: number,
      rounds: number,
      seed: number,
    ) {
      const shared = attachRegion<number>(handle);
      meet(gate, threads);
      try {
        return multiSync(shared, side, rounds, seed);
      } finally {
        shared.close();
      }
    },
    async mutex(handle: never, side: Int32Array, gate: Int32Array, threads: number, sync: boolean) {
      const backend = SlabBackend.attach(handle, { region: 'mutex' });
      meet(gate, threads);
      await mutexRounds(backend, side, sync);
      backend.close();
    },
  });
} else {
  const threads = Array.from({ length: THREADS }, () => new Thread(import.meta.url, {}));
  const newSide = () => new Int32Array(new SharedArrayBuffer(4 * 64));

  const runAll = async (plan: Omit<Plan, 'seed' | 'threads'> & { threads?: number }) => {
    const table = new Table();
    const count = plan.threads ?? THREADS;
    const args = plan.ttl === undefined ? {} : { ttl: plan.ttl };
    const shared = region({ expirationTime: plan.expire, clock: table.clock }, args);
    const outcomes = await Promise.all(
      threads.slice(0, count).map((thread, n) =>
        thread.ask<Outcome>('plan', shared.handle, table.words.buffer, {
          ...plan,
          threads: count,
          seed: SEED + n,
        }),
      ),
    );
    const { unlockedCreations } = shared.stats();
    checkRegionHeap(shared);
    shared.close();
    return {
      failures: outcomes.flatMap(({ failures }) => failures),
      slow: outcomes.reduce((sum, outcome) => sum + outcome.slow, 0),
      oldest: Math.max(...outcomes.map((outcome) => outcome.oldest)),
      overlaps: table.overlaps,
      generations: table.generations,
      ticks: table.ticks,
      unlockedCreations,
    };
  };

  /** Seconds of dogpile.cache: expiry, creation, uses, use, pause; `store`: the store's own expiry. */
  const LOCK_TESTS: Record<string, [number, number, number, number, number, ('unsafe' | 'safe')?]> = {
    test_quick: [2, 0.5, 50, 0.05, 0.1],
    test_slow: [5, 2, 50, 0.1, 0.1],
    test_return_while_in_progress: [5, 2, 50, 1, 0.1],
    test_get_value_plus_created_long_create: [2, 2.5, 50, 0.05, 0.1],
    test_get_value_plus_created_registry_unsafe_cache: [1, 0.6, 100, 0.05, 0.1, 'unsafe'],
    test_get_value_plus_created_registry_safe_cache_quick: [2, 0.5, 50, 0.05, 0.1, 'safe'],
    test_get_value_plus_created_registry_safe_cache_slow: [5, 2, 50, 0.1, 0.1, 'safe'],
  };
  for (const [name, [expireS, createS, uses, useS, pauseS, store]] of Object.entries(LOCK_TESTS)) {
    test(`L:ConcurrencyTest.${name}`, async () => {
      const [expire, create, use, pause] = [expireS, createS, useS, pauseS].map((s) => Math.round(s * TICKS));
      const ttls = { unsafe: Math.round(0.8 * expire), safe: Math.round(1.1 * (expire + create)) };
      const ttl = store && ttls[store];
      const ran = await runAll({ expire, create, uses, use, pause, ...(ttl === undefined ? {} : { ttl }) });
      const effective = Math.min(expire, ttl ?? expire);
      const most = Math.ceil((1.1 * uses * (use + pause)) / effective);
      assert.equal(ran.failures, []);
      assert.is(ran.overlaps, 0, 'creators at once');
      assert.is(ran.unlockedCreations, 0);
      const bound = 1.1 * (effective + create + use + pause);
      assert.ok(ran.oldest < bound, `a value was ${ran.oldest} ticks old, the bound is ${bound}`);
      assert.ok(ran.generations <= most, `${ran.generations} generations, the bound is ${most}`);
      assert.ok(ran.generations >= 2, `${ran.generations} generations in ${ran.ticks} ticks`);
      const slow = store === 'unsafe' ? ran.generations * THREADS : ran.generations + THREADS - 1;
      assert.ok(ran.slow <= slow, `${ran.slow} calls waited, the bound is ${slow}`);
    });
  }

  test('F:test_threaded_dogpile: more than two creations, never two at once', async () => {
    const ran = await runAll({ expire: 5, create: 5, uses: 5, use: 0, pause: 10 });
    assert.equal(ran.failures, []);
    assert.ok(ran.generations > 2, `${ran.generations} creations`);
    assert.is(ran.overlaps, 0);
  });

  test('F:test_threaded_get_multi: never two creators at once for a key', async () => {
    const ran = await runAll({ threads: 6, expire: 5, create: 10, uses: 10, use: 0, pause: 10, multi: 10 });
    assert.equal(ran.failures, []);
    assert.ok(ran.generations > 10, `${ran.generations} values created`);
    assert.is(ran.overlaps, 0);
  });

  for (const mutexes of [2, 3, 1024]) {
    test(`3e, F:test_threaded_get_multi, Sync: no deadlock and no overlap with ${mutexes} mutexes`, async () => {
      const shared = region({}, { mutexes });
      const [side, gate, count] = [newSide(), newGate(), 5];
      const created = await Promise.all(
        threads
          .slice(0, count)
          .map((thread, n) =>
            thread.ask<number>('multiSync', shared.handle, side, gate, count, 40, SEED + n),
          ),
      );
      assert.is(side[TICKS], 0, 'creators of one key at once');
      assert.ok(created.reduce((sum, n) => sum + n) > 10);
      assert.is(shared.stats().unlockedCreations, 0);
      checkRegionHeap(shared);
      shared.close();
    });
  }

  for (const sync of [false, true]) {
    const form = sync ? 'Sync' : 'promises';

    test(`F:test_mutex_threaded, ${form}: five threads, five rounds, one holder`, async () => {
      const backend = new SlabBackend({ maxBytes: 2 ** 21, maxThreads: 8 }, { region: 'mutex' });
      const [side, gate, count] = [newSide(), newGate(), 5];
      await Promise.all(
        threads.slice(0, count).map((thread) => thread.ask('mutex', backend.handle, side, gate, count, sync)),
      );
      assert.is(side[RUNS], 125);
      assert.is(side[OVERLAPS], 0);
      assert.is(backend.getMutex('foo').locked(), false);
      backend.close();
    });

    for (const failing of [0, 2]) {
      const what = failing === 0 ? 'one run for all' : 'three runs, two errors, three values';
      test(`2c, ${form}: five threads on a missing key, the creator fails ${failing} times: ${what}`, async () => {
        const shared = region({});
        const [side, gate] = [newSide(), newGate()];
        const plan: FailingPlan = { callers: 5, failing, sync };
        const answers = await Promise.all(
          threads.slice(0, 5).map((thread) => thread.ask<string>('failing', shared.handle, side, gate, plan)),
        );
        assert.is(side[RUNS], failing + 1);
        assert.is(side[OVERLAPS], 0);
        const errors = Array.from({ length: failing }, (_, n) => `run ${n + 1} failed`);
        const values = Array.from({ length: 5 - failing }, () => `value of run ${failing + 1}`);
        assert.equal(answers.toSorted(), [...errors, ...values].toSorted());
        assert.is(shared.getSync('k'), values[0]);
        checkRegionHeap(shared);
        shared.close();
      });
    }
  }

  test('the threads end by themselves', async () => {
    const codes = await Promise.all(threads.map((thread) => thread.leave()));
    assert.equal(codes, Array(THREADS).fill(0));
  });

  test.run();
}
