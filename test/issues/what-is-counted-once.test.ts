/**
 * Each thing that happens is counted once and told once: a creator that runs, its failure, a value that was refused, a caller
 * that got a stale one.
 */
import { channel } from 'node:diagnostics_channel';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AsyncCreationRunner } from '../../src/index.ts';
import {
  type CacheRegion,
  createRegion,
  type RegionStats,
  SharedCache,
  SlabBackend,
} from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap } from '../support/engine.ts';
import { deferred, errorOf, type FakeClock, SETUPS, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;
type Counts = Omit<RegionStats, 'loadTimes'>;

interface Seen {
  readonly region: CacheRegion<any>;
  readonly clock: FakeClock;
  /** What `onError`, and the channel `cairn:error`, were told. */
  readonly reported: string[];
  readonly told: string[];
  /** What was counted in `act`, and the count that changed. */
  counted(act: () => unknown): Promise<Partial<Counts>>;
}

const fail = () => Promise.reject(new Error('origin'));
const failAtOnce = () => {
  throw new Error('origin');
};
const runner: AsyncCreationRunner<any> = async (region, key, creator, mutex, token) => {
  try {
    await region.set(key, await creator(), { token });
  } finally {
    mutex.release();
  }
};

for (const setup of SETUPS) {
  const it = (title: string, body: (seen: Seen) => Promise<void>) =>
    test(`${setup.title}: ${title}`, async () => {
      const reported: string[] = [];
      const told: string[] = [];
      const listener = (event: any) => told.push(event.error.message);
      channel('cairn:error').subscribe(listener);
      const { region, clock } = setup.make<any>({
        expirationTime: EXPIRATION,
        onError: (error) => reported.push((error as Error).message),
      });
      const counted = async (act: () => unknown) => {
        const before: any = region.stats();
        await act();
        await turns(30);
        const after = Object.entries(region.stats()).filter(([name]) => name !== 'loadTimes');
        const changes = after.map(([name, count]) => [name, count - before[name]] as const);
        return Object.fromEntries(changes.filter(([, change]) => change !== 0));
      };
      try {
        await body({ region, clock, reported, told, counted });
      } finally {
        channel('cairn:error').unsubscribe(listener);
      }
      const { runs, localMutexes } = coreOf(region);
      assert.equal([runs.size, localMutexes.size], [0, 0]);
      const backend = region.actualBackend;
      if (backend instanceof SlabBackend) {
        const cache = SharedCache.attach(backend.handle);
        checkHeap(cache);
        cache.close();
      }
      region.close();
    });

  it('a creator that fails for a caller that waits', async ({ region, reported, told, counted }) => {
    const forms: [string, () => unknown][] = [
      ['getOrCreate', () => region.getOrCreate('k', fail)],
      ['getOrCreate, at once', () => region.getOrCreate('k', failAtOnce)],
      ['getOrCreateMulti', () => region.getOrCreateMulti(['k'], fail)],
    ];
    if (setup.sync) {
      forms.push(['getOrCreateSync', () => region.getOrCreateSync('k', failAtOnce)]);
      forms.push(['getOrCreateMultiSync', () => region.getOrCreateMultiSync(['k'], failAtOnce)]);
    }
    for (const [form, call] of forms) {
      const counts = await counted(async () => assert.is((await errorOf(call)).message, 'origin'));
      assert.equal(counts, { misses: 1, loads: 1, loadErrors: 1 }, form);
      assert.equal(told.splice(0), ['origin'], form);
      assert.equal(reported, [], form);
    }
  });

  it('a creator that fails behind its caller', async ({ region, clock, reported, told, counted }) => {
    await region.set('k', 'old');
    clock.advance(EXPIRATION + 1);
    for (const options of [{ refresh: 'background' as const }, { asyncCreationRunner: runner }]) {
      for (const creator of [fail, failAtOnce]) {
        const counts = await counted(() => region.getOrCreate('k', creator, options));
        assert.equal(counts, { misses: 1, staleServed: 1, loads: 1, loadErrors: 1 });
        assert.equal(reported.splice(0), ['origin']);
        assert.equal(told.splice(0), ['origin'], Object.keys(options)[0]);
      }
    }
  });

  it('a creator that must not answer by a promise, or not so many', async ({ region, told, counted }) => {
    const wrong: (() => unknown)[] = [() => region.getOrCreateMulti(['k'], () => [])];
    if (setup.sync) {
      wrong.push(() => region.getOrCreateSync('k', (async () => 1) as any));
      wrong.push(() => region.getOrCreateMultiSync(['k'], (async () => [1]) as any));
    }
    for (const call of wrong) {
      const counts = await counted(() => errorOf(call));
      assert.equal(counts, { misses: 1, loads: 1, loadErrors: 1 }, String(call));
      assert.is(told.splice(0).length, 1, String(call));
    }
  });

  it('values that were changed while the creator ran', async ({ region, counted }) => {
    for (const [n, changed] of [['a'], ['a', 'b', 'c']].entries()) {
      const keys = ['a', 'b', 'c'].map((key) => key + n);
      const creator = async (asked: readonly string[]) => {
        for (const key of changed) await region.set(key + n, 'set');
        return [...asked];
      };
      const counts = await counted(() => region.getOrCreateMulti(keys, creator));
      assert.equal(counts, { misses: 3, loads: 1, refusedStores: changed.length });
    }
  });

  it('stale values that nobody got', async ({ region, clock, counted }) => {
    await region.set('s', 'old');
    clock.advance(EXPIRATION + 1);
    const started = deferred();
    const gate = deferred();
    const other = region.getOrCreate('m', async () => {
      started.resolve();
      await gate.promise;
    });
    await started.promise;
    // It would get s as it is, and gives up on m.
    const served = await counted(async () => {
      const options = { refresh: 'background', waitTimeout: 5 } as const;
      const call = region.getOrCreateMulti(['m', 's'], fail, options);
      assert.is((await errorOf(() => call)).code, 'ERR_CAIRN_WAIT_TIMEOUT');
    });
    assert.is(served.staleServed, undefined);
    gate.resolve();
    await other;
  });
}

test('slab: a value that is too large', async () => {
  const cache = SharedCache.create<any>({ maxBytes: 2 ** 21, maxValueBytes: 4096 });
  const region = createRegion<any>({ name: 'r', backend: 'cairn.slab', arguments: { cache } });
  const value = 'x'.repeat(10_000);
  assert.is(await region.getOrCreate('k', () => value), value);
  assert.is(region.stats().refusedStores, 1);
  assert.is(region.stats().loadErrors, 0);
  checkHeap(cache);
  region.close();
  cache.close();
});

test.run();
