/** Keyv5Cairn in cache-manager 7: every operation, in one thread and with two that share a cache. This file is its own worker. */
import { isMainThread, workerData } from 'node:worker_threads';
import { createCache } from 'cache-manager';
import Keyv from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn, KeyvCairn } from '../../src/adapters/keyv/index.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { serve } from '../support/threads.ts';
import { withCache } from './adapter-rules.ts';
import { loadKeyv6, withThreads, withTime } from './hosts.ts';

const managerOn = (cache: SharedCache<any>, options: object = {}) =>
  createCache({
    stores: [new Keyv({ store: new Keyv5Cairn(cache), namespace: 'manager' })],
    ...options,
  });

if (!isMainThread) {
  const { stores: _, ...manager } = managerOn(SharedCache.attach(workerData.handle));
  let loads = 0;
  serve({
    ...manager,
    /** The value, and whether this thread had to make it. */
    async wrap(key: string, value: unknown) {
      const before = loads;
      const load = async () => {
        loads++;
        return value;
      };
      const found = await manager.wrap(key, load, 60_000);
      return [found, loads - before];
    },
  });
} else {
  test('every operation', () =>
    withTime(async (time) =>
      withCache({ clock: time.now }, async (cache) => {
        const manager = managerOn(cache, { ttl: 1000 });
        assert.is(await manager.get('a'), undefined);
        assert.is(await manager.ttl('a'), undefined);
        await manager.set('a', { deep: [1] }, 500);
        assert.equal(await manager.get('a'), { deep: [1] });
        assert.is(await manager.ttl('a'), time.now() + 500);
        await manager.mset([
          { key: 'b', value: 2 },
          { key: 'c', value: null },
        ]);
        assert.equal(await manager.mget(['b', 'none', 'c', 'a']), [2, undefined, null, { deep: [1] }]);
        assert.is(await manager.ttl('b'), time.now() + 1000);
        time.pass(501);
        assert.is(await manager.get('a'), undefined);
        assert.is(await manager.get('b'), 2);
        time.pass(500);
        assert.equal(await manager.mget(['a', 'b']), [undefined, undefined]);
        await manager.mset([
          { key: 'd', value: 1 },
          { key: 'e', value: 2 },
          { key: 'f', value: 3 },
        ]);
        assert.is(await manager.del('d'), true);
        assert.is(await manager.mdel(['e', 'none']), true);
        assert.equal(await manager.mget(['d', 'e', 'f']), [undefined, undefined, 3]);
        cache.set('f', 'the application\u2019s');
        await manager.clear();
        assert.is(await manager.get('f'), undefined);
        assert.is(cache.get('f'), 'the application\u2019s');
        await manager.disconnect();
        assert.equal([...cache.keys()], ['f']);
      }),
    ));

  test('wrap: one factory while the value lives, and joined callers', () =>
    withTime(async (time) =>
      withCache({ clock: time.now }, async (cache) => {
        const manager = managerOn(cache);
        let runs = 0;
        const wrap = () => manager.wrap('k', async () => ++runs, 1000);
        assert.equal(await Promise.all([wrap(), wrap()]), [1, 1]);
        assert.is(await wrap(), 1);
        time.pass(1001);
        assert.is(await wrap(), 2);
        assert.is(await managerOn(cache).wrap('k', async () => ++runs), 2, 'another manager finds it');
      }),
    ));

  test('two threads', () =>
    withThreads(import.meta.url, async (one, two, cache) => {
      await one.ask('set', 'a', { from: 'one' }, 60_000);
      assert.equal(await two.ask('get', 'a'), { from: 'one' });
      assert.is(await two.ask('ttl', 'a'), await one.ask('ttl', 'a'));
      await two.ask('mset', [
        { key: 'b', value: 2, ttl: 60_000 },
        { key: 'c', value: 3 },
      ]);
      assert.equal(await one.ask('mget', ['c', 'a', 'none', 'b']), [3, { from: 'one' }, undefined, 2]);
      assert.equal(await one.ask('wrap', 'w', 'made by one'), ['made by one', 1]);
      assert.equal(await two.ask('wrap', 'w', 'made by two'), ['made by one', 0]);
      await two.ask('del', 'a');
      await two.ask('mdel', ['b', 'c']);
      assert.equal(await one.ask('mget', ['a', 'b', 'c']), [undefined, undefined, undefined]);
      await one.ask('clear');
      assert.is(await two.ask('get', 'w'), undefined);
      assert.equal([...cache.keys()], []);
      await two.ask('set', 'last', 1);
      await one.ask('disconnect');
      assert.is(await two.ask('get', 'last'), 1);
    }));

  const Keyv6 = await loadKeyv6();
  if (Keyv6) {
    test('a Keyv 6 in cache-manager 7 makes wrap run its factory each time: what docs/keyv.md warns of', () =>
      withCache({}, async (cache) => {
        // its types know Keyv 5 alone, whose class has other members
        const manager = createCache({ stores: [new Keyv6({ store: new KeyvCairn(cache) }) as any] });
        let runs = 0;
        for (let i = 0; i < 3; i++) await manager.wrap('k', async () => ++runs);
        assert.is(runs, 3);
      }));
  }

  test.run();
}
