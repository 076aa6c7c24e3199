/** An iteration that goes on after the `close` of its cache stops with `EngineClosedError`, although the thread is still attached. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineClosedError, SharedCache } from '../../src/index.ts';
import { fails } from '../support/bad-use.ts';
import { checkHeap } from '../support/engine.ts';

const OPTIONS = { maxBytes: 4 * 2 ** 20, maxThreads: 2, mutexes: 4, shards: 2, maxValueBytes: 2 ** 16 };
const closed = (run: () => unknown) => fails(run, EngineClosedError, 'ERR_CAIRN_CLOSED');

const WAYS: Record<string, (cache: SharedCache<number>) => Iterator<unknown>> = {
  keys: (cache) => cache.keys(),
  entries: (cache) => cache.entries(),
  'Symbol.iterator': (cache) => cache[Symbol.iterator](),
};

for (const [way, iterate] of Object.entries(WAYS)) {
  for (const begun of [0, 1, 30]) {
    test(`${way}, ${begun} read before the close`, () => {
      const cache = SharedCache.create<number>(OPTIONS);
      const other = SharedCache.attach<number>(cache.handle);
      for (let n = 0; n < 100; n++) cache.set(`key ${n}`, n);
      const iterator = iterate(cache);
      const ofOther = iterate(other);
      for (let n = 0; n < begun; n++) {
        assert.is(iterator.next().done, false);
        assert.is(ofOther.next().done, false);
      }
      cache.close();
      closed(() => iterator.next());
      assert.is(iterator.next().done, true, 'a generator that threw is at its end');
      closed(() => iterate(cache).next());
      // the other attach of the thread goes on where it was
      let left = 0;
      for (let step = ofOther.next(); !step.done; step = ofOther.next()) left++;
      assert.is(left, 100 - begun);
      assert.is(other.get('key 7'), 7);
      checkHeap(other);
      other.close();
    });
  }

  test(`${way}: a close in the middle of a loop`, () => {
    const cache = SharedCache.create<number>(OPTIONS);
    const other = SharedCache.attach<number>(cache.handle);
    for (let n = 0; n < 100; n++) cache.set(`key ${n}`, n);
    let seen = 0;
    closed(() => {
      const iterator = iterate(cache);
      for (let step = iterator.next(); !step.done; step = iterator.next()) if (++seen === 10) cache.close();
    });
    assert.is(seen, 10);
    assert.is(other.size, 100);
    checkHeap(other);
    other.close();
  });
}

test.run();
