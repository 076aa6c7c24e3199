/** Options of `getOrCreate` and `getOrCreateMulti`, whatever is under the region; for how long callers wait: region-patience. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CreationToken } from '../../src/backend/types.ts';
import type { CacheRegion } from '../../src/region/region.ts';
import { idle, makersOf, parked } from './region-calls.ts';
import { type Deferred, deferred, errorOf, SETUPS, turns } from './region-fixtures.ts';

const EXPIRATION = 10;

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);
  const { make, stale } = makersOf(setup);

  it('shouldCache: what it refuses is returned, also to those who joined, and not stored', async () => {
    const { region } = make<number>();
    const { gate, started, creator } = parked<number>();
    const asked: number[] = [];
    const shouldCache = (value: number) => {
      asked.push(value);
      return value > 5;
    };
    const calls = [region.getOrCreate('k', creator, { shouldCache })];
    await started;
    calls.push(region.getOrCreate('k', creator, { shouldCache: () => true }));
    await turns(40);
    gate.resolve(5);
    assert.equal(await Promise.all(calls), [5, 5]);
    assert.equal(asked, [5], 'only that of the caller whose creator ran');
    assert.is(await region.has('k'), false);
    assert.is(await region.getOrCreate('k', () => 6, { shouldCache }), 6);
    assert.is(await region.get('k'), 6);
    await region.set('s', 1);
    assert.is(await region.getOrCreate('s', () => 2, { shouldCache, expirationTime: null }), 1);
    const thrown = new Error('shouldCache');
    const thrower = () => {
      throw thrown;
    };
    assert.is(await errorOf(() => region.getOrCreate('t', () => 9, { shouldCache: thrower })), thrown);
    assert.is(await region.has('t'), false);
    await idle(region, 'k', 't');
  });

  it('shouldCache: an old value stays as it was', async () => {
    const { region } = await stale();
    assert.is(await region.getOrCreate('k', () => 'new', { shouldCache: () => false }), 'new');
    assert.is(await region.get('k', { ignoreExpiration: true }), 'old');
    await idle(region, 'k');
  });

  it('staleOnError: the stale value instead of the error', async () => {
    const { region } = await stale();
    const failing = () => Promise.reject(new Error('origin'));
    assert.match((await errorOf(() => region.getOrCreate('k', failing))).message, 'origin');
    assert.is(await region.getOrCreate('k', failing, { staleOnError: true }), 'old');
    assert.match(
      (await errorOf(() => region.getOrCreate('n', failing, { staleOnError: true }))).message,
      'origin',
    );
    assert.is(region.stats().loadErrors, 3);
    assert.is(region.stats().staleServed, 1);
    await idle(region, 'k', 'n');
  });

  it("refresh: 'background' serves the stale value and regenerates once behind it", async () => {
    const { region, errors } = await stale();
    const { gate, started, seen, creator } = parked<string>();
    const call = () => region.getOrCreate('k', creator, { refresh: 'background' });
    assert.equal(await Promise.all([call(), call(), call()]), ['old', 'old', 'old']);
    await started;
    assert.is(await call(), 'old');
    gate.resolve('new');
    await idle(region, 'k');
    assert.is(seen.runs, 1);
    assert.is(await region.get('k'), 'new');
    assert.is(region.stats().staleServed, 4);
    assert.equal(errors, []);
    // A missing value is created inline.
    assert.is(await region.getOrCreate('n', () => 'inline', { refresh: 'background' }), 'inline');
  });

  it("refresh: 'background': its error goes to onError, and a change meanwhile wins", async () => {
    const { region, clock, errors } = await stale();
    const failing = () => Promise.reject(new Error('behind'));
    assert.is(await region.getOrCreate('k', failing, { refresh: 'background' }), 'old');
    await idle(region, 'k');
    assert.is(errors.length, 1);
    assert.match((errors[0] as [Error])[0].message, 'behind');
    const { gate, started, creator } = parked<string>();
    assert.is(await region.getOrCreate('k', creator, { refresh: 'background' }), 'old');
    await started;
    await region.set('k', 'changed');
    gate.resolve('late');
    await idle(region, 'k');
    assert.is(await region.get('k'), 'changed');
    clock.advance(EXPIRATION + 1);
    if (!setup.sync) return;
    assert.is(
      region.getOrCreateSync('k', () => 'of Sync', { refresh: 'background' }),
      'changed',
    );
    assert.is(region.getSync('k'), undefined, 'not before this thread turns its loop');
    await idle(region, 'k');
    assert.is(region.getSync('k'), 'of Sync');
    clock.advance(EXPIRATION + 1);
    const late = (() => Promise.resolve('promise')) as () => any;
    assert.is(region.getOrCreateSync('k', late, { refresh: 'background' }), 'of Sync');
    await idle(region, 'k');
    assert.is((errors.at(-1) as [{ code: string }])[0].code, 'ERR_CAIRN_SYNC');
  });

  it('asyncCreationRunner: gets the key as written, a creator, the mutex and a token', async () => {
    const calls: unknown[][] = [];
    const gate = deferred();
    const runner = async (
      region: CacheRegion<string>,
      key: string,
      creator: () => any,
      mutex: { release(): void },
      token: CreationToken,
    ) => {
      calls.push([region, key]);
      await gate.promise;
      assert.is(await region.set(key, await creator(), { token }), true);
      mutex.release();
    };
    const { region, errors } = await stale({
      asyncCreationRunner: runner,
      keyMangler: (key: string) => `m:${key}`,
    });
    assert.is(await region.getOrCreate('k', () => 'new'), 'old');
    for (let turn = 0; turn < 100 && calls.length === 0; turn++) await turns();
    assert.is(region.keyIsLockedSync('k'), true);
    assert.is(await region.getOrCreate('k', () => 'new'), 'old');
    gate.resolve();
    await idle(region, 'k');
    assert.equal(calls.length, 1);
    assert.is(calls[0][0], region);
    assert.is(calls[0][1], 'k');
    assert.is(await region.get('k'), 'new');
    assert.is(await region.getOrCreate('n', () => 'inline'), 'inline', 'not for missing values');
    assert.equal(calls.length, 1);
    assert.equal(errors, []);
  });

  it('asyncCreationRunner: the call comes before the region, and what it forgets the region does', async () => {
    const { region, clock, errors } = await stale({
      asyncCreationRunner: () => assert.unreachable('the region has another for this call'),
    });
    const tokens: CreationToken[] = [];
    const forgetful =
      (gate: Deferred<void>) =>
      (_region: unknown, _key: string, _creator: unknown, mutex: any, token: CreationToken) => {
        tokens.push(token);
        mutex.release();
        mutex.release();
        return gate.promise;
      };
    const gate = deferred();
    assert.is(await region.getOrCreate('k', () => 'x', { asyncCreationRunner: forgetful(gate) }), 'old');
    for (let turn = 0; turn < 100 && tokens.length === 0; turn++) await turns();
    assert.is(region.keyIsLockedSync('k'), false);
    gate.reject(new Error('after its release'));
    await idle(region, 'k');
    assert.match((errors[0] as [Error])[0].message, 'after its release');
    const throwing = () => {
      throw new Error('at once');
    };
    assert.is(await region.getOrCreate('k', () => 'x', { asyncCreationRunner: throwing }), 'old');
    await idle(region, 'k');
    assert.match((errors[1] as [Error])[0].message, 'at once');
    // 'inline' for one call
    assert.is(await region.getOrCreate('k', () => 'inline', { refresh: 'inline' }), 'inline');
    // a token is for its key and its region
    assert.is((await errorOf(() => region.set('other', 'x', { token: tokens[0] }))).code, 'ERR_CAIRN_OPTION');
    assert.is((await errorOf(() => region.set('k', 'x', { token: 'made up' }))).code, 'ERR_CAIRN_OPTION');
    clock.advance(1);
  });

  it('asyncCreationRunner: a late value is refused after a change', async () => {
    for (const change of ['delete', 'set', 'clear', 'invalidate'] as const) {
      const stored = deferred<boolean>();
      const started = deferred();
      const gate = deferred();
      const asyncCreationRunner = async (
        own: any,
        key: string,
        creator: any,
        _mutex: any,
        token: CreationToken,
      ) => {
        started.resolve();
        await gate.promise;
        stored.resolve(own.set(key, await creator(), { token }));
      };
      const { region } = await stale({ asyncCreationRunner });
      assert.is(await region.getOrCreate('k', () => 'late'), 'old');
      await started.promise;
      if (change === 'set') await region.set('k', 'changed');
      else if (change === 'delete') await region.delete('k');
      else await region[change]();
      gate.resolve();
      assert.is(await stored.promise, false, change);
      await idle(region, 'k');
      assert.is(await region.get('k'), change === 'set' ? 'changed' : undefined);
      assert.is(region.stats().refusedStores, 1);
    }
  });

  it('bad options are named', async () => {
    const { region } = make();
    const bad: [string, object][] = [
      ['shouldCache', { shouldCache: true }],
      ['signal', { signal: {} }],
      ['waitTimeout', { waitTimeout: -1 }],
      ['waitTimeout', { waitTimeout: Number.NaN }],
      ['waitTimeout', { waitTimeout: '5' }],
      ['staleOnError', { staleOnError: 1 }],
      ['softTimeout', { softTimeout: -1 }],
      ['refresh', { refresh: 'behind' }],
      ['expirationTime', { expirationTime: -1 }],
      ['unknown', { unknown: 1 }],
    ];
    for (const [field, options] of bad) {
      for (const call of [
        () => region.getOrCreate('k', () => 'v', options),
        () => region.getOrCreateMulti(['k'], () => ['v'], options),
      ]) {
        const error = await errorOf(call);
        assert.is(error.code, 'ERR_CAIRN_OPTION');
        assert.is(error.field, field);
      }
    }
    const runner = { asyncCreationRunner: () => {} };
    assert.is(
      (await errorOf(() => region.getOrCreateMulti(['k'], () => ['v'], runner as object))).field,
      'asyncCreationRunner',
    );
    assert.is(
      (await errorOf(() => region.getOrCreate('k', () => 'v', { asyncCreationRunner: 1 as any }))).field,
      'asyncCreationRunner',
    );
    if (setup.sync) {
      assert.is(
        (await errorOf(() => region.getOrCreateSync('k', () => 'v', { softTimeout: 5 } as object))).field,
        'softTimeout',
      );
      assert.is(
        (await errorOf(() => region.getOrCreateMultiSync(['k'], () => ['v'], { softTimeout: 5 } as object)))
          .field,
        'softTimeout',
      );
      assert.is(
        region.getOrCreateSync('k', () => 'v', { softTimeout: null, waitTimeout: null } as object),
        'v',
      );
    }
    assert.is((await errorOf(() => region.set('k', 'v', { tokens: 1 } as object))).field, 'tokens');
  });
}

test.run();
