/**
 * `getOrCreate` gives values as the cache's own reads do: `decoded: { mode }` of the thread that asks says whether they are
 * frozen, and whether a hit is a new object. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import type { DecodedOptions } from '../../src/index.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from '../support/engine.ts';
import { serve, Thread, until } from '../support/threads.ts';

type Mode = NonNullable<DecodedOptions['mode']>;
interface Value {
  a: number;
  in: { deep: number[] };
}

const MODES: Mode[] = ['freeze', 'share', 'off'];
const OPTIONS = { maxBytes: 2 ** 21, maxThreads: 8, mutexes: 8 };
const make = (): Value => ({ a: 1, in: { deep: [1, 2] } });

/** Frozen to its depth, not at all, or in part. */
function frozen(value: Value): boolean | 'in part' {
  const parts = [value, value.in, value.in.deep].map((part) => Object.isFrozen(part));
  return parts.every((part) => part === parts[0]) ? parts[0]! : 'in part';
}

if (!isMainThread) {
  const { handle, mode } = workerData as { handle: CacheHandle; mode: Mode };
  const cache = SharedCache.attach<Value>(handle, { decoded: { mode } });
  const unused = (): Value => assert.unreachable('a second creator ran') as never;
  const look = (value: Value, again: Value) => ({
    value: structuredClone(value),
    frozen: frozen(value),
    same: value === again,
  });
  serve({
    wait: async () => {
      const [first, second] = await Promise.all([
        cache.getOrCreate('k', unused),
        cache.getOrCreate('k', unused),
      ]);
      return look(first, second);
    },
    waitSync: () => look(cache.getOrCreateSync('k', unused), cache.getOrCreateSync('k', unused)),
    hit: async () => look(await cache.getOrCreate('k', unused), await cache.getOrCreate('k', unused)),
  });
} else {
  for (const mode of MODES) {
    for (const sync of [true, false]) {
      test(`mode '${mode}', ${sync ? 'getOrCreateSync' : 'getOrCreate'}: creator, joiner, hit`, async () => {
        const cache = SharedCache.create<Value>({ ...OPTIONS, decoded: { mode } });
        const own = make();
        const ask = async (creator: () => Value) =>
          sync
            ? cache.getOrCreateSync('k', creator)
            : cache.getOrCreate('k', async () => {
                await new Promise((resolve) => setImmediate(resolve)); // so that the next caller joins
                return creator();
              });
        const created = ask(() => own);
        const joined = ask(() => own);
        assert.is(await created, own, "the creator's caller gets its very object");
        assert.is(frozen(own), mode === 'freeze');
        assert.is(frozen(await joined), mode === 'freeze');
        assert.equal(await joined, own);
        if (!sync) assert.is(await joined, own, 'callers of one run share its value');

        for (const ttl of [undefined, 60_000]) {
          const hits: Value[] = [];
          for (let n = 0; n < 3; n++) {
            hits.push(
              sync
                ? cache.getOrCreateSync('k', make, ttl === undefined ? undefined : { ttl })
                : await cache.getOrCreate('k', make, ttl === undefined ? undefined : { ttl }),
            );
          }
          hits.push(cache.get('k')!, cache.peek('k')!, cache.getMany(['k'])[0]!);
          for (const hit of hits) {
            assert.equal(hit, make());
            assert.is(frozen(hit), mode === 'freeze');
            assert.is.not(hit, own);
          }
          assert.is(new Set(hits).size, mode === 'off' ? hits.length : 1, 'objects that hits give');
        }
        // a mutation shows where the object is shared, and is stopped where it is frozen
        const hit = await ask(make);
        const mutate = () => {
          hit.in.deep.push(3);
        };
        if (mode === 'freeze') assert.throws(mutate, (error: unknown) => error instanceof TypeError);
        else mutate();
        assert.equal((await ask(make)).in.deep, mode === 'share' ? [1, 2, 3] : [1, 2]);
        checkHeap(cache);
        cache.close();
      });
    }
  }

  test("what another thread created, in each thread's own mode", async () => {
    const cache = SharedCache.create<Value>({ ...OPTIONS, decoded: { mode: 'off' } });
    const threads = MODES.map((mode) => new Thread(import.meta.url, { handle: cache.handle, mode }));
    const expected = (mode: Mode, same: boolean) => ({ value: make(), frozen: mode === 'freeze', same });
    cache.set('k', make());
    for (const thread of threads) await thread.ask('hit'); // attached: none of the waits below begins late
    for (const wait of ['wait', 'waitSync']) {
      cache.clear();
      let end: (() => void) | undefined;
      const created = cache.getOrCreate(
        'k',
        () => new Promise<Value>((resolve) => (end = () => resolve(make()))),
      );
      // it has released the mutex a moment ago, and leaves it to others for 2 ms: nobody asks before it creates
      assert.ok(await until(() => end !== undefined));
      const waits = cache.stats().mutexWaits;
      const answers = threads.map((thread) => thread.ask<object>(wait));
      assert.ok(await until(() => cache.stats().mutexWaits >= waits + threads.length));
      end!();
      assert.is(frozen(await created), false);
      for (const [n, mode] of MODES.entries()) {
        // whether two callers get one object depends on when the second asks: it joins the wait, or has a hit
        const { same: _, ...seen } = expected(mode, true);
        const { same: __, ...got } = (await answers[n]!) as ReturnType<typeof expected>;
        assert.equal(got, seen, `${wait}, ${mode}`);
        assert.equal(await threads[n]!.ask('hit'), expected(mode, mode !== 'off'), `hits, ${mode}`);
      }
    }
    assert.is(cache.stats().loads, 2, 'one for each round');
    for (const thread of threads) await thread.leave();
    checkHeap(cache);
    cache.close();
  });
  test.run();
}
