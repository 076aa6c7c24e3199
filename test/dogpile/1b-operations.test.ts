/**
 * dogpile.cache, "Region: operations": get, get_value_metadata, set, delete and their multi forms, NO_VALUE, boundaries,
 * key_is_locked, the value's version. (get_or_create: 1b-creating.test.ts.)
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import { CachedValue, NO_VALUE, ProxyBackend, VALUE_VERSION } from '../../src/index.ts';
import { counting, errorOf, everyWay, FakeClock, PROMISES, parked, stored } from './fixtures.ts';

/** Notes every call that reaches it. */
class CallsBackend extends MemoryBackend<any> {
  static calls: string[] = [];
  override get(key: string) {
    CallsBackend.calls.push(`get ${key}`);
    return super.get(key);
  }
  override set(key: string, value: CachedValue<any>) {
    CallsBackend.calls.push(`set ${key}`);
    super.set(key, value);
  }
  override getMulti(keys: readonly string[]) {
    CallsBackend.calls.push(`getMulti ${keys.join()}`);
    return keys.map((key) => super.get(key));
  }
  override setMulti(entries: Iterable<readonly [string, CachedValue<any>]>) {
    const list = [...entries];
    CallsBackend.calls.push(`setMulti ${list.map(([key]) => key).join()}`);
    for (const [key, value] of list) super.set(key, value);
  }
  override deleteMulti(keys: Iterable<string>) {
    CallsBackend.calls.push(`deleteMulti ${[...keys].join()}`);
    return super.deleteMulti(keys);
  }
}
registerBackend('test.calls', () => CallsBackend);
const CALLS = { backend: 'test.calls', arguments: {} };

test('R:test_no_value_str: NO_VALUE is one symbol of the global registry, and truthy', () => {
  assert.is(String(NO_VALUE), 'Symbol(cairn.NO_VALUE)');
  assert.is(NO_VALUE, Symbol.for('cairn.NO_VALUE'));
  assert.ok(NO_VALUE);
});

everyWay('R:test_set_get_value, F:test_region_set_get_value', async (on) => {
  const { call } = on.make();
  assert.is(await call('set', 'some key', 'some value'), true);
  assert.is(await call('get', 'some key'), 'some value');
});

everyWay('R:test_set_get_nothing, F:test_region_set_get_nothing: a miss is undefined', async (on) => {
  const { call } = on.make();
  assert.is(await call('deleteMulti', ['some key']), 0);
  assert.is(await call('get', 'some key'), undefined);
  assert.is(await call('get', 'some key', { expirationTime: 10 }), undefined);
  await call('invalidate');
  assert.is(await call('get', 'some key'), undefined);
});

everyWay('NO_VALUE and None are two things: a stored undefined is told from a miss by has', async (on) => {
  const { call } = on.make();
  await call('set', 'k', undefined);
  await call('set', 'n', null);
  assert.is(await call('get', 'k'), undefined);
  assert.is(await call('get', 'n'), null);
  assert.is(await call('has', 'k'), true);
  assert.is(await call('has', 'other'), false);
  assert.is((await call('getValueMetadata', 'k')).payload, undefined);
  assert.is(await call('getOrCreate', 'k', () => 'new'), undefined);
});

everyWay('R:test_remove, F:test_region_delete: delete is idempotent', async (on) => {
  const { call } = on.make();
  await call('set', 'some key', 'some value');
  assert.is(await call('delete', 'some key'), true);
  assert.is(await call('delete', 'some key'), false);
  assert.is(await call('get', 'some key'), undefined);
});

everyWay('R:test_expire_on_get', async (on) => {
  const { call, clock } = on.make({ expirationTime: 500 });
  await call('set', 'some key', 'some value');
  assert.is(await call('get', 'some key'), 'some value');
  clock.advance(1000);
  assert.is(await call('get', 'some key'), undefined);
  assert.is(await call('has', 'some key'), false);
  assert.equal(await call('getMulti', ['some key']), [undefined]);
});

everyWay('R:test_ignore_expire_on_get: ignoreExpiration skips expiry and invalidation', async (on) => {
  const { call, clock } = on.make({ expirationTime: 500 });
  await call('set', 'some key', 'some value');
  clock.advance(1000);
  const ignoring = { ignoreExpiration: true };
  assert.is(await call('get', 'some key', ignoring), 'some value');
  await call('invalidate', { hard: false });
  assert.is(await call('get', 'some key', ignoring), 'some value');
  await call('invalidate');
  assert.is(await call('get', 'some key', ignoring), 'some value');
  assert.is(await call('has', 'some key', ignoring), true);
  assert.equal(await call('getMulti', ['some key', 'x'], ignoring), ['some value', undefined]);
  assert.is(await call('get', 'some key'), undefined);
});

everyWay('R:test_override_expire_on_get: per call, and not stored', async (on) => {
  const { call, clock } = on.make({ expirationTime: 500 });
  await call('set', 'some key', 'some value');
  clock.advance(1000);
  assert.is(await call('get', 'some key', { expirationTime: 5000 }), 'some value');
  assert.is(await call('get', 'some key'), undefined);
  assert.is(await call('get', 'some key', { expirationTime: 999 }), undefined);
});

everyWay('boundaries: at exactly the expiration time a value is a hit, after it none', async (on) => {
  const { call, clock } = on.make({ expirationTime: 500 });
  const creator = counting();
  await call('set', 'k', 'v');
  clock.advance(500);
  assert.is(await call('get', 'k'), 'v');
  assert.equal(await call('getMulti', ['k']), ['v']);
  assert.is(await call('getOrCreate', 'k', creator), 'v');
  clock.advance(1);
  assert.is(await call('get', 'k'), undefined);
  assert.equal(await call('getMulti', ['k']), [undefined]);
  assert.is(await call('getOrCreate', 'k', creator), 'some value 1');
});

everyWay('boundaries: a value made in the very millisecond of an invalidation', async (on) => {
  const { call, clock } = on.make();
  await call('set', 'before', 'old');
  await call('invalidate');
  assert.is(await call('get', 'before'), undefined, 'in dogpile.cache it would still be valid');
  await call('set', 'after', 'new');
  assert.is(await call('get', 'after'), 'new');
  clock.advance(1);
  assert.is(await call('get', 'after'), 'new');
});

everyWay('R:test_get_value_metadata', async (on) => {
  const { call, clock } = on.make({}, new FakeClock(100));
  await call('set', 'some key', 'some value');
  clock.time = 105;
  const metadata = await call('getValueMetadata', 'some key');
  assert.instance(metadata, CachedValue);
  assert.is(metadata.payload, 'some value');
  assert.is(metadata.cachedTime, 100);
  assert.is(metadata.age, 5);
  clock.time = 106;
  assert.is(metadata.age, 6, 'by the clock of the region, when asked');
});

everyWay('R:test_get_value_metadata_no_value: undefined', async (on) => {
  const { call } = on.make();
  assert.is(await call('getValueMetadata', 'some key'), undefined);
});

everyWay('R:test_get_value_metadata_expired', async (on) => {
  const { call, clock } = on.make();
  await call('set', 'some key', 'some value');
  clock.advance(5);
  assert.is(await call('getValueMetadata', 'some key', { expirationTime: 4 }), undefined);
});

everyWay('R:test_get_value_metadata_expiration_ignored', async (on) => {
  const { call, clock } = on.make();
  const begin = clock.time;
  await call('set', 'some key', 'some value');
  clock.advance(5);
  const options = { expirationTime: 4, ignoreExpiration: true };
  const metadata = await call('getValueMetadata', 'some key', options);
  assert.is(metadata.payload, 'some value');
  assert.is(metadata.cachedTime, begin);
  assert.is(metadata.age, 5);
});

const THREE: readonly [string, string][] = [
  ['key1', 'value1'],
  ['key2', 'value2'],
  ['key3', 'value3'],
];

everyWay('R:test_should_set_multiple_values, F:test_region_set_multiple_values', async (on) => {
  const { call, region, clock } = on.make();
  const begin = clock.time;
  assert.is(await call('setMulti', THREE), true);
  for (const [key, value] of THREE) {
    assert.is(await call('get', key), value);
    assert.is(((await stored(region, key)) as CachedValue).metadata.ct, begin, 'one time for all');
  }
  assert.is(await call('setMulti', new Map([['key1', 'other']])), true, 'any iterable of entries');
  assert.is(await call('get', 'key1'), 'other');
});

everyWay('R:test_should_get_multiple_values, F:test_region_get_multiple_values', async (on) => {
  const { call } = on.make();
  for (const [key, value] of THREE) await call('set', key, value);
  assert.equal(await call('getMulti', ['key1', 'key2', 'key3']), ['value1', 'value2', 'value3']);
  assert.equal(await call('getMulti', new Set(['key3', 'key1'])), ['value3', 'value1'], 'in the order asked');
});

everyWay('F:test_region_get_nothing_multiple: undefined in the gaps', async (on) => {
  const { call } = on.make();
  await call('deleteMulti', ['key1', 'key2', 'key3', 'key4', 'key5']);
  await call('setMulti', [
    ['key1', 'value1'],
    ['key3', 'value3'],
    ['key5', 'value5'],
  ]);
  assert.equal(await call('getMulti', ['key1', 'key2', 'key3', 'key4', 'key5', 'key6']), [
    'value1',
    undefined,
    'value3',
    undefined,
    'value5',
    undefined,
  ]);
});

everyWay('R:test_should_delete_multiple_values, F:test_region_delete_multiple', async (on) => {
  const { call } = on.make();
  await call('setMulti', THREE);
  assert.is(await call('deleteMulti', ['key2', 'key1000']), 1);
  assert.is(await call('get', 'key1'), 'value1');
  assert.is(await call('get', 'key2'), undefined);
  assert.is(await call('get', 'key3'), 'value3');
  assert.is(await call('get', 'key1000'), undefined);
});

everyWay(
  'F:test_region_get_zero_multiple_values, _get_empty_multiple, _set_zero_multiple_values',
  async (on) => {
    const { call } = on.make(CALLS);
    CallsBackend.calls = [];
    assert.equal(await call('getMulti', []), []);
    assert.is(await call('setMulti', []), true);
    assert.is(await call('deleteMulti', []), 0);
    assert.equal(await call('getOrCreateMulti', [], () => []), []);
    assert.equal(CallsBackend.calls, [], 'the backend is not called');
  },
);

everyWay('the Multi forms call those of the backend, once', async (on) => {
  const { call } = on.make(CALLS);
  CallsBackend.calls = [];
  await call('setMulti', THREE);
  await call('getMulti', ['key2', 'key9']);
  await call('deleteMulti', ['key2', 'key3']);
  assert.equal(CallsBackend.calls, [
    'setMulti key1,key2,key3',
    'getMulti key2,key9',
    'deleteMulti key2,key3',
  ]);
});

everyWay('set: the metadata are the time and the version, and the generation', async (on) => {
  const { call, region, clock } = on.make();
  const begin = clock.time;
  await call('set', 'k', 'v');
  const { payload, metadata } = (await stored(region, 'k')) as CachedValue;
  assert.is(payload, 'v');
  assert.equal(Object.keys(metadata).sort(), ['ct', 'generation', 'v']);
  assert.is(metadata.ct, begin);
  assert.is(metadata.v, VALUE_VERSION);
  assert.type(metadata.generation, 'number');
});

everyWay(
  'R:LoggingTest.test_log_is_value_version_miss: another version is a miss for every read',
  async (on) => {
    const { call, region, clock } = on.make();
    const odd = new CachedValue('odd', { ct: clock.time, v: VALUE_VERSION + 5 });
    await region.actualBackend.set('k', odd);
    assert.is(await call('get', 'k'), undefined);
    assert.is(await call('get', 'k', { ignoreExpiration: true }), undefined);
    assert.equal(await call('getMulti', ['k']), [undefined]);
    assert.is(await call('getValueMetadata', 'k'), undefined);
    assert.is(await call('getOrCreate', 'k', () => 'new'), 'new');
    assert.is(((await stored(region, 'k')) as CachedValue).payload, 'new', 'regenerated and overwritten');
    await region.actualBackend.set('m', odd);
    assert.equal(await call('getOrCreateMulti', ['m'], () => ['new']), ['new']);
  },
);

everyWay('R:test_key_is_locked: asking does not lock', async (on) => {
  const { call } = on.make();
  assert.is(await call('keyIsLocked', 'some key'), false);
  assert.is(await call('keyIsLocked', 'some key'), false);
  assert.is(await call('getOrCreate', 'some key', () => 1), 1);
});

everyWay('F:test_region_is_key_locked: true while the mutex of the backend is held', async (on) => {
  const { call, region } = on.make({ keyMangler: (key) => `<${key}>` });
  const mutex = region.backend.getMutex('<k>');
  if (mutex === null) return;
  assert.is(await mutex.acquire(), true);
  assert.is(await call('keyIsLocked', 'k'), true, 'the key is mangled');
  mutex.release();
  assert.is(await call('keyIsLocked', 'k'), false);
});

everyWay(
  'keyIsLocked: true while the key is being created, whoever asks',
  async (on) => {
    const { call, region } = on.make({ keyMangler: (key) => `<${key}>` });
    const { gate, started, creator } = parked();
    const creating = call('getOrCreate', 'k', creator);
    await started;
    assert.is(await call('keyIsLocked', 'k'), true);
    assert.is(region.keyIsLockedSync('k'), true);
    gate.resolve('v');
    await creating;
    assert.is(await call('keyIsLocked', 'k'), false);
  },
  PROMISES,
);

everyWay('a mutex without locked(): keyIsLocked says so', async (on) => {
  class Silent extends ProxyBackend<any> {
    override getMutex() {
      return { acquire: () => true, release: () => {} };
    }
  }
  const { call } = on.make({ wrap: [Silent] });
  assert.is(await call('getOrCreate', 'k', () => 1), 1);
  assert.is((await errorOf(() => call('keyIsLocked', 'k'))).code, 'ERR_CAIRN_MUTEX');
});

test.run();
