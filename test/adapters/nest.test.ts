/** Keyv5Cairn in Nest's CacheModule, in one thread and with two that share a cache. This file is its own worker. */
import 'reflect-metadata';
import { isMainThread, workerData } from 'node:worker_threads';
import { CACHE_MANAGER, CacheModule } from '@nestjs/cache-manager';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Cache } from 'cache-manager';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn, KeyvCairn } from '../../src/adapters/keyv/index.ts';
import { OptionError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { serve } from '../support/threads.ts';
import { withCache } from './adapter-rules.ts';
import { withThreads, withTime } from './hosts.ts';

async function appOn(stores: object, options: object = {}) {
  class AppModule {}
  // stores of every kind, also of kinds that Nest's types leave out
  Module({ imports: [CacheModule.register({ stores: stores as any, namespace: 'nest', ...options })] })(
    AppModule,
  );
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return { app, manager: app.get<Cache>(CACHE_MANAGER) };
}

if (!isMainThread) {
  const { app, manager } = await appOn(new Keyv5Cairn(SharedCache.attach(workerData.handle)));
  serve({
    get: (key: string) => manager.get(key),
    set: (key: string, value: unknown, ttl?: number) => manager.set(key, value, ttl),
    mget: (keys: string[]) => manager.mget(keys),
    wrap: (key: string, value: unknown) => manager.wrap(key, async () => value, 60_000),
    del: (key: string) => manager.del(key),
    clear: () => manager.clear(),
    close: () => app.close(),
  });
} else {
  test('the adapter itself as `stores`, and the module\u2019s ttl', () =>
    withTime(async (time) =>
      withCache({ clock: time.now }, async (cache) => {
        const { app, manager } = await appOn(new Keyv5Cairn(cache), { ttl: 1000 });
        await manager.set('a', { deep: [1] });
        await manager.set('b', 2, 5000);
        assert.equal(await manager.get('a'), { deep: [1] });
        assert.equal(await manager.wrap('a', async () => 'not called'), { deep: [1] });
        time.pass(1001);
        assert.is(await manager.get('a'), undefined);
        assert.is(await manager.get('b'), 2);
        cache.set('b', 'the application\u2019s');
        await manager.clear();
        assert.is(await manager.get('b'), undefined);
        assert.is(cache.get('b'), 'the application\u2019s');
        await app.close();
        assert.equal([...cache.keys()], ['b'], 'a closed application leaves the cache open');
      }),
    ));

  test('without a namespace clear empties the cache: what docs/keyv.md warns of', () =>
    withCache({}, async (cache) => {
      const { app, manager } = await appOn(new Keyv5Cairn(cache), { namespace: undefined });
      cache.set('own', 1);
      await manager.set('a', 1);
      assert.is(await manager.get('a'), 1);
      await manager.clear();
      assert.equal([...cache.keys()], []);
      await app.close();
    }));

  test('KeyvCairn is refused', () =>
    withCache({}, async (cache) => {
      const outcome = await appOn(new KeyvCairn(cache)).catch((error) => error);
      assert.ok(outcome instanceof OptionError, String(outcome));
      assert.match(outcome.message, /Keyv5Cairn/);
    }));

  test('two threads', () =>
    withThreads(import.meta.url, async (one, two, cache) => {
      await one.ask('set', 'a', { from: 'one' }, 60_000);
      assert.equal(await two.ask('get', 'a'), { from: 'one' });
      assert.is(await two.ask('wrap', 'w', 'two'), 'two');
      assert.is(await one.ask('wrap', 'w', 'one'), 'two');
      assert.equal(await one.ask('mget', ['w', 'none', 'a']), ['two', undefined, { from: 'one' }]);
      await two.ask('del', 'a');
      assert.is(await one.ask('get', 'a'), undefined);
      await one.ask('close');
      assert.is(await two.ask('get', 'w'), 'two');
      await two.ask('clear');
      assert.equal([...cache.keys()], []);
    }));

  test.run();
}
