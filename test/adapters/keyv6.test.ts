/**
 * KeyvCairn: the rules of both adapters, those of Keyv 6's contract for storage adapters, then the same through Keyv 6. Below
 * Node 22.19, which Keyv 6 asks for, the adapter is tested without it.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import Keyv5 from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn, KeyvCairn } from '../../src/adapters/keyv/index.ts';
import { CodecError, EngineClosedError, OptionError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { adapterRules, collect, MIB, withCache } from './adapter-rules.ts';
import { loadKeyv6, withTime } from './hosts.ts';

adapterRules({
  name: 'KeyvCairn',
  make: (cache, options) => new KeyvCairn(cache, options),
  key: (_, key) => key,
  entries: (adapter) => collect(adapter.iterator()),
});

test('namespace: undefined at first, settable, and an option', () =>
  withCache({}, async (cache) => {
    const adapter = new KeyvCairn(cache);
    assert.is(adapter.namespace, undefined);
    adapter.namespace = 'ns';
    assert.is(adapter.namespace, 'ns');
    await adapter.set('a', '1');
    const again = new KeyvCairn(cache, { namespace: 'ns' });
    assert.is(again.namespace, 'ns');
    assert.is(await again.get('a'), '1');
    again.namespace = undefined;
    assert.is(await again.get('a'), undefined);
    again.namespace = '';
    await again.set('a', 'none');
    assert.is(await new KeyvCairn(cache).get('a'), 'none', 'an empty namespace is none');
    assert.throws(
      () => new KeyvCairn(cache, { namespace: 7 as never }),
      (error: OptionError) =>
        error instanceof OptionError && error.field === 'namespace' && error.value === 7,
    );
  }));

test('no two pairs of namespace and key meet', () =>
  withCache({}, async (cache) => {
    const pairs = [
      [undefined, 'c'],
      [undefined, ':c'],
      [undefined, 'a:b:c'],
      [undefined, '3:a:b:c'],
      [undefined, 'keyv6:3:a:b:c'],
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['a:b:c', ''],
      [':', 'c'],
      ['1:a', ':b:c'],
      ['3', 'a:b:c'],
      ['3:a:b', 'c'],
      ['keyv6', '3:a:b:c'],
    ] as const;
    const adapterOf = (namespace: string | undefined) => new KeyvCairn(cache, { namespace });
    for (const [index, [namespace, key]] of pairs.entries())
      assert.is(await adapterOf(namespace).set(key, index), true);
    await new Keyv5Cairn(cache).set('3:a:b:c', 'of Keyv 5');
    for (const [index, [namespace, key]] of pairs.entries())
      assert.is(await adapterOf(namespace).get(key), index, `${namespace} ${key}`);

    let left = pairs.length;
    for (const namespace of new Set(pairs.map(([name]) => name))) {
      const own = pairs.filter(([name]) => name === namespace).map(([, key]) => key as string);
      const found = (await collect(adapterOf(namespace).iterator())).map(([key]) => key);
      assert.equal(found, own.sort(), `iteration of ${namespace}`);
      if (namespace === undefined) continue;
      await adapterOf(namespace).clear();
      left -= own.length;
      assert.is(cache.size, left + 1, `clear of ${namespace}`);
    }
  }));

test('many at once', () =>
  withCache({ maxValueBytes: 2000 }, async (cache) => {
    const adapter = new KeyvCairn(cache);
    assert.equal(await adapter.setMany([]), []);
    assert.equal(await adapter.hasMany([]), []);
    assert.equal(await adapter.deleteMany([]), []);
    const entries = [
      { key: 'a', value: '1' },
      { key: 'large', value: 'x'.repeat(3000) },
      { key: 'b', value: '2' },
    ];
    assert.equal(await adapter.setMany(entries), [true, false, true]);
    assert.equal(await adapter.hasMany(['b', 'large', 'a', 'none']), [true, false, true, false]);
    assert.equal(await adapter.deleteMany(['a', 'b']), [true, true]);
    assert.equal(await adapter.deleteMany(['a', 'b']), [false, false]);
  }));

test('expires is absolute, and one that has passed is accepted', () =>
  withTime(async (time) =>
    withCache({ clock: time.now }, async (cache) => {
      const adapter = new KeyvCairn(cache);
      await adapter.set('a', '1', time.now() + 300);
      await adapter.setMany([
        { key: 'b', value: '2', expires: time.now() + 300 },
        { key: 'c', value: '3' },
        { key: 'gone', value: '4', expires: time.now() },
      ]);
      assert.equal(await adapter.hasMany(['a', 'b', 'c', 'gone']), [true, true, true, false]);
      time.pass(300);
      assert.equal(await adapter.getMany(['a', 'b', 'c']), ['1', '2', '3']);
      time.pass(1);
      assert.is(await adapter.get('a'), undefined);
      assert.is(await adapter.has('a'), false);
      assert.equal(await adapter.getMany(['a', 'b', 'c']), [undefined, undefined, '3']);
      assert.equal(await collect(adapter.iterator()), [['c', '3']]);
      assert.is(await adapter.set('c', '4', time.now() - 1000), true);
      assert.is(await adapter.get('c'), undefined);
      assert.is(await adapter.set('c', '4', 0), true);
      assert.is(await adapter.has('c'), false);
    }),
  ));

test('Keyv 5 refuses it and says what to take', () =>
  withCache({}, async (cache) => {
    assert.throws(
      () => new Keyv5({ store: new KeyvCairn(cache) }),
      (error: OptionError) => error instanceof OptionError && /Keyv5Cairn/.test(error.message),
    );
  }));

const Keyv = await loadKeyv6();
if (Keyv) {
  const { keyvStorageCapability } = await import('keyv6');
  const open = (cache: SharedCache<any>, options: object = {}) =>
    new Keyv<any>({ store: new KeyvCairn(cache), ...options });

  test('capabilities are what Keyv 6 finds by itself, and it uses the adapter directly', () =>
    withCache({}, async (cache) => {
      const adapter = new KeyvCairn(cache);
      assert.equal(adapter.capabilities, keyvStorageCapability(adapter));
      assert.is(new Keyv({ store: adapter }).store, adapter);
      assert.is(new Keyv(adapter, { namespace: 'ns' }).store, adapter);
      assert.is(adapter.namespace, 'ns');
    }));

  test('in Keyv 6: values', () =>
    withCache({}, async (cache) => {
      const keyv = open(cache);
      const errors: unknown[] = [];
      keyv.on('error', (error) => errors.push(error));
      const values = [
        false,
        null,
        0,
        '',
        '"',
        "'",
        ':',
        'text',
        7n,
        { fizz: 'buzz' },
        [1, 2],
        Buffer.from('bar'),
        { deep: Buffer.from('buzz') },
      ];
      for (const value of values) {
        assert.is(await keyv.set('foo', value), true);
        assert.equal(await keyv.get('foo'), value);
      }
      assert.is(await keyv.set('foo', undefined), true);
      assert.is(await keyv.get('foo'), undefined);
      assert.is(await keyv.set("'", 1), true);
      assert.is(await keyv.get("'"), 1);
      assert.is(errors.length, 0);
      assert.is(await keyv.set('foo', Symbol('value')), false);
      assert.is(errors.length, 1);

      const bigints = open(cache, {
        serialization: {
          stringify: (data: any) => JSON.stringify({ ...data, value: `n${data.value}` }),
          parse(text: string) {
            const data = JSON.parse(text);
            return { ...data, value: BigInt(data.value.slice(1)) };
          },
        },
      });
      await bigints.set('big', 9223372036854775807n);
      assert.is(await bigints.get('big'), 9223372036854775807n);
    }));

  test('in Keyv 6: without serialization, with compression, with encryption', () =>
    withCache({}, async (cache) => {
      const raw = open(cache, { serialization: false });
      const value = { map: new Map([[1, new Date(5)]]), bytes: Buffer.from('b'), big: 1n };
      await raw.set('a', value);
      assert.equal(await raw.get('a'), value);
      assert.equal(await raw.getRaw('a'), { value, expires: undefined });
      assert.equal(await collect(raw.iterator()), [['a', value]]);

      const compression = {
        compress: async (text: string) => gzipSync(text).toString('base64'),
        decompress: async (text: string) => gunzipSync(Buffer.from(text, 'base64')).toString(),
      };
      const encryption = {
        encrypt: (text: string) => `secret ${text}`,
        decrypt: (text: string) => text.slice(7),
      };
      const packed = open(cache, { namespace: 'packed', compression, encryption });
      await packed.set('a', { text: 'x'.repeat(10_000) });
      assert.equal(await packed.get('a'), { text: 'x'.repeat(10_000) });
      assert.ok((await new KeyvCairn(cache, { namespace: 'packed' }).get('a')).startsWith('secret H4s'));
    }));

  test('in Keyv 6: ttl, many, refusals', () =>
    withTime(async (time) =>
      withCache({ clock: time.now, maxValueBytes: 2000 }, async (cache) => {
        const keyv = open(cache, { namespace: 'ns' });
        const large = 'x'.repeat(3000);
        assert.is(await keyv.set('large', large), false);
        assert.equal(
          await keyv.setMany<unknown>([
            { key: 'a', value: 1, ttl: 500 },
            { key: 'large', value: large },
            { key: 'b', value: 2 },
          ]),
          [true, false, true],
        );
        assert.is(await keyv.set('raw', 3, 500), true);
        assert.is(await keyv.setRaw('raw', { value: 4, expires: time.now() + 700 }), true);
        time.pass(500);
        assert.equal(await keyv.get(['a', 'none', 'b', 'raw']), [1, undefined, 2, 4]);
        assert.equal(await keyv.hasMany(['a', 'b']), [true, true]);
        time.pass(1);
        assert.is(await keyv.get('a'), undefined);
        assert.equal(await keyv.getMany(['a', 'b', 'raw']), [undefined, 2, 4]);
        time.pass(200);
        assert.equal(await keyv.getMany(['b', 'raw']), [2, undefined]);
        assert.is(await keyv.delete('b'), true);
        assert.is(await keyv.delete('b'), false);
        await keyv.set('c', 3);
        assert.equal(await keyv.deleteMany(['c', 'none']), [true, false]);
      }),
    ));

  test('in Keyv 6: two stores with two namespaces', () =>
    withCache({}, async (cache) => {
      const one = open(cache, { namespace: 'keyv1' });
      const two = open(cache, { namespace: 'keyv2' });
      for (const keyv of [one, two]) {
        await keyv.set('foo', `foo of ${keyv.namespace}`);
        await keyv.set('bar', `bar of ${keyv.namespace}`);
      }
      assert.is(await one.get('foo'), 'foo of keyv1');
      assert.is(await two.get('foo'), 'foo of keyv2');
      assert.equal(await collect(two.iterator()), [
        ['bar', 'bar of keyv2'],
        ['foo', 'foo of keyv2'],
      ]);
      assert.is(await one.delete('foo'), true);
      assert.is(await one.get('foo'), undefined);
      assert.is(await two.get('foo'), 'foo of keyv2');
      await one.clear();
      assert.is(await one.get('bar'), undefined);
      assert.is(await two.get('bar'), 'bar of keyv2');
      one.namespace = 'keyv2';
      assert.is(await one.get('foo'), 'foo of keyv2', 'the namespace of a Keyv may change');
    }));

  test('in Keyv 6: errors are events, and disconnect leaves the cache open', async () => {
    const cache = SharedCache.create<any>({ maxBytes: MIB });
    const keyv = open(cache, { serialization: false });
    const errors: unknown[] = [];
    keyv.on('error', (error) => errors.push(error));
    await keyv.set('a', 1);
    assert.is(await keyv.set('a', () => 'a function is no data'), false);
    assert.ok(errors[0] instanceof CodecError);
    assert.is(await keyv.get('a'), 1, 'what stood stands');
    await keyv.disconnect();
    assert.is(await keyv.get('a'), 1);
    cache.close();
    assert.is(await keyv.get('a'), undefined);
    assert.is(await keyv.set('a', 1), false);
    assert.is(await keyv.has('a'), false);
    assert.is(await keyv.delete('a'), false);
    await keyv.clear();
    assert.is(errors.length, 6);
    assert.ok(errors.slice(1).every((error) => error instanceof EngineClosedError));
  });
}

test.run();
