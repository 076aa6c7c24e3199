/**
 * An `asyncCreationRunner` regenerates one stale key, outside of every creator, and its token stores over nobody's value.
 * Calls for several keys never get one.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AsyncCreationRunner, type CacheRegion, SharedCache, SlabBackend } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap } from '../support/engine.ts';
import { until } from '../support/threads.ts';
import { deferred, SETUPS } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;
const HANG_MS = 5_000;

/** `promise`, or a failure where it hangs. */
async function ends<T>(promise: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), HANG_MS);
  });
  return Promise.race([promise, hang]).finally(() => clearTimeout(timer));
}

for (const setup of SETUPS) {
  const make = (asyncCreationRunner: AsyncCreationRunner<any>) => {
    const reported: unknown[] = [];
    const { region, clock } = setup.make<string>({
      expirationTime: EXPIRATION,
      asyncCreationRunner,
      onError: (error) => reported.push(error),
    });
    const expire = () => clock.advance(EXPIRATION + 1);
    const end = async () => {
      assert.ok(await until(() => coreOf(region).runs.size === 0));
      assert.equal(reported, []);
      check(region);
    };
    return { region, expire, end };
  };

  test(`${setup.title}: calls for several keys do without the region's runner`, async () => {
    let ran = 0;
    const { region, expire, end } = make(() => ran++);
    const asked: string[][] = [];
    const creator = (keys: readonly string[]) => {
      asked.push([...keys]);
      return keys.map((key) => `${key}${asked.length}`);
    };
    await region.setMulti([
      ['a', 'a0'],
      ['b', 'b0'],
    ]);
    expire();
    assert.equal(await region.getOrCreateMulti(['a', 'b'], creator), ['a1', 'b1']);
    expire();
    assert.equal(await region.getOrCreateMulti(['b', 'a'], creator, {}), ['b2', 'a2']);
    if (setup.sync) {
      expire();
      assert.equal(region.getOrCreateMultiSync(['a', 'b'], creator), ['a3', 'b3']);
      expire();
      assert.equal(region.getOrCreateMultiSync(['a', 'b'], creator, {}), ['a4', 'b4']);
    }
    assert.equal(asked, Array(setup.sync ? 4 : 2).fill(['a', 'b']));
    assert.equal(await region.getMulti(['a', 'b']), [`a${asked.length}`, `b${asked.length}`]);
    assert.is(ran, 0);
    await end();
  });

  test(`${setup.title}: a token that has stored does not store over a value of somebody else`, async () => {
    const answers = deferred<boolean[]>();
    const { region, expire, end } = make(async (own, key, _creator, mutex, token) => {
      const first = await own.set(key, 'first', { token });
      await own.set(key, 'by somebody else');
      answers.resolve([first, await own.set(key, 'late', { token })]);
      mutex.release();
    });
    await region.set('k', 'old');
    expire();
    assert.is(await region.getOrCreate('k', () => 'x'), 'old');
    const [first, late] = await ends(answers.promise);
    assert.is(first, true);
    assert.is(late, false);
    assert.is(await region.get('k'), 'by somebody else');
    await end();
  });

  test(`${setup.title}: a runner belongs to no creator, also where one made the call`, async () => {
    const ran = deferred();
    const { region, expire, end } = make(async (own, key, creator, _mutex, token) => {
      // The creator of x runs: as anybody else the runner joins it, and is not told that it asks for itself.
      const x = await own.getOrCreate('x', () => 'never');
      await own.set(key, `${await creator()} with ${x}`, { token });
      ran.resolve();
    });
    await region.set('y', 'old');
    expire();
    const x = await region.getOrCreate('x', async () => {
      assert.is(await region.getOrCreate('y', () => 'new'), 'old');
      return 'x';
    });
    assert.is(x, 'x');
    await ends(ran.promise);
    assert.is(await region.get('y'), 'new with x');
    await end();
  });
}

/** Nothing is left of it, and its engine is sound. */
function check(region: CacheRegion<any>): void {
  const { runs, localMutexes } = coreOf(region);
  assert.equal([runs.size, localMutexes.size], [0, 0]);
  const backend = region.actualBackend;
  if (backend instanceof SlabBackend) {
    const seen = SharedCache.attach(backend.handle);
    checkHeap(seen);
    seen.close();
  }
  region.close();
}

test.run();
