/**
 * A creator is asked for its value once. What it returns may be a lazy thenable, as query builders have them: each call
 * of its `then` is another query.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AsyncCreationRunner } from '../../src/index.ts';
import { SharedCache, SlabBackend } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap } from '../support/engine.ts';
import { until } from '../support/threads.ts';
import { errorOf, SETUPS, turns } from '../unit/region-fixtures.ts';

/** A thenable that counts how often it was asked, and answers a turn later as a database does. */
class Query<T> implements PromiseLike<T> {
  asked = 0;
  readonly #answer: () => T;
  constructor(answer: () => T) {
    this.#answer = answer;
  }
  // biome-ignore lint/suspicious/noThenProperty: query builders have one.
  then<A, B>(...listeners: Parameters<Promise<T>['then']>): Promise<A | B> {
    this.asked++;
    return turns(1)
      .then(this.#answer)
      .then(...listeners) as Promise<A | B>;
  }
}

const EXPIRATION = 10;
const runner: AsyncCreationRunner<any> = async (region, key, creator, mutex, token) => {
  try {
    await region.set(key, await creator(), { token });
  } finally {
    mutex.release();
  }
};

for (const setup of SETUPS) {
  test(`${setup.title}: a lazy thenable runs once, whichever form asks for it`, async () => {
    const { region, clock } = setup.make<any>({ expirationTime: EXPIRATION });
    const idle = () => coreOf(region).runs.size === 0;
    const first = new Query(() => 'first');
    // Those who join get the same answer.
    const values = await Promise.all([1, 2, 3].map(() => region.getOrCreate('k', () => first)));
    assert.equal(values, ['first', 'first', 'first']);
    assert.is(first.asked, 1);
    const several = new Query(() => ['1', '2']);
    assert.equal(await region.getOrCreateMulti(['m', 'n'], () => several), ['1', '2']);
    assert.is(several.asked, 1);
    for (const options of [{ refresh: 'background' as const }, { asyncCreationRunner: runner }]) {
      clock.advance(EXPIRATION + 1);
      const behind = new Query(() => 'behind');
      const stale = await region.getOrCreate('k', () => behind, options);
      assert.ok(stale === 'first' || stale === 'behind');
      assert.ok(await until(idle));
      assert.is(behind.asked, 1, Object.keys(options)[0]);
      assert.is(await region.get('k'), 'behind');
    }
    const failing = new Query(() => {
      throw new Error('no such table');
    });
    assert.match((await errorOf(() => region.getOrCreate('f', () => failing))).message, 'no such table');
    assert.is(failing.asked, 1);
    assert.is(region.stats().loads, 5);
    assert.is(region.stats().loadErrors, 1);
    assert.ok(idle());
    const backend = region.actualBackend;
    if (backend instanceof SlabBackend) {
      const seen = SharedCache.attach(backend.handle);
      checkHeap(seen);
      seen.close();
    }
    region.close();
  });
}

test('SharedCache.getOrCreate: a lazy thenable runs once', async () => {
  const cache = SharedCache.create<string>({ maxBytes: 2 ** 20 });
  const query = new Query(() => 'row');
  assert.equal(await Promise.all([1, 2].map(() => cache.getOrCreate('k', () => query))), ['row', 'row']);
  assert.is(query.asked, 1);
  checkHeap(cache);
  cache.close();
});

test.run();
