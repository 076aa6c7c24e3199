/** A region over the backend: many callers at once, in one thread. */
import type { BackendSuite } from './backend-scope.ts';
import { gate, randomFrom, settledOrLate, started, turns } from './tools.ts';

export function regionConcurrent<S>(suite: BackendSuite<S>): void {
  suite.test('region: concurrent callers of a missing key run one creator', async (scope) => {
    const { check } = scope;
    const region = await scope.newRegion();
    const { opened, open } = gate<string>();
    let runs = 0;
    const creator = () => {
      runs++;
      return opened;
    };
    const calls = Array.from({ length: 20 }, () => started(region.getOrCreate('k', creator)));
    await scope.creatorRuns(() => runs > 0, calls[0]);
    await turns(10);
    calls.push(started(region.getOrCreate('k', creator)));
    open('made');
    check.equal(await Promise.all(calls), Array(21).fill('made'), 'what the callers get');
    check.is(runs, 1, 'runs of the creator');
    check.is(await region.get('k'), 'made', 'get');
  });

  suite.test('region: single and multi callers of missing keys create each once', async (scope) => {
    const { check } = scope;
    const region = await scope.newRegion();
    const { opened, open } = gate();
    const runs = new Map<string, number>();
    const make = async (key: string) => {
      runs.set(key, (runs.get(key) ?? 0) + 1);
      await opened;
      return `made ${key}`;
    };
    const many = (keys: readonly string[]) => Promise.all(keys.map(make));
    const calls: Promise<unknown>[] = [
      region.getOrCreateMulti(['a', 'b'], many),
      region.getOrCreate('b', () => make('b')),
      region.getOrCreateMulti(['c', 'b', 'a'], many),
      region.getOrCreate('c', () => make('c')),
      region.getOrCreateMulti(['d', 'c'], many),
    ];
    calls.forEach(started);
    await scope.creatorRuns(() => runs.size > 0, calls[0]);
    await turns(10);
    open();
    const values = await Promise.all(calls);
    const expected = [
      ['made a', 'made b'],
      'made b',
      ['made c', 'made b', 'made a'],
      'made c',
      ['made d', 'made c'],
    ];
    check.equal(values, expected, 'what the callers get');
    check.equal(Object.fromEntries(runs), { a: 1, b: 1, c: 1, d: 1 }, 'runs by key');
  });

  suite.test('region: while one regenerates, the others get the stale value', async (scope) => {
    const { check, clock } = scope;
    const region = await scope.newRegion({ expirationTime: 100 });
    for (const how of ['expired', 'soft invalidation']) {
      await region.set('k', 'old');
      if (how === 'expired') clock.advance(101);
      else await region.invalidate({ hard: false });
      const { opened, open } = gate<string>();
      let runs = 0;
      const creator = () => {
        runs++;
        return opened;
      };
      const first = started(region.getOrCreate('k', creator));
      await scope.creatorRuns(() => runs > 0, first);
      const others = started(Promise.all([1, 2, 3].map(() => region.getOrCreate('k', creator))));
      await settledOrLate(others);
      open('new');
      check.equal(await others, ['old', 'old', 'old'], `what the others get (${how})`);
      check.is(await first, 'new', `what the creator's caller gets (${how})`);
      check.is(runs, 1, `runs of the creator (${how})`);
      check.is(await region.get('k'), 'new', `get (${how})`);
    }
  });

  suite.test('region: nobody joins a creation that began before a change', async (scope) => {
    const { check } = scope;
    const region = await scope.newRegion();
    for (const how of ['delete', 'clear', 'invalidate'] as const) {
      const { opened, open } = gate<string>();
      let begun = false;
      const first = started(
        region.getOrCreate('k', () => {
          begun = true;
          return opened;
        }),
      );
      await scope.creatorRuns(() => begun, first);
      if (how === 'delete') await region.delete('k');
      else await region[how]();
      const second = started(region.getOrCreate('k', () => 'after'));
      await turns(5);
      open('before');
      check.is(await first, 'before', `what its own caller gets (${how})`);
      check.is(await second, 'after', `what a caller after the ${how} gets`);
      check.is(await region.get('k'), 'after', `get (${how})`);
      await region.delete('k');
    }
  });

  suite.test(
    'region: a creator that fails fails those who joined it; the next one creates',
    async (scope) => {
      const { check } = scope;
      const region = await scope.newRegion();
      const { opened, fail } = gate<string>();
      let runs = 0;
      const creator = () => {
        runs++;
        return opened;
      };
      const calls = [1, 2, 3].map(() => region.getOrCreate('k', creator).catch((error: unknown) => error));
      await scope.creatorRuns(() => runs > 0, calls[0]);
      await turns(10);
      const error = new Error('the source is down');
      fail(error);
      for (const answer of await Promise.all(calls)) check.is(answer, error, 'what a caller gets');
      check.is(await region.getOrCreate('k', () => 'made'), 'made', 'the next creator');
      check.is(await region.get('k'), 'made', 'get');
    },
  );

  suite.test("region: creators that ask for each other's keys come to an end", async (scope) => {
    const { check } = scope;
    const region = await scope.newRegion();
    const creators = new Map<string, string>([
      ['a', 'b'],
      ['b', 'a'],
    ]);
    const nested = (key: string): Promise<string> =>
      region.getOrCreate(key, async () => {
        await turns();
        const inner = creators.get(key)!;
        const found = await region.getOrCreate(inner, () => `inner ${inner}`);
        return `${key} of ${found}`;
      });
    const values = await Promise.all(['a', 'b', 'a', 'b'].map(nested));
    for (const [n, value] of values.entries())
      check.ok(
        value.startsWith('ab'[n % 2]) || value === `inner ${'ab'[n % 2]}`,
        `a value of its key: ${value}`,
      );
  });

  suite.test('region: many callers, random keys: never two creators of one key at once', async (scope) => {
    const { check, clock } = scope;
    const region = await scope.newRegion({ expirationTime: 20 });
    const random = randomFrom(7);
    const running = new Map<string, number>();
    let runs = 0;
    const make = async (key: string) => {
      const now = (running.get(key) ?? 0) + 1;
      running.set(key, now);
      check.is(now, 1, `creators of '${key}' that run at once`);
      runs++;
      await turns(Math.floor(random() * 3));
      running.set(key, now - 1);
      return { key };
    };
    const user = async () => {
      for (let i = 0; i < 12; i++) {
        const keys = Array.from(
          { length: 1 + Math.floor(random() * 4) },
          () => `k${Math.floor(random() * 8)}`,
        );
        const multi = random() < 0.5;
        const found = multi
          ? await region.getOrCreateMulti(keys, (asked) => Promise.all(asked.map(make)))
          : [await region.getOrCreate(keys[0], () => make(keys[0]))];
        const expected = (multi ? keys : keys.slice(0, 1)).map((key) => ({ key }));
        check.equal(found, expected, `what a caller of ${keys} gets`);
        clock.advance(Math.floor(random() * 3));
      }
    };
    await Promise.all(Array.from({ length: 8 }, user));
    check.ok(runs > 8, `values must have been made again, got ${runs} runs for 8 keys`);
  });
}
