/** A region over the backend: what creators make, and what of it is stored. */
import { NO_VALUE } from '../backend/cached-value.ts';
import type { Awaitable } from '../backend/types.ts';
import { type BackendSuite, payloadOf } from './backend-scope.ts';
import { after, type Operations, RegionForms } from './region-forms.ts';

/** What an application may do to a key while its creator runs, and what it reads after that. */
const CHANGES: Record<string, { change(ops: Operations, key: string): Awaitable<unknown>; left: unknown }> = {
  set: { change: (ops, key) => ops.set(key, 'theirs'), left: 'theirs' },
  setMulti: { change: (ops, key) => ops.setMulti([[key, 'theirs']]), left: 'theirs' },
  delete: { change: (ops, key) => ops.delete(key), left: undefined },
  deleteMulti: { change: (ops, key) => ops.deleteMulti([key]), left: undefined },
  clear: { change: (ops) => ops.clear(), left: undefined },
  'hard invalidation': { change: (ops) => ops.invalidate(), left: undefined },
  'soft invalidation': { change: (ops) => ops.invalidate({ hard: false }), left: undefined },
};

export function regionCreation<S>(suite: BackendSuite<S>): void {
  const forms = new RegionForms(suite);
  const { traits } = suite;

  forms.test('getOrCreate creates what is missing, and stores it', async ({ check }, make) => {
    const { ops } = await make();
    let runs = 0;
    const made = { by: 'the first run' };
    const creator = () => {
      runs++;
      return made;
    };
    check.is(
      await ops.getOrCreate('k', creator),
      made,
      "what the creator's caller gets: the object that it made",
    );
    check.equal(await ops.getOrCreate('k', creator), { by: 'the first run' }, 'what the next caller gets');
    check.equal(await ops.get('k'), { by: 'the first run' }, 'get');
    check.is(runs, 1, 'runs of the creator');
  });

  forms.test('getOrCreateMulti creates what is missing by one call', async ({ check }, make) => {
    const { ops } = await make();
    await ops.set('b', 'of b');
    const asked: unknown[] = [];
    const creator = (keys: readonly string[]) => {
      asked.push([...keys]);
      return keys.map((key) => `made ${key}`);
    };
    const keys = ['d', 'b', 'a', 'd', 'C'];
    const expected = ['made d', 'of b', 'made a', 'made d', 'made C'];
    check.equal(await ops.getOrCreateMulti(keys, creator), expected, 'getOrCreateMulti');
    check.equal(asked, [['C', 'a', 'd']], 'keys that the creator was asked for: each once, sorted');
    check.equal(await ops.getOrCreateMulti(keys, creator), expected, 'getOrCreateMulti again');
    check.is(asked.length, 1, 'runs of the creator');
    check.equal(await ops.getMulti(keys), expected, 'getMulti');
  });

  forms.test('a creator that fails: its error, nothing stored, the mutex free', async (scope, make) => {
    const { check } = scope;
    const { region, ops } = await make();
    const error = new Error('the source is down');
    const failing = () => {
      throw error;
    };
    for (const round of [1, 2]) {
      const thrown = await check.thrown(() => ops.getOrCreate('k', failing), `getOrCreate, round ${round}`);
      check.is(thrown, error, 'what reaches the caller');
    }
    const thrown = await check.thrown(() => ops.getOrCreateMulti(['k', 'l'], failing), 'getOrCreateMulti');
    check.is(thrown, error, 'what reaches the caller');
    check.is(await scope.stored(region, 'k'), NO_VALUE, 'what stands in the backend');
    check.is(await scope.stored(region, 'l'), NO_VALUE, 'what stands under the other key');
    check.is(await ops.getOrCreate('k', () => 'made'), 'made', 'the next creator');
    check.is(await ops.get('k'), 'made', 'get');
    check.equal(
      await ops.getOrCreateMulti(['l', 'k'], () => ['made l']),
      ['made l', 'made'],
      'getOrCreateMulti',
    );
  });

  forms.test('a creator that fails leaves the stale value', async ({ check, clock }, make) => {
    const { ops } = await make({ expirationTime: 100 });
    await ops.set('k', 'old');
    clock.advance(101);
    const failing = () => {
      throw new Error('fails');
    };
    await check.thrown(() => ops.getOrCreate('k', failing), 'getOrCreate');
    check.is(
      await ops.getOrCreate('k', failing, { staleOnError: true }),
      'old',
      'getOrCreate with staleOnError',
    );
    check.is(await ops.get('k', { ignoreExpiration: true }), 'old', 'get with ignoreExpiration');
    check.is(await ops.getOrCreate('k', () => 'new'), 'new', 'the next creator');
  });

  forms.test('too few or too many values of a multi creator: nothing is stored', async ({ check }, make) => {
    const { ops } = await make();
    for (const values of [['one'], ['one', 'two', 'three']]) {
      const error = await check.thrown(
        () => ops.getOrCreateMulti(['a', 'b'], () => values),
        'getOrCreateMulti',
      );
      check.equal((error as { code?: string }).code, 'ERR_CAIRN_CREATOR_RESULT', 'code of the error');
      check.equal(await ops.getMulti(['a', 'b']), [undefined, undefined], 'getMulti');
    }
  });

  forms.test('a value that shouldCache refuses is returned, not stored', async (scope, make) => {
    const { check } = scope;
    const { region, ops } = await make();
    const shouldCache = (value: unknown) => value !== 'no';
    check.is(await ops.getOrCreate('k', () => 'no', { shouldCache }), 'no', 'getOrCreate');
    check.is(await scope.stored(region, 'k'), NO_VALUE, 'what stands in the backend');
    const many = await ops.getOrCreateMulti(['a', 'b'], () => ['yes', 'no'], { shouldCache });
    check.equal(many, ['yes', 'no'], 'getOrCreateMulti');
    check.equal(await ops.getMulti(['a', 'b']), ['yes', undefined], 'getMulti');
    check.is(await ops.getOrCreate('k', () => 'yes', { shouldCache }), 'yes', 'the next creator');
    check.is(await ops.get('k'), 'yes', 'get');
  });

  for (const [how, { change, left }] of Object.entries(CHANGES)) {
    forms.test(`a value that comes after a ${how} is not stored`, async (scope, make) => {
      const { check } = scope;
      const { region, ops } = await make();
      const late = await ops.getOrCreate('k', () => after(change(ops, 'k'), () => 'late'));
      check.is(late, 'late', "what the creator's caller gets");
      check.is(await ops.get('k'), left, 'get');
      check.ok(
        payloadOf(await scope.stored(region, 'k')) !== 'late',
        'the backend must not hold the late value',
      );
      const many = await ops.getOrCreateMulti(['l', 'm'], (keys) =>
        after(change(ops, 'm'), () => keys.map(() => 'late')),
      );
      check.equal(many, ['late', 'late'], 'what the caller of a multi creator gets');
      check.is(await ops.get('m'), left, 'get');
      check.ok(payloadOf(await scope.stored(region, 'm')) !== 'late', 'nor that of a multi creator');
      check.is(await ops.getOrCreate('next', () => 'made'), 'made', 'the next creation');
      check.is(await ops.get('next'), 'made', 'what it stored');
    });
  }

  forms.test('keyIsLocked is true while a creator runs', async ({ check }, make) => {
    const { region, ops } = await make();
    if (region.backend.getMutex('k')?.locked === undefined && region.backend.getMutex('k') !== null) {
      const error = await check.thrown(() => ops.keyIsLocked('k'), 'keyIsLocked of a mutex without locked()');
      check.equal((error as { code?: string }).code, 'ERR_CAIRN_MUTEX', 'code of the error');
      return;
    }
    check.is(await ops.keyIsLocked('k'), false, 'before');
    let during: unknown;
    const look = () =>
      after(ops.keyIsLocked('k'), (locked) => {
        during = locked;
        return 'made';
      });
    await ops.getOrCreate('k', look);
    check.is(during, traits.exclusive, 'while the creator runs');
    check.is(await ops.keyIsLocked('k'), false, 'after');
    await ops.delete('k');
    await ops.getOrCreateMulti(['a', 'k'], (keys) => after(look(), () => keys));
    check.is(during, traits.exclusive, 'while a multi creator runs');
    check.is(await ops.keyIsLocked('k'), false, 'after it');
    check.is(await ops.getOrCreate('k', () => 'made'), 'k', 'which never takes the mutex');
  });

  forms.test('a creator may create another key', async ({ check }, make) => {
    const { ops } = await make();
    for (const round of [1, 2]) {
      const value = await ops.getOrCreate('foo', () =>
        after(
          ops.getOrCreate('bar', () =>
            after(
              ops.getOrCreate('baz', () => '!'),
              (baz) => `bar${baz}`,
            ),
          ),
          (bar) => `foo${bar}`,
        ),
      );
      check.is(value, 'foobar!', `getOrCreate, round ${round}`);
      check.equal(await ops.getMulti(['foo', 'bar', 'baz']), ['foobar!', 'bar!', '!'], 'getMulti');
      await ops.delete('foo');
    }
    const many = await ops.getOrCreateMulti(['x', 'y'], (keys) =>
      after(
        ops.getOrCreateMulti(['a', 'b', 'z'], (inner) => inner.map((key) => `${key}!`)),
        (found) => keys.map((key) => `${key} of ${found}`),
      ),
    );
    check.equal(many, ['x of a!,b!,z!', 'y of a!,b!,z!'], 'getOrCreateMulti within getOrCreateMulti');
  });
}
