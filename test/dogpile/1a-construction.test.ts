/**
 * dogpile.cache, "Region: construction and configuration": make_region, configure, key manglers,
 * wrap, the backend of a region and its replacement. (configure_from_config: 1a-config. Generators of keys: 1d, 1e. Serializers: 1f. Runners: 2.)
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CachedValue,
  CacheRegion,
  createRegion,
  MemoryBackend,
  NO_VALUE,
  NullBackend,
  ProxyBackend,
  registerBackend,
  VALUE_VERSION,
} from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { counting, errorOf, everyWay, FakeClock, SLAB_ARGUMENTS, stored } from './fixtures.ts';

const greeting = (key: string) => `HI!${key}`;

/** Recommends a mangler. */
class ManglingBackend extends MemoryBackend<any> {
  override keyMangler(_key: string): string {
    return 'foo';
  }
}
registerBackend('test.mangling', () => ManglingBackend);

everyWay('R:test_set_name: a region has the name that it was given', async (on) => {
  const { region } = on.make({ name: 'my-name' });
  assert.is(region.name, 'my-name');
});

everyWay('two steps: made at import, configured later, which returns the region', async (on) => {
  const clock = new FakeClock();
  const region = createRegion<any>({ name: 'two steps', clock: clock.read });
  const { backend, ...options } = on.configuration(clock);
  assert.is(region.isConfigured, false);
  assert.is(region.configure(backend, { ...options, expirationTime: 5 }), region);
  assert.is(region.isConfigured, true);
  const { call } = on.subject(region, clock);
  await call('set', 'k', 1);
  assert.is(await call('get', 'k'), 1);
});

everyWay(
  'R:test_no_config: before configure every operation fails alike, also those for no keys',
  async (on) => {
    const { call } = on.subject(createRegion<any>({ name: 'unconfigured' }), new FakeClock());
    const calls: [any, ...any[]][] = [
      ['get', 'k'],
      ['getMulti', []],
      ['getValueMetadata', 'k'],
      ['has', 'k'],
      ['set', 'k', 1],
      ['setMulti', []],
      ['delete', 'k'],
      ['deleteMulti', []],
      ['getOrCreate', 'k', () => 1],
      ['getOrCreateMulti', [], () => []],
      ['keyIsLocked', 'k'],
      ['invalidate'],
      ['clear'],
    ];
    for (const [name, ...args] of calls) {
      const error = await errorOf(() => call(name, ...args));
      assert.is(error.code, 'ERR_CAIRN_NOT_CONFIGURED', name);
      assert.match(error.message, 'no backend is configured');
    }
  },
);

test('R:test_no_config: backend and actualBackend throw before configure', async () => {
  const region = createRegion({ name: 'unconfigured' });
  for (const member of ['backend', 'actualBackend', 'handle'] as const) {
    assert.is((await errorOf(() => region[member])).code, 'ERR_CAIRN_NOT_CONFIGURED');
  }
  assert.is(region.isConfigured, false);
});

test('R:test_invalid_backend: an unknown name leaves the region unconfigured', async () => {
  const region = createRegion({ name: 'r' });
  const error = await errorOf(() => region.configure('unknown'));
  assert.is(error.code, 'ERR_CAIRN_BACKEND');
  assert.match(error.message, "backend 'unknown' is not registered");
  assert.is(region.isConfigured, false);
  region.configure('cairn.memory');
  assert.is(region.isConfigured, true);
});

everyWay('R:test_dupe_config: a configured region is not configured again', async (on) => {
  const { region, call } = on.make();
  await call('set', 'k', 1);
  const error = await errorOf(() => region.configure('cairn.memory'));
  assert.is(error.code, 'ERR_CAIRN_CONFIGURED');
  assert.match(error.message, 'is already configured');
  assert.is(region.isConfigured, true);
  assert.is(await call('get', 'k'), 1, 'it is as it was');
});

everyWay('R:test_key_mangler_argument, R:test_key_mangler_impl: applied to every key', async (on) => {
  const { region, call } = on.make({ keyMangler: greeting });
  await call('set', 'some key', 'some value');
  assert.is(((await stored(region, 'HI!some key')) as any).payload, 'some value');
  assert.is(await stored(region, 'some key'), NO_VALUE);
  assert.is(await call('get', 'some key'), 'some value');
  assert.equal(await call('getMulti', ['some key', 'other']), ['some value', undefined]);
  assert.is(await call('has', 'some key'), true);
  assert.is((await call('getValueMetadata', 'some key')).payload, 'some value');
  assert.is(await call('getOrCreate', 'some key', () => 'some new value'), 'some value');
  assert.equal(await call('getOrCreateMulti', ['some key'], () => ['some new value']), ['some value']);
  await call('delete', 'some key');
  assert.is(await call('get', 'some key'), undefined);
  await call('setMulti', [['some key', 1]]);
  assert.is(((await stored(region, 'HI!some key')) as any).payload, 1);
  assert.is(await call('deleteMulti', ['some key']), 1);
});

everyWay('the key mangler is applied to the key of the mutex, also by keyIsLocked', async (on) => {
  const asked: string[] = [];
  class Watching extends ProxyBackend<any> {
    override getMutex(key: string) {
      asked.push(key);
      return super.getMutex(key);
    }
  }
  const { call } = on.make({ keyMangler: greeting, wrap: [Watching] });
  await call('getOrCreate', 'k', () => 1);
  assert.is(await call('keyIsLocked', 'k'), false);
  assert.equal(new Set(asked), new Set(['HI!k']));
});

test('R:test_key_mangler_argument: without one of its own a region takes that of its backend', () => {
  const mangler = (options: object) => coreOf(createRegion({ name: 'r', ...options })).mangler;
  assert.is(mangler({ backend: 'cairn.memory', keyMangler: greeting }), greeting);
  assert.is(mangler({ backend: 'cairn.memory' }), null);
  assert.is(mangler({ backend: 'test.mangling' })!('bar'), 'foo');
  assert.is(mangler({ backend: 'test.mangling', keyMangler: greeting }), greeting);
});

test('R:test_replace_backend_config: the mangler is that of the new backend', () => {
  const region = createRegion<any>({ name: 'r' }).configure('cairn.null');
  assert.instance(region.backend, NullBackend);
  assert.is(coreOf(region).mangler, null);
  region.configure('test.mangling', { replaceExistingBackend: true });
  assert.is(region.isConfigured, true);
  assert.instance(region.backend, ManglingBackend);
  assert.is(coreOf(region).mangler!('bar'), 'foo');
});

test("R:test_replace_backend_config_with_custom_key_mangler: the region's own stays", () => {
  const region = createRegion<any>({ name: 'r', keyMangler: greeting }).configure('cairn.null');
  assert.is(coreOf(region).mangler, greeting);
  region.configure('test.mangling', { replaceExistingBackend: true });
  assert.is(coreOf(region).mangler, greeting);
});

test('a mangler that is no function is refused; there is nothing that switches one off', async () => {
  for (const keyMangler of [false, null, 'sha1']) {
    const error = await errorOf(() => createRegion({ name: 'r', keyMangler } as any));
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    assert.is(error.field, 'keyMangler');
  }
});

everyWay(
  'F:test_argument_dictionary_unmodified: unknown arguments are ignored, none is changed',
  async (on) => {
    const own = on.way.store === 'slab' ? SLAB_ARGUMENTS : {};
    const given = { ...own, arbitraryArgOne: 'foo', arbitraryArgTwo: 'bar' };
    const copy = structuredClone(given);
    Object.freeze(given);
    const { call } = on.make({ arguments: given });
    await call('set', 'k', 1);
    assert.is(await call('get', 'k'), 1);
    assert.equal(given, copy);
  },
);

test('R:test_datetime_expiration_time: a day and 8 hours are 115,200,000 ms', () => {
  const region = createRegion<any>({ name: 'r' }).configure('cairn.memory', {
    expirationTime: (24 + 8) * 60 * 60 * 1000,
  });
  assert.is(coreOf(region).expirationTime, 115_200_000);
  assert.is(coreOf(createRegion<any>({ name: 'r' }).configure('cairn.memory')).expirationTime, null);
});

test('R:test_reject_invalid_expiration_time: named, and the region stays unconfigured', async () => {
  const region = createRegion({ name: 'r' });
  for (const expirationTime of ['one hour', -1, NaN, Infinity, new Date(), { days: 1 }]) {
    const error = await errorOf(() => region.configure('cairn.memory', { expirationTime } as any));
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    assert.is(error.field, 'expirationTime');
    assert.is(region.isConfigured, false);
  }
  region.configure('cairn.memory', { expirationTime: 1.5 });
  assert.is(coreOf(region).expirationTime, 1.5, 'fractions are kept');
});

everyWay('R:test_expire: -1 is refused in every operation; null is never', async (on) => {
  const { call, clock } = on.make({ expirationTime: 1000 });
  await call('set', 'k', 'v');
  clock.advance(2000);
  for (const [name, ...args] of [['get'], ['has'], ['getValueMetadata'], ['getOrCreate', () => 1]] as any[]) {
    const error = await errorOf(() => call(name, 'k', ...args, { expirationTime: -1 }));
    assert.is(error.field, 'expirationTime');
  }
  assert.is((await errorOf(() => call('getMulti', ['k'], { expirationTime: -1 }))).code, 'ERR_CAIRN_OPTION');
  const multi = () => call('getOrCreateMulti', ['k'], () => [1], { expirationTime: -1 });
  assert.is((await errorOf(multi)).code, 'ERR_CAIRN_OPTION');
  assert.is(await call('get', 'k', { expirationTime: null }), 'v');
  assert.equal(await call('getMulti', ['k'], { expirationTime: null }), ['v']);
  assert.is(await call('getOrCreate', 'k', () => 'w', { expirationTime: null }), 'v');
  assert.equal(await call('getOrCreateMulti', ['k'], () => ['w'], { expirationTime: null }), ['v']);
});

everyWay('a region configured with null: get and getOrCreate always hit', async (on) => {
  const { call, clock } = on.make({ expirationTime: null });
  await call('set', 'k', 'v');
  clock.advance(1e12);
  assert.is(await call('get', 'k'), 'v');
  assert.equal(await call('getMulti', ['k']), ['v']);
  assert.is(await call('getOrCreate', 'k', () => 'w'), 'v');
});

everyWay('wrap: the first proxy is the outermost', async (on) => {
  const order: string[] = [];
  const noting = (name: string) =>
    class extends ProxyBackend<any> {
      override get(key: string) {
        order.push(name);
        return super.get(key);
      }
    };
  const { region, call } = on.make({ wrap: [noting('A'), noting('B')] });
  await call('get', 'k');
  assert.equal(order, ['A', 'B']);
  assert.is((region.backend as ProxyBackend<any>).proxied instanceof ProxyBackend, true);
});

test('wrap: what is no proxy is refused by its place, and the region stays unconfigured', async () => {
  for (const wrong of [class {}, {}, 'proxy', new MemoryBackend(), MemoryBackend]) {
    const region = createRegion({ name: 'r' });
    const error = await errorOf(() =>
      region.configure('cairn.memory', { wrap: [ProxyBackend, wrong] } as any),
    );
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    assert.is(error.field, 'wrap[1]');
    assert.is(region.isConfigured, false);
  }
});

test('isConfigured: false again after every kind of failure', async () => {
  const region = createRegion<any>({ name: 'r' });
  await errorOf(() => region.configure('unknown'));
  await errorOf(() => region.configure('cairn.memory', { wrap: [5] } as any));
  await errorOf(() => region.configure('cairn.slab', { arguments: { maxBytes: -1 } }));
  await errorOf(() => region.configure('cairn.memory', { unknown: 1 } as any));
  assert.is(region.isConfigured, false);
});

everyWay('R:test_actual_backend_proxied, R:test_actual_backend_noproxy', async (on) => {
  const bare = on.make({ wrap: [] }).region;
  assert.is(bare.backend, bare.actualBackend);
  assert.not.instance(bare.backend, ProxyBackend);
  const { region } = on.make({ wrap: [ProxyBackend, ProxyBackend] });
  assert.instance(region.backend, ProxyBackend);
  assert.not.instance(region.actualBackend, ProxyBackend);
  assert.is((region.backend as any).proxied.proxied, region.actualBackend);
});

everyWay(
  'replaceExistingBackend: another backend, the same strategy, and actualBackend follows',
  async (on) => {
    const { region, call } = on.make();
    await call('set', 'k', 'old');
    const before = { actual: region.actualBackend, core: coreOf(region) };
    region.configure('cairn.memory', { replaceExistingBackend: true });
    assert.is.not(region.actualBackend, before.actual);
    assert.instance(region.actualBackend, MemoryBackend);
    assert.is(coreOf(region).invalidation.strategy, before.core.invalidation.strategy);
    assert.is.not(coreOf(region).localMutexes, before.core.localMutexes, 'a lock registry of its own');
    assert.is(await call('get', 'k'), undefined);
    await call('set', 'k', 'new');
    assert.is(await call('get', 'k'), 'new');
  },
);

everyWay('replaceExistingBackend: the invalidations that the region noted stay', async (on) => {
  const clock = new FakeClock();
  const { region, call } = on.make({ backend: 'cairn.memory', arguments: {} }, clock);
  const map = new Map();
  await call('set', 'k', 'v');
  map.set('k', await stored(region, 'k'));
  map.set('of another writer', new CachedValue('w', { ct: clock.time, v: VALUE_VERSION }));
  clock.advance(1);
  await call('invalidate');
  region.configure('cairn.memory', { replaceExistingBackend: true, arguments: { map } });
  assert.is(await call('get', 'k'), undefined);
  assert.is(await call('get', 'of another writer'), undefined);
  assert.is(await call('get', 'k', { ignoreExpiration: true }), 'v');
  const creator = counting();
  assert.is(await call('getOrCreate', 'k', creator), 'some value 1');
});

test('make_region passes everything on: createRegion makes a CacheRegion of the same options', async () => {
  const options = { name: 'r', keyMangler: greeting, freeze: false };
  assert.instance(createRegion(options), CacheRegion);
  assert.is((await errorOf(() => createRegion({ ...options, unknown: 1 } as any))).field, 'unknown');
  assert.is((await errorOf(() => createRegion({} as any))).field, 'name');
});

test.run();
