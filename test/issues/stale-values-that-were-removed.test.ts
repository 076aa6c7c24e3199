/**
 * A stale value stands in for the new one only while it is a value: what was deleted, replaced, cleared or hard-invalidated
 * while the creator ran is served neither by `softTimeout` nor by `staleOnError`. What was soft-invalidated is.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion } from '../../src/index.ts';
import { fireHeld } from '../support/held-timers.ts';
import { endRegion } from '../support/region-end.ts';
import { deferred, errorOf, SETUPS, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;

type Removal = (region: CacheRegion<string>) => unknown;
const REMOVALS: Record<string, Removal> = {
  delete: (region) => region.delete('k'),
  deleteMulti: (region) => region.deleteMulti(['j', 'k']),
  invalidate: (region) => region.invalidate(),
  clear: (region) => region.clear(),
};

const SOFT_MS = 200_000;

const forms = {
  'one key': (region: CacheRegion<string>, creator: () => Promise<string>, options: object) =>
    region.getOrCreate('k', creator, options),
  'several keys': async (region: CacheRegion<string>, creator: () => Promise<string>, options: object) => {
    const [value] = await region.getOrCreateMulti(['k'], async () => [await creator()], options);
    return value;
  },
};

for (const setup of SETUPS) {
  for (const [form, call] of Object.entries(forms)) {
    const begin = async (options: object) => {
      const { region, clock } = setup.make<string>({ expirationTime: EXPIRATION });
      await region.set('k', 'old');
      clock.advance(EXPIRATION + 1);
      const started = deferred();
      const gate = deferred<string>();
      const creator = () => {
        started.resolve();
        return gate.promise;
      };
      const result = call(region, creator, options);
      result.catch(() => {});
      await started.promise;
      return { region, clock, gate, result };
    };

    for (const [how, remove] of Object.entries(REMOVALS)) {
      test(`${setup.title}, ${form}: softTimeout, ${how}`, async () => {
        const { region, gate, result } = await begin({ softTimeout: SOFT_MS });
        await remove(region);
        fireHeld();
        await turns(2);
        gate.resolve('new');
        assert.is(await result, 'new', 'it waits on');
        endRegion(region);
      });

      test(`${setup.title}, ${form}: staleOnError, ${how}`, async () => {
        const { region, gate, result } = await begin({ softTimeout: SOFT_MS, staleOnError: true });
        await remove(region);
        fireHeld();
        await turns(2);
        gate.reject(new Error('origin'));
        assert.match((await errorOf(() => result)).message, 'origin');
        endRegion(region);
      });
    }

    test(`${setup.title}, ${form}: replaced`, async () => {
      for (const ends of ['new', 'error'] as const) {
        const { region, gate, result } = await begin({ softTimeout: SOFT_MS, staleOnError: true });
        await region.set('k', 'set');
        fireHeld();
        await turns(2);
        if (ends === 'new') gate.resolve('new');
        else gate.reject(new Error('origin'));
        assert.is(await result, ends === 'new' ? 'new' : 'set');
        assert.is(await region.get('k'), 'set');
        endRegion(region);
      }
    });

    test(`${setup.title}, ${form}: soft-invalidated, or another key deleted: served`, async () => {
      const others: Removal[] = [
        (region) => region.invalidate({ hard: false }),
        (region) => region.delete('other'),
      ];
      for (const change of others) {
        const soft = await begin({ softTimeout: SOFT_MS });
        await change(soft.region);
        fireHeld();
        assert.is(await soft.result, 'old');
        soft.gate.resolve('new');
        await turns(20);
        endRegion(soft.region);
        const failing = await begin({ staleOnError: true });
        await change(failing.region);
        failing.gate.reject(new Error('origin'));
        assert.is(await failing.result, 'old');
        endRegion(failing.region);
      }
    });
  }
}

// Another thread's change of the key is seen when the creator has failed, an invalidation at any time.
for (const how of ['delete', 'invalidate', 'clear'] as const) {
  test(`slab: staleOnError, ${how} past the region`, async () => {
    const setup = SETUPS.find(({ title }) => title === 'slab')!;
    const { region, clock } = setup.make<string>({ expirationTime: EXPIRATION });
    const other = attachRegion<string>(region.handle, { clock: clock.read });
    await region.set('k', 'old');
    clock.advance(EXPIRATION + 1);
    const gate = deferred<string>();
    const result = region.getOrCreate('k', () => gate.promise, { staleOnError: true });
    if (how === 'delete') other.deleteSync('k');
    else if (how === 'invalidate') other.invalidateSync();
    else other.clearSync();
    gate.reject(new Error('origin'));
    assert.match((await errorOf(() => result)).message, 'origin');
    other.close();
    endRegion(region);
  });
}

test.run();
