/** Several keys at a time. */
import { type CachedValue, NO_VALUE } from '../backend/cached-value.ts';
import { type BackendSuite, payloadOf } from './backend-scope.ts';
import { once } from './tools.ts';

export function multiTests<S>(suite: BackendSuite<S>): void {
  suite.test('getMulti answers in the order of the keys, duplicates and gaps included', async (scope) => {
    const { check } = scope;
    const { raw, backend, value, key } = await scope.subject();
    for (const name of ['a', 'b', 'c', 'd']) await backend.set(name, value(`value of ${name}`));
    const names = ['d', 'absent', 'a', 'd', 'c', 'absent', 'b', 'a'];
    const keys = Object.freeze(names.map(key));
    const found = await raw.getMulti(keys);
    check.ok(Array.isArray(found), 'getMulti must answer with an array');
    const expected = names.map((name) => (name === 'absent' ? NO_VALUE : `value of ${name}`));
    check.equal(found.map(payloadOf), expected, `payloads of ${names}`);
    const { metadata } = value('');
    check.equal({ ...(found[0] as CachedValue).metadata }, metadata, 'metadata of the first');
  });

  suite.test('Multi forms of nothing', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    await backend.set('k', value('stands'));
    check.equal(await backend.getMulti([]), [], 'getMulti([])');
    check.ok((await backend.setMulti([])) !== false, 'setMulti([]) must not answer false');
    check.ok((await backend.setMulti(new Map())) !== false, 'setMulti of an empty Map must not answer false');
    check.is(await backend.deleteMulti([]), 0, 'deleteMulti([])');
    check.equal(payloadOf(await backend.get('k')), 'stands', 'a key that stands');
  });

  suite.test('setMulti takes any iterable, and goes through it once', async (scope) => {
    const { check } = scope;
    const { raw, value, key } = await scope.subject();
    const entries = (name: string) =>
      [1, 2, 3].map((n) => [key(`${name}${n}`), value(`${name} ${n}`)] as [string, CachedValue]);
    const kinds = {
      array: entries('array'),
      map: new Map(entries('map')),
      generator: once(entries('generator')),
      iterator: new Map(entries('iterator')).entries(),
    };
    for (const [kind, given] of Object.entries(kinds)) {
      check.ok((await raw.setMulti(given)) !== false, `setMulti of a ${kind} must not answer false`);
      const found = await raw.getMulti([1, 2, 3].map((n) => key(`${kind}${n}`)));
      check.equal(
        found.map(payloadOf),
        [1, 2, 3].map((n) => `${kind} ${n}`),
        `stored from a ${kind}`,
      );
    }
  });

  suite.test('setMulti replaces what stands, with its whole metadata', async (scope) => {
    const { check, clock } = scope;
    const { backend, value } = await scope.subject();
    await backend.set('a', value('old'));
    clock.advance(1000.5);
    await backend.setMulti([
      ['a', value('new')],
      ['b', value('b', { v: 2 })],
    ]);
    const found = (await backend.getMulti(['a', 'b'])) as CachedValue[];
    check.equal(found.map(payloadOf), ['new', 'b'], 'payloads');
    check.equal({ ...found[0].metadata }, value('').metadata, 'metadata of a');
    check.equal({ ...found[1].metadata }, value('', { v: 2 }).metadata, 'metadata of b');
  });

  suite.test('setMulti changes neither its argument nor the values in it', async (scope) => {
    const { check } = scope;
    const { raw, value, key } = await scope.subject();
    const payloads = [
      { n: 1, list: ['x'] },
      { n: 2, list: [] },
    ];
    const before = structuredClone(payloads);
    const values = payloads.map((payload) => value(payload));
    for (const given of values) Object.freeze(given.metadata);
    const map = new Map(values.map((given, n) => [key(`m${n}`), given]));
    const array = values.map((given, n) => [key(`a${n}`), given] as const);
    const kept = { map: [...map], array: array.map((entry) => [...entry] as const) };
    await raw.setMulti(map);
    await raw.setMulti(array);
    for (const [kind, given] of Object.entries({ map: [...map], array })) {
      const entries = kept[kind as keyof typeof kept];
      check.is(given.length, entries.length, `entries of the ${kind} that was given`);
      for (const [n, [name, one]] of given.entries()) {
        check.is(name, entries[n][0], `key ${n} of the ${kind} that was given`);
        check.is(one, entries[n][1], `value ${n} of the ${kind} that was given`);
      }
    }
    for (const [n, given] of values.entries())
      check.is(given.payload, payloads[n], `the payload of value ${n}`);
    check.equal(payloads, before, 'the payloads that were given');
    const found = await raw.getMulti(['m0', 'm1', 'a0', 'a1'].map(key));
    check.equal(found.map(payloadOf), [...before, ...before], 'what was stored');
  });

  suite.test('deleteMulti takes any iterable, and answers how many stood', async (scope) => {
    const { check } = scope;
    const { raw, backend, value, key } = await scope.subject();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const name of names) await backend.set(name, value(name));
    check.is(await raw.deleteMulti([key('absent')]), 0, 'deleteMulti of an absent key');
    const array = Object.freeze(['a', 'absent', 'b'].map(key));
    check.is(await raw.deleteMulti(array), 2, 'of an array, two of which stood');
    check.is(await raw.deleteMulti(new Set(['b', 'c'].map(key))), 1, 'of a Set, one of which stood');
    check.is(await raw.deleteMulti(once(['d', 'a', 'e'].map(key))), 2, 'of a generator, two of which stood');
    const found = await backend.getMulti(names);
    check.equal(found.map(payloadOf), [...Array(5).fill(NO_VALUE), 'f'], 'what stands then');
  });

  suite.test('calls that run at once do not mix their keys up', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const keys = Array.from({ length: 60 }, (_, n) => `k${n}`);
    await Promise.all(keys.map((key) => backend.set(key, value(`value of ${key}`))));
    const [one, many] = await Promise.all([
      Promise.all(keys.map((key) => backend.get(key))),
      backend.getMulti(keys),
    ]);
    const expected = keys.map((key) => `value of ${key}`);
    check.equal(one.map(payloadOf), expected, 'by get');
    check.equal(many.map(payloadOf), expected, 'by getMulti');
    const even = keys.filter((_, n) => n % 2 === 0);
    await Promise.all(even.map((key) => backend.delete(key)));
    const left = (await backend.getMulti(keys)).filter((found) => found !== NO_VALUE);
    check.is(left.length, 30, 'how many stand then');
  });
}
