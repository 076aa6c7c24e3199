/** `cacheMultiOnArguments` and its `Sync` twin: one key for each argument, and one call for those that are missing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cached, cachedMulti } from '../../src/region/decorators/cached.ts';
import { cacheMultiOnArguments, cacheMultiOnArgumentsSync } from '../../src/region/decorators/multi.ts';
import { cacheOnArguments } from '../../src/region/decorators/single.ts';
import { createRegion } from '../../src/region/region.ts';
import { deferred, errorOf, SETUPS, turns } from './region-fixtures.ts';

const EXPIRATION = 10;

/** Turns of the event loop until `done` says so; false only after very many. */
async function until(done: () => unknown): Promise<boolean> {
  for (let n = 0; n < 100_000; n++) {
    if (await done()) return true;
    await turns();
  }
  return false;
}

interface Row {
  readonly id: number;
}

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);
  const make = (more: object = {}) => setup.make<any>({ expirationTime: EXPIRATION, ...more });
  /** A function that notes what it was called with, and counts its values. */
  const counted = () => {
    const calls: unknown[][] = [];
    let count = 0;
    async function load(...ids: (number | string)[]) {
      calls.push(ids);
      return ids.map((id) => `${id} #${++count}`);
    }
    return { calls, load };
  };
  /** The same, which finds no odd number. */
  const finding = () => {
    const calls: number[][] = [];
    let count = 0;
    async function find(...ids: number[]) {
      calls.push(ids);
      const found = ids.filter((id) => id % 2 === 0);
      return new Map(found.map((id) => [id, `${id} #${++count}`]));
    }
    return { calls, find };
  };

  it('the function gets the missing arguments, once each, in the order of their keys', async () => {
    const { region, clock } = make();
    const { calls, load } = counted();
    const cachedLoad = cacheMultiOnArguments(region)(load);
    assert.equal(await cachedLoad(2, 8, 10, 8), ['2 #2', '8 #3', '10 #1', '8 #3']);
    assert.equal(calls, [[10, 2, 8]]);
    assert.equal(await cachedLoad(8, 1, '1', 2), ['8 #3', '1 #5', '1 #4', '2 #2']);
    assert.equal(calls[1], ['1', 1]);
    assert.equal(await cachedLoad(1, 2, 8, 10), ['1 #5', '2 #2', '8 #3', '10 #1']);
    assert.equal(await cachedLoad(), []);
    assert.is(calls.length, 2);
    assert.is(await region.get('load|10'), '10 #1');
    clock.advance(EXPIRATION + 1);
    assert.equal(await cachedLoad(2), ['2 #6']);
    assert.equal(calls[2], [2]);
  });

  it('invalidate, set, get, refresh and original', async () => {
    const { region, clock } = make();
    const { calls, load } = counted();
    const options = { namespace: 'M', expirationTime: 5, shouldCache: (value: string) => value !== '3 #5' };
    const cachedLoad = cacheMultiOnArguments(region, options)(load);
    assert.equal(await cachedLoad.get(1, 2), [undefined, undefined]);
    assert.equal(await cachedLoad(1, 2), ['1 #1', '2 #2']);
    assert.equal(await cachedLoad.get(2, 3, 1, 2), ['2 #2', undefined, '1 #1', '2 #2']);
    assert.is(await cachedLoad.invalidate(2, 3), 1);
    assert.equal(await cachedLoad.get(1, 2), ['1 #1', undefined]);
    assert.is(await cachedLoad.set(new Map([[2, 'given']])), true);
    assert.is(await cachedLoad.set([['x', 'pair']]), true);
    assert.equal(await cachedLoad(2, 'x'), ['given', 'pair']);
    assert.equal(await cachedLoad.refresh(2, 1, 3, 2), ['2 #4', '1 #3', '3 #5', '2 #4']);
    assert.equal(calls.at(-1), [1, 2, 3]);
    assert.equal(await cachedLoad.get(1, 2, 3), ['1 #3', '2 #4', undefined]);
    assert.equal(await cachedLoad.refresh(), []);
    assert.is(await cachedLoad.invalidate(), 0);
    assert.equal(await cachedLoad.get(), []);
    assert.is(await cachedLoad.set([]), true);
    assert.is(calls.length, 2);
    assert.is(cachedLoad.original, load);
    assert.is(cachedLoad.name, 'load');
    clock.advance(6);
    assert.equal(await cachedLoad.get(1), [undefined]);
    assert.is((await errorOf(() => cachedLoad.set({ a: 1 } as any))).field, 'entries');
    assert.is((await errorOf(() => cachedLoad.set('ab' as any))).field, 'entries');
  });

  it('what shouldCache refuses is returned all the same', async () => {
    const { region } = make();
    const { calls, load } = counted();
    const cachedLoad = cacheMultiOnArguments(region, { shouldCache: (value: string) => value !== '1 #1' })(
      load,
    );
    assert.equal(await cachedLoad(1, 2), ['1 #1', '2 #2']);
    assert.equal(await cachedLoad(1, 2), ['1 #3', '2 #2']);
    assert.equal(calls, [[1, 2], [1]]);
  });

  it('too few values, too many, or none at all are an error, and nothing is stored', async () => {
    const { region } = make();
    for (const [n, result] of [[], ['a'], ['a', 'b', 'c'], 'ab', undefined, new Map()].entries()) {
      const options = { namespace: `bad ${n}` };
      const load: any = cacheMultiOnArguments(region, options)((async (..._ids: number[]) => result) as any);
      for (const call of [load, load.refresh]) {
        assert.is((await errorOf(() => call(1, 2))).code, 'ERR_CAIRN_CREATOR_RESULT');
      }
      assert.equal(await load.get(1, 2), [undefined, undefined]);
    }
  });

  it('errors reject, whether of the function or of its arguments', async () => {
    const { region } = make();
    const fails: any = cacheMultiOnArguments(region)(function fails(..._ids: unknown[]): string[] {
      throw new Error('at once');
    });
    for (const call of [() => fails(1), () => fails.refresh(1)]) {
      const promise = call();
      assert.instance(promise, Promise);
      assert.is((await errorOf(() => promise)).message, 'at once');
    }
    const symbol = Symbol('s');
    const calls = [fails, fails.refresh, fails.get, fails.invalidate, () => fails.set([[symbol, 1]])];
    for (const call of calls) {
      const promise = call(symbol);
      assert.instance(promise, Promise);
      assert.is((await errorOf(() => promise)).code, 'ERR_CAIRN_OPTION');
    }
    assert.is((await errorOf(() => fails(1, 2, { a: symbol }))).field, 'arguments[2].a');
  });

  it('asMap: what the function did not find is neither cached nor returned', async () => {
    const { region } = make();
    const { calls, find } = finding();
    const cachedFind = cacheMultiOnArguments(region, { asMap: true })(find);
    const first = await cachedFind(3, 4, 2, 1, 4);
    assert.equal(
      [...first],
      [
        [4, '4 #2'],
        [2, '2 #1'],
      ],
    );
    assert.equal(calls, [[1, 2, 3, 4]]);
    assert.equal(
      [...(await cachedFind(1, 2, 6))],
      [
        [2, '2 #1'],
        [6, '6 #3'],
      ],
    );
    assert.equal(calls[1], [1, 6]);
    assert.equal([...(await cachedFind(1))], []);
    assert.equal([...(await cachedFind())], []);
    assert.is(calls.length, 3);
    assert.equal(
      [...(await cachedFind.get(1, 2, 3, 6))],
      [
        [2, '2 #1'],
        [6, '6 #3'],
      ],
    );
    assert.is(await region.has('find|1', { ignoreExpiration: true }), false);
    assert.is(await cachedFind.set(new Map([[1, 'given']])), true);
    assert.equal([...(await cachedFind(1))], [[1, 'given']]);
    assert.is(await cachedFind.invalidate(1, 2, 3), 2);
    assert.equal([...(await cachedFind.refresh(6, 5))], [[6, '6 #4']]);
    assert.equal([...(await cachedFind.get(5, 6))], [[6, '6 #4']]);
  });

  it('asMap: shouldCache sees what was found, and that alone', async () => {
    const { region } = make();
    const { find } = finding();
    const seen: string[] = [];
    const shouldCache = (value: string) => {
      seen.push(value);
      return value !== '2 #1';
    };
    const cachedFind = cacheMultiOnArguments(region, { asMap: true, shouldCache })(find);
    assert.equal(
      [...(await cachedFind(1, 2, 4))],
      [
        [2, '2 #1'],
        [4, '4 #2'],
      ],
    );
    assert.equal([...(await cachedFind.get(1, 2, 4))], [[4, '4 #2']]);
    await cachedFind.refresh(1, 3);
    assert.equal(seen, ['2 #1', '4 #2']);
  });

  it('asMap: what is gone from the origin goes from the region, also where it was stale', async () => {
    for (const refresh of ['inline', 'background'] as const) {
      const { region, clock } = make();
      const rows = new Map<number, Row>([1, 2].map((id) => [id, { id }]));
      const find = cacheMultiOnArguments(region, { asMap: true, refresh })(async function find(
        ...ids: number[]
      ) {
        return new Map(ids.filter((id) => rows.has(id)).map((id) => [id, rows.get(id)!]));
      });
      assert.equal([...(await find(1, 2)).keys()], [1, 2]);
      rows.delete(1);
      clock.advance(EXPIRATION + 1);
      const stands = () => region.has('find|1', { ignoreExpiration: true });
      assert.is(await stands(), true);
      const next = await find(1, 2);
      assert.equal([...next.keys()], refresh === 'inline' ? [2] : [1, 2]);
      assert.ok(await until(async () => !(await stands())));
      assert.equal([...(await find(1, 2)).keys()], [2]);
      rows.delete(2);
      assert.equal([...(await find.refresh(2)).keys()], []);
      assert.equal([...(await find(2)).keys()], []);
    }
  });

  it('asMap: callers that join a run leave out what it did not find, and no other call joins it', async () => {
    const keyGenerator = () => (id: number) => `row ${id}`;
    const { region } = make({ keyGenerator });
    const gate = deferred();
    const runs: number[][] = [];
    const find = cacheMultiOnArguments(region, { asMap: true })(async function find(...ids: number[]) {
      runs.push(ids);
      await gate.promise;
      return new Map(ids.filter((id) => id % 2 === 0).map((id) => [id, `found ${id}`]));
    });
    let loads = 0;
    const many = cacheMultiOnArguments(region)(async function many(...ids: number[]) {
      loads += ids.length;
      return ids.map((id) => `made ${id}`);
    });
    const one = cacheOnArguments(region)(async function one(id: number) {
      loads++;
      return `made ${id}`;
    });
    const calls = [find(1, 2)];
    assert.ok(await until(() => runs.length === 1));
    calls.push(find(2, 1, 4), find(1));
    // keys 2 and 1, then 1
    assert.ok(await until(() => region.stats().joined === 3 && runs.length === 2));
    const plain = region.getOrCreate('row 1', () => {
      loads++;
      return 'made 1';
    });
    const values = [one(1), one(2), many(2, 1).then(String), plain];
    await turns(20);
    gate.resolve();
    const maps = await Promise.all(calls);
    assert.equal(
      maps.map((map) => [...map.keys()]),
      [[2], [2, 4], []],
    );
    assert.equal(await Promise.all(values), ['made 1', 'found 2', 'found 2,made 1', 'made 1']);
    assert.is(loads, 1, 'what was not found was made once, for all who need a value');
    assert.equal(runs, [[1, 2], [4]]);
    assert.equal([...(await find(1))], [[1, 'made 1']]);
  });

  it('asMap: anything but a Map is refused', async () => {
    const { region } = make();
    for (const [n, result] of [[['a']], {}, undefined, new Set()].entries()) {
      const namespace = `bad ${n}`;
      const decorate: any = cacheMultiOnArguments(region, { namespace, asMap: true });
      const load = decorate(async () => result);
      assert.is((await errorOf(() => load(1))).field, 'asMap');
      assert.is((await errorOf(() => load.refresh(1))).field, 'asMap');
      assert.equal([...(await load.get(1))], []);
    }
  });

  it('objects as arguments: the function gets them, and the Map has them', async () => {
    const { region } = make();
    const calls: object[] = [];
    const find = cacheMultiOnArguments(region, { asMap: true })(async function find(
      ...points: { x: number }[]
    ) {
      calls.push(points);
      return new Map(points.map((point) => [point, point.x * 2]));
    });
    const [a, twin, b] = [{ x: 1 }, { x: 1 }, { x: 2 }];
    const found = await find(a, twin, b);
    assert.is(found.size, 3);
    assert.equal([found.get(a), found.get(twin), found.get(b)], [2, 2, 4]);
    assert.equal(calls, [[a, b]]);
    assert.is((await find.get(twin)).get(twin), 2);
  });

  if (!setup.sync) continue;

  it('Sync: the same at once', async () => {
    const { region } = make();
    let count = 0;
    const calls: number[][] = [];
    const load = cacheMultiOnArgumentsSync(region)(function load(...ids: number[]) {
      calls.push(ids);
      return ids.map((id) => `${id} #${++count}`);
    });
    assert.equal(load(2, 10, 2), ['2 #2', '10 #1', '2 #2']);
    assert.equal(load(3, 2), ['3 #3', '2 #2']);
    assert.equal(calls, [[10, 2], [3]]);
    assert.equal(load.get(2, 4), ['2 #2', undefined]);
    assert.is(load.invalidate(2, 4), 1);
    assert.is(load.set([[2, 'given']]), true);
    assert.equal(load.refresh(3, 10), ['3 #5', '10 #4']);
    assert.equal(load(2, 3, 10), ['given', '3 #5', '10 #4']);

    const find = cacheMultiOnArgumentsSync(region, { asMap: true })(function find(...ids: number[]) {
      return new Map(ids.filter((id) => id % 2 === 0).map((id) => [id, `${id} #${++count}`]));
    });
    assert.equal([...find(1, 2)], [[2, '2 #6']]);
    assert.equal([...find.get(1, 2)], [[2, '2 #6']]);
    assert.is(find.set(new Map([[1, 'given']])), true);
    assert.equal([...find.refresh(1, 2)], [[2, '2 #7']]);
    assert.equal([...find.get(1, 2)], [[2, '2 #7']]);
    assert.is(find.invalidate(1, 2), 1);
  });

  it('Sync: a function that answers by a promise is refused', async () => {
    const { region } = make();
    const decorate: any = cacheMultiOnArgumentsSync(region);
    assert.is((await errorOf(() => decorate(async function later() {}))).code, 'ERR_CAIRN_SYNC');
    const promises = decorate(function promises() {
      return Promise.reject(new Error('unseen'));
    });
    assert.is((await errorOf(() => promises(1))).code, 'ERR_CAIRN_SYNC');
    assert.is((await errorOf(() => promises.refresh(1))).code, 'ERR_CAIRN_SYNC');
    await turns(2);
  });
}

const plain = (options: object = {}) =>
  createRegion<any>({ name: 'plain', backend: 'cairn.memory', ...options });

test('keyGenerator is called for one argument at a time; of arguments with one key the first goes to the function', async () => {
  const asked: unknown[][] = [];
  const region = plain();
  const keyGenerator =
    (namespace: string | undefined, fn: { name: string }) =>
    (...args: string[]) => {
      asked.push(args);
      return `${namespace}.${fn.name}.${args[0].toLowerCase()}`;
    };
  const calls: string[][] = [];
  const load = cacheMultiOnArguments(region, { namespace: 'N', keyGenerator })(async function load(
    ...names: string[]
  ) {
    calls.push(names);
    return names.map((name) => name.length);
  });
  assert.equal(await load('b', 'A', 'B', 'a'), [1, 1, 1, 1]);
  assert.equal(asked, [['b'], ['A'], ['B'], ['a']]);
  assert.equal(calls, [['A', 'b']]);
  assert.is(region.getSync('N.load.a'), 1);
});

test('this reaches the function, and cachedMulti binds it', async () => {
  const region = plain();
  const load = cacheMultiOnArguments(region)(async function load(this: any, ...ids: number[]) {
    return ids.map((id) => `${this?.tag} ${id}`);
  });
  assert.equal(await load.call({ tag: 'first' }, 1), ['first 1']);
  assert.equal(await load.refresh.call({ tag: 'second' }, 1), ['second 1']);
  assert.equal(await load.refresh(1), ['undefined 1']);
  assert.equal(await cachedMulti(load, { tag: 'bound' }).refresh(1), ['bound 1']);
  assert.equal(await cachedMulti(load, { tag: 'bound' })(1, 2), ['bound 1', 'bound 2']);
  assert.is(cachedMulti(load), load);
  assert.is((await errorOf(() => cached(load))).field, 'fn');
  const one = cacheOnArguments(region)(async function one() {});
  assert.is((await errorOf(() => cachedMulti(one as any))).field, 'fn');
});

test('values are frozen unless the region says otherwise', async () => {
  for (const freeze of [true, false]) {
    const load = cacheMultiOnArguments(plain({ freeze }))(async function load(...ids: number[]) {
      return ids.map((id) => ({ id }));
    });
    const [made] = await load(1);
    const [refreshed] = await load.refresh(1);
    assert.equal([Object.isFrozen(made), Object.isFrozen(refreshed)], [freeze, freeze]);
  }
});

test('names are taken over both forms, and options are checked', async () => {
  const region = plain();
  const named = (async () => []) as any;
  cacheOnArguments(region)(named);
  assert.is((await errorOf(() => cacheMultiOnArguments(region)(named))).field, 'namespace');
  assert.is((await errorOf(() => cacheMultiOnArguments(region)((async () => []) as any))).field, 'namespace');
  for (const decorator of [cacheMultiOnArguments, cacheMultiOnArgumentsSync] as any[]) {
    for (const [options, field] of [
      [{ asMap: 1 }, 'asMap'],
      [{ asmap: true }, 'asmap'],
      [{ refresh: 5 }, 'refresh'],
      [{ asyncCreationRunner: () => {} }, 'asyncCreationRunner'],
    ] as const) {
      assert.is((await errorOf(() => decorator(region, options))).field, field);
    }
  }
});

test.run();
