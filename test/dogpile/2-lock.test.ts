/**
 * dogpile.cache, "Exact semantics of the dogpile lock" (2a, 2c): who reads, waits, creates and gets what. Where Cairn
 * decided otherwise the title says so. (2b, 2d: 2-holes. Runners: 2-runners. Several keys: 2-multi. Threads: 3-threads.)
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProxyBackend, type SlabMutex } from '../../src/index.ts';
import {
  counting,
  errorOf,
  everyWay,
  isPending,
  OWN_PROXY,
  PROMISES,
  parked,
  recorder,
  type Subject,
  setElsewhere,
  type Trial,
  turns,
  type Way,
} from './fixtures.ts';

const EXPIRES = { expirationTime: 10 };
const SLAB = (way: Way) => way.store === 'slab';

/** A value `old` that stands under `k` and is stale for one of dogpile.cache's two reasons. */
const STALE: Record<string, (on: Trial, options?: object) => Promise<Subject>> = {
  async expired(on, options = {}) {
    const subject = on.make({ ...EXPIRES, ...options });
    await subject.call('set', 'k', 'old');
    subject.clock.advance(11);
    return subject;
  },
  async 'soft-invalidated'(on, options = {}) {
    const subject = on.make({ expirationTime: 1_000_000, ...options });
    await subject.call('set', 'k', 'old');
    await subject.call('invalidate', { hard: false });
    return subject;
  },
};

/** No value to serve stands under `k`, for one of three reasons. */
const MISSING: Record<string, (on: Trial, options?: object) => Promise<Subject>> = {
  async absent(on, options = {}) {
    return on.make({ ...EXPIRES, ...options });
  },
  async 'of another version'(on, options = {}) {
    const subject = on.make({ ...EXPIRES, ...options });
    await setElsewhere(subject, 'k', 'odd', 99);
    return subject;
  },
  async 'hard-invalidated'(on, options = {}) {
    const subject = on.make({ ...EXPIRES, ...options });
    await subject.call('set', 'k', 'old');
    await subject.call('invalidate');
    return subject;
  },
};

everyWay(
  'fresh: returned after exactly one read, the mutex is not touched',
  async (on) => {
    const { log, Recorder } = recorder();
    const { call } = on.make({ ...EXPIRES, wrap: [Recorder] });
    await call('set', 'k', 'v');
    log.length = 0;
    assert.is(await call('getOrCreate', 'k', () => 'new'), 'v');
    assert.equal(log, ['get k']);
  },
  OWN_PROXY,
);

everyWay('fresh: returned at once while somebody creates it', async (on) => {
  const { call, region, clock } = on.make({ expirationTime: 1000 });
  await call('set', 'k', 'v');
  clock.advance(11);
  const it = parked();
  // For this caller it is too old already.
  const creating = region.getOrCreate('k', it.creator, EXPIRES);
  await it.started;
  assert.is(await call('getOrCreate', 'k', () => 'other'), 'v');
  it.gate.resolve('new');
  assert.is(await creating, 'new');
});

for (const [why, prepare] of Object.entries(STALE)) {
  everyWay(
    `${why}, nobody creates (L:test_no_double_get_on_expired): created under the mutex, after a second read`,
    async (on) => {
      const { log, Recorder } = recorder();
      const { call } = await prepare(on, { wrap: [Recorder] });
      log.length = 0;
      const creator = counting();
      assert.is(await call('getOrCreate', 'k', creator), 'some value 1');
      const [first, ...rest] = log;
      assert.is(first, 'get k');
      assert.equal(
        rest.filter((entry) => !entry.startsWith('mutex')),
        ['get k', 'set k'],
      );
      assert.ok(rest[0] === 'mutex k', 'the second read is under the mutex');
      assert.is(await call('getOrCreate', 'k', creator), 'some value 1');
    },
    OWN_PROXY,
  );

  everyWay(`${why}, somebody creates: the old value at once`, async (on) => {
    const { call, region } = await prepare(on);
    const it = parked();
    const first = region.getOrCreate('k', it.creator);
    await it.started;
    for (let n = 0; n < 3; n++) assert.is(await call('getOrCreate', 'k', () => 'other'), 'old');
    it.gate.resolve('new');
    assert.is(await first, 'new');
    assert.is(await call('getOrCreate', 'k', () => 'other'), 'new');
  });

  everyWay(
    `${why}, another thread creates: the old value at once`,
    async (on) => {
      const { call, region } = await prepare(on);
      const mutex = region.backend.getMutex('k') as SlabMutex;
      assert.is(mutex.tryAcquire(), true);
      assert.is(await call('getOrCreate', 'k', () => 'other'), 'old');
      mutex.release();
      assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
    },
    SLAB,
  );

  everyWay(`${why}, the creator raises: its caller gets the error; the old value stands`, async (on) => {
    const { call } = await prepare(on);
    const wrong = new Error('wrong');
    const thrower = () => {
      throw wrong;
    };
    assert.is(await errorOf(() => call('getOrCreate', 'k', thrower)), wrong);
    assert.is(await call('keyIsLocked', 'k'), false);
    assert.is(await call('get', 'k', { ignoreExpiration: true }), 'old');
    assert.is(await call('getOrCreate', 'k', thrower, { staleOnError: true }), 'old', 'on request');
    assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
  });

  everyWay(
    `${why}, the creator raises: stale readers are not affected`,
    async (on) => {
      const { call } = await prepare(on);
      const it = parked();
      const first = errorOf(() => call('getOrCreate', 'k', it.creator));
      await it.started;
      assert.is(await call('getOrCreate', 'k', it.creator), 'old');
      it.gate.reject(new Error('wrong'));
      assert.is((await first).message, 'wrong');
      assert.is(it.runs, 1);
      assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
    },
    PROMISES,
  );

  everyWay(
    `${why} (2d.1): regenerated between the read and the mutex, it is not regenerated again`,
    async (on) => {
      let subject!: Subject;
      let armed = false;
      /** Another thread regenerates right after the first read. */
      class Overtaken extends ProxyBackend<any> {
        override get(key: string): any {
          const found = super.get(key);
          if (!armed) return found;
          armed = false;
          const overtake = (value: unknown) => {
            const set = setElsewhere(subject, key, 'of another thread');
            return on.way.store === 'delay' ? set.then(() => value) : value;
          };
          return found instanceof Promise ? found.then(overtake) : overtake(found);
        }
      }
      subject = await prepare(on, { wrap: [Overtaken] });
      armed = true;
      const creator = counting();
      assert.is(await subject.call('getOrCreate', 'k', creator), 'of another thread');
      assert.is(creator.runs, 0);
    },
    OWN_PROXY,
  );
}

for (const [why, prepare] of Object.entries(MISSING)) {
  everyWay(
    `${why}, nobody creates: created under the mutex, after a second read`,
    async (on) => {
      const { log, Recorder } = recorder();
      const { call } = await prepare(on, { wrap: [Recorder] });
      log.length = 0;
      assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
      assert.is(log[0], 'get k');
      assert.is(log[1], 'mutex k');
      assert.equal(
        log.filter((entry) => !entry.startsWith('mutex')),
        ['get k', 'get k', 'set k'],
      );
      assert.is(await call('get', 'k'), 'new');
    },
    OWN_PROXY,
  );

  everyWay(
    `${why}, somebody creates: all wait and get what he made`,
    async (on) => {
      const { call } = await prepare(on);
      const it = parked();
      const calls = Array.from({ length: 5 }, () => call('getOrCreate', 'k', it.creator));
      await it.started;
      assert.is(await isPending(calls[4]), true);
      it.gate.resolve('new');
      assert.equal(await Promise.all(calls), ['new', 'new', 'new', 'new', 'new']);
      assert.is(it.runs, 1);
    },
    PROMISES,
  );

  everyWay(
    `${why}, another thread creates: waits, reads again, and takes what is fresh`,
    async (on) => {
      const subject = await prepare(on);
      const { call, region } = subject;
      const mutex = region.backend.getMutex('k') as SlabMutex;
      assert.is(mutex.tryAcquire(), true);
      const creator = counting();
      const waiting = call('getOrCreate', 'k', creator);
      assert.is(await isPending(waiting), true);
      await setElsewhere(subject, 'k', 'of another thread');
      mutex.release();
      assert.is(await waiting, 'of another thread');
      assert.is(creator.runs, 0);
    },
    (way) => SLAB(way) && PROMISES(way),
  );

  everyWay(
    `${why}, another thread creates and fails: the waiter becomes the creator`,
    async (on) => {
      const { call, region } = await prepare(on);
      const mutex = region.backend.getMutex('k') as SlabMutex;
      assert.is(mutex.tryAcquire(), true);
      const creator = counting();
      const waiting = call('getOrCreate', 'k', creator);
      assert.is(await isPending(waiting), true);
      mutex.release();
      assert.is(await waiting, 'some value 1');
      assert.is(creator.runs, 1);
    },
    (way) => SLAB(way) && PROMISES(way),
  );

  everyWay(`${why}, the creator raises: the error to its caller, nothing stored or held`, async (on) => {
    const { call } = await prepare(on);
    const wrong = new Error('wrong');
    const thrower = () => {
      throw wrong;
    };
    for (const options of [{}, { staleOnError: true }]) {
      assert.is(await errorOf(() => call('getOrCreate', 'k', thrower, options)), wrong);
      assert.is(await call('keyIsLocked', 'k'), false);
      assert.is(await call('has', 'k'), false);
    }
    assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
  });

  everyWay(
    `${why}, the creator raises: those of its thread who waited get the error; dogpile.cache lets each try`,
    async (on) => {
      const { call } = await prepare(on);
      const it = parked();
      const calls = Array.from({ length: 5 }, () => errorOf(() => call('getOrCreate', 'k', it.creator)));
      await it.started;
      await turns(40);
      const wrong = new Error('wrong');
      it.gate.reject(wrong);
      for (const error of await Promise.all(calls)) assert.is(error, wrong);
      assert.is(it.runs, 1);
      assert.is(await call('has', 'k'), false);
    },
    PROMISES,
  );
}

test.run();
