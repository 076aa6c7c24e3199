/** Iteration is weakly consistent: no key twice, none missed that stayed put, while others write and the index grows. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';

const KEYS = 50_000;
const create = (options: object = {}) =>
  SharedCache.create<any>({ maxBytes: 64 * 2 ** 20, maxThreads: 2, mutexes: 16, ...options });
const buckets = (cache: SharedCache<any>) => SharedCache.engineOf(cache).x.debug_number(0, 3);

for (const shards of [1, 16]) {
  test(`${KEYS} keys that stay put, ${shards} shards, while the index grows and others come and go`, () => {
    const rnd = random(SEED + shards);
    const cache = create({ shards, maxValueBytes: 2 ** 20 });
    for (let i = 0; i < KEYS; i++) cache.set(`stays ${i}`, i);
    for (let i = 0; i < 5000; i++) cache.set(`goes ${i}`, i);
    const before = buckets(cache);
    const seen = new Set<string>();
    let stayed = 0;
    let twice = 0;
    let turns = 0;
    for (const key of cache.keys()) {
      if (seen.has(key)) twice++;
      seen.add(key);
      if (key.startsWith('stays')) stayed++;
      turns++;
      if (turns <= KEYS) {
        cache.set(`new ${turns}`, turns);
        if (turns % 2) cache.set(`new too ${turns}`, turns);
        if (turns % 10 === 0) cache.delete(`goes ${Math.floor(rnd() * 5000)}`);
        if (turns % 3 === 0) cache.set(`stays ${Math.floor(rnd() * KEYS)}`, -turns); // a new value is still the same key
        if (turns % 5 === 0) cache.increment(`stays ${Math.floor(rnd() * KEYS)}`);
        if (turns % 7 === 0) cache.get(`stays ${Math.floor(rnd() * KEYS)}`);
      }
    }
    assert.is(cache.stats().evictions, 0);
    assert.ok(buckets(cache) > before * 1.5, `the index grew from ${before} to ${buckets(cache)} buckets`);
    assert.is(twice, 0);
    assert.is(stayed, KEYS);
    const after = [...cache.keys()];
    assert.is(new Set(after).size, after.length);
    assert.is(after.length, cache.size);
    checkHeap(cache);
    cache.close();
  });
}

test('from a small index to a large one during one walk', () => {
  const cache = create({ shards: 1 });
  for (let i = 0; i < 200; i++) cache.set(`stays ${i}`, i);
  const seen: string[] = [];
  let made = 0;
  for (const key of cache.keys()) {
    seen.push(key);
    for (let i = 0; i < 500 && made < 60_000; i++) cache.set(`new ${made++}`, i);
  }
  assert.is(new Set(seen).size, seen.length);
  assert.is(seen.filter((key) => key.startsWith('stays')).length, 200);
  checkHeap(cache);
  cache.close();
});

test('several walks at once, each with its own place', () => {
  const cache = create();
  for (let i = 0; i < 3000; i++) cache.set(`key ${i}`, { i });
  const walks = Array.from({ length: 3 }, () => ({ walk: cache.entries(), seen: new Map<string, any>() }));
  const rnd = random(SEED);
  for (const open = [...walks]; open.length > 0; ) {
    const at = Math.floor(rnd() * open.length);
    const { walk, seen } = open[at]!;
    const next = walk.next();
    if (next.done) {
      open.splice(at, 1);
      continue;
    }
    assert.is(seen.has(next.value[0]), false);
    seen.set(...next.value);
  }
  for (const { walk, seen } of walks) {
    assert.is(walk.next().done, true);
    assert.is(seen.size, 3000);
    for (const [key, value] of seen) assert.is(key, `key ${value.i}`);
  }
  checkHeap(cache);
  cache.close();
});

test('entries that go before the walk comes to them are not given', () => {
  let time = 1000;
  const cache = create({ clock: () => time });
  for (let i = 0; i < 2000; i++) cache.set(`key ${i}`, i, i % 2 ? { ttl: 10 } : {});
  const gone = new Set<string>();
  let given = 0;
  for (const [key, value] of cache.entries()) {
    assert.is(gone.has(key), false, key);
    assert.is(key, `key ${value}`);
    given++;
    const other = `key ${(value * 7 + 1) % 2000}`;
    if (other !== key && cache.delete(other)) gone.add(other);
    if (given === 500) {
      time += 11;
      for (let i = 1; i < 2000; i += 2) gone.add(`key ${i}`);
    }
  }
  assert.ok(given > 500);
  for (const key of cache.keys()) assert.is(Number(key.slice(4)) % 2, 0);
  checkHeap(cache);
  cache.close();
});

test('a clear during a walk: nothing that was cleared is given after it', () => {
  for (const again of [false, true]) {
    const cache = create();
    for (let i = 0; i < 5000; i++) cache.set(`old ${i}`, i);
    let given = 0;
    const after: string[] = [];
    for (const [key] of cache) {
      if (++given <= 1000) assert.ok(key.startsWith('old'));
      else after.push(key);
      if (given === 1000) {
        cache.clear();
        if (again) for (let i = 0; i < 500; i++) cache.set(`new ${i}`, i);
      }
    }
    assert.is(new Set(after).size, after.length);
    assert.ok(after.every((key) => key.startsWith('new')));
    if (again) assert.ok(after.length > 200, 'those behind the place of the walk');
    else assert.is(after.length, 0);
    assert.is([...cache.keys()].length, again ? 500 : 0);
    checkHeap(cache);
    cache.close();
  }
});

test('a walk over what is evicted under it ends, with every value its key\u2019s own', () => {
  const cache = create({ maxBytes: 2 ** 20 });
  const rnd = random(SEED);
  for (let i = 0; i < 20_000; i++) cache.set(`key ${i}`, `key ${i} ${'x'.repeat(rnd() * 2000)}`);
  const seen = new Set<string>();
  let turns = 0;
  for (const [key, value] of cache) {
    assert.ok(value.startsWith(`${key} `));
    assert.is(seen.has(key), false);
    seen.add(key);
    if (turns++ < 30_000)
      cache.set(`key ${20_000 + turns}`, `key ${20_000 + turns} ${'x'.repeat(rnd() * 2000)}`);
  }
  assert.ok(seen.size > 100);
  checkHeap(cache);
  cache.close();
});

test.run();
