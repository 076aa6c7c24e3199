/** What holds for both adapters, asked of them directly, without a Keyv. Each rule is one uvu test. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CairnAdapter } from '../../src/adapters/keyv/adapter.ts';
import { createRegion, EngineClosedError, OptionError, SharedCache } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';

export type Adapter = CairnAdapter & {
  namespace?: string | undefined;
  set(key: string, value: unknown, time?: number): Promise<boolean>;
  clear(): Promise<void>;
  iterator(namespace?: string): AsyncGenerator<[string, any], void>;
};

/** An adapter as a Keyv with that namespace uses it. */
export interface Form {
  name: string;
  make(cache: SharedCache<any>, options?: any): Adapter;
  /** Keyv's key as this adapter gets it. */
  key(namespace: string, key: string): string;
  /** What the adapter's iterator is called with, and gives back, for that namespace. */
  entries(adapter: Adapter): Promise<[string, unknown][]>;
}

export const MIB = 2 ** 20;

/** A cache with a heap walk at its end. */
export async function withCache(
  options: Parameters<typeof SharedCache.create>[0],
  run: (cache: SharedCache<any>) => Promise<void>,
): Promise<void> {
  const cache = SharedCache.create<any>({ maxBytes: MIB, ...options });
  try {
    await run(cache);
    checkHeap(cache);
  } finally {
    cache.close();
  }
}

export async function collect(entries: AsyncIterable<[string, any]>): Promise<[string, unknown][]> {
  const found: [string, unknown][] = [];
  for await (const entry of entries) found.push(entry);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

export async function rejects(
  promise: Promise<unknown>,
  error: new (...args: any[]) => Error,
): Promise<void> {
  const outcome = await promise.then(
    () => 'fulfilled',
    (thrown) => thrown,
  );
  assert.ok(outcome instanceof error, `${error.name}, got ${outcome}`);
}

const LONG = 'x'.repeat(5000);
/** Keys around the limit of 960 bytes, and far over it: Latin-1, UTF-16 and two that differ only in a lone surrogate. */
const LONG_KEYS = [
  ...[900, 930, 940, 950, 960, 961].map((length) => 'a'.repeat(length)),
  'é'.repeat(1000),
  'あ'.repeat(470),
  'あ'.repeat(500),
  `${LONG}\ud800`,
  `${LONG}\ud801`,
  `${LONG}:with:colons`,
];

export function adapterRules({ name, make, key, entries }: Form): void {
  /** An adapter in a namespace, which is asked with Keyv's keys. */
  const inside = (cache: SharedCache<any>, namespace: string) => {
    const adapter = make(cache);
    adapter.namespace = namespace;
    return { adapter, k: (text: string) => key(namespace, text) };
  };
  const rule = (title: string, options: object, run: (cache: SharedCache<any>) => Promise<void>) =>
    test(`${name}: ${title}`, () => withCache(options, run));

  rule('set, get, has, delete', {}, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    assert.is(await adapter.get(k('a')), undefined);
    assert.is(await adapter.has(k('a')), false);
    assert.is(await adapter.delete(k('a')), false);
    assert.is(await adapter.set(k('a'), 'one'), true);
    assert.is(await adapter.set(k('a'), 'two'), true);
    assert.is(await adapter.get(k('a')), 'two');
    assert.is(await adapter.has(k('a')), true);
    assert.is(await adapter.delete(k('a')), true);
    assert.is(await adapter.get(k('a')), undefined);
    assert.is(await adapter.has(k('a')), false);
    assert.is(await adapter.delete(k('a')), false);
  });

  rule('getMany keeps the order and leaves gaps', {}, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    await adapter.set(k('a'), '1');
    await adapter.set(k('b'), '2');
    assert.equal(await adapter.getMany([k('b'), k('none'), k('a'), k('b')]), ['2', undefined, '1', '2']);
    assert.equal(await adapter.getMany([]), []);
  });

  rule('values that are no text', {}, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    const values = [0, false, null, '', 1n, Buffer.from('bytes'), { value: { deep: [1, 2] }, expires: 5 }];
    for (const where of ['short', LONG]) {
      for (const value of values) {
        assert.is(await adapter.set(k(where), value), true);
        assert.equal(await adapter.get(k(where)), value);
      }
      assert.is(await adapter.set(k(where), undefined), true);
      assert.is(await adapter.get(k(where)), undefined);
      assert.is(await adapter.has(k(where)), true);
    }
  });

  rule('adapters of one namespace share, others never meet', {}, async (cache) => {
    const one = inside(cache, 'one');
    const again = inside(cache, 'one');
    const two = inside(cache, 'two');
    const longer = inside(cache, 'one1');
    for (const { adapter, k } of [one, two, longer]) await adapter.set(k('a'), `of ${adapter.namespace}`);
    assert.is(await again.adapter.get(again.k('a')), 'of one');
    assert.equal(await entries(again.adapter), [['a', 'of one']]);
    assert.is(await again.adapter.delete(again.k('a')), true);
    assert.is(await one.adapter.get(one.k('a')), undefined);
    assert.is(await two.adapter.get(two.k('a')), 'of two');
    await one.adapter.set(one.k('b'), 'b');
    await again.adapter.clear();
    assert.equal(await entries(one.adapter), []);
    assert.equal(await entries(two.adapter), [['a', 'of two']]);
    assert.equal(await entries(longer.adapter), [['a', 'of one1']]);
  });

  rule('the application\u2019s own entries are not seen', {}, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    const bare = make(cache);
    for (const text of ['a', 'ns:a', 'ns::a', k('a')]) cache.set(text, 'the application\u2019s');
    assert.is(await adapter.get(k('a')), undefined);
    assert.is(await bare.get('a'), undefined);
    assert.equal(await collect(bare.iterator()), []);
    await adapter.set(k('a'), 'Keyv\u2019s');
    await adapter.clear();
    assert.is(cache.get(k('a')), 'the application\u2019s');
  });

  rule('clear without a namespace empties the cache, but no region', {}, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    const bare = make(cache);
    const region = createRegion<string>({ name: 'stays' }).configure('cairn.slab', { arguments: { cache } });
    region.setSync('a', 'region');
    cache.set('a', 'own');
    await adapter.set(k('a'), 'in ns');
    await bare.set('a', 'bare');
    await bare.clear();
    assert.is(cache.size, 0);
    assert.is(await adapter.get(k('a')), undefined);
    assert.is(region.getSync('a'), 'region');
    region.close();
  });

  for (const codec of ['structured', 'json', 'bytes'] as const) {
    rule(`keys of any length, codec ${codec}`, { codec, maxBytes: 4 * MIB }, async (cache) => {
      const { adapter, k } = inside(cache, 'ns');
      const other = inside(cache, 'other');
      for (const [index, text] of LONG_KEYS.entries()) {
        assert.is(await adapter.set(k(text), `{"value":${index}}`), true);
        await other.adapter.set(other.k(text), 'other');
      }
      for (const [index, text] of LONG_KEYS.entries()) {
        assert.is(await adapter.get(k(text)), `{"value":${index}}`, `key ${index}`);
        assert.is(await adapter.has(k(text)), true);
      }
      assert.equal(
        await adapter.getMany(LONG_KEYS.map(k)),
        LONG_KEYS.map((_, index) => `{"value":${index}}`),
      );
      assert.equal(
        new Map(await entries(adapter)),
        new Map(LONG_KEYS.map((text, index) => [text, `{"value":${index}}`])),
      );
      assert.is(await adapter.delete(k(LONG_KEYS.at(-1)!)), true);
      assert.is(await adapter.get(k(LONG_KEYS.at(-1)!)), undefined);
      await adapter.clear();
      assert.equal(await entries(adapter), []);
      assert.is((await entries(other.adapter)).length, LONG_KEYS.length);
    });
  }

  rule('namespaces of any length', {}, async (cache) => {
    const one = inside(cache, `${LONG}1`);
    const two = inside(cache, `${LONG}2`);
    await one.adapter.set(one.k('a'), '1');
    await two.adapter.set(two.k('a'), '2');
    assert.is(await one.adapter.get(one.k('a')), '1');
    await one.adapter.clear();
    assert.equal(await entries(one.adapter), []);
    assert.equal(await entries(two.adapter), [['a', '2']]);
  });

  rule('a value that is too large is refused', { maxValueBytes: 2000 }, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    assert.is(await adapter.set(k('a'), 'x'.repeat(1900)), true);
    assert.is(await adapter.set(k('a'), 'x'.repeat(2001)), false);
    assert.is(await adapter.get(k('a')), undefined);
    assert.is(await adapter.set(k(LONG), 'x'), false, 'the key counts');
  });

  rule('without a time the cache\u2019s own ttl holds', { ttl: 5000 }, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    await adapter.set(k('a'), '1');
    const [own] = [...cache.keys()];
    const { createdAt, expiresAt } = cache.info(own!)!;
    assert.is(expiresAt! - createdAt, 5000);
    await adapter.set(k('a'), '1', Number.NaN);
    assert.ok(cache.info(own!)!.expiresAt !== null);
    await adapter.set(k('a'), '1', Number.POSITIVE_INFINITY);
    assert.is(cache.info(own!)!.expiresAt, null);
  });

  rule('disconnect leaves the cache open', {}, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    await adapter.set(k('a'), '1');
    assert.is(await adapter.disconnect(), undefined);
    assert.is(await adapter.get(k('a')), '1');
    assert.is(cache.size, 1);
  });

  test(`${name}: a closed cache rejects every operation`, async () => {
    const cache = SharedCache.create({ maxBytes: MIB });
    const { adapter, k } = inside(cache, 'ns');
    await adapter.set(k('a'), '1');
    const walk = adapter.iterator(adapter.namespace);
    cache.close();
    await rejects(walk.next(), EngineClosedError);
    await rejects(adapter.get(k('a')), EngineClosedError);
    await rejects(adapter.getMany([k('a')]), EngineClosedError);
    await rejects(adapter.has(k('a')), EngineClosedError);
    await rejects(adapter.set(k('a'), '1'), EngineClosedError);
    await rejects(adapter.delete(k('a')), EngineClosedError);
    await rejects(adapter.clear(), EngineClosedError);
    adapter.namespace = undefined;
    await rejects(adapter.clear(), EngineClosedError);
    assert.is(await adapter.disconnect(), undefined);
  });

  rule('the constructor names what is wrong', {}, async (cache) => {
    const wrong = (field: string, value: unknown, run: () => unknown) => {
      assert.throws(
        run,
        (error: OptionError) =>
          error instanceof OptionError && error.field === field && error.value === value,
      );
    };
    wrong('cache', undefined, () => make(undefined as never));
    const { handle } = cache;
    wrong('cache', handle, () => make(handle as never));
    wrong('prefix', 'x', () => make(cache, { prefix: 'x' }));
    wrong('options', 'ns', () => make(cache, 'ns'));
  });

  rule('a walk and a clear let the event loop turn', { maxBytes: 8 * MIB }, async (cache) => {
    const { adapter, k } = inside(cache, 'ns');
    for (let i = 0; i < 5000; i++) cache.set(`other ${i}`, 'x');
    await adapter.set(k('a'), '1');
    for (const work of [() => entries(adapter), () => adapter.clear()]) {
      let turns = 0;
      let done = false;
      const count = () => {
        turns++;
        if (!done) setImmediate(count);
      };
      setImmediate(count);
      await work();
      done = true;
      assert.ok(turns >= 4, `${turns} turns`);
    }
    assert.is(cache.size, 5000);
  });
}
