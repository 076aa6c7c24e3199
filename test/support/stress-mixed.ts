/** The mixed stress: all operations, all sizes, eviction, expiry and pages that change class, from several threads. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { random, SEED } from './engine.ts';
import { checkAtRest } from './stress-heap.ts';
import { Ledger, type LedgerData, makeLedger } from './stress-ledger.ts';
import { endAll, Thread } from './stress-threads.ts';
import { makeValue, readValue, type Value, Violation, violation } from './stress-values.ts';

const KEYS = 3000;
const HOT = 24;
const LARGEST = 256 * 1024;

interface MixedData {
  role: 'mixed';
  me: number;
  seed: number;
  handle: CacheHandle;
  ledger: LedgerData;
  stop: SharedArrayBuffer;
  hot: boolean;
}

/** Long, short, Latin-1 and wide keys. */
function keyName(n: number): string {
  if (n % 7 === 3) return `ключ ${n}`;
  if (n % 11 === 5) return `${'a long key, '.repeat(30)}${n}`;
  return `key ${n}`;
}

/** Small, all, or large sizes, in turns of operations: pages have to change class. */
function sizesAt(ops: number): [number, number] {
  const at = ops % 4000;
  return at < 2500 ? [1, 900] : at < 3200 ? [1, LARGEST] : [1000, LARGEST];
}

function mixed(data: MixedData): void {
  const { me } = data;
  const rnd = random(data.seed);
  const cache = SharedCache.attach<Value>(data.handle, { decoded: { mode: me === 1 ? 'freeze' : 'off' } });
  const ledger = new Ledger(data.ledger, me);
  const stop = new Int32Array(data.stop);
  const before: number[] = [];
  const many = Array.from({ length: 8 }, () => [] as number[]);
  let ops = 0;
  let hits = 0;
  let longest = 0;
  let [from, to] = sizesAt(0);

  const keyNumber = () =>
    Math.floor(data.hot ? rnd() * 8 : rnd() < 0.4 ? rnd() * HOT : HOT + rnd() ** 2 * (KEYS - HOT));
  // hot keys: odd ones keep to one size class, so that chunks come back at once; even ones are large
  const sizeNow = (key: number) => {
    if (data.hot && key & 1) return 700 + Math.floor(rnd() * 60);
    const [least, most] = data.hot ? [3000, 200_000] : [from, to];
    return Math.floor(least * (most / least) ** rnd());
  };
  const ttlOf = () => (rnd() < 0.15 ? { ttl: 1 + rnd() * 30 } : undefined);
  const seen = (key: number, value: Value | undefined, committed: number[]) => {
    if (value === undefined) return;
    hits++;
    ledger.check(key, readValue(key, value), committed);
  };
  const write = (key: number, how: (value: Value) => boolean, refusalLeaves: boolean) => {
    const version = ledger.begin(key);
    const stored = how(makeValue(key, me, version, sizeNow(key)));
    // a refused `set` has taken the old value away
    if (stored || !refusalLeaves) ledger.commit(key, version);
  };

  const operation = () => {
    const key = keyNumber();
    const name = keyName(key);
    const what = rnd();
    if (what < 0.4) {
      ledger.before(key, before);
      seen(key, cache.get(name), before);
    } else if (what < 0.44) {
      const keys = many.map((committed) => {
        const n = keyNumber();
        ledger.before(n, committed);
        return n;
      });
      cache.getMany(keys.map(keyName)).forEach((value, i) => void seen(keys[i]!, value, many[i]!));
    } else if (what < 0.47) {
      ledger.before(key, before);
      if (what < 0.46) seen(key, cache.peek(name), before);
      else cache.has(name) && cache.info(name);
    } else if (what < 0.72) {
      write(key, (value) => cache.set(name, value, ttlOf()), false);
    } else if (what < 0.77) {
      write(key, (value) => cache.add(name, value, ttlOf()), true);
    } else if (what < 0.82) {
      write(key, (value) => cache.replace(name, value, ttlOf()), true);
    } else if (what < 0.86) {
      cache.delete(name);
    } else if (what < 0.9) {
      cache.touch(name, rnd() < 0.2 ? null : 1 + rnd() * 100);
    } else if (what < 0.94) {
      const counter = `counter ${key % 64}`;
      const sum = cache.increment(counter, 1, { initial: 1000 });
      if (!(sum > 1000 && Number.isInteger(sum))) throw violation(counter, `incremented to ${sum}`);
      const read = cache.get(counter);
      if (read !== undefined && !(Number(read) > 1000)) throw violation(counter, `read as ${String(read)}`);
    } else if (what < 0.98) {
      let version = 0;
      ledger.before(key, before);
      cache.update(name, (value) => {
        seen(key, value, before);
        version = ledger.begin(key);
        ledger.before(key, before);
        return makeValue(key, me, version, sizeNow(key));
      });
      ledger.commit(key, version);
    } else if (what < 0.9999) {
      ledger.before(key, before);
      seen(key, cache.take(name), before);
    } else if (me === 0) {
      cache.clear();
    }
  };

  let broken: unknown;
  try {
    while (!Atomics.load(stop, 0)) {
      [from, to] = sizesAt(ops);
      for (let n = 0; n < 32; n++) {
        const start = performance.now();
        operation();
        longest = Math.max(longest, performance.now() - start);
        ops++;
      }
    }
  } catch (error) {
    broken = error instanceof Violation ? error.message : (error as Error).stack;
    Atomics.store(stop, 0, 1);
    Atomics.notify(stop, 0);
  }
  cache.close();
  parentPort!.postMessage({ kind: 'done', ops, hits, longest, broken });
}

export interface MixedOptions {
  threads: number;
  seconds: number;
  maxBytes: number;
  shards: number;
  /** A handful of keys, and room for not many more. */
  hot?: boolean;
}

/** Runs the mixed stress and asserts all that must hold at its end. */
export async function runMixed(options: MixedOptions): Promise<void> {
  try {
    await play(options);
  } finally {
    await endAll();
  }
}

async function play(options: MixedOptions): Promise<void> {
  const { threads, seconds, maxBytes, shards, hot = false } = options;
  const cache = SharedCache.create<Value>({
    maxBytes,
    shards,
    maxValueBytes: 300_000,
    maxThreads: threads + 1,
    mutexes: 16,
  });
  // full of small values from the start, so that the first large ones need pages of other classes
  for (let n = 0; cache.stats().evictions < 100; n++) cache.set(`filler ${n}`, 'x'.repeat(n % 700));
  const ledger = makeLedger(threads, KEYS);
  const stop = new SharedArrayBuffer(4);
  const workers = Array.from({ length: threads }, (_, me) => {
    const data = { me, seed: SEED + 101 * me, handle: cache.handle, ledger, stop, hot };
    return new Thread(import.meta.url, 'mixed', data);
  });
  const flag = new Int32Array(stop);
  const { value } = Atomics.waitAsync(flag, 0, 0, seconds * 1000);
  const keepAlive = setInterval(() => assert.ok(cache.bytes <= cache.maxBytes, 'bytes <= maxBytes'), 20);
  await value;
  clearInterval(keepAlive);
  Atomics.store(flag, 0, 1);
  const done = await Promise.all(workers.map((worker) => worker.next('done', seconds * 1000 + 60_000)));
  await Promise.all(workers.map((worker) => worker.exited));
  const sum = (name: string) => done.reduce((all, message) => all + (message[name] as number), 0);
  const stats = cache.stats();
  const longest = Math.max(...done.map((message) => message.longest as number));
  console.log(
    `# ${hot ? 'hot' : 'mixed'}: ${sum('ops')} operations, ${sum('hits')} hits, longest ${longest.toFixed(1)} ms, ${stats.evictions} evictions, ` +
      `${stats.expired} expired, ${stats.pagesEmptied} pages emptied, ${stats.readRetries} retries, ${stats.lockedReads} locked reads`,
  );
  assert.equal(
    done.flatMap((message) => message.broken ?? []),
    [],
    `no violation (seed ${SEED})`,
  );
  assert.ok(stats.evictions > 0, 'evictions happened');
  if (!hot) assert.ok(stats.expired > 0, 'expiry happened');
  if (!hot) assert.ok(stats.pagesEmptied > 0, 'pages changed class');
  assert.is(stats.drops, 0);
  assert.is(stats.takeovers, 0);
  assert.ok(longest < 10_000, `longest operation ${longest} ms`);
  checkAtRest(cache);
  cache.close();
}

if (!isMainThread && workerData?.role === 'mixed') mixed(workerData as MixedData);
