/** Which values may be shared between callers, and deep-freezing them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCodec, freezePlain, isShareable, ValueType } from '../../src/codec/index.ts';
import { CodecError } from '../../src/errors.ts';

test('strings and plain graphs are shareable', () => {
  const cycle: unknown[] = [];
  cycle.push({ cycle });
  const bare = Object.assign(Object.create(null), { a: [1] });
  for (const value of ['', 'x', {}, [], { a: [1, 'x', null, undefined, 1n] }, cycle, bare, new Array(3)]) {
    assert.ok(isShareable(value));
  }
});

test('nothing else is', () => {
  const odd = [
    new Map(),
    new Set(),
    new Date(),
    /x/,
    new Error(),
    new Uint8Array(1),
    () => 1,
    new (class A {})(),
  ];
  const getter = Object.defineProperty({}, 'g', { get: () => assert.unreachable(), enumerable: true });
  const wrong = [...odd, getter, { [Symbol('s')]: 1 }, new Proxy({}, {}), Object.assign([1], { x: 1 })];
  for (const value of [1, 1n, true, null, undefined, Symbol('x'), ...wrong]) assert.not(isShareable(value));
  for (const value of wrong) {
    const first = { a: 1 };
    const graph = { first, list: [{ value }] };
    assert.not(isShareable(graph));
    assert.is(freezePlain(graph), false);
    for (const part of [graph, first, graph.list, graph.list[0]]) assert.not(Object.isFrozen(part));
  }
});

test('freezes every part, cycles and shared ones too', () => {
  const shared = { s: 1 };
  const root: Record<string, unknown> = {
    list: Array.from({ length: 50 }, (_, i) => ({ i, shared })),
    shared,
  };
  root.self = root;
  assert.ok(freezePlain(root));
  assert.ok(Object.isFrozen(root) && Object.isFrozen(root.list) && Object.isFrozen(shared));
  assert.ok((root.list as object[]).every(Object.isFrozen));
  assert.throws(() => {
    (root.list as unknown[])[7] = 1;
  }, TypeError);
  assert.ok(freezePlain(root) && isShareable(root));
  const outer = { root, more: { m: 1 } };
  assert.ok(freezePlain(outer) && Object.isFrozen(outer.more));
});

test('a part that its owner froze on the surface is frozen below', () => {
  const inner = { x: 1 };
  const outer = Object.freeze({ inner });
  assert.ok(freezePlain([outer]));
  assert.ok(Object.isFrozen(inner));
  assert.is(freezePlain(Object.freeze({ date: new Date() })), false);
});

test('primitives are frozen by nature, functions are not', () => {
  for (const value of [1, 'x', null, undefined, true, 1n]) assert.ok(freezePlain(value));
  assert.is(
    freezePlain(() => 1),
    false,
  );
});

test('100,000 levels', () => {
  const bottom = { end: true };
  let value: unknown = bottom;
  for (let i = 0; i < 100_000; i++) value = i % 2 ? [value] : { value };
  assert.ok(isShareable(value));
  assert.ok(freezePlain(value));
  assert.ok(Object.isFrozen(bottom));
});

/** Every container in a graph. */
function containers(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found;
  found.add(value);
  const members = value instanceof Map ? [...value.values()] : Object.values(value);
  for (const member of members) containers(member, found);
  return found;
}

test('what the structured codec made is frozen whole or not at all, whether it noted the parts or searches for them', () => {
  const codec = createCodec('structured');
  const shared = { s: [1] };
  const cycle: Record<string, unknown> = { a: {} };
  cycle.self = cycle;
  let deep: unknown = { end: [] };
  for (let i = 0; i < 200; i++) deep = i % 2 ? [deep] : { deep };
  const many = (count: number) => Array.from({ length: count - 1 }, (_, i) => (i % 3 ? { i } : [i, 'x']));
  const values: unknown[] = [
    {},
    [],
    { a: { b: [[], {}] }, c: 'text' },
    Object.assign(Object.create(null), { a: { b: 1 } }),
    Object.assign(Object.create(null), { ['x'.repeat(5000)]: [{}] }),
    { ['y'.repeat(5000)]: [{}] },
    [1, 2, 3, 4, 5, { d: [0.5, 1.5, 2.5, 3.5] }],
    Object.assign([] as unknown[], { 5: { at: 5 }, length: 9 }),
    many(63),
    many(64),
    many(65),
    many(5000),
    [shared, { shared }],
    cycle,
    deep,
    { long: ['x'.repeat(70_000), {}] },
    [...many(20), new Date(0)],
    [new Date(0), ...many(20)],
    { a: [{}], b: new Map([['k', { v: 1 }]]) },
    { a: [{}], b: { c: Buffer.from('b') } },
    { a: {}, b: /x/, c: new Set([{}]) },
    { a: {}, e: new Error('e') },
    { a: {}, s: new Set([{}]) },
    { sparse: Object.assign([] as unknown[], { 5: { at: 5 }, length: 9 }) },
    { ints: [1, 2, 3, 4, 5], doubles: [0.5, 1.5, 2.5, 3.5] },
  ];
  // the first pass has nothing noted, as nobody has asked yet
  for (let pass = 0; pass < 3; pass++) {
    for (const [number, value] of values.entries()) {
      const bytes = Buffer.from(codec.encode(value).bytes);
      const decode = () => codec.decodeBytes(ValueType.structured, bytes, 0, bytes.length);
      const whole = isShareable(decode());
      for (const freeze of [true, false]) {
        const made = decode();
        assert.is(codec.share(ValueType.structured, made, freeze), whole, `value ${number}`);
        for (const part of containers(made)) assert.is(Object.isFrozen(part), freeze && whole);
        // of a value that was not the last one nothing is noted
        const first = decode();
        const second = decode();
        assert.is(codec.share(ValueType.structured, first, freeze), whole);
        for (const part of containers(first)) assert.is(Object.isFrozen(part), freeze && whole);
        for (const part of containers(second)) assert.not(Object.isFrozen(part));
        assert.throws(
          () => codec.decodeBytes(ValueType.structured, bytes, 0, bytes.length - 1),
          (error: unknown) => error instanceof CodecError,
        );
        assert.is(codec.share(ValueType.structured, second, freeze), whole);
        for (const part of containers(second)) assert.is(Object.isFrozen(part), freeze && whole);
      }
    }
  }
});

test.run();
