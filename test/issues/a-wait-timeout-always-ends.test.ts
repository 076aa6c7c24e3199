/**
 * A `waitTimeout` ends every wait for others, also one that begins, or goes on, after the call's own keys are done: those
 * may be created, found fresh, or served stale. What the call's own creator takes does not count.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheRegion } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { fireHeld, heldTimers } from '../support/held-timers.ts';
import { endRegion } from '../support/region-end.ts';
import { until } from '../support/threads.ts';
import { deferred, errorOf, SETUPS, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;
const WAIT = { waitTimeout: 200_000 };

/** Starts a creation of `key` that ends when told; resolves when its creator has begun. */
async function parked(region: CacheRegion<string>, key: string, options: object = {}) {
  const started = deferred();
  const gate = deferred();
  const creator = async () => {
    started.resolve();
    await gate.promise;
    return `${key} of another`;
  };
  const done = region.getOrCreate(key, creator, options);
  await started.promise;
  return { done, end: gate.resolve as () => void };
}

/** What a call that joined the creation of `b` comes to. */
async function timesOut(call: Promise<unknown>): Promise<void> {
  call.catch(() => {});
  await turns(20);
  fireHeld();
  const error = await errorOf(() => call);
  assert.is(error.code, 'ERR_CAIRN_WAIT_TIMEOUT', error.stack);
  assert.match(error.message, "'b'");
}

for (const setup of SETUPS) {
  const it = (title: string, body: (region: CacheRegion<string>, expire: () => void) => Promise<void>) =>
    test(`${setup.title}: ${title}`, async () => {
      const { region, clock } = setup.make<string>({ expirationTime: EXPIRATION });
      // Where keys share mutexes, these must not.
      if (setup.title === 'slab') assert.is.not(indexOf(region, 'a'), indexOf(region, 'b'));
      await body(region, () => clock.advance(EXPIRATION + 1));
      endRegion(region);
    });

  it('its own key was found fresh when it got the lock', async (region) => {
    const b = await parked(region, 'b');
    const a = await parked(region, 'a', { expirationTime: 100_000 }); // not to be joined
    const call = region.getOrCreateMulti(['a', 'b'], () => ['never'], WAIT);
    assert.ok(await until(() => coreOf(region).runs.size === 3), 'it queues for a');
    a.end();
    await a.done;
    await timesOut(call);
    b.end();
    await b.done;
  });

  it('its own key was created', async (region) => {
    const b = await parked(region, 'b');
    await timesOut(region.getOrCreateMulti(['a', 'b'], (keys) => [...keys], WAIT));
    assert.is(await region.get('a'), 'a');
    b.end();
    await b.done;
  });

  it('its own creator failed', async (region) => {
    const b = await parked(region, 'b');
    const call = region.getOrCreateMulti(['a', 'b'], () => Promise.reject(new Error('origin')), WAIT);
    call.catch(() => {});
    await turns(20);
    fireHeld();
    assert.match((await errorOf(() => call)).message, 'origin');
    b.end();
    await b.done;
  });

  it('its own key was stale, and busy', async (region, expire) => {
    await region.set('a', 'old');
    expire();
    const a = await parked(region, 'a');
    const b = await parked(region, 'b');
    await timesOut(region.getOrCreateMulti(['a', 'b'], () => ['never'], WAIT));
    for (const other of [a, b]) {
      other.end();
      await other.done;
    }
  });

  it('what its own creator takes does not count', async (region) => {
    const b = await parked(region, 'b');
    const gate = deferred();
    const started = deferred();
    const creator = async (keys: readonly string[]) => {
      started.resolve();
      await gate.promise;
      return [...keys];
    };
    const call = region.getOrCreateMulti(['a', 'b'], creator, WAIT);
    await started.promise;
    assert.is(heldTimers(), 0);
    b.end();
    await b.done;
    gate.resolve();
    assert.equal(await call, ['a', 'b of another']);
  });
}

function indexOf(region: CacheRegion<string>, key: string): number {
  return (region.actualBackend.getMutex(key) as { index?: number }).index!;
}

test.run();
