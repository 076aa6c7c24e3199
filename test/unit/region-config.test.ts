/** `configureFromConfig`, `replaceExistingBackend`, serializers, manglers, and what attached regions must bring. */
import { channel } from 'node:diagnostics_channel';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  attachRegion,
  CacheBackend,
  type CachedValue,
  CantDeserializeError,
  createRegion,
  lengthConditionalMangler,
  MemoryBackend,
  NO_VALUE,
  ProxyBackend,
  registerBackend,
  SharedCache,
  sha1Mangler,
} from '../../src/index.ts';
import { coerce } from '../../src/region/config.ts';
import { checkHeap } from '../support/engine.ts';
import { deferred, errorOf, FakeClock, TimeStrategy, turns } from './region-fixtures.ts';

const MEBIBYTE = 2 ** 20;

class Noted extends CacheBackend {
  static last: Noted;
  readonly args: any;
  readonly map = new Map<string, CachedValue>();
  closed = 0;
  constructor(args: object) {
    super();
    this.args = args;
    Noted.last = this;
  }
  override get(key: string) {
    return this.map.get(key) ?? NO_VALUE;
  }
  override set(key: string, value: CachedValue) {
    this.map.set(key, value);
  }
  override delete(key: string) {
    return this.map.delete(key);
  }
  override close() {
    this.closed++;
  }
}
registerBackend('test.noted', () => Noted);

test('coerce: as dogpile does', () => {
  const cases: [unknown, unknown][] = [
    ['600', 600],
    ['-5', -5],
    ['+7', 7],
    ['1.', 1],
    ['.5', 0.5],
    ['1e3', 1000],
    [' 12 ', 12],
    ['1_000', '1_000'],
    ['0x10', '0x10'],
    ['true', true],
    ['False', false],
    ['None', null],
    ['null', null],
    ['none', 'none'],
    [' text ', 'text'],
    ['', ''],
    ['.', '.'],
    [5, 5],
    [null, null],
  ];
  for (const [given, expected] of cases) assert.is(coerce(given), expected, String(given));
});

test('configureFromConfig: names behind the prefix, strings coerced, arguments for the backend', () => {
  const config = {
    'cache.backend': 'test.noted',
    'cache.expirationTime': '600',
    'cache.arguments.url': '127.0.0.1',
    'cache.arguments.limit': '10',
    'cache.arguments.lock': 'false',
    'cache.arguments.name': 'None',
    'cache.unknown': '1',
    'other.backend': 'cairn.null',
  };
  const before = structuredClone(config);
  const region = createRegion({ name: 'configured' });
  assert.is(region.configureFromConfig(config, 'cache.'), region);
  assert.equal(Noted.last.args, { url: '127.0.0.1', limit: 10, lock: false, name: null });
  assert.equal(config, before);
  assert.is(
    createRegion({ name: 'x' }).configureFromConfig({ backend: 'cairn.memory', expirationTime: 'None' }, '')
      .isConfigured,
    true,
  );
  const proxied = createRegion({ name: 'p' }).configureFromConfig(
    { 'c.backend': 'cairn.memory', 'c.wrap': [ProxyBackend] },
    'c.',
  );
  assert.instance(proxied.backend, ProxyBackend);
});

test('configureFromConfig: what is wrong is named, and the region stays unconfigured', async () => {
  const cases: [object, string][] = [
    [{ 'cache.expirationTime': '5' }, 'cache.backend'],
    [{ 'cache.backend': 5 }, 'cache.backend'],
    [{ 'cache.backend': 'cairn.memory', 'cache.expirationTime': 'one hour' }, 'expirationTime'],
  ];
  for (const [config, field] of cases) {
    const region = createRegion({ name: 'wrong' });
    const error = await errorOf(() => region.configureFromConfig(config as any, 'cache.'));
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    assert.is(error.field, field);
    assert.is(region.isConfigured, false);
  }
  const region = createRegion({ name: 'wrong' });
  assert.is((await errorOf(() => region.configureFromConfig(null as any, ''))).field, 'config');
  assert.is((await errorOf(() => region.configureFromConfig({}, 5 as any))).field, 'prefix');
  assert.is(
    (await errorOf(() => region.configureFromConfig({ backend: 'nowhere' }, ''))).code,
    'ERR_CAIRN_BACKEND',
  );
});

test('replaceExistingBackend: the new backend, the old strategy, and the old backend closed', async () => {
  const clock = new FakeClock();
  const strategy = new TimeStrategy(clock);
  const region = createRegion<string>({ name: 'replaced', clock: clock.read });
  region.configure('test.noted', { regionInvalidator: strategy });
  const first = Noted.last;
  await region.set('k', 'first');
  assert.is((await errorOf(() => region.configure('test.noted'))).code, 'ERR_CAIRN_CONFIGURED');
  assert.is(first.closed, 0);
  region.configure('test.noted', { replaceExistingBackend: true, expirationTime: 10 });
  const second = Noted.last;
  assert.is.not(first, second);
  assert.is(first.closed, 1);
  assert.is(region.actualBackend, second);
  assert.is(await region.get('k'), undefined);
  await region.set('k', 'second');
  await region.invalidate();
  assert.is(strategy.wasHardInvalidated(), true);
  assert.is(await region.get('k'), undefined);
  // One that fails leaves what stands.
  assert.is(
    (await errorOf(() => region.configure('nowhere', { replaceExistingBackend: true }))).code,
    'ERR_CAIRN_BACKEND',
  );
  assert.is(region.actualBackend, second);
});

test('replaceExistingBackend: invalidations that the region keeps are kept', async () => {
  const map = new Map();
  const region = createRegion<string>({ name: 'kept', backend: 'cairn.memory', arguments: { map } });
  await region.set('k', 'v');
  await region.invalidate();
  region.configure('cairn.memory', { replaceExistingBackend: true, arguments: { map } });
  assert.is(await region.get('k'), undefined);
  await region.set('k', 'new');
  assert.is(await region.get('k'), 'new');
});

test('replaceExistingBackend: a creation that runs gives its value and does not store it', async () => {
  const region = createRegion<string>({ name: 'running', backend: 'cairn.memory' });
  const gate = deferred<string>();
  const call = region.getOrCreate('k', () => gate.promise);
  const map = new Map();
  region.configure('cairn.memory', { replaceExistingBackend: true, arguments: { map } });
  gate.resolve('late');
  assert.is(await call, 'late');
  assert.is(map.size, 0);
});

test('replaceExistingBackend: by a class that comes by a promise, also while another loads', async () => {
  const gate = deferred<any>();
  registerBackend('test.slow', () => gate.promise);
  const region = createRegion<string>({ name: 'loading', backend: 'cairn.memory' });
  await region.set('k', 'memory');
  region.configure('test.slow', { replaceExistingBackend: true });
  assert.is(await region.get('k'), 'memory', 'until the new one is there');
  gate.resolve(Noted);
  await turns(3);
  assert.instance(region.actualBackend, Noted);
  assert.is(await region.get('k'), undefined);
});

test('serializers: on every backend, in every operation', async () => {
  const clock = new FakeClock();
  const options = {
    clock: clock.read,
    serializer: (value: any) => `s:${JSON.stringify(value)}`,
    deserializer: (text: string) => {
      if (text === 's:"broken"') throw new CantDeserializeError();
      if (text === 's:"bad"') throw new Error('not mine');
      return JSON.parse(text.slice(2));
    },
  };
  const cache = SharedCache.create({ maxBytes: 2 * MEBIBYTE });
  for (const [backend, args] of [
    ['cairn.memory', {}],
    ['cairn.slab', { cache }],
  ] as const) {
    const region = createRegion<any>({
      name: 'serialized',
      backend,
      arguments: args,
      expirationTime: 10,
      ...options,
    });
    const raw = async (key: string) => ((await region.backend.get(key)) as CachedValue).payload;
    await region.set('k', { a: 1 });
    assert.is(await raw('k'), 's:{"a":1}');
    assert.equal(await region.get('k'), { a: 1 });
    assert.equal(region.getMultiSync(['k', 'x']), [{ a: 1 }, undefined]);
    assert.equal((await region.getValueMetadata('k'))!.payload, { a: 1 });
    await region.setMulti([['m', [1]]]);
    assert.is(await raw('m'), 's:[1]');
    const made = { made: true };
    assert.is(await region.getOrCreate('c', () => made), made);
    assert.equal(await region.getOrCreate('c', () => 'never'), made);
    assert.is.not(await region.get('c'), made);
    assert.equal(
      region.getOrCreateMultiSync(['c', 'd'], () => ['D']),
      [made, 'D'],
    );
    assert.is(await raw('d'), 's:"D"');
    clock.advance(11);
    assert.equal(
      await region.getOrCreate('c', () => Promise.reject(new Error()), { staleOnError: true }),
      made,
    );
    await region.set('b', 'broken');
    assert.is(await region.get('b'), undefined);
    assert.is(await region.getOrCreate('b', () => 'mended'), 'mended');
    assert.is(await region.get('b'), 'mended');
    await region.set('b', 'bad');
    assert.is((await errorOf(() => region.get('b'))).message, 'not mine');
    assert.is((await errorOf(() => region.getOrCreate('b', () => 1))).message, 'not mine');
    const circular: any = {};
    circular.self = circular;
    let ran = 0;
    const error = await errorOf(() =>
      region.getOrCreate('e', () => {
        ran++;
        return circular;
      }),
    );
    assert.instance(error, TypeError);
    assert.is(ran, 1);
    assert.is(await region.has('e'), false);
    assert.is(await region.keyIsLocked('e'), false);
    assert.instance(await errorOf(() => region.set('k', circular)), TypeError);
    assert.is(
      (await errorOf(() => createRegion({ name: 'x', serializer: 'json' as any }))).field,
      'serializer',
    );
  }
  checkHeap(cache);
  cache.close();
});

test('an attached region must bring the functions of its owner', async () => {
  const clock = new FakeClock();
  const functions = {
    clock: clock.read,
    keyMangler: sha1Mangler,
    serializer: (value: any) => [value],
    deserializer: (value: any) => value[0],
    wrap: [ProxyBackend],
    regionInvalidator: new TimeStrategy(clock),
  };
  const region = createRegion<any>({
    name: 'owner',
    backend: 'cairn.slab',
    arguments: { maxBytes: MEBIBYTE },
    ...functions,
  });
  await region.set('k', 'v');
  const handle = structuredClone(region.handle);
  for (const missing of Object.keys(functions)) {
    const { [missing as keyof typeof functions]: _, ...rest } = functions;
    const error = await errorOf(() => attachRegion(handle, rest as object));
    assert.is(error.code, 'ERR_CAIRN_HANDLE');
    assert.match(error.message, missing);
  }
  const attached = attachRegion<any>(handle, { ...functions, wrap: [new ProxyBackend()] });
  assert.is(await attached.get('k'), 'v');
  assert.equal(await attached.getOrCreateMulti(['k', 'n'], () => ['new']), ['v', 'new']);
  assert.is(await region.get('n'), 'new');
  assert.is(attached.stats().hits, region.stats().hits);
  attached.close();
  region.close();
});

test('lengthConditionalMangler: from that length on', async () => {
  const mangler = lengthConditionalMangler(5, (key) => `m${key.length}`);
  assert.is(mangler('1234'), '1234');
  assert.is(mangler('12345'), 'm5');
  assert.is(lengthConditionalMangler(0, () => 'all')(''), 'all');
  assert.is((await errorOf(() => lengthConditionalMangler(-1, sha1Mangler))).field, 'length');
  assert.is((await errorOf(() => lengthConditionalMangler(1.5, sha1Mangler))).field, 'length');
  assert.is((await errorOf(() => lengthConditionalMangler(1, 'sha1' as any))).field, 'mangler');
  const region = createRegion<string>({ name: 'l', backend: 'test.noted', keyMangler: mangler });
  await region.set('a long key', 'v');
  assert.equal([...Noted.last.map.keys()], ['m10']);
  assert.is(await region.keyIsLocked('a long key'), false);
});

test('keyIsLocked looks at the mutex of the mangled key, and needs one that can tell', async () => {
  const asked: string[] = [];
  let mutex: any = { acquire: () => true, release() {}, locked: () => true };
  class WithMutex extends MemoryBackend {
    override getMutex(key: string) {
      asked.push(key);
      return mutex;
    }
  }
  registerBackend('test.with-mutex', () => WithMutex);
  const region = createRegion({ name: 'm', backend: 'test.with-mutex', keyMangler: (key) => `m:${key}` });
  assert.is(await region.keyIsLocked('k'), true);
  assert.equal(asked, ['m:k']);
  mutex = { acquire: () => true, release() {} };
  assert.is((await errorOf(() => region.keyIsLocked('k'))).code, 'ERR_CAIRN_MUTEX');
  assert.is((await errorOf(() => region.keyIsLockedSync('k'))).code, 'ERR_CAIRN_MUTEX');
});

test('stats count what happened, and channels tell it', async () => {
  const clock = new FakeClock();
  const region = createRegion<string>({
    name: 'told',
    backend: 'cairn.memory',
    expirationTime: 10,
    clock: clock.read,
  });
  const events: unknown[] = [];
  const names = ['hit', 'miss', 'load', 'error', 'invalidate'];
  const listeners = names.map((name) => {
    const listener = (message: any) => {
      const { durationMs, ...rest } = message;
      if (name === 'load') assert.ok(durationMs >= 0);
      events.push([name, rest]);
    };
    channel(`cairn:${name}`).subscribe(listener);
    return () => channel(`cairn:${name}`).unsubscribe(listener);
  });
  const told = () => events.splice(0);
  await region.getOrCreate('k', () => 'v');
  assert.equal(told(), [
    ['miss', { region: 'told', key: 'k' }],
    ['load', { region: 'told', keys: ['k'], locked: true }],
  ]);
  await region.get('k');
  await region.getOrCreate('k', () => 'never');
  assert.equal(told(), Array(2).fill(['hit', { region: 'told', key: 'k', stale: false }]));
  clock.advance(11);
  const error = new Error('origin');
  const failing = () => Promise.reject(error);
  await region.getOrCreate('k', failing, { staleOnError: true });
  assert.equal(told(), [
    ['miss', { region: 'told', key: 'k' }],
    ['load', { region: 'told', keys: ['k'], locked: true }],
    ['error', { region: 'told', keys: ['k'], error }],
    ['hit', { region: 'told', key: 'k', stale: true }],
  ]);
  await region.invalidate({ hard: false });
  await region.invalidate();
  await region.clear();
  assert.equal(told(), [
    ['invalidate', { region: 'told', how: 'soft' }],
    ['invalidate', { region: 'told', how: 'hard' }],
    ['invalidate', { region: 'told', how: 'clear' }],
  ]);
  await region.has('k');
  assert.equal(told(), []);
  for (const end of listeners) end();
  await region.get('k');
  assert.equal(told(), []);
  const { loadTimes, ...counted } = region.stats();
  assert.equal(counted, {
    hits: 2,
    misses: 3,
    staleServed: 1,
    loads: 2,
    loadErrors: 1,
    joined: 0,
    waits: 0,
    unlockedCreations: 0,
    refusedStores: 0,
  });
  assert.is(
    loadTimes.buckets.reduce((sum, { count }) => sum + count, 0),
    2,
  );
  assert.is(loadTimes.buckets[0].belowMs, 1);
  assert.is(loadTimes.buckets.at(-1)!.belowMs, Infinity);
});

test.run();
