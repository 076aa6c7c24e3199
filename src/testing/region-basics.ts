/** A region over the backend: what is stored and read. */
import { type CachedValue, NO_VALUE } from '../backend/cached-value.ts';
import { type BackendSuite, payloadOf } from './backend-scope.ts';
import { keyed } from './keyed.ts';
import { type Made, RegionForms } from './region-forms.ts';
import { once, VALUES } from './tools.ts';

export function regionBasics<S>(suite: BackendSuite<S>): void {
  const forms = new RegionForms(suite);
  const values = suite.options.values ?? VALUES;

  forms.test('a miss is undefined', async ({ check }, make) => {
    const { ops } = await make();
    check.is(await ops.get('k'), undefined, 'get');
    check.is(await ops.has('k'), false, 'has');
    check.is(await ops.getValueMetadata('k'), undefined, 'getValueMetadata');
    check.equal(await ops.getMulti(['k', 'l']), [undefined, undefined], 'getMulti');
  });

  forms.test('set, get, has, delete', async ({ check }, make) => {
    const { ops } = await make();
    check.is(await ops.set('k', 'first'), true, 'the answer of set');
    check.is(await ops.get('k'), 'first', 'get');
    check.is(await ops.has('k'), true, 'has');
    await ops.set('k', 'second');
    check.is(await ops.get('k'), 'second', 'get after a second set');
    check.is(await ops.delete('k'), true, 'the answer of delete');
    check.is(await ops.get('k'), undefined, 'get after delete');
    check.is(await ops.has('k'), false, 'has after delete');
    check.is(await ops.delete('k'), false, 'the answer of a second delete');
  });

  forms.test('setMulti, getMulti, deleteMulti', async ({ check }, make) => {
    const { ops } = await make();
    const given = new Map([
      ['a', 'of a'],
      ['b', 'of b'],
    ]);
    check.is(await ops.setMulti(given), true, 'the answer of setMulti');
    check.equal([...given.keys()], ['a', 'b'], 'the keys that were given');
    check.is(await ops.setMulti(once([['c', 'of c'] as const])), true, 'setMulti of a generator');
    const keys = ['c', 'absent', 'a', 'c'];
    check.equal(await ops.getMulti(once(keys)), ['of c', undefined, 'of a', 'of c'], `getMulti of ${keys}`);
    check.is(await ops.deleteMulti(new Set(['a', 'c', 'absent'])), 2, 'the answer of deleteMulti');
    check.equal(await ops.getMulti(['a', 'b', 'c']), [undefined, 'of b', undefined], 'getMulti after it');
  });

  forms.test('Multi forms of nothing', async ({ check }, make) => {
    const { ops } = await make();
    check.equal(await ops.getMulti([]), [], 'getMulti');
    check.is(await ops.setMulti([]), true, 'setMulti');
    check.is(await ops.deleteMulti([]), 0, 'deleteMulti');
    const creator = () => check.fail('the creator must not run');
    check.equal(await ops.getOrCreateMulti([], creator), [], 'getOrCreateMulti');
  });

  forms.test('getValueMetadata tells the time of creation', async ({ check, clock }, make) => {
    const { ops } = await make();
    const created = clock.time;
    await ops.set('k', 'v');
    clock.advance(5.5);
    const found = (await ops.getValueMetadata('k'))!;
    check.equal(found.payload, 'v', 'payload');
    check.is(found.cachedTime, created, 'cachedTime');
    check.is(found.age, 5.5, 'age');
  });

  if (Object.hasOwn(values, 'undefined')) {
    forms.test('a stored undefined is a value', async ({ check }, make) => {
      const { ops } = await make();
      await ops.set('k', undefined);
      check.is(await ops.get('k'), undefined, 'get');
      check.is(await ops.has('k'), true, 'has');
      const creator = () => check.fail('the creator must not run');
      check.is(await ops.getOrCreate('k', creator), undefined, 'getOrCreate');
    });
  }

  forms.test('clear removes everything, also for ignoreExpiration', async ({ check }, make) => {
    const { ops } = await make();
    await ops.clear();
    await ops.setMulti([
      ['a', 1],
      ['b', 2],
    ]);
    check.equal(await ops.getMulti(['a', 'b']), [1, 2], 'before');
    await ops.clear();
    check.equal(await ops.getMulti(['a', 'b']), [undefined, undefined], 'getMulti');
    check.is(await ops.get('a', { ignoreExpiration: true }), undefined, 'get with ignoreExpiration');
    check.is(await ops.getOrCreate('a', () => 'made'), 'made', 'getOrCreate');
    await ops.set('b', 'set');
    check.equal(await ops.getMulti(['a', 'b']), ['made', 'set'], 'what was stored since');
  });

  forms.test('a value of another version is a miss, and is replaced', async (scope, make) => {
    const { check } = scope;
    const { region, ops } = await make();
    const { backend, value } = scope.subjectOf(region.backend, region.actualBackend);
    await backend.set('k', value('of another version', { v: 9 }));
    check.is(await ops.get('k'), undefined, 'get');
    check.is(await ops.getOrCreate('k', () => 'made'), 'made', 'getOrCreate');
    check.is(await ops.get('k'), 'made', 'get after it');
  });

  forms.test("a region's own keyMangler names what the backend sees", async (scope, make) => {
    const { check } = scope;
    // What the backend cannot do without, it still gets.
    const mangle = (key: string): string => region.backend.keyMangler?.(`${key}!`) ?? `${key}!`;
    const { region, ops }: Made = await make({ keyMangler: (key) => mangle(key) });
    await ops.set('single', 1);
    await ops.setMulti([['multi', 2]]);
    await ops.getOrCreate('created', () => 3);
    await ops.getOrCreateMulti(['many'], () => [4]);
    const keys = ['single', 'multi', 'created', 'many'];
    const found = await region.backend.getMulti(keys.map(mangle));
    check.equal(found.map(payloadOf), [1, 2, 3, 4], 'what stands under the mangled keys');
    const bare = await keyed(region.backend).getMulti(keys);
    check.equal(bare, Array(4).fill(NO_VALUE), 'what stands under the keys themselves');
    check.equal(await ops.getMulti(keys), [1, 2, 3, 4], 'getMulti');
    await ops.deleteMulti(keys);
    check.equal(await ops.getMulti(keys), Array(4).fill(undefined), 'getMulti after deleteMulti');
  });

  forms.test('keys of all lengths and characters', async ({ check }, make) => {
    const { ops } = await make();
    const keys = ['', '__proto__', '\ud800', 'ключ', 'x'.repeat(5000), `${'x'.repeat(4999)}y`];
    for (const [n, key] of keys.entries()) await ops.set(key, n);
    check.equal(await ops.getMulti(keys), [0, 1, 2, 3, 4, 5], 'getMulti');
    for (const [n, key] of keys.entries()) check.is(await ops.get(key), n, `get of key ${n}`);
    await ops.deleteMulti(keys);
    check.equal(await ops.getMulti(keys), Array(6).fill(undefined), 'getMulti after deleteMulti');
  });

  forms.test('regions do not see each other', async (scope, make) => {
    const { check } = scope;
    const [one, other] = [await make(), await make({ name: scope.otherRegion() })];
    await one.ops.set('k', 'of one');
    check.is(await other.ops.get('k'), undefined, 'get by the second');
    check.is(
      await other.ops.getOrCreate('k', () => 'of the other'),
      'of the other',
      'getOrCreate by the second',
    );
    await other.ops.clear();
    await other.ops.invalidate();
    check.is(await one.ops.get('k'), 'of one', 'get by the first');
  });

  forms.test('what a region stores carries its time and generation', async (scope, make) => {
    const { check, clock } = scope;
    const { region, ops } = await make();
    await ops.invalidate();
    await ops.set('set', 'v');
    await ops.setMulti([['multi', 'v']]);
    await ops.getOrCreate('created', () => 'v');
    for (const key of ['set', 'multi', 'created']) {
      const { metadata } = (await scope.stored(region, key)) as CachedValue;
      check.is(metadata.ct, clock.time, `ct of '${key}'`);
      check.ok(metadata.generation! >= 0, `generation of '${key}' must be there, got ${metadata.generation}`);
    }
  });
}
