/**
 * A refresh that never settles keeps its key from being refreshed for five seconds, and not for ever: one by a runner on
 * every backend; one behind the caller, or left by a `softTimeout`, where threads share the mutexes. What it brings after
 * that is not stored over what another one made.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AsyncCreationRunner, CacheRegion, CreateOptions } from '../../src/index.ts';
import { endRegion } from '../support/region-end.ts';
import { deferred, SETUPS, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;
const HANG_MS = 20_000;

const runner: AsyncCreationRunner<any> = async (region, key, creator, _mutex, token) => {
  await region.set(key, await creator(), { token });
};
const releasing: AsyncCreationRunner<any> = (region, key, creator, mutex, token) => {
  mutex.release();
  return runner(region, key, creator, mutex, token);
};

const BY_RUNNER: Record<string, CreateOptions> = {
  runner: { asyncCreationRunner: runner },
  'a runner that releases': { asyncCreationRunner: releasing },
};
const BY_LEASE: Record<string, CreateOptions> = {
  background: { refresh: 'background' },
  softTimeout: { softTimeout: 5 },
};
const waysOf = (title: string) => Object.entries({ ...BY_RUNNER, ...(title === 'slab' ? BY_LEASE : {}) });

/** Refreshes `k`, the first time by a creator that hangs, until another one has made the new value. */
async function refresh(
  region: CacheRegion<string>,
  options: CreateOptions,
  expire: () => void,
): Promise<void> {
  const late = deferred<string>();
  let calls = 0;
  const creator = () => (++calls === 1 ? late.promise : 'new');
  const ask = () => region.getOrCreate('k', creator, options);
  await region.set('k', 'old');
  expire();
  assert.is(await ask(), 'old');
  await turns(20);
  assert.is(calls, 1);
  for (let n = 0; n < 3; n++) assert.is(await ask(), 'old');
  await turns(20);
  assert.is(calls, 1, 'while it may still come, nobody else begins');
  const limit = performance.now() + HANG_MS;
  for (let value = 'old'; value === 'old'; value = await ask()) {
    assert.ok(performance.now() < limit, `no second refresh: ${calls} creators`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.is(calls, 2);
  assert.is(await region.get('k'), 'new');
  late.resolve('late');
  await turns(20);
  assert.is(await region.get('k'), 'new');
}

// All at once, since each takes its five seconds.
test('refreshed again after five seconds, in every way, over every backend', async () => {
  const all = SETUPS.flatMap((setup) =>
    waysOf(setup.title).map(([way, options]) => ({ setup, way, options })),
  );
  const results = await Promise.allSettled(
    all.map(async ({ setup, options }) => {
      const { region, clock } = setup.make<string>({ expirationTime: EXPIRATION });
      await refresh(region, options, () => clock.advance(EXPIRATION + 1));
      endRegion(region);
    }),
  );
  const failures = results.flatMap((result, n) =>
    result.status === 'rejected' ? [`${all[n].setup.title}, ${all[n].way}: ${result.reason.message}`] : [],
  );
  assert.equal(failures, []);
});

test.run();
