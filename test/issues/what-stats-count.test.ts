/**
 * What `stats` counts: values, and the runs of creators. Placeholders, which creations leave while they run, are counted nowhere.
 * This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import {
  attachRegion,
  type CacheRegion,
  type CacheStats,
  createRegion,
  type RegionHandle,
  SharedCache,
  type SlabBackend,
} from '../../src/index.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';
import { serve, Thread } from '../support/threads.ts';

const OPTIONS = { maxBytes: 2 ** 20, maxThreads: 4, mutexes: 8, shards: 1 };

interface Data {
  cache: CacheHandle;
  region: RegionHandle;
  ran: Int32Array;
}

/** Many creations of few keys, of every way that they end: how many creators ran is counted beside. */
async function create(
  cache: SharedCache<any>,
  region: CacheRegion<any>,
  ran: Int32Array,
  seed: number,
): Promise<void> {
  const rnd = random(seed);
  const creator = (fails: boolean) => async () => {
    Atomics.add(ran, 0, 1);
    if (rnd() < 0.5) await new Promise((resolve) => setImmediate(resolve));
    if (fails) throw new Error('the origin is down');
    return 'made';
  };
  const syncCreator = (fails: boolean) => () => {
    Atomics.add(ran, 0, 1);
    if (fails) throw new Error('the origin is down');
    return 'made';
  };
  const one = async (n: number) => {
    const key = `key ${Math.floor(rnd() * 10)}`;
    const fails = rnd() < 0.2;
    const what = rnd();
    try {
      if (what < 0.25) await cache.getOrCreate(key, creator(fails), n % 2 ? { ttl: 60_000 } : undefined);
      else if (what < 0.5) await region.getOrCreate(key, creator(fails));
      else if (what < 0.6) cache.getOrCreateSync(key, syncCreator(fails));
      else if (what < 0.7) region.getOrCreateSync(key, syncCreator(fails));
      else if (what < 0.75) {
        // a creator within a creator, for the same mutexes
        await cache.getOrCreate(key, async () => {
          Atomics.add(ran, 0, 1);
          return region.getOrCreate(`in ${key}`, creator(false));
        });
      } else if (what < 0.9) cache.delete(key);
      else region.deleteSync(key);
    } catch (error) {
      assert.is((error as Error).message, 'the origin is down');
    }
  };
  for (let n = 0; n < 60; n++) await Promise.all([0, 1, 2, 3].map(() => one(n)));
}

if (!isMainThread) {
  const data = workerData as Data;
  const cache = SharedCache.attach<any>(data.cache);
  const region = attachRegion<any>(data.region);
  serve({
    create: (seed: number) => create(cache, region, data.ran, seed),
    stats: () => cache.stats(),
  });
} else {
  const changed = (cache: SharedCache<any>, run: () => void): Partial<CacheStats> => {
    const before = cache.stats();
    run();
    const after = cache.stats();
    return Object.fromEntries(
      Object.entries(after)
        .map(([name, value]) => [name, value - before[name as keyof CacheStats]] as const)
        .filter(([, value]) => value !== 0),
    );
  };

  test('sets: every value that was stored, and no placeholder', () => {
    const cache = SharedCache.create<any>(OPTIONS);
    const region = createRegion<any>({ name: 'r', backend: 'cairn.slab', arguments: { cache } });
    const backend = region.actualBackend as SlabBackend;
    const large = 'x'.repeat(5000);
    const tooLarge = 'x'.repeat(100_000);
    const fail = () => {
      throw new Error('the origin is down');
    };
    const is = (run: () => void, expected: Partial<CacheStats>) =>
      assert.equal(changed(cache, run), expected, String(run));
    is(() => cache.set('k', 1), { sets: 1 });
    is(() => cache.set('large', large), { sets: 1 });
    is(
      () =>
        cache.setMany([
          ['a', 1],
          ['b', 2],
          ['c', large],
        ]),
      { sets: 3 },
    );
    is(() => cache.add('k', 1), {});
    is(() => cache.add('new', large), { sets: 1 });
    is(() => cache.replace('none', 1), {});
    is(() => cache.replace('k', 2), { sets: 1 });
    is(() => cache.update('k', () => 3), { sets: 1 });
    is(() => cache.set('k', tooLarge), { refused: 1 });
    is(() => cache.touch('a', 10_000), {});
    // increments, in place and where they create
    is(() => cache.increment('count'), { sets: 1 });
    is(() => cache.increment('count'), { sets: 1 });
    is(() => cache.delete('count'), { deletes: 1 });
    is(() => cache.increment('count', 5, { initial: 2, ttl: 50_000 }), { sets: 1 });
    is(() => assert.throws(() => cache.increment('large')), {});
    is(
      () => assert.throws(() => cache.increment('none', Number.MAX_VALUE, { initial: Number.MAX_VALUE })),
      {},
    );
    // creations: one set for a value, none for the mark that stands before it
    is(() => cache.getOrCreateSync('made', () => 1), { misses: 1, loads: 1, sets: 1 });
    is(() => cache.getOrCreateSync('made', () => 2), { hits: 1 });
    is(() => assert.throws(() => cache.getOrCreateSync('fails', fail)), {
      misses: 1,
      loads: 1,
    });
    is(() => cache.getOrCreateSync('too large', () => tooLarge), { misses: 1, loads: 1, refused: 1 });
    is(() => region.getOrCreateSync('made', () => large), { misses: 1, loads: 1, sets: 1 });
    is(() => region.invalidateSync({ hard: false }), {});
    is(() => region.getOrCreateSync('made', () => 2), { hits: 1, loads: 1, sets: 1 });
    is(() => {
      const begun = backend.beginCreation('begun');
      backend.beginCreation('begun'); // shared
      assert.not(cache.has('begun'));
      backend.endCreation('begun', begun.token);
    }, {});
    is(() => {
      backend.beginCreation('begun');
      assert.not(backend.delete('begun'), 'a placeholder is no value');
    }, {});
    is(
      () => {
        backend.beginCreation('begun');
        region.setSync('begun', 1);
      },
      { sets: 1 },
    );
    is(() => backend.delete('begun'), { deletes: 1 });
    checkHeap(cache);
    region.close();
    cache.close();
  });

  test('evictions and expired: values that made room, and none of the placeholders', () => {
    const lease = 5;
    const cache = SharedCache.create<any>({ ...OPTIONS, lease });
    const region = createRegion<any>({ name: 'r', backend: 'cairn.slab', arguments: { cache } });
    const backend = region.actualBackend as SlabBackend;
    const over = 30_000; // more than fit
    const entries = () => SharedCache.engineOf(cache).x.debug_number(0, 0);
    // placeholders alone: they make room for each other, inside their leases and after them
    for (let n = 0; n < over; n++) backend.beginCreation(`placeholder ${n}`);
    const { sets, evictions: evicted, expired: reclaimed, hits, misses } = cache.stats();
    assert.equal([sets, evicted, reclaimed, hits, misses], [0, 0, 0, 0, 0]);
    assert.ok(entries() > 1000 && entries() < over, `${entries()} stand`);
    checkHeap(cache);
    // values take their room: nothing that was a value has left
    const fit = 1000;
    const made = changed(cache, () => {
      for (let n = 0; n < fit; n++) cache.set(`value ${n}`, n);
    });
    assert.is(made.sets, fit);
    assert.is(made.evictions ?? 0, fit - cache.size, 'evictions are the values that are missing');
    assert.is(made.expired, undefined);

    // values and placeholders at once: each value is there, or was evicted
    const both = changed(cache, () => {
      for (let n = 0; n < over; n++) {
        if (n % 2) backend.beginCreation(`placeholder ${n}`);
        else cache.set(`more ${n}`, n);
      }
    });
    assert.is(both.sets, over / 2);
    assert.is(cache.stats().evictions, fit + over / 2 - cache.size);
    assert.is(cache.stats().expired, 0);

    // what was cleared and what has expired: each value once, by the sweep or by eviction
    const cleared = cache.size;
    cache.clear();
    const end = performance.now() + 5 * lease;
    while (performance.now() < end); // all leases of placeholders are over as well
    for (let n = 0; entries() > 1; n++) {
      cache.set('k', n);
      assert.ok(n < 1_000_000, 'the sweep comes round');
    }
    const { evictions, expired } = cache.stats();
    assert.is(expired, cleared);
    assert.is(evictions, fit + over / 2 - cleared);
    checkHeap(cache);
    region.close();
    cache.close();
  });

  test('expired values are counted once, each', () => {
    let time = 1000;
    const cache = SharedCache.create<any>({ ...OPTIONS, clock: () => time });
    for (let n = 0; n < 500; n++) cache.set(`k ${n}`, n, { ttl: 10 });
    cache.set('k', 0);
    cache.set('last', 0, { ttl: 10 });
    time += 11;
    assert.is(cache.stats().expired, 0, 'nobody has reclaimed them');
    const engine = SharedCache.engineOf(cache);
    for (let n = 0; engine.x.debug_number(0, 0) > 1; n++) {
      cache.set('k', n);
      assert.ok(n < 1_000_000, 'the sweep comes round');
    }
    assert.is(cache.stats().expired, 501);
    assert.is(cache.stats().evictions, 0);
    checkHeap(cache);
    cache.close();
  });

  test('loads: the runs of creators, over all threads', async () => {
    const cache = SharedCache.create<any>(OPTIONS);
    const region = createRegion<any>({ name: 'r', backend: 'cairn.slab', arguments: { cache } });
    const ran = new Int32Array(new SharedArrayBuffer(4));
    const threads = [1, 2].map(
      () => new Thread(import.meta.url, { cache: cache.handle, region: region.handle, ran }),
    );
    const working = threads.map((thread, n) => thread.ask('create', SEED + n));
    await create(cache, region, ran, SEED + 7);
    await Promise.all(working);
    const { loads, unlockedLoads, sets } = cache.stats();
    console.log(`# ${loads} loads, ${unlockedLoads} of them unlocked, ${sets} values stored`);
    assert.is(loads, ran[0]);
    assert.ok(unlockedLoads <= loads);
    assert.ok(sets <= loads, 'a run stores once at most');
    assert.ok(loads > 100);
    for (const thread of threads)
      assert.equal(await thread.ask('stats'), cache.stats(), 'the same from every thread');
    await Promise.all(threads.map((thread) => thread.leave()));
    assert.is(cache.stats().loads, ran[0], 'a thread that has left takes nothing with it');
    checkHeap(cache);
    region.close();
    cache.close();
  });
  test.run();
}
