/**
 * A backend that answers late and fails: its errors reach the callers, or `onError` where there is none, and nothing is
 * left behind: no mutex held, no call that never ends, no run in the table, no unhandled rejection.
 */
import { channel } from 'node:diagnostics_channel';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheRegion, createRegion, type ErrorEvent } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { random, SEED } from '../support/engine.ts';
import { type Fate, Faults, FlakyMutexBackend, FlakyTokenBackend } from '../support/region-flaky-backend.ts';
import { FlakyCalls } from '../support/region-flaky-calls.ts';
import { runsOf, turn } from '../support/region-threads.ts';
import { until } from '../support/threads.ts';

const BACKENDS = ['test.flaky', 'test.flaky.tokens', 'test.flaky.mutexes'] as const;
const CALLS = 10_000;
/** Calls that go on at once. */
const AT_ONCE = 24;
const FAILS = 0.05;
const EXPIRATION = 10;
/** Operations whose errors may get lost: a caller left during its first read; of several at once one error is told. */
const LOST: Record<(typeof BACKENDS)[number], string[]> = {
  'test.flaky': ['get', 'getMulti'],
  'test.flaky.tokens': ['get', 'set', 'delete', 'beginCreation', 'tokenStands'],
  'test.flaky.mutexes': ['get', 'getMulti'],
};

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));

/** 5 % fail, before or behind their effect; most answers come late. */
function randomFate(rnd: () => number): () => Fate {
  return () => ({
    turns: rnd() < 0.3 ? null : [Math.floor(rnd() * 4), Math.floor(rnd() * 3)],
    fails: rnd() >= FAILS ? 'no' : rnd() < 0.5 ? 'with effect' : 'without effect',
  });
}

function heldBy(region: CacheRegion<string>): number {
  const { actualBackend } = region;
  const own = actualBackend instanceof FlakyMutexBackend ? actualBackend.mutexes : [];
  return coreOf(region).localMutexes.size + own.filter((mutex) => mutex.locked()).length;
}

/** Waits for what goes on behind its callers, then looks whether anything is left. */
async function checkLeft(region: CacheRegion<string>): Promise<void> {
  await until(() => runsOf(region) === 0 && heldBy(region) === 0);
  assert.is(runsOf(region), 0, 'creations');
  assert.is(heldBy(region), 0, 'mutexes');
  for (let n = 0; n < 8; n++) await turn();
  assert.equal(unhandled.splice(0), [], 'unhandled rejections');
  const { actualBackend } = region;
  if (!(actualBackend instanceof FlakyTokenBackend)) return;
  const { marks, lost } = actualBackend;
  assert.equal(
    [...marks].filter(([, version]) => !lost.has(version)),
    [],
    'keys that are marked as being created',
  );
}

for (const backend of BACKENDS) {
  test(`${backend}: ${CALLS} random calls, of whose operations 5 % fail`, async () => {
    const rnd = random(SEED);
    const faults = new Faults(randomFate(rnd));
    const refuses = () => rnd() < 0.01;
    let region!: CacheRegion<string>;
    const make = (own: FlakyCalls) => {
      region = createRegion<string>({
        name: 'flaky',
        clock: () => own.time,
        onError: own.onError,
        backend,
        expirationTime: EXPIRATION,
        arguments: { faults, refuses },
      });
      return region;
    };
    const calls = new FlakyCalls(make, faults, rnd, backend === 'test.flaky.tokens' ? 1 : 0);
    // Where a stale value hides the error of a creator, only the channel tells of it.
    const told = (event: unknown) => calls.seen.add((event as ErrorEvent).error);
    channel('cairn:error').subscribe(told);
    for (let n = 0; n < CALLS; n++) {
      calls.begin();
      if (rnd() < 0.5) await turn();
      if (!(await until(() => calls.going.size < AT_ONCE))) break;
    }
    await until(() => calls.going.size === 0);
    assert.equal([...calls.going.values()], [], 'calls that have not ended');
    await checkLeft(region);
    channel('cairn:error').unsubscribe(told);
    assert.equal(calls.wrong, []);
    const lost = faults.thrown.filter((error) => !calls.seen.has(error) && !error.unwanted);
    // Who left while it waited for others' keys does not hear that its own had failed.
    const others = lost.map(({ operation }) => operation).filter((name) => !LOST[backend].includes(name));
    assert.ok(others.length <= calls.leftMany, `errors of ${others} got lost`);
    assert.not(others.includes('release'), 'errors of release got lost');
    const { loads, loadErrors, staleServed, joined, waits, refusedStores } = region.stats();
    const counted = JSON.stringify({ loads, loadErrors, staleServed, joined, waits, refusedStores });
    console.log(
      `# ${faults.count} operations, ${faults.thrown.length} failed, ${lost.length} unseen, ${counted}`,
    );
    assert.ok(faults.thrown.length > FAILS * CALLS);
  });
}

// ---- Each operation in turn

const KEYS = ['key a', 'key b'];
const OLD = 'old';
const MADE = 'made';
const creator = () => turn().then(() => MADE);
const creators = (keys: readonly string[]) => turn().then(() => keys.map(() => MADE));

class CreatorError extends Error {}
let failures = 0;
const failing = async () => {
  failures++;
  await turn();
  throw new CreatorError('the creator failed');
};

/** Calls that begin at once. */
const ACTS: Record<string, (region: CacheRegion<string>) => Promise<unknown>[]> = {
  get: (region) => [region.get('key a')],
  has: (region) => [region.has('key a')],
  getMulti: (region) => [region.getMulti(KEYS)],
  getValueMetadata: (region) => [region.getValueMetadata('key a')],
  set: (region) => [region.set('key a', MADE)],
  setMulti: (region) => [region.setMulti(KEYS.map((key) => [key, MADE] as const))],
  delete: (region) => [region.delete('key a')],
  deleteMulti: (region) => [region.deleteMulti(KEYS)],
  clear: (region) => [region.clear()],
  getOrCreate: (region) => [region.getOrCreate('key a', creator)],
  'getOrCreate, three callers': (region) =>
    KEYS.concat('key a').map((key) => region.getOrCreate(key, creator)),
  'getOrCreate, staleOnError': (region) => [region.getOrCreate('key a', creator, { staleOnError: true })],
  'getOrCreate, shouldCache': (region) => [
    region.getOrCreate('key a', creator, { shouldCache: () => false }),
  ],
  'getOrCreate, refresh': (region) => [region.getOrCreate('key a', creator, { refresh: 'background' })],
  'getOrCreate, softTimeout': (region) => [region.getOrCreate('key a', creator, { softTimeout: 0 })],
  'getOrCreate, waitTimeout': (region) => [region.getOrCreate('key a', creator, { waitTimeout: 1_000_000 })],
  'getOrCreate, runner': (region) => [
    region.getOrCreate('key a', creator, {
      asyncCreationRunner: async (own, key, make, mutex, token) => {
        await own.set(key, await make(), { token });
        mutex.release();
      },
    }),
  ],
  'getOrCreate, nested': (region) => [
    region.getOrCreate('key a', () => region.getOrCreate('key b', creator)),
  ],
  'getOrCreate that fails': (region) => [
    region.getOrCreate('key a', failing),
    region.getOrCreate('key a', failing),
  ],
  'getOrCreate, a change meanwhile': (region) => {
    const changes: Promise<unknown>[] = [];
    const changing = async () => {
      changes.push(region.set('key a', MADE).catch((error) => error));
      const changed = await changes[0];
      if (changed instanceof Error) throw changed;
      return MADE;
    };
    return [region.getOrCreate('key a', changing)];
  },
  getOrCreateMulti: (region) => [region.getOrCreateMulti(KEYS, creators)],
  'getOrCreateMulti, two callers': (region) => [
    region.getOrCreateMulti(KEYS, creators),
    region.getOrCreate('key b', creator),
    region.getOrCreateMulti(KEYS, creators, { staleOnError: true }),
  ],
};

/** What stands under the keys before. */
const BEFORE = ['nothing', 'stale', 'fresh'] as const;
/** How the one operation fails; all others answer late. */
const FATES: readonly Fate[] = [
  { turns: null, fails: 'without effect' },
  { turns: null, fails: 'with effect' },
  { turns: [1, 1], fails: 'without effect' },
  { turns: [1, 1], fails: 'with effect' },
];
const WELL: Fate = { turns: [1, 1], fails: 'no' };

/** Lets operation number `nth` fail; answers whether there were so many. */
async function failNth(
  backend: string,
  before: (typeof BEFORE)[number],
  act: (region: CacheRegion<string>) => Promise<unknown>[],
  fate: Fate,
  nth: number,
): Promise<boolean> {
  let time = 1_000;
  const reported: unknown[] = [];
  const faults = new Faults(() => WELL);
  const region = createRegion<string>({
    name: 'flaky',
    clock: () => time,
    onError: (error) => reported.push(error),
    backend,
    expirationTime: EXPIRATION,
    arguments: { faults, refuses: () => false },
  });
  if (before !== 'nothing') await region.setMulti(KEYS.map((key) => [key, OLD] as const));
  if (before === 'stale') time += EXPIRATION + 1;
  let left = nth;
  failures = 0;
  faults.use(() => (left-- === 0 ? fate : WELL));
  let answers: PromiseSettledResult<unknown>[] | undefined;
  void Promise.allSettled(act(region)).then((all) => {
    answers = all;
  });
  assert.ok(await until(() => answers !== undefined), 'a call has not ended');
  await checkLeft(region);
  faults.use(() => WELL);
  const got = answers!.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  const [error] = faults.thrown;
  // Whether a run can be joined is decided at once: an answer that comes late is not waited for.
  const unasked = error?.operation === 'tokenStands' && fate.turns !== null;
  if (error !== undefined && !unasked) assert.ok([...got, ...reported].includes(error), `${error} got lost`);
  const others = [...got, ...reported].filter((other) => other !== error);
  for (const other of others) if (!(other instanceof CreatorError)) throw other;
  if (failures > 0) assert.ok(others.length > 0, "the creator's error got lost");
  const again = await region.getOrCreate('key a', () => 'again');
  assert.ok(['again', MADE, OLD].includes(again), again);
  return error !== undefined;
}

for (const backend of BACKENDS) {
  test(`${backend}: each operation of each call fails in turn`, async () => {
    let failed = 0;
    for (const [name, act] of Object.entries(ACTS)) {
      for (const before of BEFORE) {
        for (const fate of FATES) {
          for (let nth = 0; ; nth++) {
            try {
              if (!(await failNth(backend, before, act, fate, nth))) break;
            } catch (error) {
              const at = `${name}, ${before} before, operation ${nth} fails ${JSON.stringify(fate)}`;
              (error as Error).message += ` (${at})`;
              throw error;
            }
            failed++;
          }
        }
      }
    }
    console.log(`# ${backend}: ${failed} failures`);
    assert.ok(failed > 500);
  });
}

test.run();
