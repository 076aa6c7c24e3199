/**
 * A decorated function is called once for equal arguments over all threads, and what one thread invalidates or sets is
 * so in all. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, createRegion, SharedCache } from '../../src/index.ts';
import { cacheMultiOnArguments } from '../../src/region/decorators/multi.ts';
import { cacheOnArguments } from '../../src/region/decorators/single.ts';
import type { CacheRegion } from '../../src/region/region.ts';
import { checkHeap } from '../support/engine.ts';
import { meet, newGate, serve, Thread } from '../support/threads.ts';

const THREADS = 3;

/** What every thread does with its own copy of the region. `calls` counts over all. */
function decorate(region: CacheRegion<string>, calls: Int32Array) {
  const load = cacheOnArguments(region)(async function load(
    id: number,
    options?: { lang: string; full: boolean },
  ) {
    Atomics.add(calls, 0, 1);
    await new Promise((resolve) => setImmediate(resolve));
    return `${id} ${options?.lang}`;
  });
  const find = cacheMultiOnArguments(region, { asMap: true })(async function find(...ids: number[]) {
    for (const id of ids) Atomics.add(calls, id, 1);
    await new Promise((resolve) => setImmediate(resolve));
    return new Map(ids.filter((id) => id % 2 === 0).map((id) => [id, `found ${id}`]));
  });
  return { load, find };
}

if (!isMainThread) {
  const { handle, calls, gate } = workerData;
  const { load, find } = decorate(attachRegion<string>(handle), calls);
  serve({
    // `count`: how many have come to the gate when all are there
    load(count: number) {
      meet(gate, count);
      return load(7, { full: true, lang: 'en' });
    },
    async find(count: number) {
      meet(gate, count);
      return [...(await find(2, 3, 4))];
    },
    get: () => load.get(7, { full: true, lang: 'en' }),
    set: (value: string) => load.set(value, 7, { full: true, lang: 'en' }),
    invalidate: () => load.invalidate(7, { lang: 'en', full: true }),
    refresh: () => load.refresh(7, { lang: 'en', full: true }),
  });
} else {
  test('over all threads', async () => {
    const region = createRegion<string>({
      name: 'functions',
      backend: 'cairn.slab',
      arguments: { maxBytes: 2 ** 22 },
    });
    const calls = new Int32Array(new SharedArrayBuffer(64));
    const gate = newGate();
    const { load } = decorate(region, calls);
    const data = { handle: region.handle, calls, gate };
    const threads = Array.from({ length: THREADS }, () => new Thread(import.meta.url, data));
    const ask = <T>(name: string, ...args: unknown[]) =>
      Promise.all(threads.map((thread) => thread.ask<T>(name, ...args)));

    assert.equal(await ask('load', THREADS), Array(THREADS).fill('7 en'));
    assert.is(calls[0], 1);
    assert.is(await load(7, { lang: 'en', full: true }), '7 en');
    assert.is(calls[0], 1);

    assert.is(await threads[0].ask('invalidate'), true);
    assert.equal(await ask('get'), Array(THREADS).fill(undefined));
    await threads[1].ask('set', 'given');
    assert.equal(await ask('get'), Array(THREADS).fill('given'));
    assert.is(await threads[2].ask('refresh'), '7 en');
    assert.is(await load.get(7, { lang: 'en', full: true }), '7 en');
    assert.is(calls[0], 2);

    const found = [
      [2, 'found 2'],
      [4, 'found 4'],
    ];
    assert.equal(await ask('find', 2 * THREADS), Array(THREADS).fill(found));
    assert.equal([calls[2], calls[4]], [1, 1]);
    // what is not found is asked for by each thread
    assert.is(calls[3], THREADS);

    await Promise.all(threads.map((thread) => thread.leave()));
    const cache = SharedCache.attach(region.handle.backend as never);
    checkHeap(cache);
    cache.close();
    region.close();
  });
  test.run();
}
