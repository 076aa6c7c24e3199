/** A mutex as regions use it. */
import type { CachedValue } from '../backend/cached-value.ts';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { registerBackend } from '../backend/registry.ts';
import type { BackendClass } from '../backend/types.ts';
import type { CacheMutex } from '../mutex/types.ts';
import { type CacheRegion, createRegion } from '../region/region.ts';
import type { MutexScope, MutexSuite } from './mutex-scope.ts';
import { gate, randomFrom, SuiteClock, settledOrLate, started, turns } from './tools.ts';

const BACKEND = 'cairn-cache/testing mutex';

interface Arguments {
  readonly map: Map<string, CachedValue>;
  readonly create: (key: string) => CacheMutex;
}

/** A `Map` whose mutexes are those under test. */
class MutexBackend extends MemoryBackend {
  readonly #create: (key: string) => CacheMutex;
  constructor(args: Arguments) {
    super(args);
    this.#create = args.create;
  }
  override getMutex(key: string): CacheMutex {
    return this.#create(key);
  }
}

/** Regions over one `Map`. They know nothing of each other: only the mutexes keep their creators apart. */
function regionsOver<S>(
  scope: MutexScope<S>,
  count: number,
  expirationTime: number | null = null,
): { regions: CacheRegion<any>[]; clock: SuiteClock } {
  const clock = new SuiteClock();
  const map = new Map<string, CachedValue>();
  registerBackend(BACKEND, () => MutexBackend as BackendClass);
  const regions = Array.from({ length: count }, () =>
    createRegion<any>({
      name: 'mutex-suite',
      clock: clock.read,
      backend: BACKEND,
      expirationTime,
      arguments: { map, create: (key: string) => scope.create(key) },
    }),
  );
  for (const region of regions) scope.atEnd(() => region.close());
  return { regions, clock };
}

export function mutexRegionTests<S>(suite: MutexSuite<S>, locked: boolean): void {
  suite.test('region: one creator at a time over several regions, none twice', async (scope) => {
    const { check } = scope;
    const { regions } = regionsOver(scope, 3);
    const { opened, open } = gate();
    let runs = 0;
    const creator = async () => {
      const run = ++runs;
      await opened;
      return run;
    };
    const calls = [0, 1, 2, 0, 1, 2].map((n) => started(regions[n].getOrCreate('foo', creator)));
    await scope.creatorRuns(() => runs > 0, calls[0]);
    await turns(10);
    check.is(runs, 1, 'creators that run while the first does');
    open();
    check.equal(await Promise.all(calls), Array(6).fill(1), 'what the callers get');
    check.is(runs, 1, 'runs of the creator');
    await scope.becomesFree('the mutex must be free in the end');
  });

  suite.test('region: while one regenerates, the others get the stale value', async (scope) => {
    const { check } = scope;
    const { regions, clock } = regionsOver(scope, 2, 100);
    await regions[0].set('foo', 'old');
    // Its generation is that of the first region: by time the second may read it, too.
    clock.advance(101);
    const { opened, open } = gate<string>();
    let runs = 0;
    const creator = () => {
      runs++;
      return opened;
    };
    const first = started(regions[0].getOrCreate('foo', creator));
    await scope.creatorRuns(() => runs > 0, first);
    const other = started(regions[1].getOrCreate('foo', creator));
    await settledOrLate(other);
    open('new');
    check.is(await other, 'old', 'what the other region gets');
    check.is(runs, 1, 'runs of the creator');
    check.is(await first, 'new', "what the creator's caller gets");
    check.is(await regions[1].getOrCreate('foo', creator), 'new', 'what the other region gets then');
    await scope.becomesFree('the mutex must be free in the end');
  });

  if (locked) {
    suite.test('region: keyIsLocked tells of creators of other regions', async (scope) => {
      const { check } = scope;
      const { regions } = regionsOver(scope, 2);
      const look = () => Promise.all(regions.map((region) => region.keyIsLocked('foo')));
      check.equal(await look(), [false, false], 'before');
      check.equal(await regions[0].getOrCreate('foo', look), [true, true], 'while a creator runs');
      check.equal(await look(), [false, false], 'after');
    });
  }

  suite.test('region: a creator that fails frees the mutex', async (scope) => {
    const { check } = scope;
    const { regions } = regionsOver(scope, 2);
    for (const region of regions) {
      const failing = async () => {
        await turns();
        throw new Error('fails');
      };
      await check.thrown(() => region.getOrCreate('foo', failing), 'getOrCreate');
      await scope.becomesFree('the mutex must be free after that');
    }
    check.is(await regions[1].getOrCreate('foo', () => 'made'), 'made', 'the next creator');
  });

  suite.test('region: a creator of one key may create another', async (scope) => {
    const { check } = scope;
    const { regions } = regionsOver(scope, 1);
    const [region] = regions;
    const [foo, bar] = await scope.twoKeys();
    for (const [outer, inner] of [
      [foo, bar],
      [bar, foo],
    ]) {
      for (const round of [1, 2]) {
        const value = await region.getOrCreate(outer, async () => {
          const found = await region.getOrCreate(inner, () => 'bar');
          return `foo${found}`;
        });
        check.is(value, 'foobar', `getOrCreate, round ${round}`);
      }
      for (const key of [foo, bar])
        await scope.becomesFree(`the mutex of ${key} must be free after that`, key);
      await region.clear();
    }
  });

  suite.test('region: getOrCreateMulti takes the mutexes of its keys, and frees them', async (scope) => {
    const { check } = scope;
    const { regions } = regionsOver(scope, 2);
    const [foo, bar] = await scope.twoKeys();
    const keys = [bar, foo];
    const free: boolean[] = [];
    const values = await regions[0].getOrCreateMulti(keys, async (asked) => {
      for (const key of keys) free.push(await scope.isFree(key));
      return asked.map((key) => `made ${key}`);
    });
    check.equal(values, [`made ${bar}`, `made ${foo}`], 'getOrCreateMulti');
    check.equal(free, [false, false], 'whether the mutexes are free while the creator runs');
    for (const key of keys) await scope.becomesFree(`the mutex of ${key} must be free after it`, key);
  });

  suite.test(
    'region: many callers of several regions: never two creators of one key at once',
    async (scope) => {
      const { check } = scope;
      const { regions, clock } = regionsOver(scope, 3, 20);
      const random = randomFrom(23);
      const keys = await scope.twoKeys();
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
      const user = async (n: number) => {
        const region = regions[n % regions.length];
        for (let i = 0; i < 10; i++) {
          const key = keys[Math.floor(random() * 2)];
          if (random() < 0.3) {
            const found = await region.getOrCreateMulti(keys, (asked) => Promise.all(asked.map(make)));
            check.equal(
              found,
              keys.map((one) => ({ key: one })),
              'what a caller of both keys gets',
            );
          } else check.equal(await region.getOrCreate(key, () => make(key)), { key }, 'what a caller gets');
          clock.advance(Math.floor(random() * 4));
        }
      };
      await Promise.all([0, 1, 2, 3, 4, 5].map(user));
      check.ok(runs > 2, `values must have been made again, got ${runs} runs for 2 keys`);
      for (const key of keys) await scope.becomesFree(`the mutex of ${key} must be free in the end`, key);
    },
  );
}
