/** Two engines whose keys hash alike are two engines: what is in one, or happens to it, is not in the other. This file is its own worker. */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { createRegion, EngineClosedError, SharedCache } from '../../src/index.ts';
import { createWithSeed } from '../../src/store/create.ts';
import { fails } from '../support/bad-use.ts';
import { checkHeap } from '../support/engine.ts';
import { serve, Thread } from '../support/threads.ts';

const OPTIONS = { maxBytes: 2 ** 21, maxThreads: 4, mutexes: 8 };
const SEED = 7n;

if (!isMainThread) {
  const caches = (workerData as { handles: CacheHandle[] }).handles.map((handle) =>
    SharedCache.attach<any>(handle),
  );
  serve({
    get: (n: number, key: string) => caches[n]!.get(key),
    set: (n: number, key: string, value: unknown) => caches[n]!.set(key, value),
    ids: () => caches.map((cache) => cache.mutex('k').engineId),
  });
} else {
  test('values, sizes, mutexes and clears are apart', async () => {
    const caches = [0, 1].map(() => createWithSeed<any>(OPTIONS, SEED));
    const [a, b] = caches as [SharedCache<any>, SharedCache<any>];
    assert.is.not(SharedCache.engineOf(a), SharedCache.engineOf(b));
    assert.is.not(SharedCache.engineOf(a).id, SharedCache.engineOf(b).id);
    const thread = new Thread(import.meta.url, { handles: [a.handle, b.handle] });
    a.set('k', 'of a');
    assert.is(b.get('k'), undefined);
    assert.is(b.size, 0);
    b.set('k', 'of b');
    assert.is(a.get('k'), 'of a');
    assert.is(await thread.ask('get', 0, 'k'), 'of a');
    assert.is(await thread.ask('get', 1, 'k'), 'of b');
    await thread.ask('set', 1, 'from another thread', 1);
    assert.equal([...a.keys()], ['k']);
    assert.equal([...b.keys()].sort(), ['from another thread', 'k']);

    // the same index in both tables: their order is by engine, and alike in all threads
    const [ofA, ofB] = [a.mutex('k'), b.mutex('k')];
    assert.is(ofA.index, ofB.index);
    assert.is.not(ofA.engineId, ofB.engineId);
    assert.equal(await thread.ask('ids'), [ofA.engineId, ofB.engineId]);
    assert.ok(ofA.tryAcquire());
    assert.ok(ofB.tryAcquire());
    ofA.release();
    assert.ok(ofB.locked());
    ofB.release();

    // a creator that needs the other engine
    const made = await a.getOrCreate('n', () => b.getOrCreate('n', () => a.getOrCreate('m', () => 'made')));
    assert.is(made, 'made');
    assert.is(
      b.getOrCreateSync('s', () => a.getOrCreateSync('s', () => 'sync')),
      'sync',
    );
    const regions = caches.map((cache) =>
      createRegion<string>({ name: 'same', backend: 'cairn.slab', arguments: { cache } }),
    );
    await regions[0]!.set('k', 'of region a');
    assert.is(await regions[1]!.get('k'), undefined);
    await regions[1]!.invalidate();
    assert.is(await regions[0]!.get('k'), 'of region a');
    for (const region of regions) region.close();

    b.clear();
    assert.is(b.size, 0);
    assert.is(a.get('k'), 'of a');
    for (const cache of caches) checkHeap(cache);
    await thread.leave();
    a.close();
    b.close();
  });

  test('an attach and a close go to their own engine', () => {
    const [a, b] = [0, 1].map(() => createWithSeed<string>(OPTIONS, SEED)) as [
      SharedCache<string>,
      SharedCache<string>,
    ];
    a.set('k', 'of a');
    b.set('k', 'of b');
    const [secondA, secondB] = [SharedCache.attach<string>(a.handle), SharedCache.attach<string>(b.handle)];
    assert.is(secondA.get('k'), 'of a');
    assert.is(secondB.get('k'), 'of b');
    a.close();
    secondA.close();
    fails(() => secondA.get('k'), EngineClosedError, 'ERR_CAIRN_CLOSED');
    assert.is(b.get('k'), 'of b');
    b.close();
    assert.is(secondB.get('k'), 'of b', 'the thread is attached until its last close');
    checkHeap(secondB);
    secondB.close();
    fails(() => secondB.get('k'), EngineClosedError, 'ERR_CAIRN_CLOSED');
    const c = createWithSeed<string>(OPTIONS, SEED);
    assert.is(c.get('k'), undefined);
    checkHeap(c);
    c.close();
  });
  test.run();
}
