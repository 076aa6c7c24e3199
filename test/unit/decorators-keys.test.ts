/** Keys of decorated functions: equal exactly where name, namespace and arguments are. */
import vm from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OptionError } from '../../src/errors.ts';
import {
  argumentKeys,
  functionKeyGenerator,
  functionPrefix,
  type KeyGenerator,
} from '../../src/region/decorators/argument-keys.ts';
import { randomFrom, SEED } from './region-fixtures.ts';

const keyOf = argumentKeys('f');
const key = (...args: unknown[]) => keyOf(args);
const refusal = (...args: unknown[]): OptionError => {
  try {
    keyOf(args);
  } catch (error) {
    assert.instance(error, OptionError);
    return error as OptionError;
  }
  throw new Error('nothing was thrown');
};

test('keys are short and can be read', () => {
  assert.is(key(), 'f');
  assert.is(key(42, 'x'), 'f|42|"x"');
  assert.is(key(null, undefined, true, false), 'f|null|undefined|true|false');
  assert.is(key(12n, -0.5, 1e21, NaN, -Infinity), 'f|12n|-0.5|1e+21|NaN|-Infinity');
  assert.is(key({ page: 2, 'sort by': ['name', -1] }, []), 'f|{page:2,"sort by":["name",-1]}|[]');
  assert.is(key('ü€😀'), 'f|"ü€😀"');
});

test('other arguments have another key', () => {
  const different: unknown[][] = [
    [],
    [undefined],
    [undefined, undefined],
    [null],
    ['null'],
    [1],
    ['1'],
    [1n],
    ['1n'],
    [1, 2],
    [12],
    [[1, 2]],
    [[12]],
    [[1], 2],
    [[[1, 2]]],
    ['1,2'],
    ['1|2'],
    ['x y', 'z'],
    ['x', 'y z'],
    ['x"|"y'],
    ['x', 'y'],
    ['x\\'],
    ['x\\\\'],
    [''],
    ['', ''],
    [{}],
    [[]],
    [[[]]],
    [[{}]],
    ['{}'],
    [{ a: undefined }],
    [{ a: null }],
    [{ a: { b: 1 } }],
    [{ a: {}, b: 1 }],
    [{ 'a:1,b': 1 }],
    [{ a: 1, b: 1 }],
    [{ '': 1 }],
    [{ '"': 1 }],
    [{ 1: 1 }],
    [{ 0: 'a' }],
    [['a']],
    [true],
    ['true'],
    [NaN],
    ['NaN'],
    [Infinity],
    [-Infinity],
    [0],
    [0n],
    [false],
    ['\ud800'],
    ['\udc00'],
    ['\\ud800'],
    ['\ufffd'],
    ['\u0000'],
    ['\u2028'],
    [JSON.parse('{"__proto__":1}')],
    [JSON.parse('{"constructor":1}')],
  ];
  const seen = new Map<string, number>();
  different.forEach((args, n) => {
    const made = keyOf(args);
    assert.is(seen.get(made), undefined, `${made}: ${seen.get(made)} and ${n}`);
    assert.ok(made.isWellFormed?.() ?? true, made);
    seen.set(made, n);
  });
});

test('equal are zeros, objects whatever the order of their properties, and those without a prototype', () => {
  assert.is(key(-0), key(0));
  assert.is(key({ a: [-0] }), key({ a: [0] }));
  assert.is(key({ a: 1, b: { c: 2, d: 3 } }), key({ b: { d: 3, c: 2 }, a: 1 }));
  assert.is(key({ 10: 'x', 9: 'y', a: 'z' }), key({ a: 'z', 9: 'y', 10: 'x' }));
  assert.is(key(Object.assign(Object.create(null), { a: 1 })), key({ a: 1 }));
  const shared = [1];
  assert.is(key([shared, shared], shared), key([[1], [1]], [1]));
  assert.is(key(Object.freeze({ a: Object.freeze([1]) })), key({ a: [1] }));
});

test('names and namespaces never run into each other, nor into arguments', () => {
  const parts = ['', 'a', 'b', 'a.b', 'a|b', 'a\\', '\\', '.', '|', 'a.', '.b', '\\.', 'a|1', '"a"', 'a\\.b'];
  const seen = new Map<string, string>();
  for (const namespace of [undefined, ...parts.filter((part) => part !== '')]) {
    for (const name of parts) {
      for (const args of [[], [1], ['b'], ['1']]) {
        const made = argumentKeys(functionPrefix(namespace, name))(args);
        const what = JSON.stringify([namespace ?? 0, name, args]);
        assert.is(seen.get(made), undefined, `${made}: ${seen.get(made)} and ${what}`);
        seen.set(made, what);
      }
    }
  }
  assert.is(functionPrefix('Users', 'load'), 'Users.load');
  assert.is(functionPrefix(undefined, 'load'), 'load');
});

test('functionKeyGenerator serves generators that leave arguments out', () => {
  const load = (_id: number, _connection: unknown) => {};
  const generator: KeyGenerator = (namespace, fn) => {
    const own = functionKeyGenerator(namespace, fn);
    return (id: number) => own(id);
  };
  const made: (...args: any[]) => string = generator('Users', load);
  assert.is(made(7, new Map()), 'Users.load|7');
  assert.is(functionKeyGenerator(undefined, load)(7, 'x'), 'load|7|"x"');
});

class Point {
  x = 1;
}

test('what is no plain data is refused, and its position named', () => {
  const proxy = new Proxy({}, {});
  const getter = {
    get a() {
      throw new Error('a getter ran');
    },
  };
  const tagged = Object.defineProperty({}, Symbol.toStringTag, {
    get() {
      throw new Error('a getter ran');
    },
  });
  const hidden = Object.defineProperty({}, 'a', { value: 1 });
  const cycle: Record<string, unknown> = {};
  cycle.list = [1, { up: cycle }];
  const holed = [0, 1, 2];
  delete holed[1];
  const extra = Object.assign([1], { note: 'x' });
  class List extends Array {}
  const cases: [unknown[], string][] = [
    [[Symbol('s')], 'arguments[0]'],
    [[1, () => {}], 'arguments[1]'],
    [['x', { user: new Point() }], 'arguments[1].user'],
    [[{ a: [0, { 'b c': new Date(0) }] }], 'arguments[0].a[1]["b c"]'],
    [[[[new Map()]]], 'arguments[0][0][0]'],
    [[new Set()], 'arguments[0]'],
    [[/x/], 'arguments[0]'],
    [[new Uint8Array(1)], 'arguments[0]'],
    [[Buffer.from('x')], 'arguments[0]'],
    [[Object('x')], 'arguments[0]'],
    [[new Error('x')], 'arguments[0]'],
    [[Promise.resolve()], 'arguments[0]'],
    [[List.from([1, 2])], 'arguments[0]'],
    [[Object.create({ a: 1 })], 'arguments[0]'],
    [[Object.setPrototypeOf([], null)], 'arguments[0]'],
    [[Object.setPrototypeOf(new Date(0), Object.prototype)], 'arguments[0]'],
    [[proxy], 'arguments[0]'],
    [[{ a: [proxy] }], 'arguments[0].a[0]'],
    [[vm.runInNewContext('({})')], 'arguments[0]'],
    [[getter], 'arguments[0].a'],
    [[{ inner: tagged }], 'arguments[0].inner'],
    [[{ set a(_: number) {} }], 'arguments[0].a'],
    [[hidden], 'arguments[0].a'],
    [[{ [Symbol('s')]: 1 }], 'arguments[0]'],
    [[0, { '1a': { [Symbol('s')]: 1 } }], 'arguments[1]["1a"]'],
    [[cycle], 'arguments[0].list[1].up'],
    [[holed], 'arguments[0][1]'],
    [['a', { b: holed }], 'arguments[1].b[1]'],
    [[new Array(2 ** 32 - 1)], 'arguments[0][0]'],
    [[extra], 'arguments[0].note'],
    [[/(x)/.exec('x')], 'arguments[0].groups'],
    [[Object.assign([1], { [Symbol('s')]: 1 })], 'arguments[0]'],
  ];
  for (const [args, position] of cases) {
    const error = refusal(...args);
    assert.is(error.field, position);
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    assert.ok(error.message.startsWith(`${position}: must`), error.message);
  }
  assert.is(
    refusal(new Date(0)).message,
    'arguments[0]: must be a primitive, a plain object or an array; for others, give a keyGenerator, got a Date object',
  );
});

test('arguments of any depth', () => {
  const DEPTH = 100_000;
  let deep: unknown = 'x';
  for (let n = 0; n < DEPTH; n++) deep = n % 2 === 0 ? [deep] : { a: deep };
  assert.is(key(deep).length, 'f|"x"'.length + (DEPTH / 2) * '[]{a:}'.length);
  let refused: unknown = Symbol('s');
  for (let n = 0; n < DEPTH; n++) refused = [refused];
  assert.is(refusal(refused).field, `arguments[0]${'[0]'.repeat(DEPTH)}`);
});

test('all small lists of small values have different keys', () => {
  const atoms = [1, 11, 1n, '', '1', 'a', '"', '","', '"|"', undefined, null, true];
  const names = ['', 'a', 'b', 'a:1,b', '"a"'];
  const arrays = [
    [],
    ...atoms.map((one) => [one]),
    ...atoms.flatMap((one) => atoms.map((two) => [one, two])),
  ];
  const objects: object[] = [{}];
  names.forEach((first, n) => {
    for (const one of atoms) {
      objects.push({ [first]: one });
      for (const second of names.slice(n + 1)) {
        for (const two of atoms) objects.push({ [first]: one, [second]: two });
      }
    }
  });
  const flat = [...atoms, ...arrays];
  const lists: unknown[][] = [
    [],
    ...[...flat, ...objects].map((value) => [value]),
    ...flat.flatMap((one) => flat.map((two) => [one, two])),
    ...atoms.flatMap((one) => atoms.flatMap((two) => atoms.map((three) => [one, two, three]))),
    ...[...arrays, ...objects].flatMap((value) => [[[value]], [{ a: value }]]),
  ];
  // No list stands in it twice.
  assert.is(new Set(lists.map((list) => keyOf(list))).size, lists.length);
});

/** The oracle: equality by the structure of the values, told without any text. */
function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equal(a[name as never], b[name as never]));
}

test('random lists of arguments have equal keys exactly where they are equal', () => {
  const random = randomFrom(SEED);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)];
  // What a key is made of. Each round takes a few of them, so that equal and almost equal lists come up.
  const all = [
    'a',
    '1',
    ' ',
    '"',
    '\\',
    '|',
    '.',
    '"|"',
    '|1',
    '","',
    ':',
    '":"',
    'a:1,b',
    '[',
    '}',
    '\ud83d',
    '\ude00',
  ];
  let pieces = all;
  let some: unknown[] = [];
  let longest = 3;
  const text = () => Array.from({ length: below(longest + 1) }, () => pick(pieces)).join('');
  const primitives = [undefined, null, true, false, 0, -0, 1, -1, 11, 0.1, NaN, Infinity, 0n, 1n, 11n];
  const value = (depth: number): unknown => {
    const kind = below(depth > 0 ? 6 : 4);
    if (kind < 2) return pick(some);
    if (kind < 4) return text();
    const size = below(3);
    if (kind === 4) return Array.from({ length: size }, () => value(depth - 1));
    // Defined, since an assignment to `__proto__` makes no property.
    const object = {};
    for (let n = 0; n < size; n++) {
      const name = pick(['a', 'b', '__proto__', 'a:1,b', text()]);
      const property = { value: value(depth - 1), enumerable: true, configurable: true, writable: true };
      Object.defineProperty(object, name, property);
    }
    return object;
  };
  /** An equal value, made otherwise where that can be. */
  const twin = (original: any): unknown => {
    if (original === 0) return -original;
    if (typeof original !== 'object' || original === null) return original;
    if (Array.isArray(original)) return original.map(twin);
    const entries = Object.entries(original).map(([name, member]) => [name, twin(member)]);
    return Object.fromEntries(entries.reverse());
  };
  let equals = 0;
  let pairs = 0;
  for (let round = 0; round < 100; round++) {
    pieces = [pick(all), pick(all), pick(all)];
    some = [1, pick(primitives), pick(primitives)];
    longest = below(4);
    const depth = below(3);
    const lists = Array.from({ length: 100 }, () => Array.from({ length: below(3) }, () => value(depth)));
    lists.push(...lists.slice(0, 50).map((list) => list.map(twin)));
    const keys = lists.map((list) => keyOf(list));
    for (let i = 0; i < lists.length; i++) {
      for (let j = 0; j < i; j++) {
        const same = equal(lists[i], lists[j]);
        if (same !== (keys[i] === keys[j])) {
          assert.unreachable(`seed ${SEED}, equal ${same}: ${keys[i]} and ${keys[j]}`);
        }
        pairs++;
        if (same && lists[i].length > 0) equals++;
      }
    }
  }
  console.log(`# ${pairs} pairs, ${equals} equal and not empty`);
  assert.ok(equals > 1_000);
});

test.run();
