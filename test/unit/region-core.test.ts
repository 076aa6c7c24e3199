/** One suite for every kind of backend: what a region promises whatever is under it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CachedValue } from '../../src/backend/cached-value.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { deferred, errorOf, SETUPS, turns } from './region-fixtures.ts';

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);

  it('get, set, has and delete', async () => {
    const { region } = setup.make<unknown>();
    assert.is(await region.get('k'), undefined);
    assert.is(await region.has('k'), false);
    await region.set('k', 'v');
    assert.is(await region.get('k'), 'v');
    assert.is(await region.has('k'), true);
    assert.is(await region.delete('k'), true);
    assert.is(await region.delete('k'), false);
    assert.is(await region.get('k'), undefined);
  });

  it('a stored undefined is a value', async () => {
    const { region } = setup.make<undefined>();
    let runs = 0;
    const creator = () => void runs++;
    assert.is(await region.getOrCreate('k', creator), undefined);
    assert.is(await region.getOrCreate('k', creator), undefined);
    assert.is(runs, 1);
    assert.is(await region.has('k'), true);
  });

  it('a value is fresh at exactly its expiration time, and not after', async () => {
    const { region, clock } = setup.make<number>({ expirationTime: 100 });
    await region.set('k', 1);
    clock.advance(100);
    assert.is(await region.get('k'), 1);
    assert.is(await region.getOrCreate('k', () => 2), 1);
    clock.advance(1);
    assert.is(await region.get('k'), undefined);
    assert.is(await region.has('k'), false);
    assert.is(await region.get('k', { ignoreExpiration: true }), 1);
    assert.is(await region.get('k', { expirationTime: 101 }), 1);
    assert.is(await region.get('k', { expirationTime: null }), 1);
    assert.is(await region.getOrCreate('k', () => 2, { expirationTime: null }), 1);
    assert.is(await region.getOrCreate('k', () => 2), 2);
    assert.is(await region.get('k', { expirationTime: 0 }), 2);
  });

  it('ct is the time after the creator returned', async () => {
    const { region, clock } = setup.make<number>({ expirationTime: 10 });
    await region.getOrCreate('k', () => {
      clock.advance(50);
      return 1;
    });
    clock.advance(10);
    assert.is(await region.get('k'), 1);
  });

  it('callers on a missing key share one run', async () => {
    const { region } = setup.make<number>();
    const gate = deferred<number>();
    let runs = 0;
    const creator = () => {
      runs++;
      return gate.promise;
    };
    const calls = Array.from({ length: 5 }, () => region.getOrCreate('k', creator));
    await turns(40);
    gate.resolve(3);
    assert.equal(await Promise.all(calls), [3, 3, 3, 3, 3]);
    assert.is(runs, 1);
    assert.is(await region.get('k'), 3);
    assert.is(coreOf(region).runs.size, 0);
    assert.is(coreOf(region).localMutexes.size, 0);
  });

  it('one regenerates a stale value, the others are served it at once', async () => {
    const { region, clock } = setup.make<string>({ expirationTime: 10 });
    await region.set('k', 'old');
    clock.advance(11);
    const gate = deferred<string>();
    const started = deferred();
    const first = region.getOrCreate('k', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    assert.is(await region.getOrCreate('k', () => 'other'), 'old');
    gate.resolve('new');
    assert.is(await first, 'new');
    assert.is(await region.getOrCreate('k', () => 'other'), 'new');
  });

  it('a hard invalidation makes values missing', async () => {
    const { region } = setup.make<string>();
    await region.set('k', 'old');
    await region.invalidate();
    assert.is(await region.get('k'), undefined);
    assert.is(await region.get('k', { ignoreExpiration: true }), 'old');
    assert.is(await region.getOrCreate('k', () => 'new'), 'new');
    assert.is(await region.get('k'), 'new');
  });

  it('a soft invalidation makes values stale, also without an expiration time', async () => {
    const { region } = setup.make<string>();
    await region.set('k', 'old');
    await region.invalidate({ hard: false });
    assert.is(await region.get('k'), undefined);
    const gate = deferred<string>();
    const started = deferred();
    const first = region.getOrCreate('k', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    assert.is(await region.getOrCreate('k', () => 'other'), 'old');
    gate.resolve('new');
    assert.is(await first, 'new');
    assert.is(await region.get('k'), 'new');
  });

  it('a soft invalidation does not undo a hard one', async () => {
    const { region } = setup.make<string>();
    await region.set('k', 'old');
    await region.invalidate({ hard: true });
    await region.invalidate({ hard: false });
    const failing = region.getOrCreate('k', () => Promise.reject(new Error('no')), { staleOnError: true });
    assert.is((await errorOf(() => failing)).message, 'no');
  });

  it('clear removes for every read', async () => {
    const { region, clock } = setup.make<string>();
    await region.set('k', 'old');
    clock.advance(1);
    await region.clear();
    assert.is(await region.get('k', { ignoreExpiration: true }), undefined);
    await region.set('k', 'new');
    assert.is(await region.get('k'), 'new');
  });

  it('the very error of a creator goes to its caller and to those who joined', async () => {
    const { region } = setup.make<number>();
    const gate = deferred<number>();
    const wrong = new Error('wrong');
    const calls = [1, 2, 3].map(() => errorOf(() => region.getOrCreate('k', () => gate.promise)));
    await turns(40);
    gate.reject(wrong);
    assert.equal(await Promise.all(calls), [wrong, wrong, wrong]);
    assert.is(await region.has('k'), false);
    assert.is(await region.getOrCreate('k', () => 4), 4);
    assert.is(
      await errorOf(() =>
        region.getOrCreate('z', () => {
          throw wrong;
        }),
      ),
      wrong,
    );
  });

  it('staleOnError serves the stale value, if there is one', async () => {
    const { region, clock } = setup.make<string>({ expirationTime: 10 });
    const fail = () => Promise.reject(new Error('no'));
    assert.is((await errorOf(() => region.getOrCreate('k', fail, { staleOnError: true }))).message, 'no');
    await region.set('k', 'old');
    clock.advance(11);
    assert.is(await region.getOrCreate('k', fail, { staleOnError: true }), 'old');
    assert.is((await errorOf(() => region.getOrCreate('k', fail))).message, 'no');
    assert.is(await region.get('k', { ignoreExpiration: true }), 'old');
  });

  const changes: Record<string, (region: any) => Promise<unknown>> = {
    set: (region) => region.set('k', 'set'),
    delete: (region) => region.delete('k'),
    clear: (region) => region.clear(),
    invalidate: (region) => region.invalidate(),
    'soft invalidate': (region) => region.invalidate({ hard: false }),
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`a value whose key met a ${name} while it was created goes to its callers and is not stored`, async () => {
      const { region } = setup.make<string>();
      const gate = deferred<string>();
      const started = deferred();
      const late = region.getOrCreate('k', () => {
        started.resolve();
        return gate.promise;
      });
      await started.promise;
      await change(region);
      gate.resolve('late');
      assert.is(await late, 'late');
      assert.is(await region.get('k', { ignoreExpiration: true }), name === 'set' ? 'set' : undefined);
      assert.is(coreOf(region).runs.size, 0);
    });

    if (name === 'set') continue;
    it(`nobody joins a run that began before a ${name}`, async () => {
      const { region } = setup.make<string>();
      const gates = [deferred<string>(), deferred<string>()];
      const started = [deferred(), deferred()];
      let runs = 0;
      const creator = () => {
        started[runs].resolve();
        return gates[runs++].promise;
      };
      const first = region.getOrCreate('k', creator);
      await started[0].promise;
      await change(region);
      const second = region.getOrCreate('k', creator);
      gates[0].resolve('before');
      assert.is(await first, 'before');
      await started[1].promise;
      gates[1].resolve('after');
      assert.is(await second, 'after');
      assert.is(await region.get('k'), 'after');
    });
  }

  it('a value of another version is a miss for every read', async () => {
    const { region, clock } = setup.make<string>();
    await region.actualBackend.set('k', new CachedValue('odd', { ct: clock.time, v: 99 }));
    assert.is(await region.get('k', { ignoreExpiration: true }), undefined);
    assert.is(await region.has('k'), false);
    assert.is(await region.getOrCreate('k', () => 'new'), 'new');
    assert.is(await region.get('k'), 'new');
  });

  it('a value without a generation is judged by the time of the invalidation', async () => {
    const { region, clock } = setup.make<string>();
    const { actualBackend } = region;
    await actualBackend.set('k', new CachedValue('foreign', { ct: clock.time, v: 1 }));
    assert.is(await region.get('k'), 'foreign');
    clock.advance(5);
    await region.invalidate();
    assert.is(await region.get('k'), undefined);
    clock.advance(5);
    await actualBackend.set('k', new CachedValue('newer', { ct: clock.time, v: 1 }));
    assert.is(await region.get('k'), 'newer');
    // A generation of some other process says nothing here.
    await actualBackend.set('k', new CachedValue('other', { ct: clock.time, v: 1, generation: 3 }));
    assert.is(await region.get('k'), 'other');
    clock.advance(1);
    await region.invalidate();
    assert.is(await region.get('k'), undefined);
  });

  it('the caller of a creator gets the very object, deep-frozen if it is plain', async () => {
    const { region } = setup.make<any>();
    const plain = { list: [{ n: 1 }] };
    assert.is(await region.getOrCreate('plain', () => plain), plain);
    assert.ok(Object.isFrozen(plain) && Object.isFrozen(plain.list) && Object.isFrozen(plain.list[0]));
    const other = { map: new Map() };
    assert.is(await region.getOrCreate('other', () => other), other);
    assert.not(Object.isFrozen(other));
    const loose = setup.make<any>({ freeze: false }).region;
    const mine = { n: 1 };
    await loose.getOrCreate('plain', () => mine);
    assert.not(Object.isFrozen(mine));
  });

  it('a creator that asks for its own key gets an error, or the stale value', async () => {
    const { region, clock } = setup.make<string>({ expirationTime: 10 });
    const inner = () => region.getOrCreate('k', () => 'inner');
    const error = await errorOf(() => region.getOrCreate('k', inner));
    assert.is(error.code, 'ERR_CAIRN_REENTRANT');
    const deep = await errorOf(() => region.getOrCreate('k', () => region.getOrCreate('l', inner)));
    assert.is(deep.code, 'ERR_CAIRN_REENTRANT');
    await region.set('k', 'old');
    clock.advance(11);
    assert.is(await region.getOrCreate('k', async () => `${await inner()}!`), 'old!');
  });

  it('creators nest, upwards and downwards in the order of keys', async () => {
    const { region } = setup.make<string>();
    const name = (key: string, next: string[]): Promise<string> =>
      region.getOrCreate(key, async () =>
        next.length === 0 ? key : key + (await name(next[0], next.slice(1))),
      );
    assert.is(await name('a', ['b', 'c']), 'abc');
    assert.is(await name('z', ['y', 'x']), 'zyx');
    assert.is(region.stats().unlockedCreations, 0);
  });

  it('two creators that ask for each other do not wait for ever', async () => {
    const { region } = setup.make<string>();
    const both = deferred();
    let entered = 0;
    const creator = (own: string, other: string) => async () => {
      if (++entered === 2) both.resolve();
      await both.promise;
      return own + (await region.getOrCreate(other, () => other.toUpperCase()));
    };
    const values = await Promise.all([
      region.getOrCreate('a', creator('a', 'b')),
      region.getOrCreate('b', creator('b', 'a')),
    ]);
    // Which of the two may wait is up to the order of their locks.
    const outcomes = { aFirst: ['aB', 'baB'], bFirst: ['abA', 'bA'] };
    assert.equal(values, values[1] === 'bA' ? outcomes.bFirst : outcomes.aFirst);
    assert.is(region.stats().unlockedCreations, 1);
    assert.is(coreOf(region).localMutexes.size, 0);
  });

  it('what a creator left running holds nothing', async () => {
    const { region } = setup.make<string>();
    const go = deferred();
    let left!: Promise<string>;
    await region.getOrCreate('m', () => {
      left = go.promise.then(() => region.getOrCreate('m', () => 'again', { expirationTime: 0 }));
      return 'first';
    });
    await region.delete('m');
    go.resolve();
    assert.is(await left, 'again');
  });

  it('a mangler is applied to every key, a mutex to none', async () => {
    const { region } = setup.make<string>({ keyMangler: (key) => `<${key}>` });
    await region.set('k', 'v');
    assert.type(((await region.actualBackend.get('<k>')) as CachedValue<string>).metadata.ct, 'number');
    assert.is(await region.get('k'), 'v');
    assert.is(await region.getOrCreate('k', () => 'w'), 'v');
    assert.is(await region.delete('k'), true);
  });

  it('wrong keys, creators and options are named', async () => {
    const { region } = setup.make<any>();
    const code = async (act: () => unknown) => (await errorOf(act)).code;
    assert.is(await code(() => region.get(5 as any)), 'ERR_CAIRN_KEY');
    assert.is(await code(() => region.getOrCreate('k', 'creator' as any)), 'ERR_CAIRN_OPTION');
    for (const expirationTime of [-1, NaN, Infinity, '5', {}]) {
      const error = await errorOf(() => region.getOrCreate('k', () => 1, { expirationTime } as any));
      assert.is(error.code, 'ERR_CAIRN_OPTION');
      assert.is(error.field, 'expirationTime');
      assert.is(await code(() => region.get('k', { expirationTime } as any)), 'ERR_CAIRN_OPTION');
    }
    const unknown = await errorOf(() => region.getOrCreate('k', () => 1, { shouldCach: 1 } as any));
    assert.is(unknown.field, 'shouldCach');
    assert.is((await errorOf(() => region.has('k', { stale: 1 } as any))).field, 'stale');
    assert.is((await errorOf(() => region.invalidate({ soft: true } as any))).field, 'soft');
  });

  it('after close, operations fail, and a running creator still gives its value', async () => {
    const { region } = setup.make<string>();
    const gate = deferred<string>();
    const started = deferred();
    const late = region.getOrCreate('k', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    region.close();
    gate.resolve('late');
    assert.is(await late, 'late');
    assert.is((await errorOf(() => region.get('k'))).code, 'ERR_CAIRN_CLOSED');
    assert.is((await errorOf(() => region.getSync('k'))).code, 'ERR_CAIRN_CLOSED');
    assert.is(region.isConfigured, false);
    region.close();
  });

  if (setup.sync) {
    it('the Sync forms do the same', async () => {
      const { region, clock } = setup.make<any>({ expirationTime: 10 });
      assert.is(region.getSync('k'), undefined);
      region.setSync('k', 1);
      assert.is(region.getSync('k'), 1);
      assert.is(region.hasSync('k'), true);
      assert.is(
        region.getOrCreateSync('k', () => 2),
        1,
      );
      clock.advance(11);
      assert.is(region.hasSync('k'), false);
      assert.is(
        region.getOrCreateSync('k', () => 2),
        2,
      );
      region.invalidateSync();
      assert.is(region.getSync('k'), undefined);
      assert.is(region.deleteSync('k'), true);
      assert.is(
        region.getOrCreateSync('u', () => undefined),
        undefined,
      );
      assert.is(region.hasSync('u'), true);
      clock.advance(1);
      region.clearSync();
      assert.is(region.hasSync('u'), false);
      const wrong = new Error('wrong');
      const thrower = () => {
        throw wrong;
      };
      assert.is(await errorOf(() => region.getOrCreateSync('e', thrower)), wrong);
      region.setSync('e', 'old');
      clock.advance(11);
      assert.is(region.getOrCreateSync('e', thrower, { staleOnError: true }), 'old');
      const plain = { n: 1 };
      assert.is(
        region.getOrCreateSync('p', () => plain),
        plain,
      );
      assert.ok(Object.isFrozen(plain));
      assert.is(coreOf(region).runs.size + coreOf(region).localMutexes.size, 0);
    });

    it('a Sync creator must not return a promise, and re-entry is seen', async () => {
      const { region, clock } = setup.make<any>({ expirationTime: 10 });
      const rejecting: () => any = () => Promise.reject(new Error('unseen'));
      assert.is((await errorOf(() => region.getOrCreateSync('k', rejecting))).code, 'ERR_CAIRN_SYNC');
      region.setSync('k', 'old');
      clock.advance(11);
      const options = { staleOnError: true };
      assert.is(
        (await errorOf(() => region.getOrCreateSync('k', rejecting, options))).code,
        'ERR_CAIRN_SYNC',
      );
      const inner = () => region.getOrCreateSync('k', () => 'inner');
      assert.is(
        region.getOrCreateSync('k', () => `${inner()}!`),
        'old!',
      );
      region.deleteSync('k');
      assert.is((await errorOf(() => region.getOrCreateSync('k', inner))).code, 'ERR_CAIRN_REENTRANT');
      // Mixed: each form within the other.
      const mixed = region.getOrCreate('k', async () => inner());
      assert.is((await errorOf(() => mixed)).code, 'ERR_CAIRN_REENTRANT');
      let within: any;
      region.getOrCreateSync('k', () => {
        within = errorOf(() => region.getOrCreate('k', () => 'inner'));
        return 'outer';
      });
      assert.is((await within).code, 'ERR_CAIRN_REENTRANT');
      assert.is(region.getSync('k'), 'outer');
    });

    it('a Sync call whose own thread creates the key does not wait', async () => {
      const { region, clock } = setup.make<string>({ expirationTime: 10 });
      const gate = deferred<string>();
      const first = region.getOrCreate('k', () => gate.promise);
      assert.is(
        region.getOrCreateSync('k', () => 'sync'),
        'sync',
      );
      assert.is(region.stats().unlockedCreations, 1);
      gate.resolve('promise');
      assert.is(await first, 'promise');
      assert.is(region.getSync('k'), 'sync', 'the first to finish stores');
      clock.advance(11);
      const again = region.getOrCreate('k', () => turns(2).then(() => 'new'));
      assert.is(
        region.getOrCreateSync('k', () => 'other'),
        'sync',
      );
      assert.is(await again, 'new');
    });

    it('a hit is answered by one promise that is already resolved', async () => {
      const { region } = setup.make<string>({ expirationTime: 10 });
      await region.set('k', 'v');
      const order: string[] = [];
      const hits = [
        region.getOrCreate('k', () => 'w').then(() => order.push('getOrCreate')),
        region.get('k').then(() => order.push('get')),
        region.has('k').then(() => order.push('has')),
        Promise.resolve().then(() => order.push('resolved')),
      ];
      await Promise.all(hits);
      assert.equal(order, ['getOrCreate', 'get', 'has', 'resolved']);
    });
  } else {
    it('the Sync forms refuse an asynchronous backend', async () => {
      const { region } = setup.make<string>();
      for (const act of [
        () => region.getSync('k'),
        () => region.hasSync('k'),
        () => region.setSync('k', 'v'),
        () => region.deleteSync('k'),
        () => region.getOrCreateSync('k', () => 'v'),
      ]) {
        assert.is((await errorOf(act)).code, 'ERR_CAIRN_SYNC');
      }
    });
  }
}

test.run();
