/** Every method of `SharedCache` in one thread, on a clock that the test turns. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheOptions } from '../../src/store/options.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from '../support/engine.ts';

const START = 1_000_000;
let time = START;

/** Runs `run` with a cache on the test's clock; afterwards the heap balances. */
function withCache(name: string, run: (cache: SharedCache<any>) => void, options: CacheOptions = {}): void {
  test(name, () => {
    time = START;
    const cache = SharedCache.create<any>({
      maxBytes: 4 * 2 ** 20,
      maxThreads: 2,
      mutexes: 16,
      clock: () => time,
      ...options,
    });
    run(cache);
    checkHeap(cache);
    cache.close();
  });
}

/** One value of each way into and out of the engine. */
const KINDS: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['number', 5],
  ['string', 'text'],
  ['object', { a: [1] }],
  ['Map', new Map([[1, 2]])],
  ['large', 'x'.repeat(9000)],
  ['bytes', Buffer.alloc(3000, 7)],
];

withCache('ttl: at exactly expiresAt still fresh, then gone for every method', (cache) => {
  for (const [kind, value] of KINDS) {
    const fresh = (fresh: boolean) => {
      assert.is(cache.has(kind), fresh, kind);
      assert.equal(cache.peek(kind), fresh ? value : undefined);
      assert.equal(cache.get(kind), fresh ? value : undefined);
      assert.equal(cache.getMany([kind]), [fresh ? value : undefined]);
      assert.is(cache.info(kind) !== undefined, fresh);
      assert.equal([...cache.keys()], fresh ? [kind] : []);
    };
    const put = () => {
      cache.set(kind, value, { ttl: 100 });
      assert.is(cache.info(kind)!.expiresAt, time + 100);
    };
    put();
    fresh(true);
    time += 100;
    fresh(true);
    assert.is(cache.add(kind, 1), false);
    time += 0.5;
    fresh(false);
    assert.is(cache.touch(kind, 1000), false);
    fresh(false);
    assert.is(cache.replace(kind, 1), false);
    fresh(false);
    assert.is(cache.take(kind), undefined);
    assert.is(cache.delete(kind), false);
    put();
    time += 101;
    assert.is(cache.add(kind, 'added', { ttl: 10 }), true);
    assert.is(cache.take(kind), 'added');
    put();
    time += 101;
    assert.is(cache.increment(kind, 2, { initial: 1, ttl: 10 }), 3);
    assert.is(cache.info(kind)!.expiresAt, time + 10);
    put();
    time += 101;
    cache.update(kind, (old) => {
      assert.is(old, undefined);
      return value;
    });
    assert.equal(cache.take(kind), value);
    put();
    time += 100;
    assert.is(cache.delete(kind), true);
    assert.is(cache.size, 0);
  }
});

withCache(
  'ttl: the default is taken afresh by each write, and can be overruled',
  (cache) => {
    const expires = () => cache.info('k')!.expiresAt;
    cache.set('k', 1);
    assert.is(expires(), time + 500);
    time += 400;
    cache.set('k', 2);
    assert.is(expires(), time + 500);
    for (const never of [null, Number.POSITIVE_INFINITY]) {
      cache.set('k', 3, { ttl: never });
      assert.is(expires(), null);
    }
    cache.set('k', 3, { ttl: 0.5 });
    assert.is(expires(), time + 0.5);
    cache.set('k', 4, {});
    assert.is(expires(), time + 500);
    time += 1;
    cache.replace('k', 4);
    assert.is(expires(), time + 500);
    time += 1;
    cache.update('k', (n) => n + 1);
    assert.is(expires(), time + 500);
    time += 1;
    cache.increment('k', 1, { ttl: 7 }); // keeps the expiry unless it creates
    assert.is(expires(), time + 499);
    cache.delete('k');
    cache.increment('k');
    assert.is(expires(), time + 500);
    cache.delete('k');
    cache.increment('k', 1, { ttl: null });
    assert.is(expires(), null);
    cache.setMany([['k', 1]], { ttl: 9 });
    assert.is(expires(), time + 9);
    cache.delete('k');
    cache.add('k', 1);
    assert.is(expires(), time + 500);
    assert.is(cache.touch('k', null), true);
    assert.is(expires(), null);
    assert.is(cache.touch('k', 3), true);
    assert.is(expires(), time + 3);
    time += 2;
    assert.is(cache.touch('k', 3), true);
    time += 3;
    assert.is(cache.get('k'), 1);
    time += 1;
    assert.is(cache.get('k'), undefined);
  },
  { ttl: 500 },
);

withCache('info: size and times', (cache) => {
  assert.is(cache.info('none'), undefined);
  for (const [value, size] of [
    ['latin \u00e9', 7],
    ['wide \u2192', 12],
    [5, 8],
    [null, 0],
    [undefined, 0],
    ['', 0],
    [Buffer.alloc(70_000), 70_000],
  ] as const) {
    time += 5;
    cache.set('k', value, { ttl: 50 });
    assert.equal(cache.info('k'), { size, createdAt: time, expiresAt: time + 50 });
  }
  const created = time;
  time += 20;
  cache.touch('k', null);
  cache.get('k');
  assert.equal(cache.info('k'), { size: 70_000, createdAt: created, expiresAt: null });
});

withCache('a stored undefined is a value', (cache) => {
  assert.is(cache.has('k'), false);
  cache.set('k', undefined);
  assert.is(cache.has('k'), true);
  assert.is(cache.get('k'), undefined);
  assert.equal([...cache], [['k', undefined]]);
  assert.is(cache.add('k', 1), false);
  assert.is(cache.replace('k', undefined), true);
  assert.is(cache.stats().hits, 1);
  assert.is(cache.take('k'), undefined);
  assert.is(cache.has('k'), false);
  let runs = 0;
  cache.update('k', () => void runs++);
  cache.update('k', () => void runs++);
  assert.is(runs, 2);
  assert.is(cache.delete('k'), true);
});

withCache('statistics count gets, and neither peek, has, info nor touch', (cache) => {
  cache.set('k', 'v');
  cache.set('k', 'w');
  const before = cache.stats();
  assert.equal([before.sets, before.hits, before.misses], [2, 0, 0]);
  for (const key of ['k', 'none']) {
    cache.peek(key);
    cache.has(key);
    cache.info(key);
    cache.touch(key, null);
    [...cache.keys()].join();
  }
  assert.equal(cache.stats(), before);
  cache.getMany(['k', 'none', 'k']);
  cache.get('none');
  cache.delete('k');
  cache.delete('k');
  const after = cache.stats();
  assert.equal([after.hits, after.misses, after.sets, after.deletes, after.evictions], [2, 2, 2, 1, 0]);
});

test('peek, has and info keep nothing in the cache; get does', () => {
  const cache = SharedCache.create<string>({ maxBytes: 2 ** 20, maxThreads: 2, mutexes: 16, shards: 1 });
  const fill = (name: string, count: number) => {
    for (let i = 0; i < count; i++) cache.set(`${name} ${i}`, 'x'.repeat(100));
  };
  fill('first', 10_000); // all is full, so that what comes has to prove itself
  const groups = ['got', 'looked at', 'left alone'];
  const keys = (group: string) => Array.from({ length: 60 }, (_, i) => `${group} ${i}`);
  for (const group of groups) fill(group, 60);
  // now and then a page is emptied for the index, and a few of those that came last stood in it
  for (let round = 0; round < 3; round++) {
    assert.ok(keys('got').filter((key) => cache.get(key)).length >= 40);
    const looked = keys('looked at').filter((key) => cache.peek(key) && cache.has(key) && cache.info(key));
    assert.ok(looked.length >= 40);
  }
  fill('second', 2000);
  const stayed = groups.map((group) => keys(group).filter((key) => cache.has(key)).length);
  console.log(`# of 60 each stayed: ${stayed[0]} got, ${stayed[1]} looked at, ${stayed[2]} left alone`);
  assert.ok(stayed[0]! >= 40 && stayed[1]! <= 5 && stayed[2]! <= 5);
  checkHeap(cache);
  cache.close();
});

withCache('add, replace, take, getMany, setMany, deleteMany', (cache) => {
  for (const [kind, value] of KINDS) {
    assert.is(cache.replace(kind, value), false);
    assert.is(cache.has(kind), false);
    assert.is(cache.add(kind, value), true);
    assert.is(cache.add(kind, 'other'), false);
    assert.equal(cache.get(kind), value);
    assert.is(cache.replace(kind, 'other'), true);
    assert.is(cache.get(kind), 'other');
    assert.is(cache.replace(kind, value), true);
    assert.equal(cache.take(kind), value);
    assert.is(cache.has(kind), false);
    assert.is(cache.take(kind), undefined);
  }
  assert.is(cache.setMany(KINDS), KINDS.length);
  assert.is(cache.setMany([]), 0);
  assert.is(cache.setMany(new Map([['object', 'last wins']])), 1);
  const names = [...KINDS.map(([kind]) => kind), 'none', 'number', 'number'];
  const found = cache.getMany(names);
  assert.is(found.length, names.length);
  assert.is(found[names.indexOf('object')], 'last wins');
  assert.equal(found.slice(-3), [undefined, 5, 5]);
  assert.equal(cache.getMany([]), []);
  assert.is(cache.deleteMany(['number', 'none', 'number', 'null']), 2);
  assert.is(cache.deleteMany(new Set(['large'])), 1);
  assert.is(cache.size, KINDS.length - 3);
});

withCache('update: sees what stands, runs again after a change, and may throw', (cache) => {
  assert.is(
    cache.update('n', (old) => (old ?? 10) + 1),
    11,
  );
  const seen: unknown[] = [];
  cache.update('n', (old) => {
    seen.push(old);
    if (seen.length === 1) cache.set('n', 100);
    if (seen.length === 2) cache.delete('n');
    if (seen.length === 3) cache.add('n', 5);
    if (seen.length === 4) cache.increment('n');
    return 'done';
  });
  assert.equal(seen, [11, 100, undefined, 5, 6]);
  assert.is(cache.get('n'), 'done');
  const mine = new Error('mine');
  const thrower = () => {
    throw mine;
  };
  assert.throws(
    () => cache.update('n', thrower),
    (error: unknown) => error === mine,
  );
  assert.throws(() => cache.update('n', () => Symbol('s')), /value/);
  assert.is(cache.get('n'), 'done');
  cache.update('list', () => 'x'.repeat(5000));
  assert.is(
    cache.update('list', (old: string) => `${old}y`),
    `${'x'.repeat(5000)}y`,
  );
  assert.is(cache.get('list').length, 5001);
});

withCache('increment: by anything, from anywhere', (cache) => {
  assert.is(cache.increment('a'), 1);
  assert.is(cache.increment('a', 2.5), 3.5);
  assert.is(cache.increment('a', -3.5), 0);
  assert.is(cache.increment('b', 1, { initial: 41 }), 42);
  assert.is(cache.increment('b', 1, { initial: 41 }), 43);
  assert.is(cache.increment('c', 0), 0);
  assert.is(cache.increment('c', 2 ** 53), 2 ** 53);
  cache.set('d', -0);
  assert.ok(Object.is(cache.increment('d', -0), -0));
  assert.is(cache.increment('k'.repeat(960), 7), 7); // header, longest key and number in one chunk
  assert.is(cache.increment('\u2192'.repeat(480), 7), 7);
  assert.is(cache.get('k'.repeat(960)), 7);
  assert.is(cache.get('a'), 0);
  assert.equal(cache.info('a'), { size: 8, createdAt: time, expiresAt: null });
  assert.is(cache.size, 6);
});

withCache('keys: empty, any Unicode, and Latin-1 apart from UTF-16 of the same bytes', (cache) => {
  const twins = ['ab', 'a\u00ff', '\u0000\u0001', 'longer text!', '\u00d8\u0041'].flatMap((latin) => {
    const other = Buffer.from(latin, 'latin1').toString('utf16le');
    assert.equal(Buffer.from(other, 'utf16le'), Buffer.from(latin, 'latin1'));
    return [latin, other];
  });
  const keys = [
    '',
    ' ',
    '\0',
    '\0\0',
    'a',
    'A',
    '\u00e9',
    'e\u0301',
    '\ud800',
    '\udc00',
    '\ud800\udc00',
    '\udc00\ud800',
    '\ufffd',
    '\uffff',
    'a\ud800',
    ...twins,
  ];
  keys.push('k'.repeat(959), 'k'.repeat(960), '\u2192'.repeat(479), '\u2192'.repeat(480));
  assert.is(new Set(keys).size, keys.length);
  for (const [i, key] of keys.entries()) assert.is(cache.add(key, i), true, JSON.stringify(key));
  for (const [i, key] of keys.entries()) assert.is(cache.get(key), i);
  assert.is(cache.size, keys.length);
  assert.equal([...cache.keys()].sort(), [...keys].sort());
  assert.equal(new Map(cache), new Map([...keys.entries()].map(([i, key]) => [key, i])));
  for (const key of keys) assert.is(cache.delete(key), true);
  assert.is(cache.size, 0);
});

withCache('clear: everything at once, and what comes later stands', (cache) => {
  const empty = cache.bytes;
  for (let i = 0; i < 3000; i++) cache.set(`k${i}`, i % 3 ? 'v'.repeat(i % 900) : i);
  assert.is(cache.size, 3000);
  assert.ok(cache.bytes > empty + 3000 * 64);
  cache.clear();
  assert.equal([cache.size, [...cache.keys()].length, [...cache].length], [0, 0, 0]);
  const cleared = cache.bytes;
  assert.is(cache.get('k7'), undefined);
  assert.is(cache.info('k7'), undefined);
  assert.equal(
    [cache.has('k7'), cache.delete('k7'), cache.replace('k7', 1), cache.touch('k7', 5)],
    [false, false, false, false],
  );
  assert.is(cache.take('k7'), undefined);
  assert.is(cache.add('k7', 'new'), true);
  assert.is(cache.increment('k9', 1), 1);
  assert.is(cache.size, 2);
  assert.ok(cache.bytes > cleared);
  cache.clear();
  cache.clear();
  assert.is(cache.size, 0);
  // what was cleared is reclaimed by later writes: the same room serves again and again
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 3000; i++) assert.ok(cache.set(`r${round} ${i}`, 'v'.repeat(i % 900)));
    assert.ok(cache.size > 2000 && cache.size <= 3000);
    cache.clear();
    assert.is(cache.size, 0);
  }
});

withCache('size and bytes follow every change', (cache) => {
  const empty = cache.bytes;
  for (let i = 0; i < 500; i++) cache.set(`k${i}`, 'v'.repeat(i * 7));
  const full = cache.bytes;
  assert.is(cache.size, 500);
  for (let i = 0; i < 500; i++) cache.set(`k${i}`, 'w'.repeat(i * 7));
  assert.equal([cache.size, cache.bytes], [500, full]);
  for (let i = 0; i < 500; i++) cache.set(`k${i}`, 1);
  assert.is(cache.size, 500);
  assert.ok(cache.bytes < full);
  for (let i = 0; i < 500; i++) cache.set(`k${i}`, 'v'.repeat(i * 7));
  assert.is(cache.bytes, full);
  for (let i = 0; i < 500; i++) i & 1 ? cache.take(`k${i}`) : cache.delete(`k${i}`);
  assert.is(cache.size, 0);
  const index = cache.bytes - empty; // index pages stay
  assert.ok(index >= 0 && index < full / 4, `${index} bytes of index`);
  for (let i = 0; i < 500; i++) cache.set(`k${i}`, 'v'.repeat(i * 7));
  assert.is(cache.bytes, full);
  assert.is(cache.maxBytes, 4 * 2 ** 20);
});

test.run();
