/** Deaths with a lock held, one at a time: between two commits the lock is taken over, inside one the shard is dropped. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { EngineError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { random, SEED } from '../support/engine.ts';
import {
  dieDropping,
  Gate,
  isAlive,
  ownCount,
  setAtGate,
  setThatDies,
  shardOf,
  versionOf,
  withExports,
} from '../support/stress-dying.ts';
import { checkAtRest, checkNothingLeaks, keyOfEachShard } from '../support/stress-heap.ts';
import { Ledger, type LedgerData, makeLedger } from '../support/stress-ledger.ts';
import { endAll, nowMs, Thread, until } from '../support/stress-threads.ts';
import { makeValue, readValue, type Value } from '../support/stress-values.ts';

const KEYS = 400;
const HANG_MS = 60_000;
const OPTIONS = { maxBytes: 8 * 2 ** 20, shards: 4, maxValueBytes: 200_000, maxThreads: 8, mutexes: 16 };

const isEngineError = (error: unknown) => error instanceof EngineError;

interface Data {
  handle: CacheHandle;
  me: number;
  ledger: LedgerData;
  stop: SharedArrayBuffer;
  gate: SharedArrayBuffer;
  key: string;
  shard: number;
}

// ---- Other threads

const roles: Record<string, (cache: SharedCache<Value>, data: Data) => void> = {
  /** Reads and checks until told to stop; with `me` it writes, too. */
  works(cache, { me, ledger, stop }) {
    const flag = new Int32Array(stop);
    const book = new Ledger(ledger, me);
    const rnd = random(SEED + me);
    const before: number[] = [];
    let reads = 0;
    while (!Atomics.load(flag, 0)) {
      const key = Math.floor(rnd() * KEYS);
      if (me === 0 || rnd() < 0.7) {
        book.before(key, before);
        const value = cache.get(`key ${key}`);
        if (value === undefined) continue;
        book.check(key, readValue(key, value), before);
        reads++;
      } else {
        const version = book.begin(key);
        cache.set(
          `key ${key}`,
          makeValue(key, me, version, rnd() < 0.5 ? 100 : 1000 + Math.floor(rnd() * 50_000)),
        );
        book.commit(key, version);
      }
    }
    parentPort!.postMessage({ kind: 'worked', reads, drops: ownCount(cache, L.S_DROPS) });
  },

  fillsAtGate(cache, { gate, key }) {
    const answers = setAtGate(cache, key, makeValue(1, 1, 8, 100_000), new Gate(gate));
    parentPort!.postMessage({ kind: 'filled', answers, drops: ownCount(cache, L.S_DROPS) });
  },

  setsSmall(cache, { key }) {
    parentPort!.postMessage({ kind: 'sets' });
    cache.set(`${key}, small`, 1);
    parentPort!.postMessage({ kind: 'was set', drops: ownCount(cache, L.S_DROPS) });
  },

  /** Throws between filling and publishing, lives on, and later sets a small value of the same shard. */
  diesFilling(cache, { key }) {
    const engine = SharedCache.engineOf(cache);
    const large_publish = () => {
      throw new RangeError('Maximum call stack size exceeded');
    };
    assert.throws(
      () => withExports(engine, { large_publish }, () => cache.set(key, makeValue(1, 0, 8, 90_000))),
      isEngineError,
    );
    cache.get(key); // attaches anew
    parentPort!.postMessage({ kind: 'died' });
    parentPort!.once('message', () => roles.setsSmall!(cache, workerData as Data));
  },

  /** Its trap is caught by nobody: it ends with the lock in its hand, inside a commit. */
  diesForGood(cache, { shard }) {
    SharedCache.engineOf(cache).x.debug_die(shard, 1);
  },
};

if (!isMainThread)
  roles[workerData.role]!(
    SharedCache.attach((workerData as Data).handle, { decoded: { mode: 'off' } }),
    workerData as Data,
  );

// ---- The test's side

/** A cache in which key n holds number n, and the keys of each shard. */
function filled(): { cache: SharedCache<any>; keysOf: string[][] } {
  const cache = SharedCache.create<any>(OPTIONS);
  const keysOf: string[][] = Array.from({ length: OPTIONS.shards }, () => []);
  for (let n = 0; n < KEYS; n++) {
    cache.set(`key ${n}`, n % 5 === 0 ? makeValue(n, 0, 0, 3000) : n);
    keysOf[shardOf(cache, `key ${n}`)]!.push(`key ${n}`);
  }
  return { cache, keysOf };
}

function start(role: string, cache: SharedCache<any>, more: Partial<Data> = {}): Thread {
  return new Thread(import.meta.url, role, { handle: cache.handle, ...more });
}

/** Runs a test and ends what it left running, so that a failure is no hang. */
function check(name: string, run: () => void | Promise<void>): void {
  test(name, async () => {
    try {
      await run();
    } finally {
      await endAll();
    }
  });
}

check('between two commits: EngineError once, then everything works and stands', () => {
  const { cache, keysOf } = filled();
  const values = keysOf.flat().map((key) => cache.get(key));
  for (let round = 0; round < 3; round++) {
    for (let shard = 0; shard < OPTIONS.shards; shard++) {
      assert.throws(() => setThatDies(cache, shard, 0), isEngineError);
      const key = keysOf[shard]![0]!;
      assert.ok(cache.set(key, cache.get(key)), 'set works at once');
      assert.ok(isAlive(cache));
    }
  }
  assert.equal(
    keysOf.flat().map((key) => cache.get(key)),
    values,
  );
  assert.is(cache.stats().takeovers, 12);
  assert.is(cache.stats().drops, 0);
  checkNothingLeaks(cache);
  cache.close();
});

check('inside a commit: that shard is dropped, the others stand, versions go on', () => {
  const { cache, keysOf } = filled();
  for (let shard = 0; shard < OPTIONS.shards; shard++) {
    const others = keysOf.slice(shard + 1).flat();
    const values = others.map((key) => cache.get(key));
    const key = keysOf[shard]![1]!;
    const version = versionOf(cache, key);
    assert.throws(() => setThatDies(cache, shard, 1), isEngineError);
    assert.ok(cache.set(key, 'new'), 'set works at once');
    assert.is(cache.get(key), 'new');
    assert.ok(versionOf(cache, key) > version, 'versions go on');
    for (const gone of keysOf[shard]!)
      if (gone !== key) assert.is(cache.get(gone), undefined, `${gone} is gone`);
    assert.equal(
      others.map((other) => cache.get(other)),
      values,
      'other shards stand',
    );
    assert.is(cache.stats().drops, shard + 1);
    checkAtRest(cache);
  }
  checkNothingLeaks(cache);
  cache.close();
});

check(
  'an exception whose handling has no stack left either: the next call attaches anew all the same',
  () => {
    const { cache, keysOf } = filled();
    const engine = SharedCache.engineOf(cache);
    const overflow = () => {
      throw new RangeError('Maximum call stack size exceeded');
    };
    for (const again of [0, 1]) {
      (engine as { died: unknown }).died = overflow;
      assert.throws(() => setThatDies(cache, 0, 0), /call stack/);
      delete (engine as { died?: unknown }).died;
      assert.ok(cache.set(keysOf[again]![0]!, 'again'), 'set works at once');
      assert.ok(isAlive(cache), 'what takes locks is alive to the others');
    }
    // and where it is the joining that fails: no slot is lost by it
    for (let n = 0; n < 3 * OPTIONS.maxThreads; n++) {
      assert.throws(() => setThatDies(cache, 0, 0), isEngineError);
      try {
        withExports(engine, { thread_me: overflow }, () => cache.set('key 1', n));
      } catch (error) {
        assert.instance(error, RangeError);
      }
      assert.ok(cache.set('key 1', n));
    }
    checkNothingLeaks(cache);
    cache.close();
  },
);

check('one death after another, of droppers too, wherever they are in it', () => {
  const { cache, keysOf } = filled();
  const engine = SharedCache.engineOf(cache);
  for (let n = 0; n < 5; n++) assert.throws(() => setThatDies(cache, 1, 1), isEngineError);
  assert.ok(cache.set('key 1', 1));
  const others = keysOf.flatMap((keys, shard) => (shard === 0 || shard === 1 ? [] : keys));
  const values = others.map((key) => cache.get(key));
  let steps = 1;
  for (let n = 0; n <= steps; n++) {
    for (const key of keysOf[0]!)
      cache.set(key, makeValue(Number(key.slice(4)), 1, n, key.length > 6 ? 100 : 5000));
    const [key] = keysOf[0]!;
    const version = versionOf(cache, key!);
    steps = dieDropping(cache, 0, n);
    if (n % 2) dieDropping(cache, 0, n); // and the next one as well
    const read = cache.get(keysOf[0]![1]!);
    if (read !== undefined)
      assert.is(readValue(Number(keysOf[0]![1]!.slice(4)), read).version, n, 'nothing, or what stood there');
    assert.ok(cache.set(key!, 'new'));
    assert.ok(versionOf(cache, key!) > version, 'versions go on');
    assert.is(engine.x.debug_number(0, 0), 1, `one entry after a drop cut at step ${n}`);
    checkAtRest(cache);
  }
  assert.equal(
    others.map((key) => cache.get(key)),
    values,
    'other shards stand',
  );
  checkNothingLeaks(cache);
  cache.close();
});

check('a thread that ended inside a commit without a word', async () => {
  const cache = SharedCache.create<Value>(OPTIONS);
  const keys = keyOfEachShard(cache);
  let longest = 0;
  for (let shard = 0; shard < OPTIONS.shards; shard++) {
    const thread = start('diesForGood', cache, { shard });
    await thread.exited;
    const began = nowMs();
    assert.ok(cache.set(keys[shard]!, makeValue(1, 0, 0, 4000)));
    longest = Math.max(longest, nowMs() - began);
    assert.is(cache.stats().drops, shard + 1);
  }
  console.log(
    `# set into the shard of a thread that ended inside a commit: at most ${longest.toFixed(1)} ms`,
  );
  assert.ok(longest < 1000);
  checkNothingLeaks(cache);
  cache.close();
});

check('readers and writers in other threads see no wrong value while shards are dropped', async () => {
  const cache = SharedCache.create<Value>({ ...OPTIONS, shards: 2 });
  const ledger = makeLedger(3, KEYS);
  const stop = new SharedArrayBuffer(4);
  const workers = [0, 1, 2].map((me) => start('works', cache, { me, ledger, stop }));
  const rnd = random(SEED);
  const stores = () => cache.stats().sets;
  for (let n = 0; n < 60; n++) {
    const sets = stores();
    await until(HANG_MS, 'others', () => stores() > sets + 10);
    assert.throws(() => setThatDies(cache, n & 1, rnd() < 0.7 ? 1 : 0), isEngineError);
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  const worked = await Promise.all(workers.map((worker) => worker.next('worked')));
  const { drops, takeovers } = cache.stats();
  console.log(
    `# ${worked.map(({ reads }) => reads).join(', ')} reads while ${takeovers} locks were taken over and ${drops} shards dropped, ${worked.map((done) => done.drops).join(', ')} by workers`,
  );
  assert.ok(drops >= 20);
  checkNothingLeaks(cache);
  cache.close();
});

check(
  'a living filler drops by itself and starts anew; a dropper waits for it, and may die waiting',
  async () => {
    for (const killed of [false, true]) {
      const cache = SharedCache.create<Value>(OPTIONS);
      const key = keyOfEachShard(cache)[2]!;
      const small = keyInShard(cache, 2);
      const memory = new SharedArrayBuffer(4);
      const gate = new Gate(memory);
      const filler = start('fillsAtGate', cache, { gate: memory, key });
      await until(HANG_MS, 'the filler', () => gate.reached);
      assert.throws(() => setThatDies(cache, 2, 1), isEngineError);
      const waits = cache.stats().lockWaits;
      const setter = start('setsSmall', cache, { key: small });
      await setter.next('sets');
      await until(HANG_MS, 'the dropper to wait', () => cache.stats().lockWaits > waits + 2);
      assert.is(cache.stats().drops, 0, 'nobody drops a shard that is being filled');
      if (killed) await setter.kill();
      gate.open();
      const { answers, drops } = await filler.next('filled');
      assert.equal(answers, [L.AGAIN, 0], 'started anew');
      if (!killed) await setter.next('was set');
      assert.is(cache.stats().drops, 1);
      assert.is(drops, 1, 'the filler dropped it');
      assert.is(readValue(1, cache.get(key)!).version, 8);
      await Promise.all([filler.exited, setter.exited]);
      checkNothingLeaks(cache);
      cache.close();
    }
  },
);

check('a thread that died while it filled, and lives on, drops nothing under a living filler', async () => {
  const cache = SharedCache.create<Value>(OPTIONS);
  const key = keyOfEachShard(cache)[3]!;
  const revenant = start('diesFilling', cache, { key: keyInShard(cache, 3) });
  await revenant.next('died');
  const memory = new SharedArrayBuffer(4);
  const gate = new Gate(memory);
  const filler = start('fillsAtGate', cache, { gate: memory, key });
  await until(HANG_MS, 'the filler', () => gate.reached);
  assert.throws(() => setThatDies(cache, 3, 1), isEngineError);
  const before = cache.stats().lockWaits;
  revenant.send({ kind: 'set' });
  await revenant.next('sets');
  await until(
    HANG_MS,
    'a set to wait or to drop',
    () => cache.stats().lockWaits > before + 2 || cache.stats().drops > 0,
  );
  const early = cache.stats().drops;
  gate.open();
  const { answers } = await filler.next('filled');
  await revenant.next('was set');
  await Promise.all([filler.exited, revenant.exited]);
  assert.is(early, 0, 'nobody drops a shard that is being filled');
  assert.equal(answers, [L.AGAIN, 0], 'started anew');
  checkNothingLeaks(cache);
  cache.close();
});

/** A key whose small twin (`key, small`) lies in the shard as well as itself. */
function keyInShard(cache: SharedCache<any>, shard: number): string {
  for (let n = 0; ; n++) {
    const key = `twin ${n}`;
    const found = [key, `${key}, small`].filter((name) => {
      cache.set(name, 1);
      const same = shardOf(cache, name) === shard;
      cache.delete(name);
      return same;
    });
    if (found.length === 2) return key;
  }
}

if (isMainThread) test.run();
