/**
 * The stress without eviction: the index grows, each key is overwritten and deleted at random by its single writer, and
 * the others read. A word a key, beside the cache, says what the writer knows: absent, present or changing, with a count.
 * A key that was present for the whole read must be found, one that was absent for the whole read must not.
 *
 * On the side: counters that all threads raise by `increment` and `update`, and tokens that are added and taken. Nothing
 * evicts, so at the end the sums must be exact.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { random, SEED } from './engine.ts';
import { checkAtRest } from './stress-heap.ts';
import { Ledger, type LedgerData, makeLedger } from './stress-ledger.ts';
import { endAll, nowMs, Thread } from './stress-threads.ts';
import { makeValue, readValue, type Value, Violation, violation } from './stress-values.ts';

const ABSENT = 0;
const PRESENT = 1;
const CHANGING = 2;
const COUNTERS = 8;
const TOKENS = 16;

interface Round {
  kind: 'round';
  handle: CacheHandle;
  ledger: LedgerData;
  /** A word a key: count << 2 | ABSENT, PRESENT or CHANGING. Then a word a thread: the key that it writes now. */
  words: SharedArrayBuffer;
  threads: number;
  keys: number;
  ms: number;
  seed: number;
}

interface Counts {
  ops: number;
  found: number;
  /** Raised by increment and update, by counter. */
  raised: number[];
  /** Added less taken, by token. */
  tokens: number[];
  /** Names of those that this thread has taken. */
  taken: string[];
}

function play(round: Round, me: number): Counts {
  const { threads, keys, ms } = round;
  const rnd = random(round.seed + 977 * me);
  const cache = SharedCache.attach<Value>(round.handle, { decoded: { mode: me === 1 ? 'freeze' : 'off' } });
  const ledger = new Ledger(round.ledger, me);
  const words = new Int32Array(round.words);
  const own = keys / threads;
  const before: number[] = [];
  const lastSums = new Array<number>(COUNTERS).fill(0);
  const counts: Counts = {
    ops: 0,
    found: 0,
    raised: new Array(COUNTERS).fill(0),
    tokens: new Array(TOKENS).fill(0),
    taken: [],
  };
  const began = nowMs();
  let open = 1;

  const sizeOf = () => {
    const what = rnd();
    return what < 0.02 ? 1000 + Math.floor(rnd() * 9000) : 20 + Math.floor(rnd() * 300);
  };
  const writeOwn = () => {
    const key = me + threads * Math.floor(rnd() * open);
    const state = Atomics.load(words, key);
    words[keys + me] = key;
    if ((state & 3) === PRESENT && rnd() < 0.3) {
      Atomics.store(words, key, state + 4 - PRESENT + CHANGING);
      const gone = rnd() < 0.8 ? cache.delete(`key ${key}`) : cache.take(`key ${key}`) !== undefined;
      if (!gone) throw violation(key, 'stood, and was not there to delete');
      Atomics.store(words, key, state + 8 - PRESENT + ABSENT);
      return;
    }
    if ((state & 3) === ABSENT) Atomics.store(words, key, state + 4 + CHANGING);
    const version = ledger.begin(key);
    const value = makeValue(key, me, version, sizeOf());
    const what = rnd();
    let stored: boolean;
    if (what < 0.1)
      stored = (state & 3) === PRESENT ? cache.replace(`key ${key}`, value) : cache.add(`key ${key}`, value);
    else if (what < 0.2) stored = cache.update(`key ${key}`, () => value) === value;
    else stored = cache.set(`key ${key}`, value);
    if (!stored) throw violation(key, 'was not stored');
    ledger.commit(key, version);
    if ((state & 3) === ABSENT) Atomics.store(words, key, state + 8 + PRESENT);
  };
  const readOther = () => {
    const writer = Math.floor(rnd() * threads);
    const key = rnd() < 0.5 ? words[keys + writer]! : writer + threads * Math.floor(rnd() * open);
    ledger.before(key, before);
    const first = Atomics.load(words, key);
    const value =
      rnd() < 0.7
        ? cache.get(`key ${key}`)
        : rnd() < 0.5
          ? cache.peek(`key ${key}`)
          : cache.getMany([`key ${key}`])[0];
    const last = Atomics.load(words, key);
    if (value !== undefined) {
      ledger.check(key, readValue(key, value), before);
      counts.found++;
    }
    if (first !== last) return;
    if ((first & 3) === PRESENT && value === undefined)
      throw violation(key, `stood for the whole read and was missed (count ${first >> 2})`);
    if ((first & 3) === ABSENT && value !== undefined)
      throw violation(key, `was absent for the whole read and was found (count ${first >> 2})`);
  };
  const countAndTake = () => {
    const counter = Math.floor(rnd() * COUNTERS);
    const token = Math.floor(rnd() * TOKENS);
    const what = rnd();
    if (what < 0.5) {
      const by = 1 + Math.floor(rnd() * 3);
      const sum =
        rnd() < 0.6
          ? cache.increment(`counter ${counter}`, by)
          : Number(cache.update(`counter ${counter}`, (value) => Number(value ?? 0) + by));
      counts.raised[counter]! += by;
      if (sum < lastSums[counter]! + by)
        throw violation(`counter ${counter}`, `${sum} after ${lastSums[counter]}`);
      lastSums[counter] = sum;
    } else if (what < 0.75) {
      const name = `${me}.${counts.ops} ${'x'.repeat(Math.floor(rnd() * 60))}`;
      if (cache.add(`token ${token}`, name)) counts.tokens[token]!++;
    } else {
      const taken = cache.take(`token ${token}`);
      if (taken === undefined) return;
      counts.tokens[token]!--;
      counts.taken.push(String(taken));
    }
  };

  for (let now = began; now < began + ms; now = nowMs()) {
    open = 1 + Math.floor(own * Math.min(1, (1.1 * (now - began)) / ms)) - Number(now - began > ms / 1.1);
    for (let n = 0; n < 32; n++) {
      const what = rnd();
      if (what < 0.45) writeOwn();
      else if (what < 0.9) readOther();
      else countAndTake();
      counts.ops++;
    }
  }
  cache.close();
  return counts;
}

export interface PresentRound {
  keys: number;
  ms: number;
}

/** Plays rounds, each on a cache of its own, with the same threads. */
export async function runPresent(threads: number, rounds: PresentRound[]): Promise<void> {
  try {
    await playAll(threads, rounds);
  } finally {
    await endAll();
  }
}

async function playAll(threads: number, rounds: PresentRound[]): Promise<void> {
  const workers = Array.from({ length: threads }, (_, me) => new Thread(import.meta.url, 'present', { me }));
  const totals = { ops: 0, found: 0, buckets: 0, retries: 0 };
  let turn = 0;
  for (const { keys, ms } of rounds) {
    const cache = SharedCache.create<Value>({
      maxBytes: 2 ** 24 + keys * 2048,
      shards: 2,
      maxThreads: threads + 1,
      mutexes: 16,
    });
    const words = new SharedArrayBuffer(4 * (keys + threads));
    const round: Round = {
      kind: 'round',
      handle: cache.handle,
      ledger: makeLedger(threads, keys),
      words,
      threads,
      keys,
      ms,
      seed: SEED + turn++,
    };
    for (const worker of workers) worker.send(round as never);
    const played = await Promise.all(workers.map((worker) => worker.next('played', ms * 10 + 60_000)));
    const broken = played.flatMap((message) => message.broken ?? []);
    assert.equal(broken, [], `no violation (seed ${SEED}, round ${turn})`);
    const counts = played.map((message) => message.counts as Counts);
    const stats = cache.stats();
    const engine = SharedCache.engineOf(cache);
    for (const { ops, found } of counts) {
      totals.ops += ops;
      totals.found += found;
    }
    totals.retries += stats.readRetries;
    for (let shard = 0; shard < engine.shards; shard++) totals.buckets += engine.x.debug_number(shard, 3);
    assert.is(stats.evictions, 0, 'nothing was evicted');
    assert.is(stats.refused, 0, 'nothing was refused');
    for (let n = 0; n < COUNTERS; n++) {
      const raised = counts.reduce((sum, { raised }) => sum + raised[n]!, 0);
      assert.is(cache.get(`counter ${n}`) ?? 0, raised, `counter ${n}: no increment and no update is lost`);
    }
    const taken = counts.flatMap((one) => one.taken);
    assert.is(new Set(taken).size, taken.length, 'no token was taken twice');
    for (let n = 0; n < TOKENS; n++) {
      const left = counts.reduce((sum, { tokens }) => sum + tokens[n]!, 0);
      assert.is(Number(cache.has(`token ${n}`)), left, `token ${n}: each is taken once`);
    }
    const state = new Int32Array(words);
    for (let key = 0; key < keys; key++) {
      assert.is(cache.has(`key ${key}`), (state[key]! & 3) === PRESENT, `key ${key} at the end`);
    }
    checkAtRest(cache);
    cache.close();
  }
  for (const worker of workers) worker.send({ kind: 'end' });
  await Promise.all(workers.map((worker) => worker.exited));
  console.log(
    `# no eviction: ${rounds.length} rounds, ${totals.ops} operations, ${totals.found} found, index grown to ${totals.buckets} buckets in all, ${totals.retries} retries`,
  );
  assert.ok(totals.buckets > rounds.length * 2 * 64, 'the index grew');
}

if (!isMainThread && workerData?.role === 'present') {
  parentPort!.on('message', (message: Round | { kind: 'end' }) => {
    if (message.kind === 'end') {
      parentPort!.close();
      return;
    }
    let counts: Counts | undefined;
    let broken: unknown;
    try {
      counts = play(message, workerData.me as number);
    } catch (error) {
      broken = error instanceof Violation ? error.message : (error as Error).stack;
    }
    parentPort!.postMessage({ kind: 'played', counts, broken });
  });
}
