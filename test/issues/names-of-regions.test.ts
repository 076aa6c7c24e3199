/**
 * Names of regions: none with lone surrogates, since two of them could be one; at most 64 regions an engine, the cache's own
 * included; the same name is the same region for all threads. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { createRegion, RegionLimitError, SharedCache } from '../../src/index.ts';
import { refusesOption } from '../support/bad-use.ts';
import { checkHeap } from '../support/engine.ts';
import { meet, newGate, serve, Thread } from '../support/threads.ts';

const OPTIONS = { maxBytes: 2 ** 21, maxThreads: 8, mutexes: 8 };
const REGIONS = 64;
const THREADS = 3;
/** 63, beside the cache's own: one of each length class, prefixes of each other, and of several scripts. */
const NAMES = Array.from(
  { length: REGIONS - 1 },
  (_, n) => ['a'.repeat(n + 1), `регион ${n}`, `${n} 😀`, 'z'.repeat(255 - n)][n % 4]!,
);

const regionOf = (cache: SharedCache<any>, name: string) =>
  createRegion<string>({ name, backend: 'cairn.slab', arguments: { cache } });

if (!isMainThread) {
  const { handle, me } = workerData as { handle: CacheHandle; me: number };
  const cache = SharedCache.attach<any>(handle);
  serve({
    /** The rows of all names, asked as fast as can be, by all threads at once. */
    rows: (of: CacheHandle, gate: Int32Array) => {
      const attached = SharedCache.attach<any>(of);
      const engine = SharedCache.engineOf(attached);
      const names = NAMES.map((name) => Buffer.from(name));
      meet(gate, THREADS);
      const rows = names.map((name) => {
        engine.u8.set(name, engine.stage);
        return engine.guard((x) => x.region_row(name.length));
      });
      attached.close();
      return rows;
    },
    /** Makes all regions, in an order of its own, all threads at once. */
    makeAll: (gate: Int32Array) => {
      const order = NAMES.map((_, n) => NAMES[(n * 2 ** me + me * 7) % NAMES.length]!);
      meet(gate, THREADS);
      for (const name of order) {
        const region = regionOf(cache, name);
        region.setSync(`of ${me}`, `${name} by ${me}`);
        region.close();
      }
    },
    one: (name: string) => {
      const region = regionOf(cache, name);
      region.setSync('k', 'v');
      region.close();
    },
  });
} else {
  test('lone surrogates are refused, pairs are not', async () => {
    const cache = SharedCache.create<any>(OPTIONS);
    const engine = SharedCache.engineOf(cache);
    for (const name of [
      '\ud800',
      '\udfff',
      'a\ud83d',
      '\ude00a',
      'a\ude00\ud83db',
      `${'x'.repeat(200)}\udc00`,
    ]) {
      refusesOption(() => regionOf(cache, name), 'name', name);
      refusesOption(
        () => createRegion({ name }).configure('cairn.slab', { arguments: { cache } }),
        'name',
        name,
      );
    }
    for (const name of ['😀', 'a😀b', '\ufffd', '\u0000', ' ']) {
      const region = regionOf(cache, name);
      await region.set('k', name);
      region.close();
    }
    for (const name of ['😀', 'a😀b', '\ufffd', '\u0000', ' ']) {
      const region = regionOf(cache, name);
      assert.is(await region.get('k'), name);
      region.close();
    }
    refusesOption(() => regionOf(cache, 'ж'.repeat(128)), 'name', 'ж'.repeat(128)); // 256 bytes
    checkHeap(cache);
    cache.close();
    assert.ok(engine.closed, 'a refused region leaves no attach behind');
  });

  test(`${REGIONS} regions an engine, the next one is refused and nothing else`, async () => {
    const cache = SharedCache.create<any>(OPTIONS);
    const engine = SharedCache.engineOf(cache);
    const thread = new Thread(import.meta.url, { handle: cache.handle, me: 0 });
    const regions = NAMES.map((name) => regionOf(cache, name));
    for (const name of ['one more', `${NAMES[0]} `, '😀']) {
      assert.throws(
        () => regionOf(cache, name),
        (error: unknown) =>
          error instanceof RegionLimitError &&
          error.code === 'ERR_CAIRN_REGIONS' &&
          error.message.includes(name),
      );
      await thread.ask('one', name).then(
        () => assert.unreachable(),
        (error) => assert.is(error.code, 'ERR_CAIRN_REGIONS'),
      );
    }
    // a region that did not come to be may be configured elsewhere
    const late = createRegion<string>({ name: 'one more' });
    assert.throws(() => late.configure('cairn.slab', { arguments: { cache } }));
    assert.not(late.isConfigured);
    late.configure('cairn.memory').setSync('k', 'v');
    assert.is(late.getSync('k'), 'v');
    late.close();

    for (const [n, region] of regions.entries()) region.setSync('k', `value ${n}`);
    cache.set('k', 'of the cache');
    for (const [n, region] of regions.entries()) assert.is(region.getSync('k'), `value ${n}`, NAMES[n]);
    await thread.ask('one', NAMES[62]);
    assert.is(regions[62]!.getSync('k'), 'v', 'names that stand are still to be had');
    regions[5]!.clearSync();
    for (const [n, region] of regions.entries()) {
      if (n !== 62) assert.is(region.getSync('k'), n === 5 ? undefined : `value ${n}`);
    }
    assert.is(cache.get('k'), 'of the cache');
    assert.is(cache.size, 1);
    await thread.leave();
    for (const region of regions) region.close();
    checkHeap(cache);
    cache.close();
    assert.ok(engine.closed, 'refused regions leave no attach behind');
  });

  test('the same name is the same region, also where several threads make it at once', async () => {
    for (let round = 0; round < 3; round++) {
      const cache = SharedCache.create<any>(OPTIONS);
      const threads = Array.from(
        { length: THREADS },
        (_, me) => new Thread(import.meta.url, { handle: cache.handle, me }),
      );
      const gate = newGate();
      await Promise.all(threads.map((thread) => thread.ask('makeAll', gate)));
      for (const name of NAMES) {
        const region = regionOf(cache, name);
        for (let me = 0; me < THREADS; me++) assert.is(region.getSync(`of ${me}`), `${name} by ${me}`);
        region.close();
      }
      await Promise.all(threads.map((thread) => thread.leave()));
      assert.is(cache.size, 0);
      checkHeap(cache);
      cache.close();
    }
  });

  test('threads that make the same names at the same moment get the same rows', async () => {
    const main = SharedCache.create<any>(OPTIONS);
    const threads = Array.from(
      { length: THREADS },
      (_, me) => new Thread(import.meta.url, { handle: main.handle, me }),
    );
    for (let round = 0; round < 40; round++) {
      const cache = SharedCache.create<any>({ ...OPTIONS, maxBytes: 2 ** 20 });
      const gate = newGate();
      const rows = await Promise.all(
        threads.map((thread) => thread.ask<number[]>('rows', cache.handle, gate)),
      );
      for (const one of rows) assert.equal(one, rows[0], `round ${round}`);
      assert.is(new Set(rows[0]).size, NAMES.length);
      checkHeap(cache);
      cache.close();
    }
    await Promise.all(threads.map((thread) => thread.leave()));
    main.close();
  });
  test.run();
}
