/** Two instances for one region over one store, as two threads or processes have them. */
import { NO_VALUE } from '../backend/cached-value.ts';
import type { CacheRegion } from '../region/region.ts';
import { type BackendScope, type BackendSuite, payloadOf } from './backend-scope.ts';
import { changesOf, stores } from './backend-tokens.ts';
import { gate, started, turns } from './tools.ts';

export function sharedTests<S>(suite: BackendSuite<S>): void {
  const { traits } = suite;

  suite.test('one instance sees what another changed', async (scope) => {
    const { check } = scope;
    const [one, other] = [await scope.subject(), await scope.subject()];
    await one.backend.set('k', one.value('first'));
    check.equal(payloadOf(await other.backend.get('k')), 'first', 'after set');
    await other.backend.setMulti([
      ['k', other.value('second')],
      ['l', other.value('l')],
    ]);
    const found = await one.backend.getMulti(['l', 'k']);
    check.equal(found.map(payloadOf), ['l', 'second'], 'after setMulti');
    check.is(await one.backend.delete('k'), true, 'delete of a key that the other set');
    check.is(await other.backend.get('k'), NO_VALUE, 'after delete');
    check.is(await other.backend.deleteMulti(['k', 'l']), 1, 'deleteMulti');
    check.is(await one.backend.get('l'), NO_VALUE, 'after deleteMulti');
    if (!traits.clear) return;
    await one.backend.set('k', one.value('third'));
    await other.backend.clear!();
    check.is(await one.backend.get('k'), NO_VALUE, 'after clear');
  });

  if (traits.tokens) {
    for (const [how, { change, left }] of changesOf(traits.clear)) {
      suite.test(`a ${how} by another instance: the token is refused`, async (scope) => {
        const { check } = scope;
        const [one, other] = [await scope.subject(), await scope.subject()];
        for (const key of ['absent', 'standing']) {
          if (key === 'standing') await one.backend.set(key, one.value('old'));
          const { token } = await one.backend.beginCreation!(key);
          const late = one.value('late');
          await change(other, key);
          check.is(await one.backend.set(key, late, { token }), false, `${key}: the late set`);
          check.equal(payloadOf(await one.backend.get(key)), left, `${key}: get`);
        }
      });

      suite.test(`a region does not store what it made before a ${how} by another`, async (scope) => {
        const { check } = scope;
        const region = await scope.newRegion();
        const other = await scope.subject();
        const made = await region.getOrCreate('k', async () => {
          await change(other, 'k');
          return 'late';
        });
        check.is(made, 'late', "what the creator's caller gets");
        check.equal(payloadOf(await scope.stored(region, 'k')), left, 'what stands');
      });
    }

    suite.test('creations of two instances share the token: the first to store wins', async (scope) => {
      const { check } = scope;
      const [one, other] = [await scope.subject(), await scope.subject()];
      const mine = await one.backend.beginCreation!('k');
      const theirs = await other.backend.beginCreation!('k');
      check.ok(await stores(other.backend, 'k', other.value('theirs'), theirs.token), 'the first to store');
      check.is(await one.backend.set('k', one.value('mine'), { token: mine.token }), false, 'the second');
      check.equal(payloadOf(await one.backend.get('k')), 'theirs', 'get');
    });
  }

  if (traits.sharedMutexes) suite.test('one creator runs at a time over two regions', oneCreator);
  if (traits.sharedGenerations) {
    suite.test('one region sees the invalidations of another, within the same millisecond', invalidations);
  }
}

async function oneCreator<S>(scope: BackendScope<S>): Promise<void> {
  const { check, clock } = scope;
  const regions = await pairOfRegions(scope, 100);
  let running = 0;
  let runs = 0;
  for (const round of ['missing', 'stale']) {
    const { opened, open } = gate();
    const before = runs;
    const creator = async () => {
      check.is(++running, 1, `creators that run at once (${round})`);
      const value = `${round} ${++runs}`;
      await opened;
      running--;
      return value;
    };
    const first = started(regions[0].getOrCreate('k', creator));
    await scope.creatorRuns(() => runs > before, first);
    const rest = [0, 1, 1, 0, 1].map((n) => started(regions[n].getOrCreate('k', creator)));
    await turns(5);
    open();
    const values = await Promise.all([first, ...rest]);
    check.is(runs, before + 1, `runs of the creator (${round})`);
    const made = `${round} ${runs}`;
    check.is(values[0], made, "what the creator's caller gets");
    const expected = round === 'missing' ? made : `missing ${before}`;
    check.equal(values.slice(1), Array(5).fill(expected), `what the others get (${round})`);
    for (const region of regions) check.is(await region.get('k'), made, `get (${round})`);
    clock.advance(101);
  }
}

async function invalidations<S>(scope: BackendScope<S>): Promise<void> {
  const { check } = scope;
  const [one, other] = await pairOfRegions(scope, null);
  await one.set('k', 'v');
  check.is(await other.get('k'), 'v', 'before');
  await other.invalidate({ hard: false });
  check.is(await one.get('k'), undefined, 'get after a soft invalidation by the other');
  check.is(await one.getOrCreate('k', () => 'made', { refresh: 'background' }), 'v', 'the stale value');
  // Regenerated behind the caller: a hang here is a value that never comes.
  while ((await other.get('k')) !== 'made') await scope.turn();
  await other.invalidate();
  check.is(await one.get('k'), undefined, 'get after a hard invalidation by the other');
  check.is(await one.getOrCreate('k', () => 'made again'), 'made again', 'getOrCreate after it');
  check.is(await other.get('k'), 'made again', 'what was made since');
  const late = await one.getOrCreate('late', async () => {
    await other.invalidate();
    return 'late';
  });
  check.is(late, 'late', "what the creator's caller gets");
  check.is(await other.get('late'), undefined, 'what was made before an invalidation by the other');
  await one.set('k', 'v');
  await other.clear();
  check.is(await one.get('k', { ignoreExpiration: true }), undefined, 'get after a clear by the other');
}

async function pairOfRegions<S>(
  scope: BackendScope<S>,
  expirationTime: number | null,
): Promise<CacheRegion<any>[]> {
  return [await scope.newRegion({ expirationTime }), await scope.newRegion({ expirationTime })];
}
