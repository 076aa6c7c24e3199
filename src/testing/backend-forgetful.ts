/** A backend that keeps nothing: everything is a miss, and everything else goes on as usual. */
import { NO_VALUE } from '../backend/cached-value.ts';
import type { BackendSuite } from './backend-scope.ts';
import { after, RegionForms } from './region-forms.ts';
import { gate, once, started, turns } from './tools.ts';

export function forgetfulTests<S>(suite: BackendSuite<S>): void {
  const forms = new RegionForms(suite);
  const { traits } = suite;

  suite.test('nothing is kept, and no call fails', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    await backend.set('k', Object.freeze(value('payload')));
    const entries = ['a', 'b'].map((key) => [key, Object.freeze(value(key))] as const);
    await backend.setMulti(new Map(entries));
    await backend.setMulti(once(entries));
    await backend.setMulti([]);
    check.is(await backend.get('k'), NO_VALUE, 'get');
    check.equal(await backend.getMulti(['a', 'k', 'b', 'a']), Array(4).fill(NO_VALUE), 'getMulti');
    check.equal(await backend.getMulti([]), [], 'getMulti([])');
    check.is(await backend.delete('k'), false, 'delete');
    check.is(await backend.deleteMulti(once(['a', 'b'])), 0, 'deleteMulti');
  });

  forms.test('a miss each time', async ({ check }, make) => {
    const { ops } = await make();
    await ops.set('k', 'v');
    await ops.setMulti([['a', 'v']]);
    check.is(await ops.get('k'), undefined, 'get');
    check.is(await ops.has('k'), false, 'has');
    check.equal(await ops.getMulti(['a', 'k']), [undefined, undefined], 'getMulti');
    check.is(await ops.delete('k'), false, 'delete');
    check.is(await ops.deleteMulti(['a', 'k']), 0, 'deleteMulti');
    await ops.clear();
    await ops.invalidate();
    await ops.invalidate({ hard: false });
  });

  forms.test('each call runs its creator', async ({ check }, make) => {
    const { ops } = await make({ expirationTime: 1000 });
    let runs = 0;
    for (const expected of [1, 2, 3])
      check.is(await ops.getOrCreate('k', () => ++runs), expected, 'getOrCreate');
    const asked: unknown[] = [];
    for (const _round of [1, 2]) {
      const many = await ops.getOrCreateMulti(['b', 'a', 'b'], (keys) => {
        asked.push([...keys]);
        return keys.map((key) => `made ${key}`);
      });
      check.equal(many, ['made b', 'made a', 'made b'], 'getOrCreateMulti');
    }
    check.equal(asked, Array(2).fill(['a', 'b']), 'keys that its creator was asked for');
  });

  forms.test('a creator that fails: its error, and the next one runs', async ({ check }, make) => {
    const { ops } = await make();
    const error = new Error('the source is down');
    const failing = () => {
      throw error;
    };
    check.is(await check.thrown(() => ops.getOrCreate('k', failing), 'getOrCreate'), error, 'the error');
    check.is(await check.thrown(() => ops.getOrCreateMulti(['k'], failing), 'Multi'), error, 'the error');
    check.is(await ops.getOrCreate('k', () => 'made'), 'made', 'the next creator');
    if (traits.mutexes && !traits.exclusive) return;
    check.is(await ops.keyIsLocked('k'), false, 'keyIsLocked after it');
  });

  forms.test('a creator may create another key', async ({ check }, make) => {
    const { ops } = await make();
    for (const round of [1, 2]) {
      const value = await ops.getOrCreate('foo', () =>
        after(
          ops.getOrCreate('bar', () => 'bar'),
          (bar) => `foo${bar}`,
        ),
      );
      check.is(value, 'foobar', `getOrCreate, round ${round}`);
    }
  });

  suite.test('region: concurrent callers of one key share a run', async (scope) => {
    const { check } = scope;
    const region = await scope.newRegion();
    const { opened, open } = gate<string>();
    let runs = 0;
    const creator = () => {
      runs++;
      return opened;
    };
    const calls = Array.from({ length: 10 }, () => started(region.getOrCreate('k', creator)));
    await scope.creatorRuns(() => runs > 0, calls[0]);
    await turns(10);
    open('made');
    check.equal(await Promise.all(calls), Array(10).fill('made'), 'what the callers get');
    check.is(runs, 1, 'runs of the creator');
  });
}
