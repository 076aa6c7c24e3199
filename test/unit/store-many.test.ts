/** `getMany` where the engine walks ahead: the same answers as single reads, whatever the keys are. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyError, SharedCache } from '../../src/index.ts';
import { isFar } from '../../src/store/many.ts';
import { checkHeap } from '../support/engine.ts';

const ENTRIES = 40_000;

function keyOf(i: number): string {
  switch (i % 5) {
    case 0:
      return `${i}`;
    case 1:
      return `schlüssel:${i}`; // Latin-1
    case 2:
      return `ключ:${i}`; // UTF-16
    case 3:
      return `${'a key that is longer than those that the engine reads by itself '.repeat(2)}${i}`;
    default:
      return `user:profile:${i}`;
  }
}

function storedAs(i: number): unknown {
  switch (i % 4) {
    case 0:
      return i;
    case 1:
      return { i };
    case 2:
      return i % 400 === 2 ? 'x'.repeat(3000) + i : undefined;
    default:
      return `value ${i}`;
  }
}

function filled(shards: number, mode: 'freeze' | 'off' = 'freeze'): SharedCache<unknown> {
  const cache = SharedCache.create<unknown>({ maxBytes: 64 * 2 ** 20, shards, decoded: { mode } });
  for (let i = 0; i < ENTRIES; i++) cache.set(keyOf(i), storedAs(i));
  return cache;
}

for (const mode of ['freeze', 'off'] as const) {
  test(`the answers of single reads, in the order of the keys; decoded values: ${mode}`, () => {
    const cache = filled(4, mode);
    assert.ok(isFar(SharedCache.engineOf(cache)));
    for (const count of [0, 1, 3, 4, 63, 64, 65, 200]) {
      const numbers = Array.from({ length: count }, (_, i) => (i * 7919 + count) % (ENTRIES + 1000));
      const found = cache.getMany(numbers.map(keyOf));
      assert.equal(
        found,
        numbers.map((i) => (i < ENTRIES ? storedAs(i) : undefined)),
        `${count} keys`,
      );
    }
    assert.equal(cache.getMany(new Set(['0', 'absent', '0'])), [0, undefined]);
    assert.equal(cache.getMany(['0', '5', '0', '10', '0']), [0, storedAs(5), 0, storedAs(10), 0]);
    checkHeap(cache);
    cache.close();
  });
}

test('counts hits and misses as single reads do', () => {
  const cache = filled(1);
  const before = cache.stats();
  cache.getMany(Array.from({ length: 100 }, (_, i) => keyOf(i < 60 ? i : ENTRIES + i)));
  const after = cache.stats();
  assert.is(after.hits - before.hits, 60);
  assert.is(after.misses - before.misses, 40);
  checkHeap(cache);
  cache.close();
});

test('a key that is none is refused, and the cache goes on', () => {
  const cache = filled(1);
  const good = Array.from({ length: 10 }, (_, i) => keyOf(i));
  for (const bad of ['x'.repeat(961), 'ÿ'.repeat(961), 'ж'.repeat(481), 7, null, undefined, {}] as string[]) {
    for (const keys of [
      [...good, bad],
      [bad, ...good],
    ]) {
      let thrown: unknown;
      try {
        cache.getMany(keys);
      } catch (error) {
        thrown = error;
      }
      assert.instance(thrown, KeyError, String(bad).slice(0, 20));
    }
    assert.equal(
      cache.getMany(good),
      good.map((_, i) => storedAs(i)),
    );
  }
  checkHeap(cache);
  cache.close();
  assert.throws(() => cache.getMany(good));
});

test('what is small enough for the CPU is not walked through twice', () => {
  const cache = SharedCache.create<number>({ maxBytes: 2 ** 20, shards: 1 });
  for (let i = 0; i < 100; i++) cache.set(`${i}`, i);
  assert.not.ok(isFar(SharedCache.engineOf(cache)));
  assert.equal(cache.getMany(['1', '2', '3', '4', 'x']), [1, 2, 3, 4, undefined]);
  checkHeap(cache);
  cache.close();
});

test.run();
