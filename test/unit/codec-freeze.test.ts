/** Which values may be shared between callers, and deep-freezing them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freezePlain, isShareable } from '../../src/codec/index.ts';

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

test.run();
