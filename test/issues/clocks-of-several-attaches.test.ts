/** A thread has one clock for an engine: the first that an attach gave. A later attach of the thread, with another, changes nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SlabBackend } from '../../src/backend/slab-backend.ts';
import { createRegion, SharedCache } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';

const OPTIONS = { maxBytes: 2 ** 21, maxThreads: 2, mutexes: 4 };

test('a second clock does not replace the first', () => {
  let time = 1000;
  let asked = 0;
  const cache = SharedCache.create<string>({ ...OPTIONS, clock: () => time });
  cache.set('k', 'v', { ttl: 500 });
  for (const other of [() => 9999, () => 0, () => Number.NaN, () => assert.unreachable('asked') as never]) {
    const late = () => {
      asked++;
      return other();
    };
    const second = SharedCache.attach<string>(cache.handle, { clock: late });
    assert.is(cache.get('k'), 'v');
    assert.is(second.get('k'), 'v');
    second.set('l', 'v', { ttl: 10 });
    assert.equal(cache.info('l'), { size: 1, createdAt: time, expiresAt: time + 10 });
    const backend = SlabBackend.attach(cache.handle, { region: 'r', clock: late });
    assert.is(backend.clock(), time);
    backend.close();
    second.close();
    assert.is(cache.get('k'), 'v', 'and after it has closed');
  }
  assert.is(asked, 0);
  time = 1501;
  assert.is(cache.get('k'), undefined);
  checkHeap(cache);
  cache.close();
});

test('the first clock that is given stays, also where the creator gave none', () => {
  const cache = SharedCache.create<string>(OPTIONS);
  let time = Date.now() + 1_000_000;
  const second = SharedCache.attach<string>(cache.handle, { clock: () => time });
  const third = SharedCache.attach<string>(cache.handle, { clock: () => time + 5_000_000 });
  for (const one of [cache, second, third]) {
    one.set('k', 'v', { ttl: 100 });
    assert.equal(one.info('k'), { size: 1, createdAt: time, expiresAt: time + 100 });
  }
  second.close();
  third.set('k', 'v', { ttl: 100 });
  assert.is(cache.get('k'), 'v');
  time += 101;
  for (const one of [cache, third]) assert.is(one.get('k'), undefined);
  checkHeap(cache);
  third.close();
  cache.close();
});

test("an engine attached anew has the new attach's clock", () => {
  let time = 5000;
  const cache = SharedCache.create<string>({ ...OPTIONS, clock: () => time });
  const region = createRegion<string>({
    name: 'r',
    backend: 'cairn.slab',
    arguments: { cache },
    expirationTime: 100,
    clock: () => time + 7, // the region's own judgement
  });
  region.setSync('k', 'v');
  time += 100;
  assert.is(region.getSync('k'), 'v');
  time += 1;
  assert.is(region.getSync('k'), undefined);
  assert.is(region.actualBackend.get('k') !== undefined, true);
  checkHeap(cache);
  region.close();
  cache.close();
});

test.run();
