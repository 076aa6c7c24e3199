/** Wrong options, handles, keys and values: each a typed error that names the field and its value; nothing is lost or leaked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import type { CacheHandle } from '../../src/engine/handle.ts';
import * as errors from '../../src/errors.ts';
import { show } from '../../src/show.ts';
import { MAX_BYTES } from '../../src/store/options.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { fails, refusesOption, smallCache, uses } from '../support/bad-use.ts';
import { checkHeap } from '../support/engine.ts';
import { slots } from '../support/threads.ts';

const MIB = 2 ** 20;
const custom = { name: 'mine', encode: JSON.stringify, decode: JSON.parse };
type Any = any;

const WRONG_NUMBERS = ['1', Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, null, true, {}, [], 5n];
const WRONG: Record<string, unknown[]> = {
  maxBytes: [...WRONG_NUMBERS, 0, MIB - 1, MAX_BYTES + 1, 4 * 2 ** 30],
  mutexes: [...WRONG_NUMBERS, 0, 65_537],
  maxValueBytes: [...WRONG_NUMBERS, 0, 16 * MIB + 1],
  maxThreads: [...WRONG_NUMBERS, 0, 257],
  shards: [...WRONG_NUMBERS, 0, 3, 6, 257, 512],
  ttl: ['60000', Number.NaN, 0, -1, Number.NEGATIVE_INFINITY, true, {}, 5n],
  lease: ['60000', Number.NaN, 0, -1, Number.POSITIVE_INFINITY, 2 ** 31 + 1, true, {}],
  clock: [5, 'now', {}, true],
  decoded: [5, 'off', true],
  codec: [5, 'xml', true, 'Structured'],
};

test('every option of create, wrong in type or range', () => {
  for (const [field, values] of Object.entries(WRONG)) {
    for (const value of values)
      refusesOption(() => SharedCache.create({ [field]: value } as Any), field, value);
  }
  for (const value of [-1, 1.5, '1', Number.NaN, null]) {
    refusesOption(() => SharedCache.create({ decoded: { bytes: value } } as Any), 'decoded.bytes', value);
  }
  for (const value of ['frozen', 5, true]) {
    refusesOption(() => SharedCache.create({ decoded: { mode: value } } as Any), 'decoded.mode', value);
  }
  refusesOption(() => SharedCache.create({ decoded: { byte: 5 } } as Any), 'byte', 5);
  const withCodec = (part: object) => () => SharedCache.create({ codec: { ...custom, ...part } } as Any);
  for (const name of ['', 5, undefined, 'json', 'x'.repeat(65), '\u2192'.repeat(22)])
    refusesOption(withCodec({ name }), 'codec.name', name);
  for (const encode of [undefined, 'x', {}]) refusesOption(withCodec({ encode }), 'codec.encode', encode);
  for (const decode of [undefined, 'x', {}]) refusesOption(withCodec({ decode }), 'codec.decode', decode);
});

test('null is no default, except for ttl', () => {
  const cache = smallCache();
  const taken: string[] = [];
  const refuses = (field: string, run: () => unknown) => {
    try {
      run();
      taken.push(field);
    } catch (error) {
      assert.is((error as errors.OptionError).code, 'ERR_CAIRN_OPTION');
      assert.is((error as errors.OptionError).field, field);
    }
  };
  for (const field of Object.keys(WRONG)) {
    if (field !== 'ttl') refuses(field, () => SharedCache.create({ [field]: null } as Any));
  }
  for (const field of ['bytes', 'mode']) {
    refuses(`decoded.${field}`, () => SharedCache.create({ decoded: { [field]: null } } as Any));
  }
  for (const field of ['codec', 'decoded', 'clock']) {
    refuses(field, () => SharedCache.attach(cache.handle, { [field]: null } as Any));
  }
  assert.equal(taken, []);
  checkHeap(cache);
  cache.close();
});

test('unknown options, and options that are none', () => {
  for (const [name, value] of Object.entries({
    max: 500,
    maxbytes: 5,
    dispose: () => 1,
    maxSize: 'x',
    TTL: 1,
  })) {
    refusesOption(() => SharedCache.create({ maxBytes: MIB, [name]: value } as Any), name, value);
  }
  for (const options of [null, 5, 'x', true, () => 1])
    refusesOption(() => SharedCache.create(options as Any), 'options', options);
  fails(() => new (SharedCache as Any)(), errors.OptionError, 'ERR_CAIRN_OPTION', 'SharedCache.create');
});

test('options that leave no room are refused by name', () => {
  refusesOption(() => SharedCache.create({ maxBytes: MIB, mutexes: 65_536 }), 'mutexes', 65_536);
  refusesOption(() => SharedCache.create({ maxBytes: MIB, maxThreads: 256 }), 'maxThreads', 256);
  refusesOption(() => SharedCache.create({ maxBytes: MIB, shards: 256, maxValueBytes: 64 }), 'shards', 256);
  refusesOption(
    () => SharedCache.create({ maxBytes: MIB, maxValueBytes: MIB / 2 }),
    'maxValueBytes',
    MIB / 2,
  );
  refusesOption(
    () => SharedCache.create({ maxBytes: 64 * MIB, shards: 64, maxValueBytes: MIB }),
    'maxValueBytes',
    MIB,
  );
});

test('the edges themselves are taken', () => {
  for (const options of [
    { maxBytes: MIB },
    { maxBytes: MAX_BYTES },
    {
      maxBytes: 16 * MIB,
      maxThreads: 256,
      mutexes: 65_536,
      maxValueBytes: 1,
      lease: 2 ** 31,
      ttl: 0.5,
      clock: () => 1e12,
    },
    { maxBytes: 8 * MIB, maxThreads: 1, mutexes: 1, shards: 1, lease: 0.5, ttl: Number.POSITIVE_INFINITY },
    { maxBytes: 4 * MIB, ttl: null, decoded: { bytes: 0 } },
    { maxBytes: 96 * MIB, maxValueBytes: 16 * MIB, codec: { ...custom, name: 'x'.repeat(64) } },
  ]) {
    const cache = SharedCache.create<Any>(options);
    cache.set('', 1);
    assert.is(cache.get(''), 1);
    assert.ok(cache.bytes < options.maxBytes);
    assert.is(cache.maxBytes, options.maxBytes);
    checkHeap(cache);
    cache.close();
  }
});

test('an attached cache has the ceiling that its owner gave', () => {
  const cache = SharedCache.create({ maxBytes: 3_000_000 });
  const attached = SharedCache.attach(cache.handle);
  assert.is(attached.maxBytes, cache.maxBytes);
  attached.close();
  checkHeap(cache);
  cache.close();
});

test('options of attach', () => {
  const cache = smallCache();
  const { handle } = cache;
  cache.set('k', 'stands');
  for (const field of ['clock', 'decoded', 'codec']) {
    for (const value of WRONG[field]!)
      refusesOption(() => SharedCache.attach(handle, { [field]: value } as Any), field, value);
  }
  refusesOption(() => SharedCache.attach(handle, { decoded: { mode: 'x' } } as Any), 'decoded.mode', 'x');
  refusesOption(() => SharedCache.attach(handle, { maxBytes: MIB } as Any), 'maxBytes', MIB);
  for (const options of [null, 5, 'x'])
    refusesOption(() => SharedCache.attach(handle, options as Any), 'options', options);
  assert.is(slots(cache).live, 1);
  assert.is(cache.get('k'), 'stands');
  checkHeap(cache);
  cache.close();
  fails(() => cache.get('k'), errors.EngineClosedError, 'ERR_CAIRN_CLOSED'); // no attach that failed was counted
});

test('handles that are none, or of another build', () => {
  const cache = smallCache();
  const { handle } = cache;
  const { u32 } = SharedCache.engineOf(cache);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const version = (given: unknown, ...words: string[]) =>
    fails(
      () => SharedCache.attach(given as CacheHandle),
      errors.VersionError,
      'ERR_CAIRN_VERSION',
      'handle',
      ...words,
    );
  for (const garbage of [undefined, null, 5, 'x', {}, [], () => 1, cache, { kind: 'cairn.region' }])
    version(garbage);
  version({ ...handle, build: '0123456789abcdef' }, '0123456789abcdef', handle.build);
  version({ ...handle, build: undefined }, 'undefined');
  version({ ...handle, memory: undefined }, 'memory');
  version({ ...handle, memory: new SharedArrayBuffer(65536) }, 'memory');
  version({ ...handle, module: {} }, 'module');
  version({ ...handle, memory }, 'layout');
  for (const field of [L.H_LAYOUT, L.H_MAGIC, L.H_SHARDS, L.H_PAGES, L.H_CODEC]) {
    u32[field >> 2]! ^= 1;
    version(handle);
    u32[field >> 2]! ^= 1;
  }
  SharedCache.attach(handle).close();
  assert.is(slots(cache).live, 1);
  checkHeap(cache);
  cache.close();
  fails(() => SharedCache.attach(handle), errors.EngineClosedError, 'ERR_CAIRN_CLOSED');
});

test('a handle with a memory of no bytes', () => {
  const cache = smallCache();
  const memory = new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true });
  fails(
    () => SharedCache.attach({ ...cache.handle, memory }),
    errors.VersionError,
    'ERR_CAIRN_VERSION',
    'handle',
  );
  checkHeap(cache);
  cache.close();
});

test('codecs of another name', () => {
  for (const [made, given] of [
    ['structured', 'json'],
    ['json', custom],
    [custom, { ...custom, name: 'other' }],
    [custom, undefined],
  ] as const) {
    const cache = smallCache({ codec: made });
    const options = given === undefined ? {} : { codec: given };
    const names = [made, given ?? 'structured'].map(
      (codec) => `'${typeof codec === 'string' ? codec : codec.name}'`,
    );
    fails(
      () => SharedCache.attach(cache.handle, options),
      errors.VersionError,
      'ERR_CAIRN_VERSION',
      'codec',
      ...names,
    );
    cache.set('k', { a: 1 });
    assert.equal(cache.get('k'), { a: 1 });
    assert.is(slots(cache).live, 1);
    checkHeap(cache);
    cache.close();
  }
});

test('keys that are too long, or no strings', () => {
  const cache = smallCache();
  const longest = ['\u00ff'.repeat(960), '\u2192'.repeat(480), `${'a'.repeat(479)}\ud800`];
  for (const key of longest) {
    cache.set(key, key);
    assert.is(cache.get(key), key);
    assert.is(cache.increment(`${key.slice(1)}n`), 1);
  }
  const stood = cache.size;
  for (const key of [
    '\u00ff'.repeat(961),
    '\u2192'.repeat(481),
    `${'a'.repeat(480)}\ud800`,
    'x'.repeat(100_000),
  ]) {
    for (const use of Object.values(uses(cache, key)))
      fails(use, errors.KeyError, 'ERR_CAIRN_KEY', 'key', '960', 'sha1Mangler');
  }
  for (const key of [
    undefined,
    null,
    5,
    Number.NaN,
    5n,
    true,
    Symbol('s'),
    {},
    [],
    ['a'],
    () => 1,
    Object('k'),
  ]) {
    for (const use of Object.values(uses(cache, key)))
      fails(use, errors.KeyError, 'ERR_CAIRN_KEY', 'key', show(key));
  }
  for (const key of longest) assert.is(cache.get(key), key);
  assert.is(cache.size, stood);
  checkHeap(cache);
  cache.close();
});

test('a ttl or write option that is wrong changes nothing', () => {
  const cache = smallCache();
  cache.set('k', 'old', { ttl: 1_000_000 });
  const { expiresAt } = cache.info('k')!;
  const writes = (options: Any): (() => unknown)[] => [
    () => cache.set('k', 'new', options),
    () => cache.add('none', 'new', options),
    () => cache.replace('k', 'new', options),
    () => cache.setMany([['k', 'new']], options),
    () => cache.update('k', () => 'new', options),
    () => cache.increment('none', 1, options),
  ];
  for (const ttl of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY, '60', true, {}, [], 5n, () => 1]) {
    for (const write of writes({ ttl })) refusesOption(write, 'ttl', ttl);
    refusesOption(() => cache.touch('k', ttl as Any), 'ttl', ttl);
  }
  refusesOption(() => (cache as Any).touch('k'), 'ttl', undefined);
  for (const write of writes({ tll: 5 })) refusesOption(write, 'tll', 5);
  for (const options of [null, 5, 'ttl'])
    for (const write of writes(options)) refusesOption(write, 'options', options);
  refusesOption(() => cache.set('k', 'new', { initial: 1 } as Any), 'initial', 1);
  assert.is(cache.get('k'), 'old');
  assert.is(cache.info('k')!.expiresAt, expiresAt);
  assert.is(cache.size, 1);
  checkHeap(cache);
  cache.close();
});

test('increment of what is no number, or to what is not finite', () => {
  const cache = smallCache();
  const wrong = (run: () => unknown, ...words: string[]) =>
    fails(run, errors.ValueTypeError, 'ERR_CAIRN_VALUE_TYPE', ...words);
  for (const value of [
    '5',
    '',
    5n,
    null,
    undefined,
    true,
    [5],
    {},
    new Date(5),
    Buffer.from('5'),
    'x'.repeat(5000),
  ]) {
    cache.set('k', value);
    wrong(() => cache.increment('k'), '"k"');
    assert.equal(cache.get('k'), value);
  }
  for (const [value, by] of [
    [Number.MAX_VALUE, Number.MAX_VALUE],
    [-Number.MAX_VALUE, -Number.MAX_VALUE],
    [Number.NaN, 1],
    [1 / 0, 1],
    [1, 1 / 0],
    [1, Number.NaN],
  ] as const) {
    cache.set('k', value);
    wrong(() => cache.increment('k', by), '"k"', 'finite');
    assert.ok(Object.is(cache.get('k'), value));
    wrong(() => cache.increment('none', value, { initial: by }), '"none"');
  }
  for (const by of ['1', 1n, null, {}]) wrong(() => cache.increment('k', by as Any));
  for (const initial of ['1', 1n, {}]) wrong(() => cache.increment('none', 1, { initial: initial as Any }));
  assert.is(cache.has('none'), false);
  checkHeap(cache);
  cache.close();
});

test('a value that is too large is refused, and the old one is gone', () => {
  const cache = smallCache({ maxValueBytes: 5000 });
  const large: [unknown, unknown][] = [
    [new Uint8Array(4999), new Uint8Array(5000)],
    ['a'.repeat(4999), 'a'.repeat(5000)],
    ['\u2192'.repeat(2499), '\u2192'.repeat(2500)],
    [{ a: 'x'.repeat(4900) }, { a: 'x'.repeat(5100) }],
  ];
  let refused = 0;
  for (const [fits, tooLarge] of large) {
    assert.is(cache.set('k', fits), true);
    assert.equal(cache.get('k'), fits);
    assert.is(cache.add('k', tooLarge), false);
    assert.equal(cache.get('k'), fits); // add was refused by what stands, not by size
    for (const write of ['set', 'replace'] as const) {
      cache.set('k', fits);
      assert.is(cache[write]('k', tooLarge), false);
      assert.is(cache.has('k'), false);
      refused++;
    }
    cache.set('k', fits);
    cache.update('k', () => tooLarge);
    assert.is(cache.has('k'), false);
    assert.is(
      cache.setMany([
        ['k', tooLarge],
        ['k', 1],
        ['k', tooLarge],
      ]),
      1,
    );
    assert.is(cache.add('k', tooLarge), false);
    assert.is(cache.has('k'), false);
  }
  assert.ok(cache.stats().refused >= refused);
  checkHeap(cache);
  cache.close();
});

test.run();
