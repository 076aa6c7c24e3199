/** dogpile.cache, "Region: operations": get_or_create and get_or_create_multi as one caller sees them. (Races: 2.) */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { registerBackend } from '../../src/backend/registry.ts';
import { type CachedValue, MemoryBackend, NO_VALUE } from '../../src/index.ts';
import {
  counting,
  countingMulti,
  deferred,
  errorOf,
  everyWay,
  PROMISES,
  parked,
  stored,
  turns,
} from './fixtures.ts';

const NEVER = { expirationTime: null };

everyWay('R:test_creator, F:test_region_creator', async (on) => {
  const { call } = on.make();
  assert.is(await call('getOrCreate', 'some key', () => 'some value'), 'some value');
  assert.is(await call('get', 'some key'), 'some value');
});

everyWay('R:test_expire, F:test_region_expire', async (on) => {
  const { call, clock } = on.make({ expirationTime: 1000 });
  const creator = counting();
  assert.is(await call('getOrCreate', 'some key', creator), 'some value 1');
  clock.advance(2000);
  assert.is(await call('get', 'some key'), undefined);
  assert.is(await call('get', 'some key', { ignoreExpiration: true }), 'some value 1');
  assert.is(await call('getOrCreate', 'some key', creator, NEVER), 'some value 1');
  assert.is(await call('getOrCreate', 'some key', creator), 'some value 2');
  assert.is(await call('get', 'some key'), 'some value 2');
});

everyWay('R:test_expire_override', async (on) => {
  const { call, clock } = on.make({ expirationTime: 5000 });
  const creator = counting();
  const short = { expirationTime: 1000 };
  assert.is(await call('getOrCreate', 'some key', creator, short), 'some value 1');
  clock.advance(2000);
  assert.is(await call('get', 'some key'), 'some value 1');
  assert.is(await call('getOrCreate', 'some key', creator, short), 'some value 2');
  assert.is(await call('get', 'some key'), 'some value 2');
});

everyWay('F:test_exploding_value_fn: the very error reaches the caller', async (on) => {
  const { call } = on.make();
  const boom = new Error('boom');
  const thrower = () => {
    throw boom;
  };
  assert.is(await errorOf(() => call('getOrCreate', 'some key', thrower)), boom);
  assert.is(await errorOf(() => call('getOrCreateMulti', ['k1', 'k2'], thrower)), boom);
  assert.is(await call('keyIsLocked', 'some key'), false);
  assert.is(await call('getOrCreate', 'some key', () => 'v'), 'v');
});

everyWay("the creator's caller gets the very object, later callers what the backend keeps", async (on) => {
  const { call } = on.make();
  const made = new Map([['a', 1]]);
  assert.is(await call('getOrCreate', 'k', () => made), made);
  const later = await call('get', 'k');
  if (on.way.store === 'slab') assert.is.not(later, made);
  else assert.is(later, made);
  assert.equal([...later], [...made]);
  const [first, second] = [{ n: 1 }, { n: 2 }];
  const values = await call('getOrCreateMulti', ['x', 'y'], () => [first, second]);
  assert.is(values[0], first);
  assert.is(values[1], second);
  assert.ok(Object.isFrozen(first) && Object.isFrozen(second), 'plain objects are frozen');
});

everyWay('R:test_should_cache_fn', async (on) => {
  const { call, region } = on.make();
  const values = [1, 2, 3];
  const creator = () => values.shift();
  const options = { shouldCache: (value: number) => value === 1 || value === 3 };
  const kept = async () => ((await stored(region, 'some key')) as CachedValue).payload;
  assert.is(await call('getOrCreate', 'some key', creator, options), 1);
  assert.is(await kept(), 1);
  await call('invalidate');
  assert.is(await call('getOrCreate', 'some key', creator, options), 2);
  assert.is(await kept(), 1, 'the old value stays as it was');
  await call('invalidate');
  assert.is(await call('getOrCreate', 'some key', creator, options), 3);
  assert.is(await kept(), 3);
});

everyWay('R:test_should_cache_fn_multi', async (on) => {
  const { call, region } = on.make();
  const values = [1, 2, 3];
  const creator = (keys: string[]) => {
    const value = values.shift();
    return keys.map(() => value);
  };
  const options = { shouldCache: (value: number) => value === 1 || value === 3 };
  const kept = async () => ((await stored(region, '1')) as CachedValue).payload;
  assert.equal(await call('getOrCreateMulti', ['1', '2'], creator, options), [1, 1]);
  assert.is(await kept(), 1);
  await call('invalidate');
  assert.equal(await call('getOrCreateMulti', ['1', '2'], creator, options), [2, 2]);
  assert.is(await kept(), 1);
  await call('invalidate');
  assert.equal(await call('getOrCreateMulti', ['1', '2'], creator, options), [3, 3]);
  assert.is(await kept(), 3);
});

everyWay(
  'shouldCache refuses: five callers share one run, where dogpile.cache runs the creator five times',
  async (on) => {
    const { call } = on.make();
    const it = parked();
    const calls = Array.from({ length: 5 }, () =>
      call('getOrCreate', 'k', it.creator, { shouldCache: () => false }),
    );
    await it.started;
    await turns(40);
    it.gate.resolve('v');
    assert.equal(await Promise.all(calls), ['v', 'v', 'v', 'v', 'v']);
    assert.is(it.runs, 1);
    assert.is(await call('has', 'k'), false);
  },
  PROMISES,
);

everyWay('creator_args: a creator takes no arguments of its own, a closure does', async (on) => {
  const { call } = on.make();
  const add = (a: number, b: number) => a + b;
  assert.is(await call('getOrCreate', 'k', () => add(3, 4)), 7);
  let given: unknown[] = [];
  await call('getOrCreate', 'l', (...args: unknown[]) => (given = args).length);
  assert.is(given.length, 1);
  assert.instance((given[0] as { signal: AbortSignal }).signal, AbortSignal);
});

everyWay('R:test_multi_creator: results in the order of the keys', async (on) => {
  const { call } = on.make();
  const creator = (keys: string[]) => keys.map((key) => `some value ${key}`);
  assert.equal(await call('getOrCreateMulti', ['k3', 'k2', 'k5'], creator), [
    'some value k3',
    'some value k2',
    'some value k5',
  ]);
});

everyWay('R:test_expire_multi', async (on) => {
  const { call, clock } = on.make({ expirationTime: 1000 });
  const creator = countingMulti();
  assert.equal(await call('getOrCreateMulti', ['k3', 'k2', 'k5'], creator), [
    'some value k3 2',
    'some value k2 1',
    'some value k5 3',
  ]);
  clock.advance(2000);
  assert.is(await call('get', 'k2'), undefined);
  assert.is(await call('get', 'k2', { ignoreExpiration: true }), 'some value k2 1');
  assert.equal(await call('getOrCreateMulti', ['k3', 'k2'], creator, NEVER), [
    'some value k3 2',
    'some value k2 1',
  ]);
  assert.equal(await call('getOrCreateMulti', ['k3', 'k2'], creator), ['some value k3 5', 'some value k2 4']);
  assert.is(await call('get', 'k2'), 'some value k2 4');
});

everyWay(
  'getOrCreateMulti: each missing key once, sorted by code unit; duplicates get one value',
  async (on) => {
    // Turns the order of the keys round.
    const keyMangler = (key: string) => [...key].map((char) => 2000 - char.charCodeAt(0)).join();
    const { call } = on.make({ keyMangler });
    const creator = countingMulti();
    await call('set', 'fresh', 'kept');
    const keys = ['b', 'é', 'B', '10', '2', 'b', 'fresh', 'a', 'b'];
    const values = await call('getOrCreateMulti', keys, creator);
    assert.equal(creator.asked, [['10', '2', 'B', 'a', 'b', 'é']], 'by the keys as the caller wrote them');
    assert.is(values[0], values[5]);
    assert.is(values[0], values[8]);
    assert.is(values[6], 'kept');
    assert.equal(values[3], 'some value 10 1');
  },
);

everyWay('F:test_region_set_zero_multiple_values_w_decorator: no keys, no creator', async (on) => {
  const { call } = on.make();
  const creator = countingMulti();
  assert.equal(await call('getOrCreateMulti', [], creator), []);
  assert.is(creator.runs, 0);
});

/** Notes what reaches it, in the Multi forms too. */
class NotingBackend extends MemoryBackend<any> {
  static calls: string[] = [];
  override get(key: string) {
    NotingBackend.calls.push(`get ${key}`);
    return super.get(key);
  }
  override set(key: string, value: CachedValue<any>) {
    NotingBackend.calls.push(`set ${key}`);
    super.set(key, value);
  }
  override getMulti(keys: readonly string[]) {
    NotingBackend.calls.push(`getMulti ${keys.join()}`);
    return keys.map((key) => super.get(key));
  }
  override setMulti(entries: Iterable<readonly [string, CachedValue<any>]>) {
    const list = [...entries];
    NotingBackend.calls.push(`setMulti ${list.map(([key]) => key).join()}`);
    for (const [key, value] of list) super.set(key, value);
  }
}
registerBackend('test.noting', () => NotingBackend);
const NOTING = { backend: 'test.noting', arguments: {} };

everyWay('getOrCreateMulti: one read, one more under the mutexes, one creator, one write', async (on) => {
  const { call } = on.make(NOTING);
  await call('set', 'c', 'fresh');
  NotingBackend.calls = [];
  const creator = countingMulti();
  await call('getOrCreateMulti', ['d', 'c', 'a'], creator);
  assert.equal(NotingBackend.calls, ['getMulti d,c,a', 'getMulti a,d', 'setMulti a,d']);
  assert.is(creator.runs, 1);
});

everyWay('F:test_region_get_or_create_multi_w_should_cache_none: nothing to store, no write', async (on) => {
  const { call } = on.make(NOTING);
  NotingBackend.calls = [];
  const values = await call('getOrCreateMulti', ['key1', 'key2', 'key3'], () => [null, null, null], {
    shouldCache: (value: unknown) => value !== null,
  });
  assert.equal(values, [null, null, null]);
  assert.equal(
    NotingBackend.calls.filter((name) => name.startsWith('set')),
    [],
  );
});

everyWay('getOrCreateMulti: too few or too many values are an error, and nothing is stored', async (on) => {
  const { call } = on.make();
  for (const result of [['x'], ['x', 'y', 'z'], 'xy', undefined, new Map()]) {
    const error = await errorOf(() => call('getOrCreateMulti', ['k1', 'k2'], () => result));
    assert.is(error.code, 'ERR_CAIRN_CREATOR_RESULT');
    assert.equal(await call('getMulti', ['k1', 'k2']), [undefined, undefined]);
  }
});

everyWay('getOrCreateMulti: keys are strings, so they have an order', async (on) => {
  const { call } = on.make();
  const error = await errorOf(() => call('getOrCreateMulti', ['a', 1], (keys: string[]) => keys));
  assert.is(error.code, 'ERR_CAIRN_KEY');
  assert.is(await call('has', 'a'), false);
});

everyWay('getOrCreateMulti: values of one call have one time of creation', async (on) => {
  let time = 1_000_000;
  const { call, region } = on.make({ clock: () => ++time });
  await call('getOrCreateMulti', ['k1', 'k2', 'k3'], (keys: string[]) => keys);
  const times = new Set<number>();
  for (const key of ['k1', 'k2', 'k3']) times.add(((await stored(region, key)) as CachedValue).metadata.ct);
  assert.is(times.size, 1);
});

everyWay('getOrCreateMulti: the runner for stale values is not asked', async (on) => {
  for (const options of [[], [{}]]) {
    let asked = 0;
    const { call, clock } = on.make({ expirationTime: 10, asyncCreationRunner: () => asked++ });
    await call('setMulti', [
      ['k1', 'old'],
      ['k2', 'old'],
    ]);
    clock.advance(11);
    assert.equal(await call('getOrCreateMulti', ['k1', 'k2'], () => ['n1', 'n2'], ...options), ['n1', 'n2']);
    assert.is(asked, 0);
  }
});

everyWay(
  'getOrCreateMulti: five callers on missing keys run the creator once, as the single form does',
  async (on) => {
    const { call } = on.make();
    const { gate, started } = { gate: deferred(), started: deferred() };
    const asked: string[][] = [];
    const creator = async (keys: string[]) => {
      asked.push([...keys]);
      started.resolve();
      await gate.promise;
      return keys.map((key) => `value ${key}`);
    };
    const calls: Promise<any>[] = Array.from({ length: 5 }, () =>
      call('getOrCreateMulti', ['k2', 'k1'], creator),
    );
    await started.promise;
    // Single callers join key by key, and what overlaps is created once.
    calls.push(call('getOrCreate', 'k1', () => 'other'));
    calls.push(call('getOrCreateMulti', ['k1', 'k3'], creator));
    await turns(60);
    gate.resolve();
    const results = await Promise.all(calls);
    for (const result of results.slice(0, 5)) assert.equal(result, ['value k2', 'value k1']);
    assert.is(results[5], 'value k1');
    assert.equal(results[6], ['value k1', 'value k3']);
    assert.equal(asked, [['k1', 'k2'], ['k3']]);
  },
  PROMISES,
);

/** Mutexes that note who takes them; that of `broken` throws or rejects. */
class BrokenMutexBackend extends MemoryBackend<any> {
  static log: string[] = [];
  static held = new Set<string>();
  static late = false;
  override getMutex(key: string) {
    const { log, held } = BrokenMutexBackend;
    return {
      acquire: (): boolean | Promise<boolean> => {
        if (key === 'broken' && BrokenMutexBackend.late) return Promise.reject(new Error('no mutex'));
        if (key === 'broken') throw new Error('no mutex');
        log.push(`acquire ${key}`);
        held.add(key);
        return true;
      },
      release: () => {
        log.push(`release ${key}`);
        held.delete(key);
      },
      locked: () => held.has(key),
    };
  }
}
registerBackend('test.broken-mutex', () => BrokenMutexBackend);

everyWay(
  'getOrCreateMulti: an error while the mutexes are taken leaves none of them held',
  async (on) => {
    for (const late of on.sync ? [false] : [false, true]) {
      BrokenMutexBackend.late = late;
      BrokenMutexBackend.log = [];
      const { call, region } = on.make({ backend: 'test.broken-mutex', arguments: {} });
      const error = await errorOf(() => call('getOrCreateMulti', ['broken', 'a', 'z'], () => [1, 2, 3]));
      assert.match(error.message, 'no mutex');
      assert.equal(BrokenMutexBackend.log, ['acquire a', 'release a']);
      assert.is(await call('keyIsLocked', 'a'), false);
      assert.is(await stored(region, 'a'), NO_VALUE);
    }
  },
  (way) => way.store === 'memory',
);

test.run();
