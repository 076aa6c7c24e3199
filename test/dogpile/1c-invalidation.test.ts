/** dogpile.cache, "Invalidation": hard, soft, strategies, scope, races. This file is its own worker. */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  attachRegion,
  type CachedValue,
  type CacheRegion,
  createRegion,
  SharedCache,
} from '../../src/index.ts';
import type { RegionInvalidator } from '../../src/region/types.ts';
import { checkHeap } from '../support/engine.ts';
import { serve, Thread } from '../support/threads.ts';
import {
  COUNTED,
  checkRegionHeap,
  counting,
  countingMulti,
  errorOf,
  everyWay,
  FakeClock,
  PROMISES,
  parked,
  SLAB_ARGUMENTS,
  stored,
  TimeStrategy,
  turns,
} from './fixtures.ts';

const SOFT = { hard: false };
const MULTI = (n: number) => [`some value k1 ${n}`, `some value k2 ${n + 1}`];

function tests(): void {
  everyWay('R:test_hard_invalidate_get', async (on) => {
    const { call } = on.make();
    await call('set', 'some key', 'some value');
    await call('invalidate');
    assert.is(await call('get', 'some key'), undefined);
    assert.is(await call('has', 'some key'), false);
    assert.equal(await call('getMulti', ['some key']), [undefined]);
    assert.is(await call('getValueMetadata', 'some key'), undefined);
  });

  everyWay('R:test_hard_invalidate_get_or_create: two rounds', async (on) => {
    const { call } = on.make();
    const creator = counting();
    assert.is(await call('getOrCreate', 'some key', creator), 'some value 1');
    for (const expected of ['some value 2', 'some value 3']) {
      await call('invalidate', { hard: true });
      assert.is(await call('getOrCreate', 'some key', creator), expected);
      assert.is(await call('getOrCreate', 'some key', creator), expected);
    }
  });

  everyWay('R:test_hard_invalidate_get_or_create_multi: two rounds', async (on) => {
    const { call } = on.make();
    const creator = countingMulti();
    const keys = ['k1', 'k2'];
    assert.equal(await call('getOrCreateMulti', keys, creator), MULTI(1));
    for (const expected of [MULTI(3), MULTI(5)]) {
      await call('invalidate');
      assert.equal(await call('getOrCreateMulti', keys, creator), expected);
      assert.equal(await call('getOrCreateMulti', keys, creator), expected);
    }
  });

  everyWay(
    'hard: the old value is never returned, callers wait for the new one',
    async (on) => {
      const { call } = on.make();
      await call('set', 'k', 'old');
      await call('invalidate');
      const it = parked();
      const calls = [call('getOrCreate', 'k', it.creator), call('getOrCreate', 'k', it.creator)];
      await it.started;
      await turns(40);
      it.gate.resolve('new');
      assert.equal(await Promise.all(calls), ['new', 'new']);
      assert.is(it.runs, 1);
    },
    PROMISES,
  );

  everyWay('R:test_soft_invalidate_get', async (on) => {
    const { call } = on.make({ expirationTime: 1000 });
    await call('set', 'some key', 'some value');
    await call('invalidate', SOFT);
    assert.is(await call('get', 'some key'), undefined);
    assert.is(await call('get', 'some key', { ignoreExpiration: true }), 'some value');
  });

  everyWay('R:test_soft_invalidate_get_or_create', async (on) => {
    const { call } = on.make({ expirationTime: 1000 });
    const creator = counting();
    assert.is(await call('getOrCreate', 'some key', creator), 'some value 1');
    await call('invalidate', SOFT);
    assert.is(await call('getOrCreate', 'some key', creator), 'some value 2');
    assert.is(await call('getOrCreate', 'some key', creator), 'some value 2');
  });

  everyWay('R:test_soft_invalidate_get_or_create_multi', async (on) => {
    const { call } = on.make({ expirationTime: 5000 });
    const values = [1, 2, 3];
    const creator = (keys: string[]) => {
      const value = values.shift();
      return keys.map(() => value);
    };
    assert.equal(await call('getOrCreateMulti', ['1', '2'], creator), [1, 1]);
    await call('invalidate', SOFT);
    assert.equal(await call('getOrCreateMulti', ['1', '2'], creator), [2, 2]);
  });

  everyWay(
    'soft: as if just expired: one regenerates, the rest get the old value',
    async (on) => {
      const { call } = on.make({ expirationTime: 1000 });
      await call('set', 'k', 'old');
      await call('invalidate', SOFT);
      const it = parked();
      const first = call('getOrCreate', 'k', it.creator);
      await it.started;
      for (let n = 0; n < 3; n++) assert.is(await call('getOrCreate', 'k', it.creator), 'old');
      assert.equal(await call('getOrCreateMulti', ['k'], () => ['multi']), ['old']);
      it.gate.resolve('new');
      assert.is(await first, 'new');
      assert.is(it.runs, 1);
    },
    PROMISES,
  );

  everyWay('R:test_soft_invalidate_requires_expire_time_get_first_call: it needs none', async (on) => {
    const { call } = on.make();
    await call('invalidate', SOFT);
    assert.is(await call('getOrCreate', 'some key', () => 'x'), 'x');
    assert.is(await call('get', 'some key'), 'x');
  });

  everyWay('R:test_soft_invalidate_requires_expire_time_get_second_call: it needs none', async (on) => {
    const { call } = on.make();
    const creator = counting();
    await call('getOrCreate', 'some key', creator);
    await call('invalidate', SOFT);
    assert.is(await call('get', 'some key'), undefined);
    assert.is(await call('getOrCreate', 'some key', creator), 'some value 2');
    assert.is(await call('get', 'some key'), 'some value 2');
  });

  everyWay('R:test_soft_invalidate_requires_expire_time_get_multi_first_call: it needs none', async (on) => {
    const { call } = on.make();
    await call('invalidate', SOFT);
    assert.equal(await call('getOrCreateMulti', ['k1', 'k2'], () => ['x', 'x']), ['x', 'x']);
  });

  everyWay('R:test_soft_invalidate_requires_expire_time_get_multi_second_call: it needs none', async (on) => {
    const { call } = on.make();
    const creator = countingMulti();
    await call('getOrCreateMulti', ['k1', 'k2'], creator);
    await call('invalidate', SOFT);
    assert.equal(await call('getOrCreateMulti', ['k1', 'k2'], creator), MULTI(3));
  });

  everyWay('soft does not undo hard, hard does not undo soft', async (on) => {
    const { call } = on.make();
    const stale = { staleOnError: true };
    const thrower = () => {
      throw new Error('no');
    };
    await call('set', 'k', 'old');
    await call('invalidate');
    await call('invalidate', SOFT);
    const error = await errorOf(() => call('getOrCreate', 'k', thrower, stale));
    assert.is(error.message, 'no', 'missing, so there is no stale value');
    await call('set', 'l', 'between');
    await call('invalidate', SOFT);
    assert.is(await call('getOrCreate', 'l', thrower, stale), 'between');
    await call('invalidate');
    assert.is((await errorOf(() => call('getOrCreate', 'l', thrower, stale))).message, 'no');
  });

  everyWay(
    'race: a value whose creator began before an invalidation is returned and not stored',
    async (on) => {
      for (const options of [{ hard: true }, SOFT]) {
        const { call } = on.make();
        const it = parked();
        const late = call('getOrCreate', 'k', it.creator);
        await it.started;
        await call('invalidate', options);
        it.gate.resolve('from old data');
        assert.is(await late, 'from old data');
        assert.is(await call('get', 'k', { ignoreExpiration: true }), undefined);
        assert.is(await call('getOrCreate', 'k', () => 'fresh'), 'fresh');
      }
    },
    PROMISES,
  );

  everyWay('race: an invalidation by the creator itself', async (on) => {
    const { call, region } = on.make();
    const creator = () => {
      region.invalidateSync();
      return 'from old data';
    };
    assert.is(await call('getOrCreate', 'k', creator), 'from old data');
    assert.is(await call('get', 'k'), undefined);
    const creatorOfTwo = (keys: string[]) => {
      region.invalidateSync(SOFT);
      return keys;
    };
    assert.equal(await call('getOrCreateMulti', ['k', 'l'], creatorOfTwo), ['k', 'l']);
    assert.equal(await call('getMulti', ['k', 'l']), [undefined, undefined]);
  });

  everyWay(
    'the generation is the one from before the creator ran, the time the one after',
    async (on) => {
      const { call, region, clock } = on.make();
      await call('set', 'before', 1);
      const { generation } = ((await stored(region, 'before')) as CachedValue).metadata;
      const begin = clock.time;
      await call('getOrCreate', 'k', () => {
        clock.advance(50);
        return 1;
      });
      const { metadata } = (await stored(region, 'k')) as CachedValue;
      assert.is(metadata.ct, begin + 50);
      assert.is(metadata.generation, generation);
      await call('invalidate');
      await call('set', 'after', 1);
      assert.ok(((await stored(region, 'after')) as CachedValue).metadata.generation! > generation!);
    },
    COUNTED,
  );

  everyWay('CustomInvalidationStrategyTest: what a strategy is asked', async (on) => {
    const clock = new FakeClock();
    const strategy = new TimeStrategy(clock);
    const { call } = on.make({ regionInvalidator: strategy, keyMangler: (key) => `<${key}>` }, clock);
    const begin = clock.time;
    await call('set', 'k', 'v');
    const asked = async (...args: [any, ...any[]]) => {
      strategy.asked = [];
      await call(...args);
      return strategy.asked;
    };
    assert.equal(await asked('get', 'k'), [['any', begin, '<k>']], 'a read');
    assert.equal(
      await asked('getOrCreate', 'k', () => 1),
      [
        ['hard', begin, '<k>'],
        ['soft', begin, '<k>'],
      ],
      'a fresh value for getOrCreate',
    );
    clock.advance(7);
    const creating = await asked('getOrCreate', 'new', () => {
      clock.advance(5);
      return 1;
    });
    assert.equal(
      creating,
      [['any', begin + 7, '<new>']],
      "the creator's starting time, before its value is stored",
    );
    await call('invalidate', SOFT);
    assert.is(strategy.wasSoftInvalidated(), true);
    assert.is(strategy.wasHardInvalidated(), false);
    await call('invalidate');
    assert.is(strategy.wasHardInvalidated(), true);
  });

  everyWay('a strategy can go by key: one group of keys is invalidated, another is not', async (on) => {
    const groups = new Set<string>();
    const of = (_ct: number, key: string) => groups.has(key.split(':')[0]);
    const regionInvalidator: RegionInvalidator = {
      invalidate: () => {},
      isInvalidated: of,
      isHardInvalidated: of,
      isSoftInvalidated: () => false,
      wasHardInvalidated: () => groups.size > 0,
      wasSoftInvalidated: () => false,
    };
    const { call } = on.make({ regionInvalidator });
    await call('setMulti', [
      ['user:1', 'u'],
      ['team:1', 't'],
    ]);
    groups.add('user');
    assert.equal(await call('getMulti', ['user:1', 'team:1']), [undefined, 't']);
  });

  test('a strategy has all six methods, or is refused', async () => {
    const complete = new TimeStrategy(new FakeClock());
    for (const method of ['invalidate', 'isInvalidated', 'isHardInvalidated', 'isSoftInvalidated']) {
      const regionInvalidator = new Proxy(complete, {
        get: (target, name) => (name === method ? undefined : (target as any)[name]),
      });
      const error = await errorOf(() =>
        createRegion({ name: 'r', backend: 'cairn.memory', regionInvalidator }),
      );
      assert.is(error.field, 'regionInvalidator');
      assert.match(error.message, method);
    }
  });

  test('scope: an invalidation in one thread holds in all threads at their next read', async () => {
    const region = createRegion<string>({ name: 'shared', backend: 'cairn.slab', arguments: SLAB_ARGUMENTS });
    const twin = new Thread(import.meta.url, { handle: region.handle });
    for (const hard of [true, false]) {
      await region.set('k', 'old');
      assert.is(await twin.ask('get', 'k'), 'old');
      await twin.ask('invalidate', { hard });
      assert.is(region.getSync('k'), undefined);
      await region.set('k', 'new');
      assert.is(await twin.ask('get', 'k'), 'new');
      region.invalidateSync({ hard });
      assert.is(await twin.ask('get', 'k'), undefined);
      assert.is(region.getSync('k', { ignoreExpiration: true }), 'new');
    }
    await twin.leave();
    checkRegionHeap(region);
    region.close();
  });

  test('scope: another region on the engine is not touched', () => {
    const cache = SharedCache.create(SLAB_ARGUMENTS);
    const [first, second] = ['first', 'second'].map((name) =>
      createRegion<string>({ name, backend: 'cairn.slab', arguments: { cache } }),
    );
    first.setSync('k', 'v');
    second.setSync('k', 'v');
    first.invalidateSync();
    assert.is(first.getSync('k'), undefined);
    assert.is(second.getSync('k'), 'v');
    checkHeap(cache);
    for (const used of [first, second, cache]) used.close();
  });

  test.run();
}

if (isMainThread) tests();
else {
  const region: CacheRegion<string> = attachRegion<string>(workerData.handle);
  serve({
    get: (key: string) => region.get(key),
    invalidate: (options: { hard: boolean }) => region.invalidate(options),
  });
}
