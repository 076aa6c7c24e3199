/**
 * No stale sets: whatever changes a key while its creator runs wins. Two threads: one creates, this module's worker
 * changes. Each round has a key of its own and a word that stands for the origin; a change raises the origin first, so a
 * value is stale exactly if it is not what the origin says when all is over.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import {
  attachRegion,
  SharedCache as Cache,
  createRegion,
  type RegionHandle,
  type SharedCache,
  type SlabBackend,
} from '../../src/index.ts';
import { random } from './engine.ts';

/** Words a round: origin, phase (1: its creator has read the origin, 2: changed). */
const ORIGIN = 0;
const PHASE = 1;
const WORDS = 2;
const AHEAD = 16;

interface Job {
  handle: RegionHandle;
  side: SharedArrayBuffer;
  rounds: number;
  seed: number;
  others: boolean;
}

export interface StaleReport {
  /** Rounds that ended with a value which is not the origin's. */
  stale: string[];
  /** Rounds whose value was kept. */
  kept: number;
  actions: Record<string, number>;
}

const OF_A_KEY = ['delete', 'set'] as const;
const OF_ALL = ['invalidate', 'soft', 'clear'] as const;
/** Share of the changes that are the region's: they take the values of the rounds around them away as well. */
const OF_ALL_SHARE = 0.05;

/** `others`: the changes go to other keys and must keep nothing out. */
export async function staleSets(
  rounds: number,
  seed: number,
  mutexes: number,
  others: boolean,
  check: (cache: SharedCache) => void,
): Promise<StaleReport> {
  const region = createRegion<string>({
    name: 'stale',
    backend: 'cairn.slab',
    arguments: { maxBytes: 8 * 2 ** 20, mutexes },
  });
  const side = new Int32Array(new SharedArrayBuffer(rounds * WORDS * 4));
  const job: Job = { handle: region.handle, side: side.buffer, rounds, seed, others };
  const worker = new Worker(new URL(import.meta.url), { workerData: { staleSets: job } });
  const done = new Promise<Record<string, number>>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const rnd = random(seed);
  const stale: string[] = [];
  let kept = 0;
  const settled = (round: number) => Atomics.load(side, round * WORDS + PHASE) === 2;
  const create = async (round: number) => {
    const at = round * WORDS;
    const turns = Math.floor(rnd() * 4);
    await region.getOrCreate(`key ${round}`, async () => {
      const value = Atomics.load(side, at + ORIGIN);
      Atomics.store(side, at + PHASE, 1);
      Atomics.notify(side, at + PHASE);
      for (let n = 0; n < turns; n++) await new Promise(setImmediate);
      return String(value);
    });
    while (!settled(round)) await new Promise(setImmediate);
    const found = region.getSync(`key ${round}`);
    if (found === undefined) return;
    kept++;
    if (found !== String(Atomics.load(side, at + ORIGIN)))
      stale.push(`round ${round}: ${found}, origin ${side[at + ORIGIN]}`);
  };
  let next = 0;
  const lane = async () => {
    for (let round = next++; round < rounds; round = next++) await create(round);
  };
  await Promise.all(Array.from({ length: AHEAD }, lane));
  const actions = await done;
  await worker.terminate();
  const cache = Cache.attach((region.actualBackend as SlabBackend).handle);
  check(cache);
  cache.close();
  region.close();
  return { stale, kept, actions };
}

function change(job: Job): Record<string, number> {
  const side = new Int32Array(job.side);
  const region = attachRegion<string>(job.handle);
  const rnd = random(job.seed + 1);
  const actions: Record<string, number> = {};
  for (let round = 0; round < job.rounds; round++) {
    const at = round * WORDS;
    // the creator has read the origin (it waits for us afterwards); sometimes a few more moments pass
    while (Atomics.load(side, at + PHASE) === 0) Atomics.wait(side, at + PHASE, 0, 1000);
    for (let n = Math.floor(rnd() ** 4 * 20_000); n > 0; n--) Atomics.load(side, at + PHASE);
    const key = job.others ? `other ${round}` : `key ${round}`;
    const names = !job.others && rnd() < OF_ALL_SHARE ? OF_ALL : OF_A_KEY;
    const action = names[Math.floor(rnd() * names.length)]!;
    actions[action] = (actions[action] ?? 0) + 1;
    const origin = job.others ? Atomics.load(side, at + ORIGIN) : Atomics.add(side, at + ORIGIN, 1) + 1;
    if (action === 'delete') region.deleteSync(key);
    else if (action === 'set') region.setSync(key, String(origin));
    else if (action === 'invalidate') region.invalidateSync();
    else if (action === 'soft') region.invalidateSync({ hard: false });
    else region.clearSync();
    Atomics.store(side, at + PHASE, 2);
  }
  region.close();
  return actions;
}

if (!isMainThread && workerData?.staleSets) {
  const { parentPort } = await import('node:worker_threads');
  parentPort!.postMessage(change(workerData.staleSets as Job));
}
