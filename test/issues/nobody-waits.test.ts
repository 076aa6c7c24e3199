/**
 * Where nobody waits any more, no creator begins, those that run are told by their signal, and an error that has nobody to
 * go to ends no process.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import type { BegunCreation } from '../../src/backend/types.ts';
import { createRegion } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { endRegion } from '../support/region-end.ts';
import { until } from '../support/threads.ts';
import { deferred, errorOf, GateBackend, SETUPS, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;

for (const form of ['one key', 'several keys'] as const) {
  for (const stale of [false, true]) {
    const found = stale ? 'stale' : 'missing';
    test(`${form}, ${found}: all left during the second read`, async () => {
      let time = 1000;
      const region = createRegion<string>({
        name: 'gated',
        backend: 'test.gate',
        expirationTime: EXPIRATION,
        clock: () => time,
      });
      const backend = GateBackend.last;
      if (stale) {
        backend.open = true;
        await region.set('k', 'old');
        backend.open = false;
        time += EXPIRATION + 1;
      }
      // A second caller joins what is missing, and would be served what is stale.
      const controllers = Array.from({ length: stale ? 1 : 2 }, () => new AbortController());
      let ran = 0;
      const call = ({ signal }: AbortController): Promise<unknown> =>
        form === 'one key'
          ? region.getOrCreate('k', () => `${ran++}`, { signal })
          : region.getOrCreateMulti(['k'], () => [`${ran++}`], { signal });
      const calls = controllers.map(call);
      for (const _ of calls) await backend.release('get');
      await turns(5);
      assert.is(backend.waiting.length, 1, 'the second read');
      for (const [n, controller] of controllers.entries()) controller.abort(new Error(`left ${n}`));
      for (const [n, left] of calls.entries()) assert.match((await errorOf(() => left)).message, `left ${n}`);
      backend.open = true;
      for (const { go } of backend.waiting.splice(0)) go();
      await turns(10);
      assert.is(ran, 0);
      endRegion(region);
    });
  }
}

for (const setup of SETUPS) {
  test(`${setup.title}: who has its value does not keep a creator going for others`, async () => {
    const { region } = setup.make<string>({ expirationTime: EXPIRATION });
    const started = deferred();
    const gate = deferred();
    const other = region.getOrCreate(
      'a',
      async () => {
        started.resolve();
        await gate.promise;
        return 'a';
      },
      { expirationTime: 100_000 }, // not to be joined
    );
    await started.promise;
    const controller = new AbortController();
    const heard = deferred<AbortSignal>();
    const never = deferred();
    const multi = region.getOrCreateMulti(
      ['a', 'b'],
      async (keys, { signal }) => {
        assert.equal(keys, ['b']);
        heard.resolve(signal);
        await never.promise;
        return [...keys];
      },
      { signal: controller.signal },
    );
    // It queues for a, which others may join.
    assert.ok(await until(() => coreOf(region).runs.size === 3));
    const joined = region.getOrCreate('a', () => 'never');
    gate.resolve();
    assert.is(await other, 'a');
    assert.is(await joined, 'a');
    const signal = await heard.promise;
    assert.is(signal.aborted, false);
    controller.abort(new Error('left'));
    assert.match((await errorOf(() => multi)).message, 'left');
    assert.is(signal.aborted, true);
    never.resolve();
    await turns(20);
    endRegion(region);
  });

  test(`${setup.title}: an onError that fails, at once or by a promise, is heard by nobody`, async () => {
    for (const how of ['throws', 'rejects'] as const) {
      let told = 0;
      const onError = (): any => {
        told++;
        const error = new Error('onError');
        if (how === 'throws') throw error;
        return Promise.reject(error);
      };
      const { region, clock } = setup.make<string>({ expirationTime: EXPIRATION, onError });
      await region.set('k', 'old');
      clock.advance(EXPIRATION + 1);
      const fail = () => Promise.reject(new Error('behind'));
      const asyncCreationRunner = (_r: unknown, _k: unknown, creator: () => unknown): any => creator();
      for (const options of [{ refresh: 'background' as const }, { asyncCreationRunner }]) {
        assert.is(await region.getOrCreate('k', fail, options), 'old');
        await turns(20);
      }
      assert.is(told, 2);
      endRegion(region);
    }
  });
}

test('a tokenStands that rejects is heard by nobody, and the run is joined', async () => {
  let asked = 0;
  class Late extends MemoryBackend<any> {
    override beginCreation = (key: string): BegunCreation<any> => ({ value: this.get(key), token: 1 });
    override endCreation = () => {};
    override tokenStands = () => {
      asked++;
      return Promise.reject(new Error('connection lost'));
    };
  }
  registerBackend('test.nobody-waits', () => Late);
  const region = createRegion<string>({ name: 'late', backend: 'test.nobody-waits' });
  const gate = deferred<string>();
  const first = region.getOrCreate('k', () => gate.promise);
  const second = region.getOrCreate('k', () => 'never');
  gate.resolve('made');
  assert.equal(await Promise.all([first, second]), ['made', 'made']);
  assert.ok(asked > 0);
  await turns(5);
  endRegion(region);
});

// Node.js ends a process for one that is left, unless somebody listens.
const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
test.after.each(async () => {
  await turns(2);
  assert.equal(unhandled.splice(0), []);
});

test.run();
