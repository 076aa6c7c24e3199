/**
 * dogpile.cache, "Serialisation": serializer and deserializer work for every backend, which gets a CachedValue whose
 * payload is what the serializer made.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CachedValue, CantDeserializeError, createRegion, NO_VALUE } from '../../src/index.ts';
import { counting, errorOf, everyWay, PROMISES, parked, stored, turns } from './fixtures.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const JSON_BYTES = {
  serializer: (value: unknown) => encoder.encode(JSON.stringify(value)),
  deserializer: (bytes: Uint8Array) => JSON.parse(decoder.decode(bytes)),
};
const VALUE = { foo: ['bar', 1, false, null] };

everyWay('F:test_uses_serializer', async (on) => {
  const { call, region } = on.make(JSON_BYTES);
  await call('set', 'k', VALUE);
  const { payload } = (await stored(region, 'k')) as CachedValue<Uint8Array>;
  assert.instance(payload, Uint8Array);
  assert.equal([...payload], [...JSON_BYTES.serializer(VALUE)]);
  assert.equal(JSON_BYTES.deserializer(payload), VALUE);
});

everyWay('F:test_uses_deserializer', async (on) => {
  const { call } = on.make(JSON_BYTES);
  await call('set', 'k', VALUE);
  assert.equal(await call('get', 'k'), VALUE);
  assert.equal((await call('getValueMetadata', 'k')).payload, VALUE);
  assert.equal(await call('getOrCreate', 'k', () => 'other'), VALUE);
});

everyWay('the Multi forms too, which dogpile.cache notes as a gap of its tests', async (on) => {
  const { call, region } = on.make(JSON_BYTES);
  await call('setMulti', [
    ['a', 1],
    ['b', VALUE],
  ]);
  assert.instance(((await stored(region, 'b')) as CachedValue).payload, Uint8Array);
  assert.equal(await call('getMulti', ['b', 'x', 'a']), [VALUE, undefined, 1]);
  assert.equal(await call('getOrCreateMulti', ['a', 'c'], () => [3]), [1, 3]);
  assert.equal([...((await stored(region, 'c')) as CachedValue<Uint8Array>).payload], [0x33]);
});

everyWay('what a creator made is given to its caller as it is, to later ones deserialized', async (on) => {
  const { call } = on.make(JSON_BYTES);
  const made = { n: 1 };
  assert.is(await call('getOrCreate', 'k', () => made), made);
  const later = await call('get', 'k');
  assert.equal(later, made);
  assert.is.not(later, made);
});

everyWay('metadata are beside the payload, whatever is in it', async (on) => {
  const { call } = on.make({ serializer: (value: any) => `${value}`, deserializer: (text: string) => text });
  for (const text of ['|', '{"ct":1}|a|b', '', '||']) {
    await call('set', 'k', text);
    assert.is(await call('get', 'k'), text);
  }
});

everyWay('the two are looked at separately', async (on) => {
  const only = on.make({ serializer: (value: any) => `<${value}>` });
  await only.call('set', 'k', 'v');
  assert.is(await only.call('get', 'k'), '<v>');
  const other = on.make({ deserializer: (value: any) => `(${value})` });
  await other.call('set', 'k', 'v');
  assert.is(await other.call('get', 'k'), '(v)');
});

everyWay('F:test_serializer_cant_deserialize: a miss, so getOrCreate makes it anew', async (on) => {
  let unreadable = true;
  const { call, region } = on.make({
    ...JSON_BYTES,
    deserializer: (bytes: Uint8Array) => {
      if (unreadable) throw new CantDeserializeError();
      return JSON_BYTES.deserializer(bytes);
    },
  });
  await call('set', 'k', VALUE);
  assert.is(await call('get', 'k'), undefined);
  assert.is(await call('has', 'k'), false);
  assert.equal(await call('getMulti', ['k']), [undefined]);
  assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
  assert.equal(await call('getOrCreateMulti', ['k'], () => ['newer']), ['newer']);
  unreadable = false;
  assert.is(await call('get', 'k'), 'newer');
  assert.is.not(await stored(region, 'k'), NO_VALUE);
});

everyWay('any other error of a deserializer reaches the caller', async (on) => {
  const wrong = new Error('wrong');
  const { call } = on.make({
    deserializer: () => {
      throw wrong;
    },
  });
  await call('set', 'k', 'v');
  const creator = counting();
  assert.is(await errorOf(() => call('get', 'k')), wrong);
  assert.is(await errorOf(() => call('getMulti', ['k'])), wrong);
  assert.is(await errorOf(() => call('getOrCreate', 'k', creator)), wrong);
  assert.is(await errorOf(() => call('getOrCreateMulti', ['k'], creator)), wrong);
  assert.is(creator.runs, 0);
});

everyWay('a serializer that fails in getOrCreate: the creator ran, nothing is stored or held', async (on) => {
  const wrong = new Error('wrong');
  const { call, region } = on.make({
    serializer: () => {
      throw wrong;
    },
  });
  const creator = counting();
  assert.is(await errorOf(() => call('getOrCreate', 'k', creator)), wrong);
  assert.is(creator.runs, 1);
  assert.is(await stored(region, 'k'), NO_VALUE);
  assert.is(await call('keyIsLocked', 'k'), false);
  assert.is(await errorOf(() => call('set', 'k', 1)), wrong);
  assert.is(await errorOf(() => call('getOrCreateMulti', ['k', 'l'], (keys: string[]) => keys)), wrong);
  assert.is(await call('keyIsLocked', 'l'), false);
});

everyWay(
  'those who joined get the error of the serializer too',
  async (on) => {
    const wrong = new Error('wrong');
    const { call } = on.make({
      serializer: () => {
        throw wrong;
      },
    });
    const it = parked();
    const calls = [1, 2, 3].map(() => errorOf(() => call('getOrCreate', 'k', it.creator)));
    await it.started;
    await turns(40);
    it.gate.resolve('v');
    assert.equal(await Promise.all(calls), [wrong, wrong, wrong]);
    assert.is(it.runs, 1);
  },
  PROMISES,
);

test('serializers that are no functions are refused', async () => {
  for (const name of ['serializer', 'deserializer']) {
    assert.is((await errorOf(() => createRegion({ name: 'r', [name]: JSON } as any))).field, name);
  }
});

test.run();
