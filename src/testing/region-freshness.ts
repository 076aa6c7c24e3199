/** A region over the backend: expiration by an injected clock, hard and soft invalidation. */
import type { BackendSuite } from './backend-scope.ts';
import { RegionForms } from './region-forms.ts';

const EXPIRATION = { expirationTime: 1000 };
const ANY_AGE = { ignoreExpiration: true };

export function regionFreshness<S>(suite: BackendSuite<S>): void {
  const forms = new RegionForms(suite);

  forms.test('a value expires after its time, not at it', async ({ check, clock }, make) => {
    const { ops } = await make(EXPIRATION);
    await ops.set('k', 'v');
    clock.advance(1000);
    check.is(await ops.get('k'), 'v', 'get at exactly that age');
    check.is(await ops.has('k'), true, 'has at exactly that age');
    clock.advance(0.5);
    check.is(await ops.get('k'), undefined, 'get after it');
    check.is(await ops.has('k'), false, 'has after it');
    check.is(await ops.getValueMetadata('k'), undefined, 'getValueMetadata after it');
    check.is(await ops.get('k', ANY_AGE), 'v', 'get with ignoreExpiration');
    check.is(await ops.has('k', ANY_AGE), true, 'has with ignoreExpiration');
    check.is((await ops.getValueMetadata('k', ANY_AGE))?.age, 1000.5, 'its age');
  });

  forms.test('expiration in Multi forms is of each key', async ({ check, clock }, make) => {
    const { ops } = await make(EXPIRATION);
    await ops.set('old', 'old');
    clock.advance(600);
    await ops.setMulti([['new', 'new']]);
    clock.advance(600);
    check.equal(await ops.getMulti(['old', 'new']), [undefined, 'new'], 'getMulti');
    check.equal(
      await ops.getMulti(['old', 'new'], ANY_AGE),
      ['old', 'new'],
      'getMulti with ignoreExpiration',
    );
    const asked: unknown[] = [];
    const creator = (keys: readonly string[]) => {
      asked.push([...keys]);
      return keys.map((key) => `${key} again`);
    };
    const found = await ops.getOrCreateMulti(['old', 'new', 'absent'], creator);
    check.equal(found, ['old again', 'new', 'absent again'], 'getOrCreateMulti');
    check.equal(asked, [['absent', 'old']], 'keys that the creator was asked for');
  });

  forms.test('an expired value is created again, once', async ({ check, clock }, make) => {
    const { ops } = await make(EXPIRATION);
    let runs = 0;
    const creator = () => ++runs;
    for (const expected of [1, 2, 3]) {
      check.is(await ops.getOrCreate('k', creator), expected, 'getOrCreate');
      clock.advance(1000);
      check.is(await ops.getOrCreate('k', creator), expected, 'getOrCreate while it is fresh');
      clock.advance(1);
    }
    check.is(runs, 3, 'runs of the creator');
  });

  forms.test('expirationTime of a call goes for that call', async ({ check, clock }, make) => {
    const { ops } = await make(EXPIRATION);
    await ops.set('k', 'v');
    clock.advance(500);
    check.is(await ops.get('k', { expirationTime: 499 }), undefined, 'get with a shorter one');
    check.is(await ops.get('k'), 'v', 'get without');
    clock.advance(1000);
    check.is(await ops.get('k', { expirationTime: 1500 }), 'v', 'get with a longer one');
    check.is(await ops.get('k', { expirationTime: null }), 'v', 'get with none');
    check.is(
      await ops.getOrCreate('k', () => 'made', { expirationTime: 1500 }),
      'v',
      'getOrCreate with a longer one',
    );
    check.is(await ops.getOrCreate('k', () => 'made'), 'made', 'getOrCreate without');
  });

  forms.test('without an expirationTime values stay', async ({ check, clock }, make) => {
    const { ops } = await make();
    await ops.set('k', 'v');
    clock.advance(100 * 365 * 86_400_000);
    check.is(await ops.get('k'), 'v', 'get after a hundred years');
  });

  forms.test('hard invalidation: values count as missing, at once', async ({ check }, make) => {
    const { ops } = await make();
    for (const round of [1, 2]) {
      await ops.set('k', 'old');
      await ops.getOrCreate('created', () => 'old');
      await ops.invalidate();
      check.equal(await ops.getMulti(['k', 'created']), [undefined, undefined], `getMulti, round ${round}`);
      check.is(await ops.get('k'), undefined, 'get');
      check.is(await ops.has('k'), false, 'has');
      check.is(await ops.get('k', ANY_AGE), 'old', 'get with ignoreExpiration');
      const failing = () => {
        throw new Error('fails');
      };
      const error = await check.thrown(
        () => ops.getOrCreate('k', failing, { staleOnError: true }),
        'a creator that fails after a hard invalidation',
      );
      check.equal((error as Error).message, 'fails', 'its message');
      check.is(await ops.getOrCreate('k', () => 'new'), 'new', 'getOrCreate');
      const many = await ops.getOrCreateMulti(['k', 'created'], (keys) => keys.map(() => 'new'));
      check.equal(many, ['new', 'new'], 'getOrCreateMulti');
      check.equal(await ops.getMulti(['k', 'created']), ['new', 'new'], 'what was made since');
    }
  });

  forms.test('soft invalidation: values count as stale, at once', async ({ check }, make) => {
    const { ops } = await make();
    const failing = () => {
      throw new Error('fails');
    };
    await ops.set('k', 'old');
    await ops.invalidate({ hard: false });
    check.is(await ops.get('k'), undefined, 'get');
    check.equal(await ops.getMulti(['k']), [undefined], 'getMulti');
    check.is(
      await ops.getOrCreate('k', failing, { staleOnError: true }),
      'old',
      'the stale value of a creator that fails',
    );
    check.is(await ops.getOrCreate('k', () => 'new'), 'new', 'getOrCreate');
    check.is(await ops.get('k'), 'new', 'what was made since');
    await ops.set('hard', 'old');
    await ops.invalidate();
    await ops.invalidate({ hard: false });
    const error = await check.thrown(
      () => ops.getOrCreate('hard', failing, { staleOnError: true }),
      'soft must not undo hard: a creator that fails',
    );
    check.equal((error as Error).message, 'fails', 'its message');
  });
}
