/** KeyvCairn in Keyv 6 (below Node 22.19 alone) and Keyv5Cairn in Keyv 5: two threads, one cache. This file is its own worker. */
import { isMainThread, workerData } from 'node:worker_threads';
import Keyv5 from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn, KeyvCairn } from '../../src/adapters/keyv/index.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { serve, Thread } from '../support/threads.ts';
import { collect, MIB } from './adapter-rules.ts';
import { loadKeyv6, withThreads } from './hosts.ts';

const Keyv6 = await loadKeyv6();
const LONG = 'long'.repeat(500);

if (!isMainThread) {
  const cache = SharedCache.attach(workerData.handle);
  const stores: Record<string, any> = {
    six: Keyv6
      ? new Keyv6({ store: new KeyvCairn(cache), namespace: 'ns' })
      : new KeyvCairn(cache, { namespace: 'ns' }),
    five: new Keyv5({ store: new Keyv5Cairn(cache), namespace: 'ns' }),
  };
  serve({
    set: (store: string, key: string, value: unknown) => stores[store].set(key, value),
    get: (store: string, key: string) => stores[store].get(key),
    getMany: (store: string, keys: string[]) => stores[store].getMany(keys),
    has: (store: string, key: string) => stores[store].has(key),
    delete: (store: string, key: string) => stores[store].delete(key),
    clear: (store: string) => stores[store].clear(),
    entries: (store: string) => collect(stores[store].iterator('ns')),
    disconnect: (store: string) => stores[store].disconnect(),
  });
} else {
  async function share(store: string, one: Thread, two: Thread): Promise<void> {
    assert.is(await one.ask('set', store, 'a', { by: store }), true);
    assert.is(await one.ask('set', store, LONG, 'long'), true);
    assert.equal(await two.ask('get', store, 'a'), { by: store });
    assert.equal(await two.ask('getMany', store, [LONG, 'none', 'a']), ['long', undefined, { by: store }]);
    assert.equal(await two.ask('entries', store), [
      ['a', { by: store }],
      [LONG, 'long'],
    ]);
    assert.is(await two.ask('set', store, 'a', 'changed'), true);
    assert.is(await one.ask('get', store, 'a'), 'changed');
    assert.is(await two.ask('delete', store, 'a'), true);
    assert.is(await one.ask('has', store, 'a'), false);
    await one.ask('disconnect', store);
    assert.is(await two.ask('get', store, LONG), 'long');
  }

  test(`KeyvCairn ${Keyv6 ? 'in Keyv 6' : 'alone'} and Keyv5Cairn in Keyv 5, each by itself on one cache`, () =>
    withThreads(import.meta.url, async (one, two, cache) => {
      await share('six', one, two);
      await share('five', two, one);
      assert.is(cache.size, 2, 'one namespace of Keyv 6 and of Keyv 5 are two');
      await two.ask('clear', 'six');
      assert.equal(await one.ask('entries', 'six'), []);
      assert.is(await one.ask('get', 'five', LONG), 'long');
    }));

  test('the main thread closes: a Keyv of a worker misses and refuses, and the worker ends by itself', async () => {
    const cache = SharedCache.create({ maxBytes: MIB });
    const thread = new Thread(import.meta.url, { handle: cache.handle });
    assert.is(await thread.ask('set', 'five', 'a', 1), true);
    cache.close();
    assert.is(await thread.ask('get', 'five', 'a'), undefined);
    assert.is(await thread.ask('set', 'five', 'a', 1), false);
    assert.is(await thread.leave(), 0);
  });

  test.run();
}
