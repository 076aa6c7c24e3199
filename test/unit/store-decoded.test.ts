/** Decoded values: who may share them, who is frozen, and that a change is always seen. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CustomCodec } from '../../src/codec/types.ts';
import { CodecError } from '../../src/errors.ts';
import type { CacheOptions } from '../../src/store/options.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';

function withCache(name: string, run: (cache: SharedCache<any>) => void, options: CacheOptions = {}): void {
  test(name, () => {
    const cache = SharedCache.create<any>({ maxBytes: 8 * 2 ** 20, maxThreads: 2, mutexes: 16, ...options });
    run(cache);
    checkHeap(cache);
    cache.close();
  });
}

const graph = () => ({ list: [1, { deep: ['x'] }], none: null, text: 'y'.repeat(2000) });

withCache('two gets of a plain graph give one frozen object', (cache) => {
  const mine = graph();
  cache.set('k', mine);
  assert.not(Object.isFrozen(mine)); // the writer's own object stays as it is
  mine.none = 'changed later' as never;
  const found = cache.get('k');
  assert.equal(found, graph());
  assert.is(cache.get('k'), found);
  assert.is(cache.peek('k'), found);
  assert.is(cache.getMany(['k', 'k'])[1], found);
  for (const part of [found, found.list, found.list[1], found.list[1].deep]) assert.ok(Object.isFrozen(part));
  assert.throws(() => (found.none = 1), TypeError);
  assert.throws(() => found.list[1].deep.push('z'), TypeError);
  cache.update('k', (old) => {
    assert.is(old, found);
    return { ...old, none: 'changed' };
  });
  assert.is(cache.get('k').none, 'changed');
  assert.is(found.none, null);
  for (const value of [Object.assign(Object.create(null), { a: [1] }), [], [[[]]], {}]) {
    cache.set('k', value);
    assert.is(cache.get('k'), cache.get('k'));
    assert.equal(cache.get('k'), value);
    assert.ok(Object.isFrozen(cache.get('k')));
  }
  const cycle: any = { a: [] };
  cycle.a.push(cycle);
  cache.set('k', cycle);
  const back = cache.get('k');
  assert.is(back.a[0], back);
  assert.ok(Object.isFrozen(back) && Object.isFrozen(back.a) && back === cache.get('k'));
});

withCache('what is not plain, or over 64 KiB, is decoded anew for each caller', (cache) => {
  const values: unknown[] = [
    new Map([['a', { b: 1 }]]),
    new Set([[1]]),
    new Date(5),
    /x/g,
    new TypeError('t'),
    new Uint8Array(5),
    Buffer.from('five'),
    new Float64Array(3),
    { deep: [{ at: new Date(1) }] },
    [1, new Map()],
    { large: 'x'.repeat(70_000) },
  ];
  for (const value of values) {
    cache.set('k', value);
    const [one, two] = [cache.get('k'), cache.get('k')];
    assert.equal(one, value);
    assert.equal(two, value);
    assert.is.not(one, two);
    assert.not(Object.isFrozen(one));
    if (one instanceof Uint8Array) one[0] = 99;
    else if (one instanceof Map) one.set('mine', 1);
    else (one as any).mine = 1;
    assert.equal(cache.get('k'), value); // what one caller did to its own
    assert.equal(two, value);
  }
  const inner = cache.set('k', [{ a: 1 }, new Date(0)]) && cache.get('k')[0];
  assert.not(Object.isFrozen(inner));
});

withCache('a change by any other write is seen', (cache) => {
  const pad = 'x'.repeat(5000);
  // what is done, and what stands then
  const changes: [string, (i: number) => void, (i: number) => unknown][] = [
    ['set', (i) => cache.set('k', { i }), (i) => ({ i })],
    ['set of a large value', (i) => cache.set('k', { i, pad }), (i) => ({ i, pad })],
    ['set of a string', (i) => cache.set('k', `${i}`), (i) => `${i}`],
    ['set of an empty string', () => cache.set('k', ''), () => ''],
    ['set of a number', (i) => cache.set('k', i), (i) => i],
    ['update', (i) => cache.update('k', () => ({ i })), (i) => ({ i })],
    ['delete', () => cache.delete('k'), () => undefined],
    ['clear', () => cache.clear(), () => undefined],
  ];
  const over: [string, (i: number) => void, (i: number) => unknown][] = [
    ['replace', (i) => cache.replace('k', { i }), (i) => ({ i })],
    ['take', () => cache.take('k'), () => undefined],
    ['increment', () => cache.set('k', 1) && cache.increment('k', 2), () => 3],
  ];
  const rnd = random(SEED);
  for (let i = 0; i < 20_000; i++) {
    const possible = cache.has('k') ? [...changes, ...over] : [...changes, over[2]!];
    const [name, change, stands] = possible[Math.floor(rnd() * possible.length)]!;
    change(i);
    assert.equal(cache.get('k'), stands(i), name);
    assert.equal(cache.get('k'), stands(i), `${name}, again`);
  }
});

withCache(
  "mode 'share': one object, unfrozen; what one caller does to it the others see",
  (cache) => {
    cache.set('k', graph());
    const found = cache.get('k');
    assert.is(cache.get('k'), found);
    for (const part of [found, found.list, found.list[1]]) assert.not(Object.isFrozen(part));
    found.list.push('mine');
    assert.is(cache.get('k').list[2], 'mine');
    assert.equal(SharedCache.attach<any>(cache.handle, { decoded: { mode: 'off' } }).get('k'), graph()); // the store never sees it
    cache.set('k', new Map());
    assert.is.not(cache.get('k'), cache.get('k'));
    SharedCache.attach(cache.handle); // more attaches of this thread: the owner's close is the last
  },
  { decoded: { mode: 'share' } },
);

withCache(
  "mode 'off': an object of one's own for each call",
  (cache) => {
    cache.set('k', graph());
    const found = cache.get('k');
    assert.is.not(cache.get('k'), found);
    assert.not(Object.isFrozen(found));
    found.list.push('mine');
    assert.equal(cache.get('k'), graph());
  },
  { decoded: { mode: 'off' } },
);

test('each attach has its own mode and table', () => {
  const cache = SharedCache.create<any>({ maxBytes: 8 * 2 ** 20, maxThreads: 2 });
  const [share, off] = (['share', 'off'] as const).map((mode) =>
    SharedCache.attach<any>(cache.handle, { decoded: { mode } }),
  );
  cache.set('k', { a: 1 });
  assert.ok(Object.isFrozen(cache.get('k')));
  assert.not(Object.isFrozen(share!.get('k')));
  share!.get('k').a = 2;
  assert.equal([cache.get('k').a, share!.get('k').a, off!.get('k').a], [1, 2, 1]);
  off!.set('k', { a: 3 });
  assert.equal([cache.get('k').a, share!.get('k').a, off!.get('k').a], [3, 3, 3]);
  share!.close();
  off!.close();
  checkHeap(cache);
  cache.close();
});

for (const bytes of [0, 1, 500, 20_000]) {
  withCache(
    `a bound of ${bytes} bytes changes no answer`,
    (cache) => {
      const rnd = random(SEED + bytes);
      const truth = new Map<string, unknown>();
      for (let i = 0; i < 20_000; i++) {
        const key = `k${Math.floor(rnd() * 800)}`;
        if (rnd() < 0.3) {
          const value =
            rnd() < 0.5 ? { i, pad: 'x'.repeat(rnd() * 300) } : `text ${i} ${'y'.repeat(rnd() * 300)}`;
          cache.set(key, value);
          truth.set(key, value);
        } else {
          assert.equal(cache.get(key), truth.get(key));
        }
      }
    },
    { decoded: { bytes } },
  );
}

class Point {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
}

withCache(
  'a codec of the user\u2019s own: instances are each caller\u2019s, plain graphs shared',
  (cache) => {
    cache.set('p', new Point(5));
    const found = cache.get('p');
    assert.instance(found, Point);
    assert.is.not(cache.get('p'), found);
    assert.not(Object.isFrozen(found));
    cache.set('o', { x: 1, plain: true });
    assert.is(cache.get('o'), cache.get('o'));
    assert.ok(Object.isFrozen(cache.get('o')));
    cache.set('broken', { broken: true });
    assert.throws(
      () => cache.get('broken'),
      (error: unknown) => error instanceof CodecError && (error.cause as Error).message === 'cannot',
    );
    assert.is(cache.has('broken'), true);
    assert.is(cache.get('p').x, 5);
    assert.is(cache.delete('broken'), true);
  },
  {
    codec: {
      name: 'points',
      encode: (value) => (value instanceof Point ? `P${value.x}` : JSON.stringify(value)),
      decode: (text: string) => {
        if (text.includes('broken')) throw new Error('cannot');
        return text[0] === 'P' ? new Point(Number(text.slice(1))) : JSON.parse(text);
      },
    },
  },
);

// A codec that uses the cache in the middle of a call: the call's own key, value and version must be its own.
for (const form of ['text', 'bytes'] as const) {
  test(`a codec to ${form} may call the cache itself`, () => {
    let cache: SharedCache<any> | undefined;
    let calls = 0;
    const meddle = () => {
      if (!cache) return;
      calls++;
      cache.set(`other ${calls % 7}`, 'x'.repeat((calls * 37) % 3000));
      cache.get(`other ${calls % 5}`);
      cache.get('none');
      cache.increment('count');
      cache.delete(`other ${calls % 3}`);
    };
    const codec: CustomCodec = {
      name: 'meddler',
      encode(value) {
        meddle();
        const text = JSON.stringify(value);
        return form === 'text' ? text : Buffer.from(text);
      },
      decode(data: string | Uint8Array) {
        meddle();
        return JSON.parse(typeof data === 'string' ? data : Buffer.from(data).toString());
      },
    };
    cache = SharedCache.create<any>({ maxBytes: 8 * 2 ** 20, codec, decoded: { mode: 'off' } });
    for (const pad of [0, 100, 5000]) {
      for (let i = 0; i < 50; i++) {
        const value = { i, pad: 'p'.repeat(pad) };
        assert.is(cache.set(`k${i}`, value), true);
        assert.equal(cache.get(`k${i}`), value);
        assert.equal(
          cache.update(`k${i}`, (old) => ({ ...old, i: old.i + 1 })),
          { ...value, i: i + 1 },
        );
        assert.equal(cache.getMany([`k${i}`, 'none', `k${i}`]), [
          { ...value, i: i + 1 },
          undefined,
          { ...value, i: i + 1 },
        ]);
      }
      const found = new Map([...cache].filter(([key]) => key.startsWith('k')));
      assert.is(found.size, 50);
      for (let i = 0; i < 50; i++) {
        assert.equal(found.get(`k${i}`), { i: i + 1, pad: 'p'.repeat(pad) });
        assert.is(cache.take(`k${i}`).i, i + 1);
        assert.is(cache.has(`k${i}`), false);
        assert.is(cache.take(`k${i}`), undefined);
      }
    }
    assert.ok(calls > 500 && cache.get('count') === calls);
    checkHeap(cache);
    cache.close();
  });
}

test.run();
