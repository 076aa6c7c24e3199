/** Clocks that stand still, go back, answer nonsense or throw, and how often they are asked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from '../support/engine.ts';

let read: () => number = () => 0;

const create = () =>
  SharedCache.create<any>({ maxBytes: 4 * 2 ** 20, maxThreads: 2, mutexes: 16, clock: () => read() });

test('a clock that goes back, or answers no number, reads as its last value', () => {
  read = () => 1000;
  const cache = create();
  cache.set('k', 'v', { ttl: 100 });
  for (const odd of [500, -1, 0, Number.NaN, Number.NEGATIVE_INFINITY, undefined, 'soon', {}]) {
    read = () => odd as number;
    cache.set('now', 1, { ttl: 5 });
    assert.equal(cache.info('now'), { size: 8, createdAt: 1000, expiresAt: 1005 });
    assert.is(cache.get('k'), 'v');
    assert.equal([...cache.keys()].sort(), ['k', 'now']);
  }
  read = () => 1100;
  assert.is(cache.get('k'), 'v');
  read = () => 1101;
  assert.is(cache.get('k'), undefined);
  read = () => 1100;
  assert.is(cache.get('k'), undefined); // the last value was 1101
  checkHeap(cache);
  cache.close();
});

test('the error of a clock that throws reaches the caller, and the cache goes on', () => {
  read = () => 1000;
  const cache = create();
  const mine = new Error('the clock is broken');
  const large = 'x'.repeat(9000);
  const stand = () => {
    read = () => 1000;
    cache.set('k', 'v', { ttl: 100 });
    cache.set('n', 5, { ttl: 100 });
    cache.set('large', large, { ttl: 100 });
    cache.set('object', { a: 1 }, { ttl: 100 });
    cache.delete('none');
  };
  const uses: Record<string, () => unknown> = {
    get: () => cache.get('k'),
    'get of an object': () => cache.get('object'),
    'get of a number': () => cache.get('n'),
    'get of a large value': () => cache.get('large'),
    peek: () => cache.peek('k'),
    has: () => cache.has('k'),
    info: () => cache.info('k'),
    getMany: () => cache.getMany(['k']),
    set: () => cache.set('k', 'new'),
    'set with ttl': () => cache.set('k', 'new', { ttl: 5 }),
    'set of a large value': () => cache.set('k', large),
    'set of a new key': () => cache.set('none', 'new'),
    'set of a too large value': () => cache.set('k', 'x'.repeat(300_000)),
    add: () => cache.add('none', 'new'),
    replace: () => cache.replace('k', 'new'),
    delete: () => cache.delete('k'),
    increment: () => cache.increment('n'),
    update: () => cache.update('k', () => 'new'),
    take: () => cache.take('k'),
    touch: () => cache.touch('k', 5),
    keys: () => [...cache.keys()],
    entries: () => [...cache],
  };
  for (const [name, use] of Object.entries(uses)) {
    stand();
    // at the first, second and third reading that the call makes
    for (let good = 0; ; good++) {
      let left = good;
      read = () => {
        if (left-- > 0) return 1000;
        throw mine;
      };
      let threw: unknown;
      try {
        use();
      } catch (error) {
        threw = error;
      }
      read = () => 1000;
      if (threw === undefined) {
        assert.ok(good > 0, `${name} never asked the clock`);
        assert.ok(left >= 0, `${name} lost the clock's error at reading ${good + 1}`);
        break;
      }
      assert.is(threw, mine, name);
      assert.is(cache.get('k'), 'v', name);
      assert.is(cache.get('n'), 5, name);
      assert.is(cache.get('large'), large, name);
      assert.equal(cache.get('object'), { a: 1 }, name);
      assert.is(cache.has('none'), false, name);
      assert.is(cache.info('k')!.expiresAt, 1100, name);
    }
  }
  checkHeap(cache);
  cache.close();
});

test('entries without expiry ask no clock, and an injected one is asked at every hit on others', () => {
  let asked = 0;
  read = () => {
    asked++;
    return 1000;
  };
  const cache = create();
  cache.set('never', 'v');
  cache.set('soon', 'v', { ttl: 100 });
  asked = 0;
  for (let i = 0; i < 50; i++) assert.ok(cache.get('never') && cache.has('never') && cache.peek('never'));
  assert.is(cache.get('none'), undefined);
  assert.is(asked, 0);
  for (let i = 0; i < 50; i++) assert.ok(cache.get('soon'));
  assert.is(asked, 50);
  read = () => 1101;
  assert.is(cache.get('soon'), undefined);
  checkHeap(cache);
  cache.close();
});

test('the default clock is epoch milliseconds, in step with every write', () => {
  const cache = SharedCache.create<number>({ maxBytes: 4 * 2 ** 20 });
  const before = Date.now();
  cache.set('k', 1, { ttl: 60_000 });
  const { createdAt, expiresAt } = cache.info('k')!;
  assert.ok(Math.abs(createdAt - before) < 5000, `${createdAt} is near ${before}`);
  assert.is(expiresAt, createdAt + 60_000);
  let last = createdAt;
  for (let i = 0; i < 1000; i++) {
    cache.set('k', i);
    const at = cache.info('k')!.createdAt;
    assert.ok(at >= last);
    last = at;
  }
  checkHeap(cache);
  cache.close();
});

test('an entry expires while a loop that never yields reads it', () => {
  const cache = SharedCache.create<number>({ maxBytes: 4 * 2 ** 20 });
  cache.set('k', 1, { ttl: 20 });
  const began = performance.now();
  let hits = 0;
  while (cache.get('k') !== undefined) {
    hits++;
    assert.ok(performance.now() - began < 30_000, 'it never expired');
  }
  assert.ok(performance.now() - began >= 19, `gone after ${performance.now() - began} ms and ${hits} hits`);
  checkHeap(cache);
  cache.close();
});

test.run();
