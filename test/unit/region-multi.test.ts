/** Several keys at once: reads, writes, and `getOrCreateMulti`, whatever is under the region. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreOf } from '../../src/region/region-life.ts';
import { deferred, errorOf, SETUPS, turns } from './region-fixtures.ts';

const EXPIRATION = 10;

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);
  const make = <V = string>(more: object = {}) => setup.make<V>({ expirationTime: EXPIRATION, ...more });
  const idle = (region: any) => {
    assert.is(coreOf(region).runs.size, 0);
    assert.is(coreOf(region).localMutexes.size, 0);
  };
  /** A creator that notes what it was asked for, and makes upper case of it. */
  const upper = () => {
    const asked: string[][] = [];
    const creator = (keys: readonly string[]) => {
      asked.push([...keys]);
      return keys.map((key) => key.toUpperCase());
    };
    return { asked, creator };
  };

  it('getMulti, setMulti and deleteMulti', async () => {
    const { region, clock } = make();
    assert.is(
      await region.setMulti(
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
      true,
    );
    assert.equal(await region.getMulti(['b', 'x', 'a', 'b']), ['2', undefined, '1', '2']);
    assert.equal(await region.getMulti(new Set(['a', 'b'])), ['1', '2']);
    assert.equal(await region.getMulti([]), []);
    assert.is(await region.setMulti([]), true);
    assert.is(await region.deleteMulti([]), 0);
    clock.advance(EXPIRATION + 1);
    await region.set('b', '3');
    assert.equal(await region.getMulti(['a', 'b']), [undefined, '3']);
    assert.equal(await region.getMulti(['a', 'b'], { ignoreExpiration: true }), ['1', '3']);
    assert.equal(await region.getMulti(['a'], { expirationTime: 100 }), ['1']);
    assert.is(await region.deleteMulti(['a', 'x', 'b', 'a']), 2);
    assert.equal(await region.getMulti(['a', 'b']), [undefined, undefined]);
    for (const bad of ['ab', 5, null, {}]) {
      for (const call of [
        () => region.getMulti(bad as any),
        () => region.setMulti(bad as any),
        () => region.deleteMulti(bad as any),
        () => region.getOrCreateMulti(bad as any, () => []),
      ]) {
        assert.is((await errorOf(call)).code, 'ERR_CAIRN_OPTION');
      }
    }
    assert.is((await errorOf(() => region.getMulti([1 as any]))).code, 'ERR_CAIRN_KEY');
    if (!setup.sync) return;
    assert.is(region.setMultiSync([['s', '1']]), true);
    assert.equal(region.getMultiSync(['s', 't']), ['1', undefined]);
    assert.is(region.deleteMultiSync(['s', 't']), 1);
  });

  it('setMulti gives all one time of creation', async () => {
    const { region } = make();
    await region.setMulti([
      ['a', '1'],
      ['b', '2'],
    ]);
    const [a, b] = [await region.getValueMetadata('a'), await region.getValueMetadata('b')];
    assert.is(a!.cachedTime, b!.cachedTime);
  });

  it('getValueMetadata: the value, its time and its age', async () => {
    const { region, clock } = make();
    assert.is(await region.getValueMetadata('k'), undefined);
    const { time } = clock;
    await region.set('k', 'v');
    clock.advance(5);
    const found = (await region.getValueMetadata('k'))!;
    assert.is(found.payload, 'v');
    assert.is(found.cachedTime, time);
    assert.is(found.metadata.ct, time);
    assert.is(found.age, 5);
    clock.advance(6);
    assert.is(found.age, 11);
    assert.is(await region.getValueMetadata('k'), undefined);
    assert.is((await region.getValueMetadata('k', { ignoreExpiration: true }))!.age, 11);
    if (setup.sync) assert.is(region.getValueMetadataSync('k', { expirationTime: null })!.payload, 'v');
  });

  it('getOrCreateMulti: one creator call for what is missing, sorted; results in order, duplicates kept', async () => {
    const { region } = make();
    const { asked, creator } = upper();
    await region.set('c', 'stored');
    const keys = ['é', 'b', 'c', 'a', 'b', 'Z'];
    assert.equal(await region.getOrCreateMulti(keys, creator), ['É', 'B', 'stored', 'A', 'B', 'Z']);
    assert.equal(asked, [['Z', 'a', 'b', 'é']]);
    assert.equal(await region.getOrCreateMulti(keys, creator), ['É', 'B', 'stored', 'A', 'B', 'Z']);
    assert.is(asked.length, 1);
    assert.equal(await region.getOrCreateMulti([], creator), []);
    if (setup.sync) {
      assert.equal(region.getOrCreateMultiSync(['y', 'x', 'c'], creator), ['Y', 'X', 'stored']);
      assert.equal(asked[1], ['x', 'y']);
      assert.equal(region.getOrCreateMultiSync([], creator), []);
    }
    idle(region);
  });

  it('getOrCreateMulti: stale and missing keys are created together', async () => {
    const { region, clock } = make();
    const { asked, creator } = upper();
    await region.set('b', 'old');
    clock.advance(EXPIRATION + 1);
    await region.set('c', 'fresh');
    assert.equal(await region.getOrCreateMulti(['d', 'c', 'b', 'a'], creator), ['D', 'fresh', 'B', 'A']);
    assert.equal(asked, [['a', 'b', 'd']]);
    idle(region);
  });

  it('getOrCreateMulti: a stale key that somebody is at is served stale, the others are created', async () => {
    const { region, clock } = make();
    await region.set('b', 'old');
    clock.advance(EXPIRATION + 1);
    const started = deferred();
    const gate = deferred<string>();
    const single = region.getOrCreate('b', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    const { asked, creator } = upper();
    assert.equal(await region.getOrCreateMulti(['a', 'b'], creator), ['A', 'old']);
    assert.equal(asked, [['a']]);
    gate.resolve('new');
    assert.is(await single, 'new');
    assert.is(region.stats().staleServed, 1);
    idle(region);
  });

  it('single and multi callers join each other, key by key', async () => {
    const { region } = make();
    const started = deferred();
    const gate = deferred();
    let runs = 0;
    const multi = region.getOrCreateMulti(['a', 'b'], async (keys) => {
      runs++;
      started.resolve();
      await gate.promise;
      return keys.map((key) => `${key} of many`);
    });
    await started.promise;
    const single = region.getOrCreate('b', () => 'never');
    const { asked, creator } = upper();
    const other = region.getOrCreateMulti(['b', 'c', 'a'], creator);
    await turns(40);
    gate.resolve();
    assert.equal(await multi, ['a of many', 'b of many']);
    assert.is(await single, 'b of many');
    assert.equal(await other, ['b of many', 'C', 'a of many']);
    assert.equal(asked, [['c']]);
    assert.is(runs, 1);
    assert.is(region.stats().joined, 3);
    const parked = deferred<string>();
    const begun = deferred();
    const first = region.getOrCreate('x', () => {
      begun.resolve();
      return parked.promise;
    });
    await begun.promise;
    const joining = region.getOrCreateMulti(['x', 'y'], creator);
    await turns(40);
    parked.resolve('x of one');
    assert.is(await first, 'x of one');
    assert.equal(await joining, ['x of one', 'Y']);
    idle(region);
  });

  it('getOrCreateMulti: too few, too many or no array is an error and stores nothing', async () => {
    const { region } = make<any>();
    for (const result of [['A'], ['A', 'B', 'C'], 'AB', null, undefined, new Map()]) {
      const error = await errorOf(() => region.getOrCreateMulti(['a', 'b'], () => result as any));
      assert.is(error.code, 'ERR_CAIRN_CREATOR_RESULT');
      if (!setup.sync) continue;
      const same = await errorOf(() => region.getOrCreateMultiSync(['a', 'b'], () => result as any));
      assert.is(same.code, 'ERR_CAIRN_CREATOR_RESULT');
    }
    assert.equal(await region.getMulti(['a', 'b']), [undefined, undefined]);
    idle(region);
  });

  it('getOrCreateMulti: the error of the creator goes to all who wait, staleOnError as far as it reaches', async () => {
    const { region, clock } = make();
    await region.setMulti([
      ['a', 'old a'],
      ['b', 'old b'],
    ]);
    clock.advance(EXPIRATION + 1);
    const thrown = new Error('origin');
    const failing = () => Promise.reject(thrown);
    assert.is(await errorOf(() => region.getOrCreateMulti(['a', 'b'], failing)), thrown);
    const options = { staleOnError: true };
    assert.equal(await region.getOrCreateMulti(['b', 'a'], failing, options), ['old b', 'old a']);
    assert.is(await errorOf(() => region.getOrCreateMulti(['a', 'c'], failing, options)), thrown);
    const started = deferred();
    const gate = deferred<string[]>();
    const multi = region.getOrCreateMulti(['x', 'y'], () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    const joined = region.getOrCreate('y', () => 'never');
    await turns(40);
    gate.reject(thrown);
    assert.is(await errorOf(() => multi), thrown);
    assert.is(await errorOf(() => joined), thrown);
    idle(region);
  });

  it('getOrCreateMulti: what changed while the creator ran is not stored, the rest is', async () => {
    const { region } = make();
    const started = deferred();
    const gate = deferred();
    const call = region.getOrCreateMulti(['a', 'b', 'c'], async (keys) => {
      started.resolve();
      await gate.promise;
      return keys.map((key) => `late ${key}`);
    });
    await started.promise;
    await region.set('a', 'changed');
    await region.delete('b');
    gate.resolve();
    assert.equal(await call, ['late a', 'late b', 'late c']);
    assert.equal(await region.getMulti(['a', 'b', 'c']), ['changed', undefined, 'late c']);
    idle(region);
  });

  it('getOrCreateMulti: shouldCache for each value', async () => {
    const { region } = make<number>();
    const lengths = (keys: readonly string[]) => keys.map((key) => key.length);
    const shouldCache = (length: number) => length > 1;
    assert.equal(await region.getOrCreateMulti(['a', 'bb', 'ccc'], lengths, { shouldCache }), [1, 2, 3]);
    assert.equal(await region.getMulti(['a', 'bb', 'ccc']), [undefined, 2, 3]);
    assert.equal(await region.getOrCreateMulti(['d'], lengths, { shouldCache: () => false }), [1]);
    assert.is(await region.has('d'), false);
    idle(region);
  });

  it("getOrCreateMulti: refresh 'background' and softTimeout", async () => {
    const { region, clock } = make();
    await region.setMulti([
      ['a', 'old a'],
      ['b', 'old b'],
    ]);
    clock.advance(EXPIRATION + 1);
    const { asked, creator } = upper();
    const behind = { refresh: 'background' } as const;
    assert.equal(await region.getOrCreateMulti(['b', 'a', 'm'], creator, behind), ['old b', 'old a', 'M']);
    for (let turn = 0; turn < 100 && coreOf(region).runs.size > 0; turn++) await turns();
    assert.equal(asked.map((keys) => keys.join()).sort(), ['a,b', 'm']);
    assert.equal(await region.getMulti(['a', 'b', 'm']), ['A', 'B', 'M']);
    clock.advance(EXPIRATION + 1);
    const gate = deferred();
    const slow = async (keys: readonly string[]) => {
      await gate.promise;
      return keys.map((key) => `slow ${key}`);
    };
    assert.equal(await region.getOrCreateMulti(['a', 'b'], slow, { softTimeout: 2 }), ['A', 'B']);
    gate.resolve();
    for (let turn = 0; turn < 100 && coreOf(region).runs.size > 0; turn++) await turns();
    assert.equal(await region.getMulti(['a', 'b']), ['slow a', 'slow b']);
    idle(region);
  });

  it('getOrCreateMulti: signal and waitTimeout', async () => {
    const { region } = make();
    const started = deferred();
    const gate = deferred();
    let heard: AbortSignal | undefined;
    const controller = new AbortController();
    const call = region.getOrCreateMulti(
      ['a', 'b'],
      async (keys, { signal }) => {
        heard = signal;
        started.resolve();
        await gate.promise;
        return keys.map((key) => `late ${key}`);
      },
      { signal: controller.signal },
    );
    await started.promise;
    const joined = region.getOrCreate('b', () => 'never');
    const impatient = region.getOrCreateMulti(['b', 'z'], () => ['Z'], { waitTimeout: 5 });
    assert.is((await errorOf(() => impatient)).code, 'ERR_CAIRN_WAIT_TIMEOUT');
    assert.is(await region.get('z'), 'Z', 'its own key was created all the same');
    controller.abort(new Error('left'));
    assert.match((await errorOf(() => call)).message, 'left');
    assert.is(heard!.aborted, false, 'somebody waits for b');
    gate.resolve();
    assert.is(await joined, 'late b');
    assert.equal(await region.getMulti(['a', 'b']), ['late a', 'late b']);
    idle(region);
  });

  it('getOrCreateMulti: a creator that asks for its own keys and for others', async () => {
    const { region, clock } = make();
    const call = region.getOrCreateMulti(['a', 'b'], async (keys) => {
      assert.is((await errorOf(() => region.getOrCreate('b', () => 'x'))).code, 'ERR_CAIRN_REENTRANT');
      const other = await errorOf(() => region.getOrCreateMulti(['c', 'a'], () => ['x', 'y']));
      assert.is(other.code, 'ERR_CAIRN_REENTRANT');
      const [c, d] = await region.getOrCreateMulti(['c', 'd'], (inner) => inner.map((key) => `inner ${key}`));
      return keys.map((key) => `${key} ${c} ${d}`);
    });
    assert.equal(await call, ['a inner c inner d', 'b inner c inner d']);
    clock.advance(EXPIRATION + 1);
    const again = region.getOrCreateMulti(['a'], async () => [
      `re ${await region.getOrCreate('a', () => 'x')}`,
    ]);
    assert.equal(await again, ['re a inner c inner d']);
    idle(region);
  });

  it('getOrCreateMulti: keys that a mangler makes one are one', async () => {
    const { region } = make({ keyMangler: (key: string) => key.toLowerCase() });
    const { asked, creator } = upper();
    assert.equal(await region.getOrCreateMulti(['b', 'A', 'a', 'B'], creator), ['B', 'A', 'A', 'B']);
    assert.equal(asked, [['A', 'b']]);
    idle(region);
  });

  it('keyIsLocked: while the key is being created', async () => {
    const { region } = make();
    assert.is(await region.keyIsLocked('k'), false);
    const gate = deferred<string>();
    const started = deferred();
    const call = region.getOrCreate('k', () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    assert.is(await region.keyIsLocked('k'), true);
    if (setup.sync) assert.is(region.keyIsLockedSync('k'), true);
    gate.resolve('v');
    await call;
    assert.is(await region.keyIsLocked('k'), false);
  });
}

test.run();
