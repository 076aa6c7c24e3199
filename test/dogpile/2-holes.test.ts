/**
 * dogpile.cache, "Exact semantics of the dogpile lock": what get_or_create plugs into the lock (2b), its known holes and
 * how each was decided here (2d), creators within creators, changes while a creator runs. (2d.1: 2-lock. 2d.4: 2-multi.)
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { createRegion, NO_VALUE, registerBackend, type SlabMutex } from '../../src/index.ts';
import {
  counting,
  deferred,
  errorOf,
  everyWay,
  FakeClock,
  OWN_PROXY,
  PROMISES,
  parked,
  recorder,
  stored,
  type Way,
} from './fixtures.ts';

const EXPIRES = { expirationTime: 10 };
const SLAB = (way: Way) => way.store === 'slab';

everyWay('2b: the time of creation is the one after the creator', async (on) => {
  const { call, clock } = on.make(EXPIRES);
  await call('getOrCreate', 'k', () => {
    clock.advance(100);
    return 'v';
  });
  clock.advance(10);
  assert.is(await call('get', 'k'), 'v');
  clock.advance(1);
  assert.is(await call('get', 'k'), undefined);
});

everyWay('2b: the expiration time of the call goes before that of the region', async (on) => {
  const { call, clock } = on.make({ expirationTime: null });
  await call('set', 'k', 'old');
  clock.advance(50);
  const creator = counting();
  assert.is(await call('getOrCreate', 'k', creator, { expirationTime: 50 }), 'old');
  assert.is(await call('getOrCreate', 'k', creator, { expirationTime: 49 }), 'some value 1');
});

everyWay(
  '2b: the mutex and the backend get the mangled key, the creator none',
  async (on) => {
    const { log, Recorder } = recorder();
    const { call } = on.make({ wrap: [Recorder], keyMangler: (key: string) => `<${key}>` });
    await call('getOrCreate', 'k', () => 'v');
    assert.equal(new Set(log), new Set(['get <k>', 'mutex <k>', 'set <k>']));
  },
  OWN_PROXY,
);

everyWay(
  '2d.2: with a clock near zero a soft-invalidated value is served, not waited for',
  async (on) => {
    for (const time of [1, 100]) {
      const { call, clock } = on.make({ expirationTime: 1000 }, new FakeClock(time));
      await call('set', 'k', 'old');
      await call('invalidate', { hard: false });
      const it = parked();
      const first = call('getOrCreate', 'k', it.creator);
      await it.started;
      assert.is(await call('getOrCreate', 'k', () => 'other'), 'old');
      it.gate.resolve('new');
      assert.is(await first, 'new');
      assert.ok(clock.time < 1000);
    }
  },
  PROMISES,
);

/** A mutex that cannot be had: `acquire(true)` answers `false`, now or later. */
class RefusingBackend extends MemoryBackend<any> {
  static log: string[] = [];
  static late = false;
  override getMutex() {
    return {
      acquire: (wait?: boolean): boolean | Promise<boolean> => {
        RefusingBackend.log.push(`acquire ${wait}`);
        return RefusingBackend.late ? Promise.resolve(false) : false;
      },
      release: () => void RefusingBackend.log.push('release'),
    };
  }
}
registerBackend('test.refusing', () => RefusingBackend);

everyWay(
  '2d.3: a mutex that says it is not to be had: created without it, counted, and not released',
  async (on) => {
    for (const late of on.sync ? [false] : [false, true]) {
      RefusingBackend.log = [];
      RefusingBackend.late = late;
      const { call, region, clock } = on.make({ ...EXPIRES, backend: 'test.refusing', arguments: {} });
      assert.is(await call('getOrCreate', 'k', () => 'v'), 'v');
      assert.is(region.stats().unlockedCreations, 1);
      assert.is(await call('get', 'k'), 'v');
      clock.advance(11);
      assert.is(await call('getOrCreate', 'k', () => 'w'), 'v', 'where a stale value stands it is served');
      assert.equal(RefusingBackend.log, ['acquire true', 'acquire false']);
    }
  },
  (way) => way.store === 'memory',
);

everyWay(
  '2d.5: waitTimeout bounds the waiting for others; the creator does not run',
  async (on) => {
    const { call, region } = on.make();
    const mutex = region.backend.getMutex('k') as SlabMutex;
    assert.is(mutex.tryAcquire(), true);
    const creator = counting();
    const error = await errorOf(() => call('getOrCreate', 'k', creator, { waitTimeout: 1 }));
    assert.is(error.code, 'ERR_CAIRN_WAIT_TIMEOUT');
    assert.is(creator.runs, 0);
    mutex.release();
    assert.is(await call('getOrCreate', 'k', creator, { waitTimeout: 1 }), 'some value 1');
  },
  SLAB,
);

everyWay('2d.5: nothing holds a failing creator back: the next call runs it again', async (on) => {
  const { call } = on.make();
  let runs = 0;
  const failing = () => {
    runs++;
    throw new Error('down');
  };
  for (let n = 0; n < 3; n++) await errorOf(() => call('getOrCreate', 'k', failing));
  assert.is(runs, 3);
});

everyWay('F:test_reentrant_dogpile: a creator asks for another key', async (on) => {
  const { call, region } = on.make();
  const nested = (key: string, creator: () => any) =>
    on.sync ? region.getOrCreateSync(key, creator) : region.getOrCreate(key, creator);
  const createFoo = () => {
    const bar = nested('bar', () => 'bar');
    return on.sync ? `foo${bar}` : (bar as Promise<string>).then((text) => `foo${text}`);
  };
  for (let n = 0; n < 2; n++) assert.is(await call('getOrCreate', 'foo', createFoo), 'foobar');
  assert.is(await call('get', 'bar'), 'bar');
});

everyWay(
  'a Sync call for a key that its own thread creates: the stale value, or created without the mutex',
  async (on) => {
    const { call, region, clock } = on.make(EXPIRES);
    const it = parked();
    const first = region.getOrCreate('k', it.creator);
    await it.started;
    assert.is(await call('getOrCreate', 'k', () => 'at once', { waitTimeout: 3000 }), 'at once');
    assert.is(region.stats().unlockedCreations, 1);
    it.gate.resolve('late');
    assert.is(await first, 'late');
    assert.is(await call('get', 'k'), 'at once', 'the first to end stores');
    clock.advance(11);
    const again = parked();
    const second = region.getOrCreate('k', again.creator);
    await again.started;
    assert.is(await call('getOrCreate', 'k', () => 'other'), 'at once');
    again.gate.resolve('new');
    assert.is(await second, 'new');
  },
  (way) => way.sync,
);

everyWay('a creator that asks for its own key does not wait for itself', async (on) => {
  const { call, region, clock } = on.make(EXPIRES);
  const own = () =>
    on.sync ? region.getOrCreateSync('k', () => 'inner') : region.getOrCreate('k', () => 'inner');
  assert.is((await errorOf(() => call('getOrCreate', 'k', own))).code, 'ERR_CAIRN_REENTRANT');
  await call('set', 'k', 'old');
  clock.advance(11);
  assert.is(await call('getOrCreate', 'k', own), 'old');
});

everyWay(
  'no stale sets: what changed the key while its creator ran stands',
  async (on) => {
    for (const change of ['set', 'delete', 'clear'] as const) {
      const { call, region } = on.make();
      const it = parked();
      const late = call('getOrCreate', 'k', it.creator);
      await it.started;
      await (change === 'clear' ? call('clear') : call(change, 'k', 'set meanwhile'));
      it.gate.resolve('late');
      assert.is(await late, 'late');
      assert.is(await call('get', 'k'), change === 'set' ? 'set meanwhile' : undefined);
      if (change !== 'set') assert.is(await stored(region, 'k'), NO_VALUE);
    }
  },
  PROMISES,
);

test('the third branch of 2a: a creator may return any value, the internal ones too', async () => {
  const region = createRegion<any>({ name: 'r', backend: 'cairn.memory' });
  for (const value of [undefined, null, NO_VALUE, 0, '']) {
    assert.is(await region.getOrCreate(`k${String(value)}`, () => value), value);
  }
  const gate = deferred<undefined>();
  const calls = [1, 2].map(() => region.getOrCreate('late', () => gate.promise));
  gate.resolve(undefined);
  assert.equal(await Promise.all(calls), [undefined, undefined]);
  assert.is(await region.has('late'), true);
});

test.run();
