/** Wrong arguments are refused, or do nothing: a wait that is no number of milliseconds, and a creation that has no token. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRegion, OptionError, SharedCache, type SlabBackend } from '../../src/index.ts';
import { refusesOption } from '../support/bad-use.ts';
import { checkHeap } from '../support/engine.ts';

const create = () => SharedCache.create<any>({ maxBytes: 2 ** 21, maxThreads: 2, mutexes: 4, lease: 60_000 });

test('acquireSync refuses what is no number of milliseconds, whether the mutex is free or held', () => {
  const cache = create();
  const holder = cache.mutex('k');
  for (const held of [false, true]) {
    if (held) assert.ok(holder.tryAcquire());
    for (const wrong of [
      Number.NaN,
      -1,
      -0.001,
      Number.NEGATIVE_INFINITY,
      'x',
      '10',
      '',
      null,
      {},
      [],
      10n,
      true,
    ]) {
      const mutex = cache.mutex('k');
      refusesOption(() => mutex.acquireSync(wrong as never), 'timeoutMs', wrong);
      assert.is(holder.locked(), held, 'nothing was taken');
      assert.throws(() => mutex.release(), /without being held/);
    }
    // the object that holds it refuses as well, before it says that it is not re-entrant
    if (held)
      assert.throws(
        () => holder.acquireSync(Number.NaN),
        (error: unknown) => error instanceof OptionError,
      );
  }
  const other = cache.mutex('k');
  for (const right of [0, -0, 0.5, 3]) assert.not(other.acquireSync(right));
  holder.release();
  for (const right of [0, -0, 0.5, 3, Number.MAX_VALUE, Number.POSITIVE_INFINITY, undefined]) {
    assert.ok(other.acquireSync(right));
    other.release();
  }
  checkHeap(cache);
  cache.close();
});

test('endCreation without a token, or with one that is none, takes nothing away', async () => {
  const cache = create();
  const region = createRegion<string>({ name: 'tokens', backend: 'cairn.slab', arguments: { cache } });
  const backend = region.actualBackend as SlabBackend<string>;
  const engine = SharedCache.engineOf(cache);
  const { generation } = engine;
  const mutex = backend.getMutex('k');
  assert.ok(mutex.tryAcquire());
  await region.set('stands', 'v');
  const begun = backend.beginCreation('begun');
  for (const token of [
    undefined,
    null,
    {},
    { version: 0 },
    { version: -1 },
    { version: Number.NaN },
    { version: 2 ** 60 },
    7,
    'x',
  ]) {
    for (const key of ['stands', 'begun', 'none', '']) backend.endCreation(key, token);
    assert.is(engine.generation, generation, 'the thread died of it');
    assert.ok(mutex.locked(), 'and lost its mutex');
    assert.is(await region.get('stands'), 'v');
    assert.ok(backend.tokenStands('begun', begun.token), 'a placeholder that stands, stands');
  }
  backend.endCreation('begun', begun.token);
  assert.not(backend.tokenStands('begun', begun.token));
  mutex.release();
  checkHeap(cache);
  region.close();
  cache.close();
});

test.run();
