/**
 * Codecs and clocks are code of the user's, and may call the cache in the middle of a call of the cache. Every value lands under
 * its own key and is read back from it, no such code runs where a lock is held, and the heap balances.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRegion, SharedCache, type SlabBackend } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';
import { checkAtRest } from '../support/stress-heap.ts';

const OPTIONS = { maxBytes: 2 ** 21, maxThreads: 2, mutexes: 8, shards: 1 };
/** In the staging area, in pieces, in pages. */
const SIZES = [0, 1, 40, 900, 960, 1000, 1100, 3000, 5000, 20_000, 60_000];

/** What a test stores: its text is as long as it says, and tells whose it is. */
class Box {
  readonly owner: string;
  readonly size: number;
  constructor(owner: string, size: number) {
    this.owner = owner;
    this.size = size;
  }
  get text(): string {
    return (
      `${this.owner}:`.repeat(Math.ceil((this.size + 1) / (this.owner.length + 1))).slice(0, this.size) +
      this.owner
    );
  }
  static of(text: string): { text: string } {
    return { text };
  }
}

/** Neither the user's code nor anything that it calls may see a lock held. */
function noLock(cache: SharedCache<any>): void {
  assert.is(SharedCache.engineOf(cache).x.debug_held(0), 0, 'a lock is held while code of the user runs');
}

test('a codec whose bytes are of a subclass with methods of its own', () => {
  let called: string[] = [];
  let meddle: (() => void) | undefined;
  const call = (name: string) => {
    called.push(name);
    noLock(cache);
    meddle?.();
  };
  class Odd extends Uint8Array {
    override subarray(begin?: number, end?: number): Uint8Array<ArrayBuffer> {
      call('subarray');
      return super.subarray(begin, end) as Uint8Array<ArrayBuffer>;
    }
    override slice(begin?: number, end?: number): Uint8Array<ArrayBuffer> {
      call('slice');
      return super.slice(begin, end) as Uint8Array<ArrayBuffer>;
    }
    override get length(): number {
      call('length');
      return 3;
    }
    override get byteLength(): number {
      call('byteLength');
      return 3;
    }
    override get byteOffset(): number {
      call('byteOffset');
      return 1;
    }
    override [Symbol.iterator](): ArrayIterator<number> {
      call('iterator');
      return super[Symbol.iterator]();
    }
    static get [Symbol.species](): Uint8ArrayConstructor {
      call('species');
      return Uint8Array;
    }
  }
  const cache: SharedCache<any> = SharedCache.create<any>({
    ...OPTIONS,
    codec: {
      name: 'odd',
      encode: (value) => {
        const bytes = Buffer.from((value as Box).text);
        const odd = new Odd(
          bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        );
        called = [];
        return odd;
      },
      decode: (bytes: Uint8Array) => Box.of(Buffer.from(bytes).toString()),
    },
  });
  meddle = () => {
    cache.get('other');
    cache.set('another', 'y'.repeat(3000));
    cache.set('k', 'wrong');
  };
  cache.set('other', 'small');
  for (const size of SIZES) {
    const box = new Box(`owner ${size}`, size);
    const { text } = box;
    assert.ok(cache.set('k', box));
    assert.equal(cache.get('k'), { text });
    assert.ok(cache.replace('k', box));
    assert.is(
      cache.update('k', () => box),
      box,
    );
    assert.equal(cache.take('k'), { text });
    assert.ok(cache.add('k', box));
    assert.is(cache.get('other'), 'small');
    assert.equal(cache.get('k'), { text });
    assert.is(cache.info('k')!.size, text.length);
    assert.equal(called, [], 'methods of the encoded bytes');
    checkHeap(cache);
  }
  checkAtRest(cache);
  cache.close();
});

test('bytes that change after they were encoded: the value is what it was when encode returned', () => {
  const shared = new Uint8Array(60_000);
  const cache = SharedCache.create<any>({
    ...OPTIONS,
    codec: {
      name: 'scratch',
      encode: (value) => {
        const { byte, size } = value as { byte: number; size: number };
        return shared.fill(byte).subarray(0, size);
      },
      decode: (bytes) => bytes,
    },
  });
  for (const size of SIZES) {
    cache.set('a', { byte: 1, size });
    cache.set('b', { byte: 2, size });
    shared.fill(3);
    assert.equal(cache.get('a'), new Uint8Array(size).fill(1));
    assert.equal(cache.get('b'), new Uint8Array(size).fill(2));
  }
  checkAtRest(cache);
  cache.close();
});

/** Calls of the cache for other keys than the one at hand, of other sizes, with keys of one byte and two bytes a character. */
function meddler(cache: () => SharedCache<any>): { (): void; on: boolean; times: number } {
  let n = 0;
  const meddle = () => {
    if (!meddle.on) return;
    meddle.on = false; // what it calls calls it again
    meddle.times++;
    const c = cache();
    noLock(c);
    const size = SIZES[n++ % SIZES.length]!;
    c.set(`inner ${n % 7}`, `inner ${n % 7}:${'i'.repeat(size)}`, { ttl: 50_000 });
    c.set('другой', 'x'.repeat(size));
    c.get('offset');
    c.peek('');
    c.has('none');
    c.increment('count');
    c.delete(`inner ${(n + 3) % 7}`);
    c.info('другой');
    c.mutex('a mutex').locked();
    c.update('updated', (old: number | undefined) => (old ?? 0) + 1);
    if (n % 3 === 0) c.take('другой');
    assert.is(c.get('offset'), 5, 'what stood is what stands');
    meddle.on = true;
  };
  meddle.on = false;
  meddle.times = 0;
  return meddle;
}

/** Every method, with values of every size: each one reads back what was written under the key. */
function useAll(
  cache: SharedCache<any>,
  meddle: ReturnType<typeof meddler>,
  make: (size: number, who: string) => any,
): void {
  const same = (read: unknown, size: number, who: string, what: string) => {
    const text = typeof read === 'string' ? read : (read as { text: string } | undefined)?.text;
    assert.is(text, new Box(who, size).text, `${what}, ${size} bytes`);
  };
  cache.set('offset', 5);
  for (const ttl of [undefined, 10_000]) {
    const options = ttl === undefined ? undefined : { ttl };
    for (const size of SIZES) {
      meddle.on = true;
      assert.ok(cache.set('k', make(size, 'set'), options));
      same(cache.get('k'), size, 'set', 'get');
      same(cache.peek('k'), size, 'set', 'peek');
      same(cache.getMany(['none', 'k'])[1], size, 'set', 'getMany');
      assert.ok(cache.has('k'));
      assert.ok(cache.info('k')!.size >= size);
      assert.ok(cache.touch('k', 20_000));
      assert.not(cache.add('k', make(size, 'add'), options));
      assert.ok(cache.replace('k', make(size, 'replaced'), options));
      same(cache.get('k'), size, 'replaced', 'replace');
      assert.ok(cache.delete('k'));
      assert.not(cache.has('k'));
      assert.not(cache.replace('k', make(size, 'replaced')));
      assert.ok(cache.add('k', make(size, 'added'), options));
      same(cache.get('k'), size, 'added', 'add');
      let runs = 0;
      cache.update('k', (old) => {
        same(old, size, 'added', 'update gets');
        assert.ok(++runs < 3, 'nothing changed the key, and update runs again and again');
        return make(size, 'updated');
      });
      same(cache.take('k'), size, 'updated', 'take');
      assert.not(cache.has('k'));
      same(
        cache.getOrCreateSync('k', () => make(size, 'made'), options),
        size,
        'made',
        'getOrCreateSync',
      );
      same(
        cache.getOrCreateSync('k', () => assert.unreachable(), options),
        size,
        'made',
        'a hit of getOrCreateSync',
      );
      assert.is(cache.increment('number', 2, options && { ...options }), 2);
      assert.is(cache.increment('number', 2), 4);
      assert.ok(cache.delete('number'));
      const entries = new Map(cache.entries());
      same(entries.get('k'), size, 'made', 'entries');
      assert.ok(new Set(cache.keys()).has('offset'));
      meddle.on = false;
      assert.is(cache.get('offset'), 5);
      const keys = [...cache.keys()].filter((key) => !/^(k|offset|count|updated|другой|inner \d)$/.test(key));
      assert.equal(keys, [], 'keys that nobody wrote');
      for (const key of [0, 1, 2, 3, 4, 5, 6].map((n) => `inner ${n}`)) {
        const value = cache.get(key);
        assert.ok(
          value === undefined || (value as string).startsWith(`${key}:i`) || value === `${key}:`,
          `${key} is its own`,
        );
      }
      checkHeap(cache);
    }
  }
  assert.ok(meddle.times > 100, `the user's code ran ${meddle.times} times`);
}

const plain = (size: number, who: string) => new Box(who, size).text;
const boxed = (size: number, who: string) => new Box(who, size);

test('a clock that calls the cache', () => {
  const meddle = meddler(() => cache);
  let time = 1_000_000;
  const cache: SharedCache<any> = SharedCache.create<any>({
    ...OPTIONS,
    clock: () => {
      meddle();
      return time++;
    },
  });
  useAll(cache, meddle, plain);
  checkAtRest(cache);
  cache.close();
});

for (const as of ['bytes', 'text', 'wide text'] as const) {
  for (const [mode, when] of [
    ['off', 'encode and decode'],
    ['off', 'encode'],
    ['off', 'decode'],
    ['freeze', 'encode and decode'],
  ] as const) {
    test(`a codec that calls the cache in ${when}, ${as}, decoded: '${mode}'`, () => {
      const meddle = meddler(() => cache);
      const wide = (text: string) => (as === 'wide text' ? `ж${text}` : text);
      const cache: SharedCache<any> = SharedCache.create<any>({
        ...OPTIONS,
        decoded: { mode },
        codec: {
          name: 'meddles',
          encode: (value) => {
            const text = wide((value as Box).text);
            if (when !== 'decode') meddle();
            return as === 'bytes' ? Buffer.from(text) : text;
          },
          decode: (data: Uint8Array | string) => {
            if (when !== 'encode') meddle();
            const text = typeof data === 'string' ? data : Buffer.from(data).toString();
            return Box.of(as === 'wide text' ? text.slice(1) : text);
          },
        },
      });
      useAll(cache, meddle, boxed);
      checkAtRest(cache);
      cache.close();
    });
  }
}

test('a codec that stores values of its own codec while it encodes and decodes', () => {
  let depth = 0;
  const cache: SharedCache<any> = SharedCache.create<any>({
    ...OPTIONS,
    decoded: { mode: 'off' },
    codec: {
      name: 'nested',
      encode: (value) => {
        const { owner, size, text } = value as Box;
        if (depth < 3) {
          depth++;
          cache.set(`in ${owner} ${depth}`, new Box(`in ${owner} ${depth}`, 20_000 - size / 4));
          depth--;
        }
        return text;
      },
      decode: (text: string) => {
        if (depth < 2) {
          depth++;
          cache.get('in k 1');
          cache.set('from decode', new Box('from decode', 700));
          depth--;
        }
        return Box.of(text);
      },
    },
  });
  for (const size of SIZES) {
    cache.set('k', new Box('k', size));
    assert.equal(cache.get('k'), { text: new Box('k', size).text });
    assert.equal(cache.get('in k 1'), { text: new Box('in k 1', 20_000 - size / 4).text });
    const inner = new Box('in in k 1 2', 20_000 - (20_000 - size / 4) / 4);
    assert.equal(cache.get('in in k 1 2'), { text: inner.text });
    assert.equal(cache.get('from decode'), { text: new Box('from decode', 700).text });
    checkHeap(cache);
  }
  checkAtRest(cache);
  cache.close();
});

test('a region: clock and codec call the region and its cache', async () => {
  const meddle = meddler(() => cache);
  let time = 1_000_000;
  const cache: SharedCache<any> = SharedCache.create<any>({
    ...OPTIONS,
    clock: () => {
      meddle();
      return time++;
    },
    codec: {
      name: 'meddles',
      encode: (value) => {
        meddle();
        return Buffer.from((value as Box).text);
      },
      decode: (bytes: Uint8Array) => {
        meddle();
        return Box.of(Buffer.from(bytes).toString());
      },
    },
  });
  const region = createRegion<any>({
    name: 'meddled',
    backend: 'cairn.slab',
    arguments: { cache, decoded: { mode: 'off' } },
    expirationTime: 1_000_000,
  });
  const backend = region.actualBackend as SlabBackend;
  cache.set('offset', 5);
  for (const size of SIZES) {
    meddle.on = true;
    const box = (who: string) => new Box(who, size);
    await region.set('k', box('set'));
    assert.equal(await region.get('k'), { text: box('set').text });
    assert.is(await region.delete('k'), true);
    const made = box('made');
    assert.is(await region.getOrCreate('k', () => made), made);
    assert.equal(await region.getOrCreate('k', () => assert.unreachable()), { text: made.text });
    await region.invalidate({ hard: false });
    const again = box('again');
    assert.is(
      region.getOrCreateSync('k', () => again),
      again,
    );
    assert.equal(region.getSync('k'), { text: again.text });
    const begun = backend.beginCreation('fresh');
    backend.endCreation('fresh', begun.token);
    meddle.on = false;
    assert.is(await region.get('fresh'), undefined);
    for (const key of ['offset', 'другой', 'count', 'inner 1', '']) {
      assert.is(await region.get(key), undefined, 'what the cache has is no part of the region');
    }
    assert.is(cache.get('offset'), 5);
    assert.is(cache.get('k'), undefined);
    checkHeap(cache);
  }
  assert.ok(meddle.times > 100);
  region.close();
  checkHeap(cache);
  cache.close();
});

test.run();
