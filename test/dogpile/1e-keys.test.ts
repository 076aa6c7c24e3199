/** dogpile.cache, "Key generators and manglers": the same calls, with keys that cannot be taken for each other. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRegion, lengthConditionalMangler, sha1Mangler } from '../../src/index.ts';
import { functionKeyGenerator } from '../../src/region/decorators/argument-keys.ts';
import { cacheOnArgumentsSync } from '../../src/region/decorators/single.ts';
import { errorOf } from './fixtures.ts';

function one(_a?: unknown, _b?: unknown): void {}
const plain = functionKeyGenerator(undefined, one);
const spaced = functionKeyGenerator('mynamespace', one);

test('D:test_keygen_fn', () => {
  assert.is(plain(1, 2), 'one|1|2');
  assert.is(plain(null, 5), 'one|null|5');
});

test('D:test_keygen_fn_namespace, D:test_kwarg_keygen_fn_namespace', () => {
  assert.is(spaced(1, 2), 'mynamespace.one|1|2');
  assert.is(spaced(null, 5), 'mynamespace.one|null|5');
});

test('D:test_multi_keygen_fn: the generator is called once an argument', () => {
  assert.equal([plain(1), plain(2)], ['one|1', 'one|2']);
});

test('D:test_default_keygen_kwargs_raises_value_error: by name is by a plain object, in any order', () => {
  assert.is(plain({ a: 1, b: 2 }), plain({ b: 2, a: 1 }));
  assert.is(plain({ a: 1, b: 2 }), 'one|{a:1,b:2}');
});

test('D:test_kwarg_kegen_keygen_fn, _with_defaults_and_positional, _all_defaults: as passed, nothing is bound', () => {
  const keys = [plain(1, 2), plain(1, { b: 2 }), plain({ a: 1, b: 2 }), plain({ a: 1 }), plain(1), plain()];
  assert.is(
    new Set(keys).size,
    keys.length,
    'names and values are both in the key, defaults are not filled in',
  );
  assert.is.not(plain(1), plain(1, undefined));
});

test('D:test_unicode_key, _multi, _kwarg_generator: kept as it is, lone surrogates too', () => {
  assert.is(spaced('méil', 'drôle'), 'mynamespace.one|"méil"|"drôle"');
  assert.is.not(plain('\ud800'), plain('\udfff'));
  assert.is.not(plain('\ud800'), plain('\\ud800'));
  assert.type(plain('foo'), 'string');
});

test('no two lists of arguments have one key', () => {
  const lists: unknown[][] = [
    ['x y', 'z'],
    ['x', 'y z'],
    [1, 2],
    ['1', '2'],
    ['1|2'],
    ['1', '|2'],
    [1n],
    [1],
    ['1'],
    [true],
    ['true'],
    [null],
    ['null'],
    [undefined],
    ['undefined'],
    [],
    [''],
    [[1, 2]],
    ['[1,2]'],
    [[1], 2],
    [{ a: 1 }],
    ['{a:1}'],
    [{ 'a:1,b': 1 }],
    [{ a: 1, b: 1 }],
    [{ a: undefined }],
    [{}],
    [[]],
    [Number.NaN],
    [Infinity],
  ];
  assert.is(new Set(lists.map((args) => plain(...args))).size, lists.length);
  const functions = [
    functionKeyGenerator('a', { one }.one),
    functionKeyGenerator('a.one', one),
    functionKeyGenerator(
      undefined,
      Object.defineProperty(() => {}, 'name', { value: 'a.one' }),
    ),
    functionKeyGenerator(
      undefined,
      Object.defineProperty(() => {}, 'name', { value: 'a.one|1' }),
    ),
    functionKeyGenerator('a|b', one),
    functionKeyGenerator(
      'a',
      Object.defineProperty(() => {}, 'name', { value: 'b.one' }),
    ),
  ];
  assert.is(new Set(functions.map((keyOf) => keyOf(1))).size, functions.length);
});

test('f("x y", "z") and f("x", "y z") are two values, and so are f(1) and f("1")', () => {
  const region = createRegion<unknown>({ name: 'r', backend: 'cairn.memory' });
  const go = cacheOnArgumentsSync(region)(function go(...args: unknown[]) {
    return args;
  });
  for (const args of [
    ['x y', 'z'],
    ['x', 'y z'],
    [1, 2],
    ['1', '2'],
  ])
    assert.equal(go(...args), args);
});

test('D:test_sha1_key_mangler, _unicode_py2k, _bytes_py3k', () => {
  const key = 'tests.cache.test_decorator:one|1 2';
  assert.is(sha1Mangler(key), 'aead490a8ace2d69a00160f1fd8fd8a16552c24f');
  assert.is(sha1Mangler('some_key'), '53def077a4264bd3183d4eb21b1f56f883e1b572');
  assert.is(sha1Mangler('méil').length, 40);
});

test('length_conditional_mangler: from that length on', async () => {
  const mangle = lengthConditionalMangler(5, sha1Mangler);
  assert.is(mangle('1234'), '1234');
  assert.is(mangle('12345'), sha1Mangler('12345'));
  assert.is(lengthConditionalMangler(0, sha1Mangler)(''), sha1Mangler(''));
  for (const length of [-1, 1.5, '5']) {
    assert.is((await errorOf(() => lengthConditionalMangler(length as number, sha1Mangler))).field, 'length');
  }
});

test('a mangler of a region: long keys of decorated functions', () => {
  const map = new Map();
  const region = createRegion<string>({
    name: 'r',
    keyMangler: lengthConditionalMangler(20, sha1Mangler),
    backend: 'cairn.memory',
    arguments: { map },
  });
  const go = cacheOnArgumentsSync(region)(function go(text: string) {
    return text;
  });
  go('short');
  go('a'.repeat(50));
  assert.equal([...map.keys()], ['go|"short"', sha1Mangler(`go|"${'a'.repeat(50)}"`)]);
});

test.run();
