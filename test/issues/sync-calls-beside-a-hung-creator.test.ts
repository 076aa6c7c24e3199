/**
 * A creator that hangs holds its thread's `Sync` calls to no order once its lease is lost: they wait for the mutexes of
 * other threads as ever, and create nothing beside them. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import {
  attachRegion,
  type CacheRegion,
  createRegion,
  type RegionHandle,
  SharedCache,
  type SlabMutex,
} from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap, extendLease } from '../support/engine.ts';
import { serve, Thread, until } from '../support/threads.ts';
import { deferred, FakeSharedMutex, FakeTable, turns } from '../unit/region-fixtures.ts';

/** In the worker's creator: until the main thread has created too, which it must not, or this long. */
const BESIDE_MS = 300;

interface Data {
  region: RegionHandle;
  words: Int32Array;
}

/** How it hangs: with its caller waiting, or after that one left. */
type Hangs = 'attended' | 'abandoned';

async function hang(region: CacheRegion<string>, key: string, how: Hangs) {
  const started = deferred();
  const gate = deferred<string>();
  const controller = new AbortController();
  const creator = () => {
    started.resolve();
    return gate.promise;
  };
  const call = region.getOrCreate(key, creator, { signal: controller.signal });
  const left = call.catch(() => {});
  await started.promise;
  if (how === 'abandoned') controller.abort(new Error('left'));
  return async () => {
    gate.resolve('late');
    await left;
    await turns(5);
  };
}

if (!isMainThread) {
  const { region: handle, words } = workerData as Data;
  const region = attachRegion<string>(handle);
  const came = (word: number) => {
    Atomics.store(words, word, 1);
    Atomics.notify(words, word);
  };
  serve({
    create: (key: string) =>
      region.getOrCreateSync(key, () => {
        came(0);
        Atomics.wait(words, 1, 0, BESIDE_MS);
        return 'by the worker';
      }),
  });
} else {
  /** Its table says which leases were lost. */
  const lost = new Set<number>();
  class LeasedMutex extends FakeSharedMutex {
    lost(): boolean {
      return lost.has(this.index);
    }
  }
  class LeasedBackend extends MemoryBackend<string> {
    readonly #table: FakeTable;
    constructor({ table }: { table: FakeTable }) {
      super();
      this.#table = table;
    }
    override getMutex(key: string): LeasedMutex {
      return new LeasedMutex(this.#table, Number(key.slice(1)));
    }
  }
  registerBackend('test.leased', () => LeasedBackend);

  for (const how of ['attended', 'abandoned'] as const) {
    test(`a table of mutexes, ${how}: waits for a lower mutex when the lease is lost, not before`, async () => {
      lost.clear();
      const table = new FakeTable();
      const region = createRegion<string>({ name: 'r', backend: 'test.leased', arguments: { table } });
      const unlocked = () => region.stats().unlockedCreations;
      const end = await hang(region, 'k9', how);
      const blocked: number[] = [];
      table.onBlock = (index) => {
        blocked.push(index);
        table.free(index);
      };
      table.take(1);
      region.getOrCreateSync('a1', () => 'beside'); // k9 may still end: to wait might be a deadlock
      assert.is(unlocked(), 1);
      lost.add(9);
      assert.is(
        region.getOrCreateSync('b1', () => 'under the lock'),
        'under the lock',
      );
      assert.equal(blocked, [1]);
      assert.is(unlocked(), 1);
      // Another creator that runs still counts.
      const other = await hang(region, 'k5', 'attended');
      table.take(1);
      region.getOrCreateSync('c1', () => 'beside');
      assert.is(unlocked(), 2);
      await other();
      await end();
      table.free(1);
      assert.equal([table.held.size, coreOf(region).runs.size], [0, 0]);
      region.close();
    });

    test(`slab, ${how}: no second creator beside another thread's`, async () => {
      const cache = SharedCache.create<any>({ maxBytes: 2 ** 20, maxThreads: 4, mutexes: 64 });
      const region = createRegion<string>({ name: 'r', backend: 'cairn.slab', arguments: { cache } });
      const mutexOf = (key: string) => region.actualBackend.getMutex(key) as SlabMutex;
      const keys = Array.from({ length: 50 }, (_, n) => `k${n}`);
      keys.sort((a, b) => mutexOf(a).index - mutexOf(b).index);
      const [low, high] = [keys[0], keys.at(-1)!];
      const words = new Int32Array(new SharedArrayBuffer(8));
      const thread = new Thread(import.meta.url, { region: region.handle, words });
      const end = await hang(region, high, how);
      assert.ok(mutexOf(high).locked());
      extendLease(cache, mutexOf(high), -1);
      assert.ok(await until(() => !mutexOf(high).locked()));
      const working = thread.ask('create', low);
      assert.ok(await until(() => Atomics.load(words, 0) === 1));
      const value = region.getOrCreateSync(low, () => {
        Atomics.store(words, 1, 1);
        Atomics.notify(words, 1);
        return 'beside';
      });
      assert.is(value, 'by the worker');
      assert.is(await working, 'by the worker');
      assert.is(region.stats().unlockedCreations, 0);
      await end();
      await thread.leave();
      assert.is(coreOf(region).runs.size, 0);
      checkHeap(cache);
      region.close();
      cache.close();
    });
  }
  test.run();
}
