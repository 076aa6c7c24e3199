/** dogpile.cache, 2e: the order in which get_or_create_multi reads, takes mutexes, creates, stores and releases. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CachedValue, MemoryBackend, registerBackend, type SlabMutex } from '../../src/index.ts';
import {
  countingMulti,
  errorOf,
  everyWay,
  keysApart,
  PROMISES,
  parked,
  turns,
  type Way,
} from './fixtures.ts';

const MEMORY = (way: Way) => way.store === 'memory';
const SLAB = (way: Way) => way.store === 'slab';

/** Writes everything that happens to one list, mutexes too. They are free unless `busy` has them. */
class OrderBackend extends MemoryBackend<any> {
  static log: string[] = [];
  static busy = new Set<string>();
  static held = new Set<string>();
  override getMulti(keys: readonly string[]) {
    OrderBackend.log.push(`read(${keys})`);
    return keys.map((key) => super.get(key));
  }
  override setMulti(entries: Iterable<readonly [string, CachedValue<any>]>) {
    const list = [...entries];
    OrderBackend.log.push(`store(${list.map(([key]) => key)})`);
    for (const [key, value] of list) super.set(key, value);
  }
  override getMutex(key: string) {
    const { log, busy, held } = OrderBackend;
    return {
      acquire: (wait?: boolean) => {
        log.push(`acquire(${key},${wait ? 'wait' : 'nowait'})`);
        if (busy.has(key)) return false;
        held.add(key);
        return true;
      },
      release: () => {
        log.push(`release(${key})`);
        held.delete(key);
      },
      locked: () => held.has(key),
    };
  }
}
registerBackend('test.order', () => OrderBackend);
const ORDER = { backend: 'test.order', arguments: {}, expirationTime: 10 };

function creatorInLog(keys: readonly string[]): string[] {
  OrderBackend.log.push(`creator(${keys})`);
  return keys.map((key) => `new ${key}`);
}

everyWay(
  'keys d, c, b, a with b expired, c fresh, a and d missing',
  async (on) => {
    const { call, clock } = on.make(ORDER);
    OrderBackend.busy.clear();
    await call('set', 'b', 'old b');
    clock.advance(11);
    await call('set', 'c', 'fresh c');
    OrderBackend.log = [];
    const values = await call('getOrCreateMulti', ['d', 'c', 'b', 'a'], creatorInLog);
    assert.equal(values, ['new d', 'fresh c', 'new b', 'new a']);
    assert.equal(OrderBackend.log, [
      'read(d,c,b,a)',
      'acquire(a,wait)',
      'acquire(b,nowait)',
      'acquire(d,wait)',
      // Not in dogpile.cache: the second read; and it releases in the order of taking.
      'read(a,b,d)',
      'creator(a,b,d)',
      'store(a,b,d)',
      'release(d)',
      'release(b)',
      'release(a)',
    ]);
  },
  MEMORY,
);

everyWay(
  'a stale key that somebody else is at is served stale; the rest is created',
  async (on) => {
    const { call, clock } = on.make(ORDER);
    OrderBackend.busy.clear();
    await call('setMulti', [
      ['a', 'old a'],
      ['b', 'old b'],
    ]);
    clock.advance(11);
    OrderBackend.busy.add('b');
    OrderBackend.log = [];
    assert.equal(await call('getOrCreateMulti', ['b', 'a', 'x'], creatorInLog), ['old b', 'new a', 'new x']);
    assert.ok(OrderBackend.log.includes('creator(a,x)'));
    assert.not.ok(OrderBackend.log.includes('release(b)'));
    OrderBackend.busy.clear();
  },
  MEMORY,
);

everyWay(
  'all keys stale and busy: the creator is not called, nothing is written',
  async (on) => {
    const { call, clock } = on.make(ORDER);
    OrderBackend.busy.clear();
    await call('set', 'a', 'old a');
    clock.advance(11);
    OrderBackend.busy.add('a');
    OrderBackend.log = [];
    assert.equal(await call('getOrCreateMulti', ['a'], creatorInLog), ['old a']);
    assert.equal(OrderBackend.log, ['read(a)', 'acquire(a,nowait)']);
    OrderBackend.busy.clear();
  },
  MEMORY,
);

everyWay(
  'the creator raises: all mutexes are free, nothing is stored',
  async (on) => {
    const { call } = on.make(ORDER);
    const wrong = new Error('wrong');
    const thrower = () => {
      throw wrong;
    };
    assert.is(await errorOf(() => call('getOrCreateMulti', ['a', 'b', 'c'], thrower)), wrong);
    assert.is(OrderBackend.held.size, 0);
    assert.equal(await call('getMulti', ['a', 'b', 'c']), [undefined, undefined, undefined]);
  },
  MEMORY,
);

everyWay('the creator raises and staleOnError: one missing key is enough for the error', async (on) => {
  const { call, clock } = on.make({ expirationTime: 10 });
  await call('set', 'a', 'old a');
  clock.advance(11);
  const thrower = () => {
    throw new Error('wrong');
  };
  const stale = { staleOnError: true };
  assert.equal(await call('getOrCreateMulti', ['a'], thrower, stale), ['old a']);
  assert.match((await errorOf(() => call('getOrCreateMulti', ['a', 'b'], thrower, stale))).message, 'wrong');
});

everyWay(
  'shared mutexes: each is taken once, in the order of the table, not of the keys',
  async (on) => {
    const { call, region } = on.make({ arguments: { maxBytes: 2 ** 21, maxThreads: 4, mutexes: 2 } });
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const creator = countingMulti();
    await call('getOrCreateMulti', keys, creator);
    assert.is(creator.runs, 1);
    assert.equal(creator.asked[0], keys.toSorted());
    for (const key of keys) assert.is(region.keyIsLockedSync(key), false);
  },
  SLAB,
);

everyWay(
  'another thread is at one of the keys: waits for that one, and takes what it made',
  async (on) => {
    const subject = on.make();
    const { call, region } = subject;
    const [first, second] = keysApart(region, 2);
    const mutex = region.backend.getMutex(second) as SlabMutex;
    assert.is(mutex.tryAcquire(), true);
    const creator = countingMulti();
    const waiting = call('getOrCreateMulti', [second, first], creator);
    await turns(30);
    assert.is(creator.runs, 0);
    assert.is(await call('keyIsLocked', first), true, 'the lower one is held meanwhile');
    await call('set', second, 'of another thread');
    mutex.release();
    const values = await waiting;
    assert.is(values[0], 'of another thread');
    assert.equal(creator.asked, [[first]]);
  },
  (way) => SLAB(way) && PROMISES(way),
);

everyWay(
  'single and multi callers: a single caller waits for the multi creator, and the other way round',
  async (on) => {
    const { call } = on.make();
    const it = parked<string[]>();
    const multi = call('getOrCreateMulti', ['a', 'b'], it.creator);
    await it.started;
    const single = call('getOrCreate', 'b', () => 'other');
    await turns(30);
    it.gate.resolve(['A', 'B']);
    assert.equal(await multi, ['A', 'B']);
    assert.is(await single, 'B');
    const one = parked();
    const alone = call('getOrCreate', 'c', one.creator);
    await one.started;
    const both = call('getOrCreateMulti', ['d', 'c'], (keys: string[]) => keys.map((key) => `multi ${key}`));
    await turns(30);
    one.gate.resolve('single c');
    assert.is(await alone, 'single c');
    assert.equal(await both, ['multi d', 'single c']);
  },
  PROMISES,
);

test.run();
