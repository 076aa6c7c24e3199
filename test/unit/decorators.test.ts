/** `cacheOnArguments` and its `Sync` twin: a function that the region caches, and what it has beside its call. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { KeyGenerator } from '../../src/region/decorators/argument-keys.ts';
import { cached } from '../../src/region/decorators/cached.ts';
import { cacheOnArguments, cacheOnArgumentsSync } from '../../src/region/decorators/single.ts';
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

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);
  const make = (more: object = {}) => setup.make<any>({ expirationTime: EXPIRATION, ...more });
  /** A function that notes what it was called with. */
  const counted = () => {
    const calls: unknown[][] = [];
    async function load(...args: unknown[]) {
      calls.push(args);
      return `${args.join('+')} #${calls.length}`;
    }
    return { calls, load };
  };

  it('one call for equal arguments, another one for others', async () => {
    const { region } = make();
    const { calls, load } = counted();
    const cachedLoad = cacheOnArguments(region)(load);
    assert.is(await cachedLoad('x y', 'z'), 'x y+z #1');
    assert.is(await cachedLoad('x y', 'z'), 'x y+z #1');
    assert.is(await cachedLoad('x', 'y z'), 'x+y z #2');
    assert.is(await cachedLoad(1), '1 #3');
    assert.is(await cachedLoad('1'), '1 #4');
    assert.is(await cachedLoad(), ' #5');
    assert.is(await cachedLoad({ a: 1, b: [2] }), '[object Object] #6');
    assert.is(await cachedLoad({ b: [2], a: 1 }), '[object Object] #6');
    assert.equal(calls[0], ['x y', 'z']);
    assert.is(await region.get('load|"x y"|"z"'), 'x y+z #1');
    // concurrent callers share one call
    const both = await Promise.all([cachedLoad('new'), cachedLoad('new')]);
    assert.equal(both, ['new #7', 'new #7']);
  });

  it('invalidate, set, get and original', async () => {
    const { region } = make();
    const { load } = counted();
    const cachedLoad = cacheOnArguments(region)(load);
    assert.is(await cachedLoad.get('a'), undefined);
    assert.is(await cachedLoad('a'), 'a #1');
    assert.is(await cachedLoad.get('a'), 'a #1');
    assert.is(await cachedLoad.invalidate('a'), true);
    assert.is(await cachedLoad.invalidate('a'), false);
    assert.is(await cachedLoad.get('a'), undefined);
    assert.is(await cachedLoad.set('given', 'a', 'b'), true);
    assert.is(await cachedLoad('a', 'b'), 'given');
    assert.is(await cachedLoad('a'), 'a #2');
    assert.is(await cachedLoad.set(0 as any), true);
    assert.is(await cachedLoad(), 0);
    assert.is(cachedLoad.original, load);
    assert.is(await cachedLoad.original('a'), 'a #3');
    assert.is(await cachedLoad('a'), 'a #2');
  });

  it('refresh calls the function, whatever stands, and stores what it returns', async () => {
    const { region } = make();
    const { load } = counted();
    const cachedLoad = cacheOnArguments(region, { shouldCache: (value) => !value.startsWith('bad') })(load);
    assert.is(await cachedLoad('a'), 'a #1');
    assert.is(await cachedLoad.refresh('a'), 'a #2');
    assert.is(await cachedLoad('a'), 'a #2');
    assert.is(await cachedLoad.refresh('bad'), 'bad #3');
    assert.is(await cachedLoad.get('bad'), undefined);
    assert.is(await cachedLoad('bad'), 'bad #4');
    assert.is(await cachedLoad('bad'), 'bad #5');
  });

  it('refresh does not wait for a call that runs, and neither is frozen out', async () => {
    const { region } = make();
    const gates = [deferred<string>(), deferred<string>()];
    let calls = 0;
    const load = (_id: string) => gates[calls++].promise;
    const cachedLoad = cacheOnArguments(region)(load);
    const first = cachedLoad('a');
    assert.ok(await until(() => calls === 1));
    const second = cachedLoad.refresh('a');
    assert.is(calls, 2);
    gates[1].resolve('refreshed');
    assert.is(await second, 'refreshed');
    gates[0].resolve('created');
    assert.is(await first, 'created');
    assert.is(await cachedLoad.get('a'), 'refreshed');
  });

  it('expirationTime: of the region, a number, null, and a function that is asked at each call', async () => {
    const { region, clock } = make();
    let time: number | null = 5;
    let asked = 0;
    const forms = {
      own: {},
      longer: { expirationTime: 100 },
      never: { expirationTime: null },
      asks: {
        expirationTime: () => {
          asked++;
          return time;
        },
      },
    };
    const functions = Object.entries(forms).map(
      ([namespace, options]) =>
        [namespace, cacheOnArguments(region, { namespace, ...options })(counted().load)] as const,
    );
    const by = Object.fromEntries(functions);
    for (const [, load] of functions) assert.is(await load(), ' #1');
    assert.is(asked, 1);
    clock.advance(6);
    assert.is(await by.own(), ' #1');
    assert.is(await by.asks.get(), undefined);
    assert.is(await by.asks(), ' #2');
    assert.is(asked, 3);
    time = null;
    clock.advance(5);
    assert.is(await by.own.get(), undefined);
    assert.is(await by.own(), ' #2');
    assert.is(await by.longer.get(), ' #1');
    assert.is(await by.longer(), ' #1');
    clock.advance(1_000);
    assert.is(await by.longer.get(), undefined);
    assert.is(await by.longer(), ' #2');
    assert.is(await by.never(), ' #1');
    assert.is(await by.never.get(), ' #1');
    assert.is(await by.asks(), ' #2');
    time = 0;
    clock.advance(1);
    assert.is(await by.asks(), ' #3');
    time = -1;
    assert.is((await errorOf(() => by.asks())).field, 'expirationTime');
    assert.is((await errorOf(() => by.asks.get())).field, 'expirationTime');
  });

  it('shouldCache, staleOnError and refresh are those of getOrCreate', async () => {
    const { region, clock } = make();
    let broken = false;
    let calls = 0;
    const load = async (id: string) => {
      if (broken) throw new Error('origin is down');
      return `${id} #${++calls}`;
    };
    const namespaces = { refused: { shouldCache: () => false }, stale: { staleOnError: true } };
    const refused = cacheOnArguments(region, { namespace: 'refused', ...namespaces.refused })(load);
    assert.is(await refused('a'), 'a #1');
    assert.is(await refused('a'), 'a #2');
    const stale = cacheOnArguments(region, { namespace: 'stale', ...namespaces.stale })(load);
    const behind = cacheOnArguments(region, { namespace: 'behind', refresh: 'background' })(load);
    assert.is(await stale('a'), 'a #3');
    assert.is(await behind('a'), 'a #4');
    clock.advance(EXPIRATION + 1);
    broken = true;
    assert.is(await stale('a'), 'a #3');
    assert.is((await errorOf(() => refused('a'))).message, 'origin is down');
    broken = false;
    assert.is(await behind('a'), 'a #4');
    assert.ok(await until(async () => (await behind.get('a')) === 'a #5'));
  });

  it('functions that call each other, and themselves', async () => {
    const { region } = make();
    let calls = 0;
    // A function expression with a name would call itself undecorated.
    const sum: (n: number) => Promise<number> = cacheOnArguments(region, { namespace: 'sum' })(
      async (n: number): Promise<number> => {
        calls++;
        return n === 0 ? 0 : n + (await sum(n - 1));
      },
    );
    const twice = cacheOnArguments(region)(async function twice(n: number) {
      return (await sum(n)) + (await sum(n));
    });
    assert.is(await twice(10), 110);
    assert.is(calls, 11);
    const round: (n: number) => Promise<number> = cacheOnArguments(region, { namespace: 'round' })(
      async (n: number): Promise<number> => round(n),
    );
    assert.is((await errorOf(() => round(1))).code, 'ERR_CAIRN_REENTRANT');
  });

  it('errors reject, whether of the function or of its arguments', async () => {
    const { region } = make();
    const fails = cacheOnArguments(region)(function fails(_what: unknown): Promise<string> {
      throw new Error('at once');
    });
    for (const call of [() => fails(1), () => fails.refresh(1)]) {
      const promise = call();
      assert.instance(promise, Promise);
      assert.is((await errorOf(() => promise)).message, 'at once');
    }
    const helpers = [fails, fails.refresh, fails.get, fails.invalidate, (arg: any) => fails.set('x', arg)];
    for (const call of helpers) {
      const promise = call(Symbol('s'));
      assert.instance(promise, Promise);
      assert.is((await errorOf(() => promise)).field, 'arguments[0]');
    }
  });

  if (!setup.sync) continue;

  it('Sync: the same at once', async () => {
    const { region, clock } = make();
    let calls = 0;
    const load = (...args: unknown[]) => `${args.join('+')} #${++calls}`;
    const cachedLoad = cacheOnArgumentsSync(region, { expirationTime: 5, namespace: 'S' })(load);
    assert.is(cachedLoad('a', 1), 'a+1 #1');
    assert.is(cachedLoad('a', 1), 'a+1 #1');
    assert.is(cachedLoad.get('a', 1), 'a+1 #1');
    assert.is(cachedLoad.get('a', '1'), undefined);
    clock.advance(6);
    assert.is(cachedLoad.get('a', 1), undefined);
    assert.is(cachedLoad('a', 1), 'a+1 #2');
    assert.is(cachedLoad.refresh('a', 1), 'a+1 #3');
    assert.is(cachedLoad('a', 1), 'a+1 #3');
    assert.is(cachedLoad.invalidate('a', 1), true);
    assert.is(cachedLoad.invalidate('a', 1), false);
    assert.is(cachedLoad.set('given', 'a', 1), true);
    assert.is(cachedLoad('a', 1), 'given');
    assert.is(cachedLoad.original, load);
    assert.is(region.getSync('S.load|"a"|1', { expirationTime: null }), 'given');
    assert.throws(() => cachedLoad(Symbol('s')), /arguments\[0\]/);
    const picky = cacheOnArgumentsSync(region, { shouldCache: (value: string) => value !== 'no #5' })(
      function picky(what: string) {
        return `${what} #${++calls}`;
      },
    );
    assert.is(picky('no'), 'no #4');
    assert.is(picky.refresh('no'), 'no #5');
    assert.is(picky('no'), 'no #4');
  });

  it('Sync: a function that answers by a promise is refused, at decoration where that can be seen', async () => {
    const { region } = make();
    const decorate: any = cacheOnArgumentsSync(region);
    assert.is((await errorOf(() => decorate(async function later() {}))).code, 'ERR_CAIRN_SYNC');
    assert.is((await errorOf(() => decorate(async () => {}))).code, 'ERR_CAIRN_SYNC');
    // rejects, which must not go unhandled
    const promises = decorate(function promises() {
      return Promise.reject(new Error('unseen'));
    });
    assert.is((await errorOf(() => promises(1))).code, 'ERR_CAIRN_SYNC');
    assert.is((await errorOf(() => promises.refresh(1))).code, 'ERR_CAIRN_SYNC');
    assert.is(promises.get(1), undefined);
    await turns(2);
  });
}

const plain = (options: object = {}) =>
  createRegion<any>({ name: 'plain', backend: 'cairn.memory', ...options });

test('name and length are those of the function, and this reaches it', async () => {
  const region = plain();
  const load = cacheOnArguments(region)(async function load(
    this: { tag: string },
    id: string,
    _more?: number,
  ) {
    return `${this.tag} ${id}`;
  });
  assert.is(load.name, 'load');
  assert.is(load.length, 2);
  const owner = { tag: 'first', load };
  assert.is(await owner.load('a'), 'first a');
  // the key ignores `this`
  assert.is(await load.call({ tag: 'second' }, 'a'), 'first a');
  assert.is(await load.refresh.call({ tag: 'third' }, 'a'), 'third a');
  assert.is(await load.call({ tag: 'fourth' }, 'a'), 'third a');
  assert.instance(await errorOf(() => load.refresh('a')), TypeError);
});

test('an async function from a synchronous one', async () => {
  const region = plain();
  const parse = cacheOnArguments(region)(function parse(text: string) {
    return JSON.parse(text) as unknown;
  });
  const promise = parse('[1]');
  assert.instance(promise, Promise);
  assert.equal(await promise, [1]);
  assert.is((await errorOf(() => parse('['))).name, 'SyntaxError');
  assert.is((await errorOf(() => parse.refresh('['))).name, 'SyntaxError');
});

test('a value is the very object that the function made, frozen unless the region says otherwise', async () => {
  for (const freeze of [true, false]) {
    const region = plain({ freeze });
    const made: object[] = [];
    const load = cacheOnArguments(region)(async function load() {
      const value = { list: [1] };
      made.push(value);
      return value;
    });
    assert.is(await load(), made[0]);
    assert.is(await load.refresh(), made[1]);
    for (const value of made as { list: number[] }[]) {
      assert.is(Object.isFrozen(value), freeze);
      assert.is(Object.isFrozen(value.list), freeze);
    }
  }
});

test('a function is decorated before its region is configured', async () => {
  const region = createRegion<any>({ name: 'later' });
  let calls = 0;
  const load = cacheOnArguments(region)(async function load(id: string) {
    return `${id} #${++calls}`;
  });
  for (const call of [load, load.get, load.invalidate]) {
    assert.is((await errorOf(() => call('a'))).code, 'ERR_CAIRN_NOT_CONFIGURED');
  }
  assert.is(calls, 0);
  region.configure('cairn.memory');
  assert.is(await load('a'), 'a #1');
});

test('with the null backend every call runs the function', async () => {
  let calls = 0;
  const region = createRegion<any>({ name: 'none', backend: 'cairn.null' });
  const load = cacheOnArguments(region)(async function load() {
    return ++calls;
  });
  assert.is(await load(), 1);
  assert.is(await load(), 2);
});

test('a stored undefined is a value, though get cannot tell', async () => {
  let calls = 0;
  const load = cacheOnArguments(plain())(async function load(): Promise<undefined> {
    calls++;
  });
  assert.is(await load(), undefined);
  assert.is(await load(), undefined);
  assert.is(calls, 1);
  assert.is(await load.get(), undefined);
});

test('keyGenerator: the decorator wins over the region, and is asked once for the function', async () => {
  const asked: unknown[][] = [];
  const generator =
    (tag: string): KeyGenerator =>
    (namespace, fn) => {
      asked.push([tag, namespace, fn.name]);
      return (...args) => `${tag}:${fn.name}:${args.length}`;
    };
  const region = plain({ keyGenerator: generator('region') });
  const one = cacheOnArguments(region)(async function one(..._args: unknown[]) {
    return 1;
  });
  const two = cacheOnArguments(region, { keyGenerator: generator('own'), namespace: 'N' })(async function two(
    ..._args: unknown[]
  ) {
    return 2;
  });
  assert.equal(asked, [
    ['region', undefined, 'one'],
    ['own', 'N', 'two'],
  ]);
  await one('a', Symbol('s'));
  await two(new Map(), 'b', 'c');
  assert.is(region.getSync('region:one:2'), 1);
  assert.is(region.getSync('own:two:3'), 2);
  assert.is(await two.invalidate('x', 'y', 'z'), true);
  const bad = cacheOnArguments(region, { keyGenerator: (() => () => 5) as any })(async function bad() {});
  assert.is((await errorOf(() => bad())).code, 'ERR_CAIRN_KEY');
  const error = new Error('no key');
  const throws = cacheOnArguments(region, {
    keyGenerator: () => () => {
      throw error;
    },
  })(async function throws() {});
  assert.is(await errorOf(() => throws()), error);
  assert.is(await errorOf(() => throws.get()), error);
});

test('names: taken ones, and none', async () => {
  const region = plain();
  const named = (name: string) => Object.defineProperty(async () => name, 'name', { value: name });
  const fieldOf = async (options: object, fn: any) => {
    const error = await errorOf(() => cacheOnArguments(region, options)(fn));
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    return error.field;
  };
  assert.is(await fieldOf({}, async () => {}), 'namespace');
  assert.is(await fieldOf({ keyGenerator: () => () => 'k' }, async () => {}), 'namespace');
  cacheOnArguments(region)(named('load'));
  assert.is(await fieldOf({}, named('load')), 'namespace');
  assert.is(await fieldOf({ keyGenerator: () => () => 'k' }, named('load')), 'namespace');
  cacheOnArguments(region, { namespace: 'A' })(named('load'));
  cacheOnArguments(region, { namespace: 'A' })(named('save'));
  cacheOnArguments(region, { namespace: 'B' })(named('load'));
  assert.is(await fieldOf({ namespace: 'A' }, named('load')), 'namespace');
  cacheOnArguments(region, { namespace: 'A' })(async () => {});
  assert.is(await fieldOf({ namespace: 'A' }, async () => {}), 'namespace');
  // the names of one region are free in another
  cacheOnArguments(plain())(named('load'));
  // a decoration that failed takes no name
  const failing = { keyGenerator: () => 'no function' as any };
  assert.is(await fieldOf(failing, named('late')), 'keyGenerator');
  cacheOnArguments(region)(named('late'));
  // one decorator serves several functions
  const decorate = cacheOnArguments(region, { namespace: 'C' });
  const [one, two] = [decorate(named('one')), decorate(named('two'))];
  assert.equal([await one(), await two()], ['one', 'two']);
  const message = (await errorOf(() => decorate(named('one')))).message;
  assert.is(
    message,
    "namespace: must tell functions apart: region 'plain' has a function 'one' with the same one, got 'C'",
  );
});

test('options: unknown and wrong ones are named', async () => {
  const region = plain();
  const cases: [any, string][] = [
    [null, 'options'],
    ['x', 'options'],
    [{ ttl: 5 }, 'ttl'],
    [{ asMap: true }, 'asMap'],
    [{ signal: AbortSignal.abort() }, 'signal'],
    [{ namespace: '' }, 'namespace'],
    [{ namespace: 5 }, 'namespace'],
    [{ expirationTime: -1 }, 'expirationTime'],
    [{ expirationTime: '5' }, 'expirationTime'],
    [{ shouldCache: true }, 'shouldCache'],
    [{ keyGenerator: 'x' }, 'keyGenerator'],
    [{ waitTimeout: -1 }, 'waitTimeout'],
    [{ staleOnError: 1 }, 'staleOnError'],
    [{ softTimeout: NaN }, 'softTimeout'],
    [{ refresh: 'never' }, 'refresh'],
  ];
  for (const [options, field] of cases) {
    for (const decorator of [cacheOnArguments, cacheOnArgumentsSync]) {
      const error = await errorOf(() => decorator(region, options));
      assert.is(error.code, 'ERR_CAIRN_OPTION', field);
      assert.is(error.field, field);
    }
  }
  assert.is((await errorOf(() => cacheOnArgumentsSync(region, { softTimeout: 5 }))).field, 'softTimeout');
  for (const fn of [undefined, null, 'load', {}]) {
    assert.is((await errorOf(() => cacheOnArguments(region)(fn as any))).field, 'fn');
  }
  // options are read once
  const options = { namespace: 'before' };
  const decorate = cacheOnArguments(region, options);
  options.namespace = 'after';
  await decorate(async function load() {
    return 1;
  })();
  assert.is(region.getSync('before.load'), 1);
});

test('cached knows decorated functions, and binds them', async () => {
  const region = plain();
  const load = cacheOnArguments(region)(async function load(this: any, id: string) {
    return `${this?.tag} ${id}`;
  });
  assert.is(cached(load), load);
  for (const other of [async () => {}, load.original, null, 'x', undefined]) {
    assert.is((await errorOf(() => cached(other as any))).code, 'ERR_CAIRN_OPTION');
  }
  const bound = cached(load, { tag: 'bound' });
  assert.is(await bound('a'), 'bound a');
  assert.is(await bound.refresh('b'), 'bound b');
  assert.is(await load('b'), 'bound b');
  assert.is(await bound.get('a'), 'bound a');
  assert.is(bound.original, load.original);
  assert.is(bound.name, 'load');
  assert.is(cached(bound), bound);
  const now = cacheOnArgumentsSync(region)(function now(this: any) {
    return this.tag;
  });
  assert.is(cached(now, { tag: 'sync' }).refresh(), 'sync');
  assert.is(now(), 'sync');
});

test.run();
