/** dogpile.cache, "Decorators": cache_multi_on_arguments. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheRegion, createRegion, NO_VALUE } from '../../src/index.ts';
import type { KeyGenerator } from '../../src/region/decorators/argument-keys.ts';
import { cacheMultiOnArguments, cacheMultiOnArgumentsSync } from '../../src/region/decorators/multi.ts';
import { counter, errorOf, everyWay, stored, type Trial } from './fixtures.ts';

function decorator(on: Trial, region: CacheRegion<any>, options: object = {}): (fn: any) => any {
  const decorate: any = on.sync ? cacheMultiOnArgumentsSync : cacheMultiOnArguments;
  return decorate(region, options);
}

/** `go(...args)` returns the number of the call with each argument. */
function fixture(on: Trial, options: object = {}) {
  const subject = on.make({ expirationTime: 250 });
  const next = counter();
  const go = decorator(on, subject.region, { expirationTime: 1000, ...options })(function go(
    ...args: unknown[]
  ) {
    const n = next();
    return args.map((arg) => `${n} ${arg}`);
  });
  return { ...subject, go };
}

/** `generate(...args)` numbers the values; `without`: what it does not find. */
function generator(on: Trial, options: { asMap?: boolean } & Record<string, unknown> = {}, without?: number) {
  const { region } = on.make();
  const next = counter();
  const make = (...args: number[]): [number, string][] =>
    args.filter((arg) => arg !== without).map((arg) => [arg, `${arg} ${next()}`]);
  const generate = decorator(
    on,
    region,
    options,
  )(function generate(...args: number[]) {
    const made = make(...args);
    return options.asMap ? new Map(made) : made.map(([, value]) => value);
  });
  return { region, generate };
}

everyWay('D:test_explicit_get_multi', async (on) => {
  const { go } = fixture(on);
  assert.equal(await go(1, 2), ['1 1', '1 2']);
  assert.equal(await go.get(1, 2), ['1 1', '1 2']);
  assert.equal(await go.get(3, 1), [undefined, '1 1']);
  assert.equal(await go(3, 1), ['2 3', '1 1']);
  assert.equal(await go.get(3, 1), ['2 3', '1 1']);
});

everyWay('D:test_explicit_set_multi: pairs of argument and value', async (on) => {
  const { go } = fixture(on);
  assert.equal(await go(1, 2), ['1 1', '1 2']);
  assert.equal(await go(1, 2), ['1 1', '1 2']);
  await go.set(
    new Map([
      [1, '1 5'],
      [2, '1 6'],
    ]),
  );
  assert.equal(await go(1, 2), ['1 5', '1 6']);
});

everyWay('D:test_explicit_refresh_multi', async (on) => {
  const { go } = fixture(on);
  assert.equal(await go(1, 2), ['1 1', '1 2']);
  assert.equal(await go.refresh(1, 2), ['2 1', '2 2']);
  assert.equal(await go(1, 2), ['2 1', '2 2']);
  assert.equal(await go(1, 2), ['2 1', '2 2']);
});

everyWay(
  'D:test_decorator_key_generator_multi: called once an argument, so it cannot mix them',
  async (on) => {
    const asked: unknown[][] = [];
    const keyGenerator: KeyGenerator =
      (_namespace, fn) =>
      (...args) => {
        asked.push(args);
        return `${fn.name}_${args[0]}`;
      };
    const { go, region } = fixture(on, { keyGenerator });
    assert.equal(await go(1, 2), ['1 1', '1 2']);
    assert.equal(asked.slice(0, 2), [[1], [2]]);
    assert.is(((await stored(region, 'go_2')) as any).payload, '1 2');
    assert.equal(await go.get(3, 1), [undefined, '1 1']);
    assert.equal(await go(3, 1), ['2 3', '1 1']);
  },
);

everyWay(
  'D:test_multi: in the order of the keys, which are strings; only what is missing is asked for',
  async (on) => {
    const { generate } = generator(on);
    assert.equal(await generate(2, 8, 10), ['2 2', '8 3', '10 1']);
    assert.equal(await generate(2, 9, 10), ['2 2', '9 4', '10 1']);
    assert.is(await generate.invalidate(2), 1);
    assert.equal(await generate(2, 7, 10), ['2 5', '7 6', '10 1']);
    await generate.set([
      [7, 18],
      [10, 15],
    ]);
    assert.equal(await generate(2, 7, 10), ['2 5', 18, 15]);
  },
);

everyWay('D:test_multi: the original arguments, not keys; duplicates get one value', async (on) => {
  const { region } = on.make();
  const asked: unknown[][] = [];
  const go = decorator(
    on,
    region,
  )(function go(...args: { id: number }[]) {
    asked.push(args);
    return args.map(({ id }) => id);
  });
  const [one, two] = [{ id: 1 }, { id: 2 }];
  assert.equal(await go(two, one, two), [2, 1, 2]);
  assert.equal(await go(one, two), [1, 2]);
  assert.is(asked.length, 1);
  assert.is(asked[0][0], one);
  assert.is(asked[0][1], two);
});

everyWay('D:test_multi_namespace', async (on) => {
  const { generate, region } = generator(on, { namespace: 'foo' });
  assert.equal(await generate(2, 8, 10), ['2 2', '8 3', '10 1']);
  assert.equal(await generate(2, 9, 10), ['2 2', '9 4', '10 1']);
  for (const n of [10, 2, 8, 9]) assert.is.not(await stored(region, `foo.generate|${n}`), NO_VALUE);
  await generate.invalidate(2);
  assert.equal(await generate(2, 7, 10), ['2 5', '7 6', '10 1']);
});

everyWay('D:test_multi_asdict: a Map', async (on) => {
  const { generate } = generator(on, { asMap: true });
  const map = (...pairs: [number, unknown][]) => new Map(pairs);
  assert.equal(await generate(2, 8, 10), map([2, '2 2'], [8, '8 3'], [10, '10 1']));
  assert.equal(await generate(2, 9, 10), map([2, '2 2'], [9, '9 4'], [10, '10 1']));
  await generate.invalidate(2);
  assert.equal(await generate(2, 7, 10), map([2, '2 5'], [7, '7 6'], [10, '10 1']));
  await generate.set(map([7, 18], [10, 15]));
  assert.equal(await generate(2, 7, 10), map([2, '2 5'], [7, 18], [10, 15]));
  assert.equal(await generate.refresh(2, 7), map([2, '2 7'], [7, '7 8']));
  assert.equal(await generate(2, 7, 10), map([2, '2 7'], [7, '7 8'], [10, 15]));
});

everyWay('D:test_multi_asdict_keys_missing: neither cached nor returned', async (on) => {
  const { generate, region } = generator(on, { asMap: true }, 10);
  assert.equal(
    await generate(2, 8, 10),
    new Map([
      [2, '2 1'],
      [8, '8 2'],
    ] as any),
  );
  assert.equal(
    await generate(2, 9, 10),
    new Map([
      [2, '2 1'],
      [9, '9 3'],
    ] as any),
  );
  assert.is(await stored(region, 'generate|10'), NO_VALUE);
  await generate.invalidate(2);
  assert.equal(
    await generate(2, 7, 10),
    new Map([
      [2, '2 4'],
      [7, '7 5'],
    ] as any),
  );
  await generate.set(
    new Map<number, unknown>([
      [7, 18],
      [10, 15],
    ]),
  );
  assert.equal(
    await generate(2, 7, 10),
    new Map<number, unknown>([
      [2, '2 4'],
      [7, 18],
      [10, 15],
    ]),
  );
});

everyWay(
  'D:test_multi_asdict_keys_missing_existing_cache_fn: shouldCache sees only what was found',
  async (on) => {
    const seen: unknown[] = [];
    const shouldCache = (value: string) => {
      seen.push(value);
      return !value.startsWith('8 ');
    };
    const { generate, region } = generator(on, { asMap: true, shouldCache }, 10);
    for (const n of [2, 3, 4]) {
      assert.equal(
        await generate(2, 8, 10),
        new Map([
          [2, '2 1'],
          [8, `8 ${n}`],
        ] as any),
      );
    }
    assert.equal(
      await generate(2, 9, 10),
      new Map([
        [2, '2 1'],
        [9, '9 5'],
      ] as any),
    );
    assert.is(await stored(region, 'generate|10'), NO_VALUE);
    assert.equal(seen, ['2 1', '8 2', '8 3', '8 4', '9 5']);
  },
);

everyWay('asMap: refresh leaves out what is missing, get returns a Map too', async (on) => {
  const { generate } = generator(on, { asMap: true }, 10);
  assert.equal(await generate.refresh(2, 10), new Map([[2, '2 1']]));
  assert.equal(await generate.get(2, 10), new Map([[2, '2 1']]));
});

everyWay('asMap: what the function finds no more is removed', async (on) => {
  const { region, clock } = on.make({ expirationTime: 10 });
  let found = [1, 2];
  const find = decorator(on, region, { asMap: true })(function find(...ids: number[]) {
    return new Map(ids.filter((id) => found.includes(id)).map((id) => [id, `${id}!`]));
  });
  assert.equal(
    await find(1, 2),
    new Map([
      [1, '1!'],
      [2, '2!'],
    ] as any),
  );
  found = [2];
  clock.advance(11);
  assert.equal(await find(1, 2), new Map([[2, '2!']]));
  assert.is(await stored(region, 'find|1'), NO_VALUE);
});

everyWay('too few or too many values are an error, and nothing is stored', async (on) => {
  for (const result of [['x'], ['x', 'y', 'z']]) {
    const { region } = on.make();
    const go = decorator(
      on,
      region,
    )(function go(..._args: number[]) {
      return result;
    });
    assert.is((await errorOf(async () => go(1, 2))).code, 'ERR_CAIRN_CREATOR_RESULT');
    assert.equal(await go.get(1, 2), [undefined, undefined]);
  }
});

everyWay('D:test_cache_multi_preserve_sig; original, which the multi decorator has as well', async (on) => {
  const { region } = on.make();
  function generate(_first: number, ...more: number[]): number[] {
    return [0, ...more];
  }
  const decorated = decorator(on, region)(generate);
  assert.is(decorated.original, generate);
  assert.is(decorated.name, 'generate');
  assert.is(decorated.length, 1);
});

test('R:AsyncCreatorTest: a multi decorator does not use the runner of the region', async () => {
  let asked = 0;
  let time = 1;
  const region = createRegion<any>({
    name: 'r',
    clock: () => time,
    backend: 'cairn.memory',
    expirationTime: 10,
    asyncCreationRunner: () => asked++,
  });
  const next = counter();
  const go = cacheMultiOnArguments(region, { staleOnError: true })(async function go(...args: number[]) {
    return args.map(() => next());
  });
  assert.equal(await go(1, 2), [1, 2]);
  time += 11;
  assert.equal(await go(1, 2), [3, 4]);
  assert.is(asked, 0);
});

test.run();
