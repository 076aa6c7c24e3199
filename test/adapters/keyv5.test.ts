/** Keyv5Cairn: the rules of both adapters, then what Keyv 5 makes of it, and Keyv 6 through its bridge. */
import { gunzipSync, gzipSync } from 'node:zlib';
import Keyv from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn } from '../../src/adapters/keyv/index.ts';
import { CodecError, EngineClosedError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { adapterRules, collect, MIB, rejects, withCache } from './adapter-rules.ts';
import { loadKeyv6, withTime } from './hosts.ts';

adapterRules({
  name: 'Keyv5Cairn',
  make: (cache, options) => new Keyv5Cairn(cache, options),
  key: (namespace, key) => `${namespace}:${key}`,
  entries: async (adapter) =>
    (await collect(adapter.iterator(adapter.namespace))).map(([key, value]) => [
      key.slice(adapter.namespace!.length + 1),
      value,
    ]),
});

test('ttl is relative', () =>
  withTime(async (time) =>
    withCache({ clock: time.now }, async (cache) => {
      const adapter = new Keyv5Cairn(cache);
      await adapter.set('a', '1', 300);
      await adapter.set('b', '1', 0);
      time.pass(300);
      assert.is(await adapter.get('a'), '1');
      assert.is(await adapter.has('a'), true);
      time.pass(1);
      assert.is(await adapter.get('a'), undefined);
      assert.is(await adapter.has('a'), false);
      assert.equal(await adapter.getMany(['a', 'b']), [undefined, '1']);
      assert.equal(await collect(adapter.iterator()), [['b', '1']]);
      time.pass(1e12);
      assert.is(await adapter.get('b'), '1', '0 is none');
    }),
  ));

test('a ttl that has passed is accepted, and nothing stands', () =>
  withCache({}, async (cache) => {
    const adapter = new Keyv5Cairn(cache);
    await adapter.set('a', '1');
    assert.is(await adapter.set('a', '2', -1), true);
    assert.is(await adapter.get('a'), undefined);
    assert.is(cache.size, 0);
  }));

test('in Keyv 5: ttl, many, refusals, iteration', () =>
  withTime(async (time) =>
    withCache({ clock: time.now, maxValueBytes: 2000 }, async (cache) => {
      const keyv = new Keyv({ store: new Keyv5Cairn(cache), namespace: 'ns' });
      const other = new Keyv({ store: new Keyv5Cairn(cache), namespace: 'other' });
      await other.set('a', 'theirs');
      const large = 'x'.repeat(3000);
      assert.is(await keyv.set('large', large), false);
      assert.equal(
        await keyv.setMany([
          { key: 'a', value: 1, ttl: 500 },
          { key: 'large', value: large },
          { key: 'b', value: { deep: Buffer.from('bytes') } },
        ]),
        [true, false, true],
      );
      assert.equal(await keyv.get(['a', 'none', 'b']), [1, undefined, { deep: Buffer.from('bytes') }]);
      assert.equal(await keyv.has(['a', 'none']), [true, false]);
      assert.equal(await collect(keyv.iterator!(undefined)), [
        ['a', 1],
        ['b', { deep: Buffer.from('bytes') }],
      ]);
      time.pass(501);
      assert.is(await keyv.get('a'), undefined);
      assert.is(await keyv.delete(['b', 'none']), false);
      assert.is(await keyv.get('b'), undefined);
      await keyv.set('b', 2);
      await keyv.clear();
      assert.is(await keyv.get('b'), undefined);
      assert.is(await other.get('a'), 'theirs');
    }),
  ));

test('in Keyv 5: without a serializer, and with compression', () =>
  withCache({}, async (cache) => {
    const raw = new Keyv({ store: new Keyv5Cairn(cache), namespace: 'raw' });
    raw.serialize = undefined;
    raw.deserialize = undefined;
    const value = { map: new Map([[1, new Date(5)]]), bytes: Buffer.from('b'), nothing: undefined };
    assert.is(await raw.set('a', value), true);
    assert.equal(await raw.get('a'), value);
    assert.equal(await collect(raw.iterator!(undefined)), [['a', value]]);

    const errors: unknown[] = [];
    raw.on('error', (error) => errors.push(error));
    assert.is(await raw.set('a', () => 'a function is no data'), false);
    assert.ok(errors[0] instanceof CodecError);
    assert.equal(await raw.get('a'), value, 'what stood stands');

    const compression = {
      compress: async (data: any) => gzipSync(JSON.stringify(data)).toString('base64'),
      decompress: async (data: any) => JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString()),
    };
    const packed = new Keyv({ store: new Keyv5Cairn(cache), namespace: 'packed', compression });
    await packed.set('a', { text: 'x'.repeat(10_000) });
    assert.equal(await packed.get('a'), { text: 'x'.repeat(10_000) });
  }));

test('in Keyv 5: the errors of a closed cache', async () => {
  const cache = SharedCache.create({ maxBytes: MIB });
  const keyv = new Keyv({ store: new Keyv5Cairn(cache) });
  const loud = new Keyv({ store: new Keyv5Cairn(cache), throwOnErrors: true });
  const errors: unknown[] = [];
  keyv.on('error', (error) => errors.push(error));
  await keyv.set('a', 1);
  cache.close();
  assert.is(await keyv.get('a'), undefined);
  assert.is(errors.length, 0, 'Keyv 5 says nothing of a failed get');
  assert.is(await keyv.set('a', 1), false);
  assert.is(await keyv.delete('a'), false);
  assert.is(errors.length, 2);
  assert.ok(errors.every((error) => error instanceof EngineClosedError));
  await rejects(loud.get('a'), EngineClosedError);
  await rejects(loud.set('a', 1), EngineClosedError);
});

test('in Keyv 5: namespaces are Keyv\u2019s text before the key, so one that begins with another is cleared with it', () =>
  withCache({}, async (cache) => {
    const outer = new Keyv({ store: new Keyv5Cairn(cache), namespace: 'a' });
    const inner = new Keyv({ store: new Keyv5Cairn(cache), namespace: 'a:b' });
    await inner.set('c', 1);
    assert.is(await outer.get('b:c'), 1);
    await outer.clear();
    assert.is(await inner.get('c'), undefined);
  }));

const Keyv6 = await loadKeyv6();
if (Keyv6) {
  test('in Keyv 6, through its bridge: relative ttl, namespaces apart', () =>
    withTime(async (time) =>
      withCache({ clock: time.now }, async (cache) => {
        const one = new Keyv6({ store: new Keyv5Cairn(cache), namespace: 'one' });
        const two = new Keyv6({ store: new Keyv5Cairn(cache), namespace: 'two' });
        assert.is(one.store.constructor.name, 'KeyvBridgeAdapter');
        await one.set('a', 1, 500);
        await one.set('b', 1);
        await two.set('a', 2);
        assert.is(await one.get('a'), 1);
        assert.is(await two.get('a'), 2);
        assert.equal(await collect(one.iterator()), [
          ['a', 1],
          ['b', 1],
        ]);
        time.pass(501);
        assert.equal(await one.getMany(['a', 'b']), [undefined, 1]);
        assert.is(await one.has('a'), false);
        assert.equal(await one.deleteMany(['a', 'b']), [false, true]);
        await one.set('b', 1);
        await one.clear();
        assert.equal(await one.hasMany(['a', 'b']), [false, false]);
        assert.is(await two.get('a'), 2);
      }),
    ));
}

test.run();
