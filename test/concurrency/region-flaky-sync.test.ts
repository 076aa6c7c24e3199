/**
 * `Sync` forms on a backend that mostly answers at once: where one operation answers by a promise they throw `SyncError`,
 * and what that operation still does leaves nothing behind: no mutex, no mark, no value that comes after a later change.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheRegion, createRegion } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import {
  type Fate,
  Faults,
  FlakyError,
  FlakyMutexBackend,
  FlakyTokenBackend,
} from '../support/region-flaky-backend.ts';
import { runsOf, turn } from '../support/region-threads.ts';

const EXPIRATION = 10;
const KEYS = ['key a', 'key b'];
const AT_ONCE: Fate = { turns: null, fails: 'no' };
const LATE: readonly Fate[] = [
  { turns: [2, 1], fails: 'no' },
  { turns: [2, 1], fails: 'without effect' },
  { turns: [2, 1], fails: 'with effect' },
];
const BEFORE = ['nothing', 'stale'] as const;
const AFTER = ['nothing', 'delete', 'setMulti', 'clear'] as const;

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));

const ACTS: Record<string, (region: CacheRegion<string>) => unknown> = {
  getOrCreateSync: (region) => region.getOrCreateSync('key a', () => 'made'),
  'getOrCreateSync, staleOnError': (region) =>
    region.getOrCreateSync('key a', () => 'made', { staleOnError: true }),
  'getOrCreateSync that fails': (region) =>
    region.getOrCreateSync('key a', (): string => {
      throw new Error('the creator failed');
    }),
  'getOrCreateSync, nested': (region) =>
    region.getOrCreateSync('key a', () => region.getOrCreateSync('key b', () => 'made')),
  getOrCreateMultiSync: (region) => region.getOrCreateMultiSync(KEYS, (keys) => keys.map(() => 'made')),
  getSync: (region) => region.getSync('key a'),
  getMultiSync: (region) => region.getMultiSync(KEYS),
};

interface Case {
  backend: string;
  act: (region: CacheRegion<string>) => unknown;
  before: (typeof BEFORE)[number];
  after: (typeof AFTER)[number];
  fate: Fate;
  nth: number;
}

/** Lets operation number `nth` answer late; answers whether there were so many. */
async function lateNth({ backend, act, before, after, fate, nth }: Case): Promise<boolean> {
  let time = 1_000;
  const faults = new Faults(() => AT_ONCE);
  const region = createRegion<string>({
    name: 'flaky',
    clock: () => time,
    backend,
    expirationTime: EXPIRATION,
    arguments: { faults, refuses: () => false },
  });
  if (before === 'stale') {
    region.setMultiSync(KEYS.map((key) => [key, 'old'] as const));
    time += EXPIRATION + 1;
  }
  let left = nth;
  faults.use(() => (left-- === 0 ? fate : AT_ONCE));
  try {
    act(region);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // A mutex is got and released at once or not at all.
    const own = error instanceof FlakyError || message === 'the creator failed';
    assert.ok(own || code === 'ERR_CAIRN_SYNC', String(error));
  }
  const wasLate = left < 0;
  faults.use(() => AT_ONCE);
  assert.is(runsOf(region), 0, 'creations');
  if (after === 'delete') await region.deleteMulti(KEYS);
  else if (after === 'setMulti') await region.setMulti(KEYS.map((key) => [key, 'changed'] as const));
  else if (after === 'clear') await region.clear();
  for (let n = 0; n < 6; n++) await turn();
  assert.equal(unhandled.splice(0), [], 'unhandled rejections');
  if (after !== 'nothing') {
    const value = after === 'setMulti' ? 'changed' : undefined;
    assert.equal(region.getMultiSync(KEYS), [value, value], 'what was changed');
  }
  const { actualBackend } = region;
  if (actualBackend instanceof FlakyMutexBackend) {
    assert.not(
      actualBackend.mutexes.some((mutex) => mutex.locked()),
      'a mutex is held',
    );
  }
  assert.is(coreOf(region).localMutexes.size, 0, 'mutexes of the region');
  if (actualBackend instanceof FlakyTokenBackend) {
    const { marks, lost } = actualBackend;
    const kept = [...marks].filter(([, version]) => !lost.has(version));
    assert.equal(kept, [], 'keys that are marked as being created');
  }
  return wasLate;
}

for (const backend of ['test.flaky', 'test.flaky.tokens', 'test.flaky.mutexes']) {
  test(`${backend}: each operation of each Sync form in turn answers late`, async () => {
    let late = 0;
    for (const [name, act] of Object.entries(ACTS)) {
      for (const before of BEFORE) {
        for (const after of AFTER) {
          for (const fate of LATE) {
            for (let nth = 0; ; nth++) {
              try {
                if (!(await lateNth({ backend, act, before, after, fate, nth }))) break;
              } catch (error) {
                const at = `${name}, ${before} before, ${after} after, operation ${nth}: ${JSON.stringify(fate)}`;
                (error as Error).message += ` (${at})`;
                throw error;
              }
              late++;
            }
          }
        }
      }
    }
    console.log(`# ${backend}: ${late} late answers`);
    assert.ok(late > 300);
  });
}

test.run();
