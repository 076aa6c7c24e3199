/**
 * Calls for several keys and for single ones keep each other out: no two creators of a key run at once, and no value that
 * was made before a change of its key stands after it.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MultiCreateOptions } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { endRegion } from '../support/region-end.ts';
import { until } from '../support/threads.ts';
import { deferred, randomFrom, SEED, SETUPS, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 5;

/** How many creators of each key run. */
class Running {
  most = 0;
  readonly #counts = new Map<string, number>();
  async during<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const key of keys) {
      const count = (this.#counts.get(key) ?? 0) + 1;
      this.#counts.set(key, count);
      this.most = Math.max(this.most, count);
    }
    try {
      return await work();
    } finally {
      for (const key of keys) this.#counts.set(key, this.#counts.get(key)! - 1);
    }
  }
}

for (const setup of SETUPS) {
  // The call for several keys waits for the first one and decided about the others long before.
  test(`${setup.title}: a lock that was free when a call for several keys began is taken as it is then`, async () => {
    const { region, clock } = setup.make<string>({ expirationTime: EXPIRATION });
    const running = new Running();
    await region.setMulti([
      ['b', 'old'],
      ['c', 'old'],
    ]);
    clock.advance(EXPIRATION + 1);
    const started = deferred();
    const gate = deferred();
    const first = region.getOrCreate('a', async () => {
      started.resolve();
      await gate.promise;
      return 'a';
    });
    await started.promise;
    await region.delete('a'); // nobody joins that run any more
    const make = (keys: readonly string[]) =>
      running.during(keys, async () => {
        await turns(20);
        return [...keys];
      });
    const multi = region.getOrCreateMulti(['c', 'b', 'a'], make);
    assert.ok(await until(() => coreOf(region).runs.size === 4), 'it queues for a');
    const singles = ['b', 'c'].map((key) => region.getOrCreate(key, async () => (await make([key]))[0]));
    await turns(10);
    gate.resolve();
    assert.is(await first, 'a');
    for (const value of [...(await multi), ...(await Promise.all(singles))])
      assert.ok(['a', 'b', 'c', 'old'].includes(value), value);
    assert.is(running.most, 1);
    endRegion(region);
  });

  test(`${setup.title}: random calls over few keys`, async () => {
    const { region, clock } = setup.make<{ key: string; version: number }>({ expirationTime: EXPIRATION });
    const random = randomFrom(SEED);
    const pick = (n: number) => Math.floor(random() * n);
    const keyOf = () => `k${pick(5)}`;
    const running = new Running();
    // Raised by each change, before the creators that may see it.
    const versions = new Map<string, number>();
    const raise = (key: string) => versions.set(key, (versions.get(key) ?? 0) + 1);
    const make = (keys: readonly string[]) =>
      running.during(keys, async () => {
        const made = keys.map((key) => ({ key, version: versions.get(key) ?? 0 }));
        await turns(pick(6));
        if (random() < 0.1) throw new Error('origin');
        return made;
      });
    const options = (): MultiCreateOptions => {
      const more: { -readonly [K in keyof MultiCreateOptions]: MultiCreateOptions[K] } = {};
      if (random() < 0.3) more.refresh = 'background';
      if (random() < 0.2) more.expirationTime = pick(2) ? 3 : 100;
      if (random() < 0.2) {
        const controller = new AbortController();
        more.signal = controller.signal;
        void turns(pick(6)).then(() => controller.abort(new Error('left')));
      }
      return more;
    };
    const expected = (error: Error) => assert.ok(['origin', 'left'].includes(error.message), error.stack);
    const calls: Promise<unknown>[] = [];
    for (let step = 0; step < 1500; step++) {
      const what = random();
      const key = keyOf();
      if (what < 0.4) {
        const creator = async () => (await make([key]))[0];
        calls.push(region.getOrCreate(key, creator, options()).catch(expected));
      } else if (what < 0.8) {
        calls.push(region.getOrCreateMulti([key, keyOf(), keyOf()], make, options()).catch(expected));
      } else {
        raise(key);
        const version = versions.get(key)!;
        const change = what < 0.9 ? region.delete(key) : region.set(key, { key, version });
        // Where the change takes some time, it has been made when it settles.
        if (setup.sync) calls.push(change as Promise<unknown>);
        else await change;
      }
      if (random() < 0.5) clock.advance(1);
      if (random() < 0.5) await turns(pick(3));
      if (!setup.sync) continue;
      const looked = keyOf();
      const stands = region.getSync(looked, { ignoreExpiration: true });
      if (stands === undefined) continue;
      assert.is(stands.key, looked);
      assert.ok(stands.version >= (versions.get(looked) ?? 0), `step ${step} of seed ${SEED}: ${looked}`);
    }
    await Promise.all(calls);
    await turns(20);
    assert.is(running.most, 1, `seed ${SEED}`);
    assert.is(region.stats().unlockedCreations, 0);
    endRegion(region);
  });
}

test.run();
