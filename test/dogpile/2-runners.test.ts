/**
 * dogpile.cache, async_creation_runner: R:AsyncCreatorTest, B:test_async_release and the rows of 2c that are about
 * runners. A runner lends the mutex, and the region takes care that it comes back.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SlabMutex } from '../../src/index.ts';
import type { AsyncCreationRunner } from '../../src/region/types.ts';
import { counting, errorOf, everyWay, parked, type Subject, type Trial, turns } from './fixtures.ts';

const EXPIRATION = 200;

interface Ran {
  readonly calls: Parameters<AsyncCreationRunner<any>>[];
  readonly runner: AsyncCreationRunner<any>;
}

/** dogpile.cache's own: creates, sets, releases. At once where the store allows it. */
function dogpileRunner(on: Trial, fenced: boolean): Ran {
  const calls: Ran['calls'] = [];
  const runner: AsyncCreationRunner<any> = (...args) => {
    calls.push(args);
    const [region, key, creator, mutex, token] = args;
    const options = fenced ? { token } : {};
    if (on.way.store !== 'delay') {
      try {
        region.setSync(key, creator(), options);
      } finally {
        mutex.release();
      }
      return undefined;
    }
    return (async () => {
      try {
        await region.set(key, await creator(), options);
      } finally {
        mutex.release();
      }
    })();
  };
  return { calls, runner };
}

/** Until nothing is being created any more. */
async function settled({ region }: Subject, key = 'some key'): Promise<void> {
  for (let n = 0; n < 200 && region.keyIsLockedSync(key); n++) await turns();
  await turns(30);
}

for (const fenced of [false, true]) {
  everyWay(
    `R:AsyncCreatorTest.test_get_or_create: the stale value now, the new one after, ${fenced ? 'with' : 'without'} token`,
    async (on) => {
      const { calls, runner } = dogpileRunner(on, fenced);
      const subject = on.make({
        asyncCreationRunner: runner,
        expirationTime: EXPIRATION,
        keyMangler: (key) => `<${key}>`,
      });
      const { call, clock, region } = subject;
      const someNewValue = () => 'some new value';
      assert.is(await call('getOrCreate', 'some key', () => 'some value'), 'some value');
      assert.is(calls.length, 0, 'a missing value is created without the runner');
      clock.advance(500);
      assert.is(await call('getOrCreate', 'some key', someNewValue), 'some value');
      await settled(subject);
      assert.is(await call('getOrCreate', 'some key', someNewValue), 'some new value');
      assert.is(calls.length, 1);
      const [ofRegion, key, creator, mutex] = calls[0];
      assert.is(ofRegion, region);
      assert.is(key, 'some key', 'as the caller wrote it');
      assert.type(creator, 'function');
      assert.type(mutex.release, 'function');
    },
  );
}

everyWay('R:AsyncCreatorTest.test_fn_decorator: a soft invalidation goes to the runner too', async (on) => {
  const { calls, runner } = dogpileRunner(on, true);
  const subject = on.make({ asyncCreationRunner: runner, expirationTime: 5000 });
  const { call } = subject;
  const creator = counting();
  assert.is(await call('getOrCreate', 'some key', creator), 'some value 1');
  assert.is(await call('getOrCreate', 'some key', creator), 'some value 1');
  await call('invalidate', { hard: false });
  assert.is(await call('getOrCreate', 'some key', creator), 'some value 1');
  await settled(subject);
  assert.is(calls.length, 1);
  assert.is(creator.runs, 2);
  assert.is(await call('getOrCreate', 'some key', creator), 'some value 2');
});

everyWay('B:test_async_release: a runner that only releases; the old value stays', async (on) => {
  let called = 0;
  const subject = on.make({
    expirationTime: EXPIRATION,
    asyncCreationRunner: (_region, _key, _creator, mutex) => {
      called++;
      mutex.release();
    },
  });
  const { call, clock } = subject;
  await call('set', 'some key', 'old');
  clock.advance(EXPIRATION + 1);
  const creator = counting();
  assert.is(await call('getOrCreate', 'some key', creator), 'old');
  await settled(subject);
  assert.is(called, 1);
  assert.is(creator.runs, 0);
  assert.is(await call('keyIsLocked', 'some key'), false);
});

everyWay('missing or hard-invalidated: the runner is not used', async (on) => {
  const { calls, runner } = dogpileRunner(on, true);
  const { call } = on.make({ asyncCreationRunner: runner, expirationTime: EXPIRATION });
  assert.is(await call('getOrCreate', 'some key', () => 'v'), 'v');
  await call('invalidate');
  assert.is(await call('getOrCreate', 'some key', () => 'w'), 'w');
  assert.is(calls.length, 0);
});

everyWay('stale, and somebody creates: the old value, the runner is not asked twice', async (on) => {
  const gate = parked();
  let asked = 0;
  const subject = on.make({
    expirationTime: EXPIRATION,
    asyncCreationRunner: async (region, key, creator, mutex, token) => {
      asked++;
      await gate.creator();
      await region.set(key, await creator(), { token });
      mutex.release();
    },
  });
  const { call, clock } = subject;
  await call('set', 'some key', 'old');
  clock.advance(EXPIRATION + 1);
  for (let n = 0; n < 3; n++) {
    assert.is(await call('getOrCreate', 'some key', () => 'new'), 'old');
    await turns(20);
  }
  assert.is(asked, 1);
  gate.gate.resolve('go');
  await settled(subject);
  assert.is(await call('getOrCreate', 'some key', () => 'other'), 'new');
});

everyWay(
  'stale, and another thread creates: the old value, and the runner is not asked',
  async (on) => {
    const { calls, runner } = dogpileRunner(on, true);
    const subject = on.make({ asyncCreationRunner: runner, expirationTime: EXPIRATION });
    const { call, clock, region } = subject;
    await call('set', 'some key', 'old');
    clock.advance(EXPIRATION + 1);
    const mutex = region.backend.getMutex('some key') as SlabMutex;
    assert.is(mutex.tryAcquire(), true);
    assert.is(await call('getOrCreate', 'some key', () => 'new'), 'old');
    await turns(20);
    assert.is(calls.length, 0);
    mutex.release();
  },
  (way) => way.store === 'slab',
);

const FAILING: Record<string, AsyncCreationRunner<any>> = {
  'before it takes charge': () => {
    throw new Error('the real error');
  },
  'by a promise': async () => {
    throw new Error('the real error');
  },
  'after it released': (_region, _key, _creator, mutex) => {
    mutex.release();
    throw new Error('the real error');
  },
};
for (const [when, runner] of Object.entries(FAILING)) {
  everyWay(`a runner that raises ${when}: the error goes to onError, the mutex is free`, async (on) => {
    const errors: any[] = [];
    const subject = on.make({
      name: 'failing',
      expirationTime: EXPIRATION,
      asyncCreationRunner: runner,
      onError: (error, context) => errors.push([(error as Error).message, context]),
    });
    const { call, clock } = subject;
    await call('set', 'some key', 'old');
    clock.advance(EXPIRATION + 1);
    assert.is(await call('getOrCreate', 'some key', () => 'new'), 'old', 'the caller has its value');
    await settled(subject);
    assert.equal(errors, [['the real error', { region: 'failing', keys: ['some key'] }]]);
    assert.is(await call('keyIsLocked', 'some key'), false);
  });
}

everyWay('a runner that releases twice, or whose mutex is long free', async (on) => {
  let kept!: { release(): void };
  const subject = on.make({
    expirationTime: EXPIRATION,
    asyncCreationRunner: (_region, _key, _creator, mutex) => {
      kept = mutex;
      mutex.release();
      mutex.release();
    },
  });
  const { call, clock } = subject;
  await call('set', 'some key', 'old');
  clock.advance(EXPIRATION + 1);
  assert.is(await call('getOrCreate', 'some key', () => 'new'), 'old');
  await settled(subject);
  kept.release();
  assert.is(await call('keyIsLocked', 'some key'), false);
});

everyWay('should_cache_fn with a runner: bypassed, the runner sets by itself', async (on) => {
  for (const fenced of [false, true]) {
    const { runner } = dogpileRunner(on, fenced);
    const subject = on.make({ asyncCreationRunner: runner, expirationTime: EXPIRATION });
    const { call, clock } = subject;
    await call('set', 'some key', 'old');
    clock.advance(EXPIRATION + 1);
    assert.is(await call('getOrCreate', 'some key', () => 'new', { shouldCache: () => false }), 'old');
    await settled(subject);
    assert.is(await call('get', 'some key'), 'new');
  }
});

everyWay('a token keeps the late value of a runner out when the key changed meanwhile', async (on) => {
  const gate = parked();
  const answers: boolean[] = [];
  const subject = on.make({
    expirationTime: EXPIRATION,
    asyncCreationRunner: async (region, key, creator, mutex, token) => {
      await gate.creator();
      answers.push(await region.set(key, await creator(), { token }));
      mutex.release();
    },
  });
  const { call, clock } = subject;
  await call('set', 'some key', 'old');
  clock.advance(EXPIRATION + 1);
  assert.is(await call('getOrCreate', 'some key', () => 'late'), 'old');
  await gate.started;
  await call('set', 'some key', 'set meanwhile');
  gate.gate.resolve('go');
  await settled(subject);
  assert.equal(answers, [false]);
  assert.is(await call('get', 'some key'), 'set meanwhile');
});

everyWay('a token is good for its own key only', async (on) => {
  const errors: any[] = [];
  const subject = on.make({
    expirationTime: EXPIRATION,
    onError: (error) => errors.push(error),
    asyncCreationRunner: async (region, _key, creator, mutex, token) => {
      mutex.release();
      await region.set('another key', await creator(), { token });
    },
  });
  const { call, clock } = subject;
  await call('set', 'some key', 'old');
  clock.advance(EXPIRATION + 1);
  assert.is(await call('getOrCreate', 'some key', () => 'new'), 'old');
  await settled(subject);
  assert.is(errors.length, 1);
  assert.is(errors[0].field, 'token');
  assert.is(await call('has', 'another key'), false);
});

everyWay("the call's own runner goes before the region's", async (on) => {
  const [own, other] = [dogpileRunner(on, true), dogpileRunner(on, true)];
  const subject = on.make({ asyncCreationRunner: other.runner, expirationTime: EXPIRATION });
  const { call, clock } = subject;
  await call('set', 'some key', 'old');
  clock.advance(EXPIRATION + 1);
  const options = { asyncCreationRunner: own.runner };
  assert.is(await call('getOrCreate', 'some key', () => 'new', options), 'old');
  await settled(subject);
  assert.equal([own.calls.length, other.calls.length], [1, 0]);
});

everyWay(
  "a creator that fails within a runner: the error is the runner's, and the old value stands",
  async (on) => {
    const errors: any[] = [];
    const { runner } = dogpileRunner(on, true);
    const subject = on.make({
      asyncCreationRunner: runner,
      expirationTime: EXPIRATION,
      onError: (error) => errors.push(error),
    });
    const { call, clock } = subject;
    await call('set', 'some key', 'old');
    clock.advance(EXPIRATION + 1);
    const wrong = new Error('wrong');
    const thrower = () => {
      throw wrong;
    };
    assert.is(await call('getOrCreate', 'some key', thrower), 'old');
    await settled(subject);
    assert.equal(errors, [wrong]);
    assert.is(await call('get', 'some key', { ignoreExpiration: true }), 'old');
    assert.is(await call('keyIsLocked', 'some key'), false);
  },
);

everyWay('a runner is a function, or refused', async (on) => {
  const { call } = on.make();
  const options = { asyncCreationRunner: 'run' };
  assert.is((await errorOf(() => call('getOrCreate', 'k', () => 1, options))).field, 'asyncCreationRunner');
});

test.run();
