/** Use after close, attach where it is refused, and one thread more than `maxThreads`. This file is its own worker. */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { type CairnError, EngineClosedError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { fails, keyless, smallCache, uses } from '../support/bad-use.ts';
import { checkHeap } from '../support/engine.ts';
import { RemoteError, serve, slots, Thread } from '../support/threads.ts';

if (!isMainThread) {
  let cache: SharedCache<any> | undefined;
  serve({
    attach: (handle: CacheHandle = workerData.cache, options?: object) =>
      void (cache = SharedCache.attach(handle, options)),
    get: (key: string) => cache!.get(key),
    /** Class and code of what each use throws. */
    outcomes() {
      const found: Record<string, string> = {};
      for (const [name, use] of Object.entries({ ...uses(cache!, 'k'), ...keyless(cache!) })) {
        try {
          use();
          found[name] = 'nothing';
        } catch (error) {
          found[name] = `${(error as Error).name} ${(error as CairnError).code}`;
        }
      }
      return found;
    },
    close: () => cache!.close(),
  });
}

if (isMainThread) {
  test('a codec of another name in a worker', async () => {
    const cache = smallCache();
    const thread = new Thread(import.meta.url, {});
    const refused = await thread
      .ask('attach', cache.handle, { codec: 'json' })
      .catch((error: RemoteError) => error.code);
    assert.is(refused, 'ERR_CAIRN_VERSION');
    assert.is(slots(cache).live, 1);
    await thread.ask('attach', cache.handle, { codec: 'structured' });
    assert.is(slots(cache).live, 2);
    await thread.leave();
    checkHeap(cache);
    cache.close();
  });

  test('use after close, of one\u2019s own and the owner\u2019s', async () => {
    const cache = smallCache();
    const all = { ...uses(cache, 'k'), ...keyless(cache) };
    const thread = new Thread(import.meta.url, { cache: cache.handle });
    const { handle } = cache;
    await thread.ask('attach');
    cache.set('k', 'v');
    cache.set('k2', 'v');
    const begun = cache.keys();
    begun.next();
    checkHeap(cache);
    cache.close();
    cache.close();
    cache[Symbol.dispose]();
    for (const use of Object.values(all)) fails(use, EngineClosedError, 'ERR_CAIRN_CLOSED', 'closed');
    fails(() => begun.next(), EngineClosedError, 'ERR_CAIRN_CLOSED');
    assert.is(cache.maxBytes, 2 * 2 ** 20);
    const there = await thread.ask<Record<string, string>>('outcomes');
    assert.is(Object.keys(there).length, Object.keys(all).length);
    for (const [name, outcome] of Object.entries(there))
      assert.is(outcome, 'EngineClosedError ERR_CAIRN_CLOSED', name);
    await thread.ask('close');
    await thread.ask('close');
    assert.is(
      await thread.ask('attach', handle).catch((error: RemoteError) => error.code),
      'ERR_CAIRN_CLOSED',
    );
    assert.is(await thread.leave(), 0);
  });

  test('a worker\u2019s close is its own', async () => {
    const cache = smallCache();
    const thread = new Thread(import.meta.url, { cache: cache.handle });
    await thread.ask('attach');
    await thread.ask('close');
    const there = await thread.ask<Record<string, string>>('outcomes');
    for (const [name, outcome] of Object.entries(there))
      assert.is(outcome, 'EngineClosedError ERR_CAIRN_CLOSED', name);
    cache.set('k', 1);
    assert.is(cache.get('k'), 1);
    await thread.ask('attach');
    assert.is(await thread.ask('get', 'k'), 1);
    await thread.leave();
    checkHeap(cache);
    cache.close();
  });

  test('attach beyond maxThreads, and after one of them ended', async () => {
    const cache = smallCache({ maxThreads: 2 });
    cache.set('k', 'v');
    let sitting = new Thread(import.meta.url, { cache: cache.handle });
    await sitting.ask('attach');
    for (let round = 0; round < 12; round++) {
      const next = new Thread(import.meta.url, { cache: cache.handle });
      const error = await next.ask('attach').catch((thrown: RemoteError) => thrown);
      assert.instance(error, RemoteError);
      const { className, code, message } = error as RemoteError;
      assert.equal([className, code], ['ThreadLimitError', 'ERR_CAIRN_THREADS']);
      assert.match(message, /maxThreads.*2/);
      assert.is(await sitting.ask('get', 'k'), 'v');
      if (round % 3 === 0) await sitting.terminate();
      else if (round % 3 === 1) await sitting.leave();
      else await sitting.ask('close');
      await next.ask('attach');
      assert.is(await next.ask('get', 'k'), 'v');
      if (round % 3 === 2) await sitting.leave();
      sitting = next;
    }
    await sitting.leave();
    checkHeap(cache);
    cache.close();
  });

  test.run();
}
