/** dogpile.cache, "Decorators": test_decorator.py, and the tests of decorated functions elsewhere. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheRegion, createRegion } from '../../src/index.ts';
import type { KeyGenerator } from '../../src/region/decorators/argument-keys.ts';
import { cached } from '../../src/region/decorators/cached.ts';
import { cacheOnArguments, cacheOnArgumentsSync } from '../../src/region/decorators/single.ts';
import { counter, errorOf, everyWay, stored, type Trial, turns } from './fixtures.ts';

/** The decorator of the form that the way is about. What it makes is awaited in both. */
function decorator(
  on: Trial,
  region: CacheRegion<any>,
  options: object = {},
): (fn: any, context?: any) => any {
  return on.sync ? (cacheOnArgumentsSync(region, options) as any) : cacheOnArguments(region, options);
}

/** `go(a, b)` returns the number of the call and its arguments. */
function fixture(on: Trial, options: object = {}) {
  const subject = on.make({ expirationTime: 250 });
  const next = counter();
  const decorated = decorator(
    on,
    subject.region,
    options,
  )(function go(a: unknown, b: unknown) {
    return [next(), a, b];
  });
  const go = Object.assign(async (...args: unknown[]) => decorated(...args), {
    get: async (...args: unknown[]) => decorated.get(...args),
    set: async (...args: unknown[]) => decorated.set(...args),
    invalidate: async (...args: unknown[]) => decorated.invalidate(...args),
    refresh: async (...args: unknown[]) => decorated.refresh(...args),
  });
  return { ...subject, decorated, go };
}

for (const [name, options] of Object.entries({
  'D:test_decorator': {},
  'D:test_decorator_namespace': { namespace: 'x' },
})) {
  everyWay(name, async (on) => {
    const { go, clock } = fixture(on, options);
    assert.equal(await go(1, 2), [1, 1, 2]);
    assert.equal(await go(3, 4), [2, 3, 4]);
    assert.equal(await go(1, 2), [1, 1, 2]);
    clock.advance(300);
    assert.equal(await go(1, 2), [3, 1, 2]);
  });
}

everyWay('D:test_decorator_namespace: the key has it', async (on) => {
  const { go, region } = fixture(on, { namespace: 'x' });
  await go(1, 2);
  assert.is(((await stored(region, 'x.go|1|2')) as any).metadata.v, 1);
});

for (const [name, expirationTime] of Object.entries({
  'D:test_decorator_custom_expire': 500,
  'D:test_decorator_expire_callable': () => 500,
})) {
  everyWay(name, async (on) => {
    const { go, clock } = fixture(on, { expirationTime });
    assert.equal(await go(1, 2), [1, 1, 2]);
    assert.equal(await go(3, 4), [2, 3, 4]);
    clock.advance(300);
    assert.equal(await go(1, 2), [1, 1, 2]);
    assert.equal(
      await go.get(1, 2),
      [1, 1, 2],
      "get goes by the decorator's expiration, not by the region's",
    );
    clock.advance(300);
    assert.is(await go.get(1, 2), undefined);
    assert.equal(await go(1, 2), [3, 1, 2]);
  });
}

everyWay('D:test_decorator_expire_callable_zero: made anew once a millisecond has passed', async (on) => {
  let asked = 0;
  const expirationTime = () => {
    asked++;
    return 0;
  };
  const { go, clock } = fixture(on, { expirationTime });
  for (const n of [1, 2, 3]) {
    assert.equal(await go(1, 2), [n, 1, 2]);
    clock.advance(1);
  }
  assert.is(asked, 3, 'once a call');
});

everyWay('D:test_explicit_expire: invalidate', async (on) => {
  const { go } = fixture(on, { expirationTime: 1000 });
  await go(1, 2);
  await go(3, 4);
  assert.equal(await go(1, 2), [1, 1, 2]);
  assert.is(await go.invalidate(1, 2), true);
  assert.is(await go.invalidate(1, 2), false);
  assert.equal(await go(1, 2), [3, 1, 2]);
  assert.equal(await go(3, 4), [2, 3, 4]);
});

everyWay('D:test_explicit_set: the value comes first, 0 is one', async (on) => {
  const { go } = fixture(on, { expirationTime: 1000 });
  assert.equal(await go(1, 2), [1, 1, 2]);
  await go.set(5, 1, 2);
  assert.equal(await go(3, 4), [2, 3, 4]);
  assert.is(await go(1, 2), 5);
  await go.invalidate(1, 2);
  assert.equal(await go(1, 2), [3, 1, 2]);
  await go.set(0, 1, 3);
  assert.is(await go(1, 3), 0);
});

everyWay('D:test_explicit_get: undefined if absent', async (on) => {
  const { go } = fixture(on, { expirationTime: 1000 });
  assert.equal(await go(1, 2), [1, 1, 2]);
  assert.equal(await go.get(1, 2), [1, 1, 2]);
  assert.is(await go.get(2, 1), undefined);
  assert.equal(await go(2, 1), [2, 2, 1]);
  assert.equal(await go.get(2, 1), [2, 2, 1]);
});

everyWay('D:test_explicit_refresh', async (on) => {
  const { go } = fixture(on, { expirationTime: 1000 });
  assert.equal(await go(1, 2), [1, 1, 2]);
  assert.equal(await go.refresh(1, 2), [2, 1, 2]);
  assert.equal(await go(1, 2), [2, 1, 2]);
  assert.equal(await go.refresh(1, 2), [3, 1, 2]);
  assert.equal(await go(1, 2), [3, 1, 2]);
});

everyWay('refresh asks shouldCache, which dogpile.cache forgets, and takes no lock', async (on) => {
  const { go, region } = fixture(on, { shouldCache: ([n]: number[]) => n === 1 });
  await go(1, 2);
  assert.equal(await go.refresh(1, 2), [2, 1, 2]);
  assert.equal(await go(1, 2), [1, 1, 2]);
  const mutex = region.backend.getMutex('go|1|2');
  if (mutex === null) return;
  assert.is(await mutex.acquire(), true);
  assert.equal(await go.refresh(1, 2), [3, 1, 2]);
  mutex.release();
});

everyWay('D:test_decorator_key_generator', async (on) => {
  const byFirst: KeyGenerator = (_namespace, fn) => (first) => `${fn.name}_${first}`;
  const { go, clock, region } = fixture(on, { keyGenerator: byFirst });
  assert.equal(await go(1, 2), [1, 1, 2]);
  assert.equal(await go(3, 4), [2, 3, 4]);
  assert.equal(await go(1, 3), [1, 1, 2]);
  assert.is(((await stored(region, 'go_1')) as any).metadata.v, 1);
  clock.advance(300);
  assert.equal(await go(1, 3), [3, 1, 3]);
});

everyWay("a decorator's generator wins over the region's, which wins over the default", async (on) => {
  const named =
    (name: string): KeyGenerator =>
    () =>
    () =>
      name;
  const { region } = on.make({ keyGenerator: named('of the region') });
  await decorator(
    on,
    region,
  )(function one() {
    return 1;
  })();
  await decorator(on, region, { keyGenerator: named('of the decorator') })(function two() {
    return 2;
  })();
  assert.is(((await stored(region, 'of the region')) as any).payload, 1);
  assert.is(((await stored(region, 'of the decorator')) as any).payload, 2);
});

everyWay('decorating before configure is legal, and the generator is fixed then', async (on) => {
  let asked = 0;
  const generator: KeyGenerator = () => {
    asked++;
    return (n) => `key ${n}`;
  };
  const made = on.make();
  const { backend, ...options } = on.configuration(made.clock);
  const region = createRegion<any>({ name: 'early', clock: made.clock.read, keyGenerator: generator });
  const go = decorator(
    on,
    region,
  )(function go(n: number) {
    return n * 2;
  });
  assert.is(asked, 1);
  assert.is((await errorOf(async () => go(1))).code, 'ERR_CAIRN_NOT_CONFIGURED');
  on.subject(region.configure(backend, options), made.clock);
  assert.is(await go(1), 2);
  assert.is(await go(1), 2);
  assert.is(asked, 1);
});

everyWay('D:CacheDecoratorTest.test_cache_arg, F:test_decorated_fn_functionality', async (on) => {
  const { region } = on.make();
  const next = counter();
  const generate = decorator(
    on,
    region,
  )(function generate(x: number, y: number) {
    return next() + x + y;
  });
  for (const args of [
    [3, 4],
    [5, 6],
    [4, 3],
  ])
    assert.is(await generate.invalidate(...args), false);
  assert.is(await generate(3, 4), 8);
  assert.is(await generate(5, 6), 13);
  assert.is(await generate(3, 4), 8);
  assert.is(await generate(4, 3), 10);
  await generate.invalidate(4, 3);
  assert.is(await generate(4, 3), 11);
});

everyWay('D:test_original_fn_set, D:test_cache_preserve_sig', async (on) => {
  const { region } = on.make();
  function generate(x: number, y: number, ..._more: number[]): number {
    return x + y;
  }
  const decorated = decorator(on, region)(generate);
  assert.is(decorated.original, generate);
  assert.is(decorated.name, 'generate');
  assert.is(decorated.length, 2);
});

everyWay('D:test_reentrant_call: nested functions of one name in two namespaces', async (on) => {
  const { region } = on.make();
  const next = counter();
  const inner = decorator(on, region, { namespace: 'foo' })(function generate(x: number, y: number) {
    return next() + x + y;
  });
  const outer = decorator(on, region, { namespace: 'bar' })(function generate(x: number, y: number) {
    return inner(x, y);
  });
  assert.is(await outer(1, 2), 4);
  assert.is(await inner(1, 2), 4);
});

everyWay('one namespace for two functions of one name, which there is a deadlock, is refused', async (on) => {
  const { region } = on.make();
  function generate(x: number): any {
    return x;
  }
  decorator(on, region, { namespace: 'foo' })(generate);
  const again = () => decorator(on, region, { namespace: 'foo' })(generate);
  const error = await errorOf(async () => again());
  assert.is(error.code, 'ERR_CAIRN_OPTION');
  assert.is(error.field, 'namespace');
});

everyWay('a function that asks for its own key does not wait for itself', async (on) => {
  const { region } = on.make();
  // Another name than `go`, by which it would call itself undecorated.
  function load(n: number): unknown {
    return go(n);
  }
  const go = decorator(on, region)(load);
  assert.is((await errorOf(async () => go(1))).code, 'ERR_CAIRN_REENTRANT');
});

everyWay('methods: this is no part of the key, and the helpers take the arguments alone', async (on) => {
  const { region } = on.make();
  const decorate = decorator(on, region, { namespace: 'Adder' });
  let calls = 0;
  class Adder {
    readonly base: number;
    constructor(base: number) {
      this.base = base;
    }
    add(x: number, y: number): any {
      calls++;
      return this.base + x + y;
    }
  }
  Adder.prototype.add = decorate(Adder.prototype.add);
  const [first, second] = [new Adder(100), new Adder(200)];
  assert.is(await first.add(3, 4), 107);
  assert.is(await second.add(3, 4), 107, 'all instances share');
  assert.is(calls, 1);
  assert.is(await (cached(first.add) as any).invalidate(3, 4), true);
  assert.is(await second.add(3, 4), 207);
});

everyWay('R:AsyncCreatorTest.test_fn_decorator', async (on) => {
  const runs: unknown[][] = [];
  const subject = on.make({
    expirationTime: 5000,
    asyncCreationRunner: async (region, key, creator, mutex, token) => {
      runs.push([region, key]);
      await region.set(key, await creator(), { token });
      mutex.release();
    },
  });
  const { region, call } = subject;
  const canary: number[][] = [];
  const go = decorator(
    on,
    region,
  )(function go(x: number, y: number) {
    canary.push([x, y]);
    return x + y;
  });
  assert.is(await go(1, 2), 3);
  assert.is(await go(1, 2), 3);
  assert.equal(canary, [[1, 2]]);
  assert.is(await go(3, 4), 7);
  await call('invalidate', { hard: false });
  assert.is(await go(1, 2), 3);
  for (let n = 0; n < 200 && region.keyIsLockedSync('go|1|2'); n++) await turns();
  assert.equal(canary, [
    [1, 2],
    [3, 4],
    [1, 2],
  ]);
  assert.is(runs.length, 1);
  assert.is(runs[0][0], region);
  assert.is(runs[0][1], 'go|1|2');
});

everyWay(
  'R:test_fn_decorator_with_kw: objects of classes are no arguments for the default key',
  async (on) => {
    class SomeProxyValue {
      readonly value = 'Decorator Test';
    }
    const { region } = on.make();
    const go = decorator(
      on,
      region,
    )(function go(x: unknown, kw: unknown) {
      return [x, kw];
    });
    const error = await errorOf(async () => go(1, { foo: new SomeProxyValue() }));
    assert.is(error.code, 'ERR_CAIRN_OPTION');
    assert.is(error.field, 'arguments[1].foo');
    // What stands for keyword arguments here is a plain object.
    assert.equal(await go(1, { foo: 2 }), [1, { foo: 2 }]);
  },
);

for (const sync of [false, true]) {
  test(`NUL:test_decorator, ${sync ? 'Sync' : 'promises'}: every call runs the function`, async () => {
    const region = createRegion<any>({ name: 'nothing', backend: 'cairn.null' });
    const next = counter();
    const go: any = (sync ? (cacheOnArgumentsSync(region) as any) : cacheOnArguments(region))(function go(
      a: number,
      b: number,
    ) {
      return [next(), a, b];
    });
    assert.equal(await go(1, 2), [1, 1, 2]);
    assert.equal(await go(1, 2), [2, 1, 2]);
    assert.equal(await go(1, 3), [3, 1, 3]);
  });
}

test.run();
