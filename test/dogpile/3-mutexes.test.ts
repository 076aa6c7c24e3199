/**
 * dogpile.cache, "Mutexes": F:_GenericMutexTestSuite, what its backends' locks do when a lease ends (3b, 3c), and the
 * modulus of the key's hash, which there is prose and here is `cairn.slab` (3e). Threads: 3-threads.test.ts.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createRegion,
  MemoryBackend,
  NullBackend,
  SharedCache,
  SlabBackend,
  type SlabMutex,
} from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap, extendLease } from '../support/engine.ts';
import {
  countingMulti,
  errorOf,
  everyWay,
  isPending,
  keysApart,
  PROMISES,
  parked,
  SLAB_ARGUMENTS,
  type Trial,
  turns,
  type Way,
} from './fixtures.ts';

const SLAB = (way: Way) => way.store === 'slab';

/** A backend of its own, looked after. */
function withSlab(
  title: string,
  body: (backend: SlabBackend<any>, cache: SharedCache<any>) => Promise<void>,
) {
  test(title, async () => {
    const backend = new SlabBackend<any>(SLAB_ARGUMENTS, { region: 'mutexes' });
    const cache = SharedCache.attach<any>(backend.handle);
    await body(backend, cache);
    checkHeap(cache);
    cache.close();
    backend.close();
  });
}

/** Two keys of different mutexes. */
function twoKeys(backend: SlabBackend<any>): [string, string] {
  const foo = backend.getMutex('foo').index;
  for (let n = 0; ; n++) if (backend.getMutex(`bar${n}`).index !== foo) return ['foo', `bar${n}`];
}

test('3a: the default is a mutex of the region, one per mangled key, in this thread', async () => {
  const region = createRegion<string>({
    name: 'r',
    backend: 'cairn.memory',
    keyMangler: (key) => `<${key}>`,
  });
  assert.is(new MemoryBackend().getMutex('k'), null);
  const it = parked();
  const creating = region.getOrCreate('k', it.creator);
  await it.started;
  const { localMutexes } = coreOf(region);
  assert.is(localMutexes.size, 1);
  assert.is(localMutexes.get('<k>').locked(), true);
  assert.is(localMutexes.get('<k>').acquire(false), false, 'not re-entrant');
  it.gate.resolve('v');
  await creating;
  assert.is(localMutexes.size, 0, 'gone when nobody has it');
});

withSlab('F:test_mutex', async (backend) => {
  const mutex = backend.getMutex('foo');
  assert.is(mutex.locked(), false);
  assert.is(await mutex.acquire(), true);
  const other = backend.getMutex('foo');
  assert.is(other.acquire(false), false);
  assert.is(mutex.locked(), true);
  assert.is(other.locked(), true, 'whoever asks');
  mutex.release();
  assert.is(mutex.locked(), false);
  assert.is(await mutex.acquire(), true);
  mutex.release();
  assert.is(mutex.acquireSync(), true);
  mutex.release();
});

withSlab('F:test_subclass_match: a mutex is whatever has acquire and release', async (backend) => {
  for (const mutex of [backend.getMutex('foo'), new NullBackend().getMutex('foo')]) {
    assert.type(mutex.acquire, 'function');
    assert.type(mutex.release, 'function');
  }
});

withSlab(
  'F:test_mutex_reentrant_across_keys: other keys can be had, the same one not twice',
  async (backend) => {
    const [foo, bar] = twoKeys(backend);
    for (let n = 0; n < 3; n++) {
      const first = backend.getMutex(foo);
      const second = backend.getMutex(bar);
      assert.is(await first.acquire(), true);
      for (let m = 0; m < 2; m++) {
        assert.is(second.acquire(false), true);
        assert.is(backend.getMutex(bar).acquire(false), false);
        second.release();
      }
      first.release();
    }
  },
);

withSlab('a mutex object is not re-entrant: acquired twice it throws', async (backend) => {
  const mutex = backend.getMutex('foo');
  await mutex.acquire();
  assert.is((await errorOf(() => mutex.acquire())).code, 'ERR_CAIRN_MUTEX');
  assert.is((await errorOf(() => mutex.acquire(false))).code, 'ERR_CAIRN_MUTEX');
  mutex.release();
});

withSlab('DBM:test_release_assertion_thread, _key: what was never held is not released', async (backend) => {
  const [foo, bar] = twoKeys(backend);
  const mutex = backend.getMutex(foo);
  assert.is((await errorOf(() => mutex.release())).code, 'ERR_CAIRN_MUTEX');
  await mutex.acquire();
  assert.is((await errorOf(() => backend.getMutex(bar).release())).code, 'ERR_CAIRN_MUTEX');
  assert.is(
    (await errorOf(() => backend.getMutex(foo).release())).code,
    'ERR_CAIRN_MUTEX',
    'not by its name',
  );
  assert.is(mutex.locked(), true);
  mutex.release();
  assert.is((await errorOf(() => mutex.release())).code, 'ERR_CAIRN_MUTEX');
});

withSlab('3b: a lease that ran out: the first holder does not free the second', async (backend, cache) => {
  const [first, second] = [backend.getMutex('foo'), backend.getMutex('foo')];
  await first.acquire();
  assert.is(second.acquire(false), false);
  extendLease(cache, first, -1);
  assert.is(second.acquire(false), true);
  first.release();
  assert.is(second.locked(), true);
  second.release();
  assert.is(second.locked(), false);
});

withSlab('3c: who acquired it does not matter, the object that did releases it', async (backend) => {
  const mutex = backend.getMutex('foo');
  const holding = mutex.acquire();
  await Promise.resolve().then(async () => {
    assert.is(await holding, true);
    mutex.release();
  });
  assert.is(mutex.locked(), false);
});

withSlab(
  'a mutex is no entry: nothing stands in the store, and clear does not free it',
  async (backend, cache) => {
    const mutex = backend.getMutex('foo');
    await mutex.acquire();
    assert.is(cache.size, 0);
    cache.clear();
    backend.clear();
    assert.is(mutex.locked(), true);
    mutex.release();
  },
);

everyWay(
  '3c: a creator that outlives its lease: the caller has its value and no error, the second holder its mutex',
  async (on) => {
    const { call, region } = on.make();
    const it = parked();
    const late = call('getOrCreate', 'k', it.creator);
    await it.started;
    const other = region.backend.getMutex('k') as SlabMutex;
    const cache = SharedCache.attach<any>((region.actualBackend as SlabBackend).handle);
    extendLease(cache, other, -1);
    cache.close();
    assert.is(other.tryAcquire(), true);
    it.gate.resolve('late');
    assert.is(await late, 'late');
    assert.is(await call('get', 'k'), 'late', 'nothing stood against it');
    assert.is(other.locked(), true);
    other.release();
  },
  (way) => SLAB(way) && PROMISES(way),
);

const striped = (on: Trial, mutexes: number) =>
  on.make({ arguments: { ...SLAB_ARGUMENTS, mutexes }, expirationTime: 10 });

everyWay(
  '3e: several keys of one mutex do not wait for themselves',
  async (on) => {
    const { call } = striped(on, 1);
    const creator = countingMulti();
    assert.equal(await call('getOrCreateMulti', ['a', 'b'], creator), ['some value a 1', 'some value b 2']);
    assert.is(creator.runs, 1);
    assert.is(await call('keyIsLocked', 'a'), false);
  },
  SLAB,
);

everyWay(
  '3e, F:test_reentrant_dogpile: a creator asks for another key of its own mutex',
  async (on) => {
    const { call, region } = striped(on, 1);
    const nested = (key: string, creator: () => any) =>
      on.sync ? region.getOrCreateSync(key, creator) : region.getOrCreate(key, creator);
    const chain = (names: string[]): any => {
      const [name, ...rest] = names;
      if (rest.length === 0) return name;
      const inner = nested(rest[0], () => chain(rest));
      return on.sync ? name + inner : inner.then((text: string) => name + text);
    };
    assert.is(await call('getOrCreate', 'a', () => chain(['a', 'b', 'c', 'd'])), 'abcd');
    assert.is(region.stats().unlockedCreations, 0, 'under the mutex that the chain has');
    assert.equal(await call('getMulti', ['a', 'b', 'c', 'd']), ['abcd', 'bcd', 'cd', 'd']);
  },
  SLAB,
);

everyWay(
  '3e: a creator that asks for a key of a lower mutex that is busy goes on without it, and that is counted',
  async (on) => {
    const { call, region } = on.make();
    const [low, high] = keysApart(region, 2);
    const busy = region.backend.getMutex(low) as SlabMutex;
    assert.is(busy.tryAcquire(), true);
    const nested = () =>
      on.sync ? region.getOrCreateSync(low, () => 'l') : region.getOrCreate(low, () => 'l');
    const outer = () => {
      const inner: any = nested();
      return on.sync ? `h${inner}` : inner.then((text: string) => `h${text}`);
    };
    assert.is(await call('getOrCreate', high, outer), 'hl');
    assert.is(region.stats().unlockedCreations, 1);
    busy.release();
  },
  SLAB,
);

everyWay(
  '3e: two creators that ask for each other do not wait for ever',
  async (on) => {
    const { call, region } = on.make();
    const [low, high] = keysApart(region, 2);
    const both = parked<void>();
    let entered = 0;
    const creator = (own: string, other: string) => async () => {
      if (++entered === 2) both.gate.resolve();
      await both.gate.promise;
      return `${own}+${await region.getOrCreate(other, () => 'alone')}`;
    };
    const calls = [
      call('getOrCreate', low, creator('low', high)),
      call('getOrCreate', high, creator('high', low)),
    ];
    assert.equal(await Promise.all(calls), ['low+high+alone', 'high+alone']);
    assert.is(region.stats().unlockedCreations, 1);
  },
  PROMISES,
);

everyWay(
  '3e: an expired key whose mutex is busy with another key: stale, though nobody refreshes it',
  async (on) => {
    const { call, region, clock } = striped(on, 1);
    await call('set', 'a', 'old a');
    clock.advance(11);
    const it = parked();
    const creating = region.getOrCreate('other', it.creator);
    await it.started;
    assert.is(await call('getOrCreate', 'a', () => 'new a'), 'old a');
    assert.is(await call('keyIsLocked', 'a'), true, 'it cannot tell the two keys apart');
    it.gate.resolve('o');
    await creating;
    assert.is(await call('getOrCreate', 'a', () => 'new a'), 'new a');
  },
  SLAB,
);

everyWay(
  '3e: a missing key whose mutex is busy with another key waits: the throttle',
  async (on) => {
    const { call } = striped(on, 1);
    const it = parked();
    const first = call('getOrCreate', 'a', it.creator);
    await it.started;
    let ran = false;
    const second = call('getOrCreate', 'b', () => (ran = true));
    assert.is(await isPending(second), true);
    assert.is(ran, false);
    it.gate.resolve('v');
    assert.is(await first, 'v');
    assert.is(await second, true);
  },
  (way) => SLAB(way) && PROMISES(way),
);

everyWay(
  '3e: never more creators at once than there are mutexes',
  async (on) => {
    const { call } = striped(on, 3);
    let running = 0;
    let most = 0;
    const creator = async () => {
      most = Math.max(most, ++running);
      await turns(3);
      running--;
      return 1;
    };
    await Promise.all(Array.from({ length: 40 }, (_, n) => call('getOrCreate', `k${n}`, creator)));
    assert.ok(most <= 3, `${most} at once`);
    assert.ok(most >= 2);
  },
  (way) => SLAB(way) && PROMISES(way),
);

everyWay(
  '3d: where mutexes are per key, creators of different keys run side by side',
  async (on) => {
    const { call, region } = on.make();
    const its = keysApart(region, 4).map((key) => ({ key, it: parked() }));
    const calls = its.map(({ key, it }) => call('getOrCreate', key, it.creator));
    for (const { it } of its) await it.started;
    for (const { key, it } of its) it.gate.resolve(key);
    assert.equal(
      await Promise.all(calls),
      its.map(({ key }) => key),
    );
  },
  PROMISES,
);

test.run();
