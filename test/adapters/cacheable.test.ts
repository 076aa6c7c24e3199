/** Keyv5Cairn in cacheable 2, in one thread and with two that share a cache. This file is its own worker. */
import { isMainThread, workerData } from 'node:worker_threads';
import { Cacheable } from 'cacheable';
import Keyv from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn } from '../../src/adapters/keyv/index.ts';
import { EngineClosedError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { serve } from '../support/threads.ts';
import { MIB, withCache } from './adapter-rules.ts';
import { withThreads, withTime } from './hosts.ts';

const cacheableOn = (cache: SharedCache<any>, options: object = {}) =>
  new Cacheable({ primary: new Keyv({ store: new Keyv5Cairn(cache) }), namespace: 'cacheable', ...options });

if (!isMainThread) {
  const cacheable = cacheableOn(SharedCache.attach(workerData.handle), { tags: true });
  serve({
    get: (key: string) => cacheable.get(key),
    getMany: (keys: string[]) => cacheable.getMany(keys),
    set: (key: string, value: unknown, ttl?: number | string) => cacheable.set(key, value, ttl),
    setTagged: (key: string, value: unknown, tags: string[]) => cacheable.set(key, value, { tags }),
    invalidateTag: (tag: string) => cacheable.tags.invalidateTag(tag),
    getOrSet: (key: string, value: unknown) => cacheable.getOrSet(key, async () => value, { ttl: '1h' }),
    delete: (key: string) => cacheable.delete(key),
    clear: () => cacheable.clear(),
  });
} else {
  test('set, get, has, take, delete, the many forms, ttl, clear', () =>
    withTime(async (time) =>
      withCache({ clock: time.now }, async (cache) => {
        const cacheable = cacheableOn(cache);
        assert.is(await cacheable.set('a', { deep: [1] }, '1s'), true);
        assert.equal(await cacheable.get('a'), { deep: [1] });
        assert.is((await cacheable.getRaw('a'))?.expires, time.now() + 1000);
        assert.is(await cacheable.has('a'), true);
        time.pass(1001);
        assert.is(await cacheable.get('a'), undefined);
        assert.is(await cacheable.has('a'), false);
        await cacheable.setMany([
          { key: 'b', value: 2, ttl: '1h' },
          { key: 'c', value: 3 },
        ]);
        assert.equal(await cacheable.getMany(['c', 'none', 'b']), [3, undefined, 2]);
        assert.equal(await cacheable.hasMany(['b', 'none']), [true, false]);
        assert.is(await cacheable.take('b'), 2);
        assert.is(await cacheable.get('b'), undefined);
        assert.is(await cacheable.delete('c'), true);
        await cacheable.setMany([
          { key: 'd', value: 1 },
          { key: 'e', value: 2 },
        ]);
        assert.is(await cacheable.deleteMany(['d', 'e']), true);
        await cacheable.set('f', 1);
        cache.set('f', 'the application\u2019s');
        await cacheable.clear();
        assert.is(await cacheable.get('f'), undefined);
        assert.is(cache.get('f'), 'the application\u2019s');
        await cacheable.disconnect();
        assert.equal([...cache.keys()], ['f']);
      }),
    ));

  test('as first level before a second one', () =>
    withCache({}, async (cache) => {
      const second = new Keyv({ store: new Map() });
      const cacheable = cacheableOn(cache, { secondary: second });
      await second.set('a', 'from the second');
      assert.is(await cacheable.get('a'), 'from the second');
      const store = new Keyv5Cairn(cache);
      assert.match(await store.get('cacheable:a'), /from the second/);
    }));

  test('a closed cache is an error event', async () => {
    const cache = SharedCache.create<any>({ maxBytes: MIB });
    const cacheable = cacheableOn(cache);
    const errors: unknown[] = [];
    cacheable.on('error', (error) => errors.push(error));
    cache.close();
    assert.is(await cacheable.get('a'), undefined);
    assert.ok(errors[0] instanceof EngineClosedError);
  });

  test('two threads', () =>
    withThreads(import.meta.url, async (one, two, cache) => {
      await one.ask('set', 'a', { from: 'one' }, '1h');
      await one.ask('set', 'b', Buffer.from('bytes').toString('latin1'));
      assert.equal(await two.ask('getMany', ['b', 'a']), ['bytes', { from: 'one' }]);
      assert.is(await one.ask('getOrSet', 'made', 1), 1);
      assert.is(await two.ask('getOrSet', 'made', 2), 1);
      await two.ask('delete', 'a');
      assert.is(await one.ask('get', 'a'), undefined);
      await one.ask('setTagged', 't', 'tagged', ['red']);
      assert.is(await two.ask('get', 't'), 'tagged');
      await two.ask('invalidateTag', 'red');
      assert.is(await one.ask('get', 't'), undefined);
      await two.ask('clear');
      assert.is(await one.ask('get', 'b'), undefined);
      assert.equal([...cache.keys()], []);
    }));

  test.run();
}
