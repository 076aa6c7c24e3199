/** Which mutexes a creation takes, waits for and gives back. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import type { CacheMutex } from '../../src/mutex/types.ts';
import { type CacheRegion, createRegion } from '../../src/region/region.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { deferred, errorOf, FakeClock, FakeTable, randomFrom, SEED, turns } from './region-fixtures.ts';

const EXPIRATION = 10;

function tableRegion<V = string>(table = new FakeTable(), name = 'table') {
  const clock = new FakeClock();
  const region = createRegion<V>({
    name,
    clock: clock.read,
    backend: 'test.table',
    expirationTime: EXPIRATION,
    arguments: { table },
  });
  return { region, table, clock, unlocked: () => region.stats().unlockedCreations };
}

/** Starts a creation of `key` that ends when told; resolves when its creator has begun. */
async function creating(region: CacheRegion<string>, key: string) {
  const started = deferred();
  const gate = deferred<string>();
  const done = region.getOrCreate(key, () => {
    started.resolve();
    return gate.promise;
  });
  await started.promise;
  return { gate, done };
}

test('a nested creation waits for a higher mutex', async () => {
  const { region, table, unlocked } = tableRegion();
  table.take(2);
  const value = region.getOrCreate('a1', async () => `a+${await region.getOrCreate('b2', () => 'b')}`);
  await turns(3);
  assert.equal(table.log, ['try 1 true', 'try 2 false', 'acquire 2']);
  table.free(2);
  assert.is(await value, 'a+b');
  assert.equal(table.log.slice(3), ['release 2', 'release 1']);
  assert.is(unlocked(), 0);
});

test('a nested creation tries a lower mutex, and goes without it', async () => {
  const { region, table, unlocked } = tableRegion();
  const nest = () => region.getOrCreate('a2', async () => `a+${await region.getOrCreate('b1', () => 'b')}`);
  assert.is(await nest(), 'a+b');
  assert.equal(table.log, ['try 2 true', 'try 1 true', 'release 1', 'release 2']);
  assert.is(unlocked(), 0);
  await region.clear();
  table.take(1);
  assert.is(await nest(), 'a+b');
  assert.is(unlocked(), 1);
  assert.equal([...table.held], [1]);
  assert.is(region.getSync('b1'), 'b');
});

test('a mutex that the chain holds for another key is not taken again', async () => {
  const { region, table, unlocked } = tableRegion();
  const value = await region.getOrCreate('a3', () =>
    region.getOrCreate('b5', async () => `${await region.getOrCreate('c3', () => 'c')}!`),
  );
  assert.is(value, 'c!');
  assert.equal(table.log, ['try 3 true', 'try 5 true', 'release 5', 'release 3']);
  assert.is(unlocked(), 0);
});

test('it goes straight on also where a run of the key queues behind it', async () => {
  const { region, table } = tableRegion();
  const go = deferred();
  let runs = 0;
  const outer = region.getOrCreate('a1', async () => {
    await go.promise;
    return region.getOrCreate('b1', () => `b${++runs}`);
  });
  const queued = region.getOrCreate('b1', () => `b${++runs}`);
  await turns();
  go.resolve();
  assert.is(await outer, 'b1');
  assert.is(await queued, 'b1');
  assert.is(runs, 1);
  assert.is(table.held.size, 0);
});

test('a creator that asks twice at once for a lower key runs it once', async () => {
  const { region } = tableRegion();
  let runs = 0;
  const inner = () => region.getOrCreate('b1', () => turns().then(() => `b${++runs}`));
  const value = await region.getOrCreate('a2', async () => (await Promise.all([inner(), inner()])).join());
  assert.is(value, 'b1,b1');
});

test('a creator that asks twice at once for a stale key of its own mutex runs it once', async () => {
  const { region, clock } = tableRegion();
  region.setSync('b1', 'old');
  clock.advance(EXPIRATION + 1);
  let runs = 0;
  const inner = () => region.getOrCreate('b1', () => turns().then(() => `new${++runs}`));
  const value = await region.getOrCreate('a1', async () => (await Promise.all([inner(), inner()])).join());
  assert.is(value, 'new1,old');
});

test('what a dead creation left running joins as its living outer one does', async () => {
  const { region } = tableRegion();
  const go = deferred();
  let runs = 0;
  const low = () => region.getOrCreate('low1', () => turns(3).then(() => `low${++runs}`));
  const value = await region.getOrCreate('outer9', async () => {
    let left!: Promise<string>;
    await region.getOrCreate('inner10', () => {
      left = go.promise.then(low);
      return 'inner';
    });
    const own = low();
    go.resolve();
    return `${await own} ${await left}`;
  });
  assert.is(value, 'low1 low1');
});

test('a creator is known to what it calls also after other creators ended', async () => {
  const { region } = tableRegion();
  const error = await errorOf(() =>
    region.getOrCreate('a5', async () => {
      await region.getOrCreate('b6', () => turns().then(() => 'b'));
      return region.getOrCreate('a5', () => 'again');
    }),
  );
  assert.is(error.code, 'ERR_CAIRN_REENTRANT');
});

test('a creator within a Sync one is seen by what it calls', async () => {
  const { region } = tableRegion();
  let inner!: Promise<unknown>;
  region.getOrCreateSync('z9', () => {
    inner = errorOf(() => region.getOrCreate('a1', () => region.getOrCreate('a1', () => 'again')));
    return 'z';
  });
  assert.is(((await inner) as { code: string }).code, 'ERR_CAIRN_REENTRANT');
});

test('nobody joins a run for which older values are fresh', async () => {
  const { region, table, clock } = tableRegion();
  table.take(1);
  const loose = region.getOrCreate('a1', () => 'loose', { expirationTime: null });
  const strict = region.getOrCreate('a1', () => 'strict', { expirationTime: 5 });
  region.actualBackend.set('a1', coreOfValue(region, 'theirs') as any);
  clock.advance(7);
  table.free(1);
  assert.is(await loose, 'theirs');
  assert.is(await strict, 'strict');
});

test('a run with a lower rank is not joined', async () => {
  const { region, unlocked } = tableRegion();
  const low = await creating(region, 'low1');
  const value = await region.getOrCreate('high2', () => region.getOrCreate('low1', () => 'own'));
  assert.is(value, 'own');
  assert.is(unlocked(), 1);
  low.gate.resolve('late');
  assert.is(await low.done, 'late');
  assert.is(region.getSync('low1'), 'own');
});

test('a key whose mutex is busy with another key: stale at once, missing waits', async () => {
  const { region, clock } = tableRegion();
  region.setSync('stale1', 'old');
  clock.advance(EXPIRATION + 1);
  const busy = await creating(region, 'busy1');
  assert.is(await region.getOrCreate('stale1', () => 'new'), 'old');
  let ran = false;
  const missing = region.getOrCreate('missing1', () => {
    ran = true;
    return 'made';
  });
  await turns(3);
  assert.not(ran);
  busy.gate.resolve('done');
  assert.is(await missing, 'made');
});

test('only one caller of a thread uses the mutex', async () => {
  const { region, table } = tableRegion();
  await Promise.all([1, 2, 3].map(() => region.getOrCreate('a1', () => turns().then(() => 'a'))));
  assert.equal(table.log, ['try 1 true', 'release 1']);
});

test('after a wait, the value that another made is taken', async () => {
  const { region, table } = tableRegion();
  table.take(1);
  const waiting = region.getOrCreate('a1', () => 'mine');
  await turns();
  // Another thread stores past this region's own fence.
  region.actualBackend.set('a1', coreOfValue(region, 'theirs') as any);
  table.free(1);
  assert.is(await waiting, 'theirs');
  assert.is(table.held.size, 0);
});

function coreOfValue(region: CacheRegion<any>, payload: unknown) {
  const core = coreOf(region);
  return { payload, metadata: { ct: core.clock(), v: 1, generation: core.invalidation.source.current() } };
}

test('what a creator left running may wait for lower mutexes again', async () => {
  const { region, table, unlocked } = tableRegion();
  const go = deferred();
  let left!: Promise<string>;
  await region.getOrCreate('a9', () => {
    left = go.promise.then(() => region.getOrCreate('b1', () => 'b'));
    return 'a';
  });
  table.take(1);
  go.resolve();
  await turns(2);
  assert.is(table.log.at(-1), 'acquire 1');
  table.free(1);
  assert.is(await left, 'b');
  assert.is(unlocked(), 0);
});

test('Sync blocks for a mutex that another thread holds', () => {
  const { region, table, unlocked } = tableRegion();
  table.take(1);
  table.onBlock = (index) => table.free(index);
  assert.is(
    region.getOrCreateSync('a1', () => 'a'),
    'a',
  );
  assert.equal(table.log, ['try 1 false', 'block 1', 'release 1']);
  table.take(4);
  assert.is(
    region.getOrCreateSync('a2', () => region.getOrCreateSync('a4', () => 'deep')),
    'deep',
  );
  assert.is(unlocked(), 0);
});

test('Sync does not block while its thread holds or queues for a mutex that is not lower', async () => {
  const { region, table, clock, unlocked } = tableRegion();
  const held = await creating(region, 'held5');
  table.take(3);
  // Not for a lower one than the thread holds.
  assert.is(
    region.getOrCreateSync('a3', () => 'unlocked'),
    'unlocked',
  );
  assert.is(unlocked(), 1);
  // Not for the one that it holds.
  assert.is(
    region.getOrCreateSync('other5', () => 'unlocked'),
    'unlocked',
  );
  assert.is(unlocked(), 2);
  // Stale values are served.
  clock.advance(EXPIRATION + 1);
  assert.is(
    region.getOrCreateSync('a3', () => 'never'),
    'unlocked',
  );
  // For a higher one it does.
  table.take(6);
  table.onBlock = (index) => table.free(index);
  assert.is(
    region.getOrCreateSync('a6', () => 'locked'),
    'locked',
  );
  assert.is(unlocked(), 2);
  // But not when the thread queues for that.
  table.take(6);
  const queued = region.getOrCreate('b6', () => 'b');
  assert.is(
    region.getOrCreateSync('c6', () => 'unlocked'),
    'unlocked',
  );
  assert.is(unlocked(), 3);
  table.free(6);
  assert.is(await queued, 'b');
  held.gate.resolve('x');
  await held.done;
  table.free(3);
  assert.is(table.held.size, 0);
});

test('local locks come after shared ones, ordered by region and key', async () => {
  const { region: shared, table } = tableRegion();
  const local = createRegion<string>({ name: 'local', backend: 'cairn.memory' });
  const later = createRegion<string>({ name: 'later', backend: 'cairn.memory' });
  // Shared, then local, then a later region: all may wait.
  const busy = await creating(later, 'a');
  const up = shared.getOrCreate('k9', () =>
    local.getOrCreate('z', () => later.getOrCreate('a', () => 'own')),
  );
  await turns(3);
  busy.gate.resolve('joined');
  assert.is(await up, 'joined');
  // Down from local to shared: tries only.
  table.take(1);
  assert.is(await local.getOrCreate('y', () => shared.getOrCreate('k1', () => 'own')), 'own');
  assert.is(table.log.at(-1), 'try 1 false');
  table.free(1);
});

test('a region with the same name on the same engine is the same for re-entry', async () => {
  const table = new FakeTable();
  const one = tableRegion(table, 'same').region;
  const two = tableRegion(table, 'same').region;
  const other = tableRegion(table, 'other').region;
  const error = await errorOf(() => one.getOrCreate('k1', () => two.getOrCreate('k1', () => 'x')));
  assert.is(error.code, 'ERR_CAIRN_REENTRANT');
  assert.is(await one.getOrCreate('k1', () => other.getOrCreate('k1', () => 'x')), 'x');
});

/** A region over a `Map` whose mutexes the test makes. */
function foreignRegion(getMutex: (key: string) => CacheMutex | null, onError?: (error: unknown) => void) {
  class Foreign extends MemoryBackend<string> {
    override getMutex(key: string): CacheMutex | null {
      return getMutex(key);
    }
  }
  registerBackend('test.foreign', () => Foreign);
  const clock = new FakeClock();
  const region = createRegion<string>({
    name: 'foreign',
    clock: clock.read,
    backend: 'test.foreign',
    expirationTime: EXPIRATION,
    onError,
  });
  return { region, clock };
}

test('acquire(true) that answers false: created without the lock, and nothing is released', async () => {
  let releases = 0;
  const { region } = foreignRegion(() => ({ acquire: async () => false, release: () => void releases++ }));
  assert.is(await region.getOrCreate('k', () => 'v'), 'v');
  assert.is(region.stats().unlockedCreations, 1);
  assert.is(releases, 0);
  assert.is(region.getSync('k'), 'v');
});

test('an error of acquire goes to the caller, and the creator does not run', async () => {
  const broken = new Error('broken');
  const creator = () => {
    throw new Error('the creator ran');
  };
  for (const acquire of [
    () => Promise.reject(broken),
    () => {
      throw broken;
    },
  ]) {
    const { region } = foreignRegion(() => ({ acquire, release: () => assert.unreachable() }));
    assert.is(await errorOf(() => region.getOrCreate('k', creator)), broken);
    assert.is(coreOf(region).runs.size, 0);
  }
});

test('an error of release goes to onError and hides no result', async () => {
  const broken = new Error('broken');
  const wrong = new Error('wrong');
  for (const release of [
    () => Promise.reject(broken) as any,
    () => {
      throw broken;
    },
  ]) {
    const errors: unknown[] = [];
    const { region } = foreignRegion(
      () => ({ acquire: () => true, release }),
      (error) => {
        errors.push(error);
        throw new Error('onError itself');
      },
    );
    assert.is(await region.getOrCreate('k', () => 'v'), 'v');
    assert.is(
      await errorOf(() =>
        region.getOrCreate('l', () => {
          throw wrong;
        }),
      ),
      wrong,
    );
    assert.is(
      region.getOrCreateSync('m', () => 'v'),
      'v',
    );
    await turns();
    assert.equal(errors, [broken, broken, broken]);
  }
});

test('Sync refuses a mutex that answers by a promise, and gives it back when it comes', async () => {
  const got = deferred<boolean>();
  let releases = 0;
  const { region } = foreignRegion(() => ({ acquire: () => got.promise, release: () => void releases++ }));
  assert.is((await errorOf(() => region.getOrCreateSync('k', () => 'v'))).code, 'ERR_CAIRN_SYNC');
  got.resolve(true);
  await turns();
  assert.is(releases, 1);
});

test('two keys with one foreign mutex object take it once', async () => {
  let held = 0;
  const mutex = {
    acquire: () => {
      if (held > 0) throw new Error('taken twice');
      held++;
      return true;
    },
    release: () => void held--,
  };
  const { region } = foreignRegion(() => mutex);
  assert.is(await region.getOrCreate('b', () => region.getOrCreate('a', () => 'x')), 'x');
  assert.is(held, 0);
});

test('the null backend runs a creator for each call, but those of one thread join', async () => {
  const region = createRegion<number>({ name: 'null', backend: 'cairn.null' });
  let runs = 0;
  let inside = 0;
  const creator = async () => {
    inside++;
    await turns(2);
    return ++runs;
  };
  assert.equal(
    await Promise.all([region.getOrCreate('k', creator), region.getOrCreate('k', creator)]),
    [1, 1],
  );
  assert.is(await region.getOrCreate('k', creator), 2);
  const first = region.getOrCreate('k', creator);
  await region.delete('k');
  inside = 0;
  const second = region.getOrCreate('k', creator);
  assert.is(inside, 1, 'the mutex of the first does not hold the second up');
  await Promise.all([first, second]);
  assert.is(
    region.getOrCreateSync('k', () => 9),
    9,
  );
  assert.is(region.getSync('k'), undefined);
});

// Trees of creators over few keys and mutexes, shared and local, also Sync ones. The fake table throws on a release
// of what is not held, and on a Sync wait that could not end; that all of them end shows that no wait went in a circle.
test('random trees of creators end, and leave no lock behind', async () => {
  const random = randomFrom(SEED);
  const pick = (n: number) => Math.floor(random() * n);
  for (let round = 0; round < 150; round++) {
    const table = new FakeTable();
    const regions = [
      tableRegion(table, 'one').region,
      tableRegion(table, 'two').region,
      createRegion<string>({ name: 'local', backend: 'cairn.memory' }),
      createRegion<string>({ name: 'delay', backend: 'test.delay' }),
    ];
    // Another thread holds a mutex for some time; when this one blocks for it, that time is over.
    let stop = false;
    let holding = -1;
    const letGo = () => {
      const index = holding;
      holding = -1;
      if (index >= 0) table.free(index);
    };
    const elsewhere = (async () => {
      while (!stop) {
        const index = pick(4);
        if (table.take(index)) {
          holding = index;
          await turns(1 + pick(3));
          letGo();
        }
        await turns(1);
      }
    })();
    table.onBlock = (index) => {
      assert.is(index, holding, 'the thread blocks for a mutex that is its own');
      letGo();
    };
    const visit = async (depth: number): Promise<string> => {
      const region = regions[pick(regions.length)];
      const key = `k${pick(4)}`;
      if (random() < 0.1) await region.delete(key);
      const creator = async () => {
        if (random() < 0.5) await turns(pick(3));
        if (depth === 0) return key;
        const children = Array.from({ length: 1 + pick(2) }, () => visit(depth - 1));
        return (await Promise.all(children)).join('');
      };
      try {
        if (random() < 0.15 && region.name !== 'delay') return region.getOrCreateSync(key, () => key);
        return await region.getOrCreate(key, creator);
      } catch (error) {
        if ((error as { code?: string }).code === 'ERR_CAIRN_REENTRANT') return 'again';
        throw error;
      }
    };
    const all = Promise.all(Array.from({ length: 12 }, () => visit(3)));
    const ended = await Promise.race([all.then(() => true), turns(5000).then(() => false)]);
    assert.ok(ended, `round ${round} of seed ${SEED} does not end`);
    stop = true;
    await elsewhere;
    for (const region of regions) {
      assert.is(coreOf(region).runs.size, 0);
      assert.is(coreOf(region).localMutexes.size, 0);
    }
    assert.is(table.held.size, 0);
  }
});

test.run();
