/**
 * One cache, many threads: what one thread wrote is what the very next read of another gives, for every codec and type;
 * and each operation is atomic over all threads. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { CodecError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';
import { HANG_MS, meet, newGate, type RemoteError, serve, slots, Thread, until } from '../support/threads.ts';
import { CODECS, refusals, same, samples } from '../support/values.ts';

const MIB = 2 ** 20;
const STANDS = 'what stood before';

// ---- Lock-step: a turn word that both threads wait on, so that nothing lies between the write and the read

const TURN = 0; // even: the main thread's, odd: the worker's
const VERDICT = 1; // 1 right, 2 wrong: the text says why
const WHAT = 2;
const CODEC = 3;
const INDEX = 4;
const TEXT_LENGTH = 5;
const TEXT_AT = 64;
const CHECK = 1; // read sample INDEX and compare
const SET = 2; //   write it
const STOOD = 3; // read the key of a refusal: the old value stands
const REFUSE = 4; // try to write refusal INDEX
const END = 5;

function lockStepWorker(handles: Record<string, CacheHandle>, lines: Int32Array): void {
  const caches = attachAll(handles);
  const text = new Uint8Array(lines.buffer, TEXT_AT);
  for (;;) {
    for (let turn = Atomics.load(lines, TURN); turn % 2 === 0; turn = Atomics.load(lines, TURN)) {
      Atomics.wait(lines, TURN, turn, HANG_MS); // of this very reading: a later one may be the turn that it waits for
    }
    if (lines[WHAT] === END) return;
    const { name, cache, list, refused } = caches[lines[CODEC]!]!;
    let wrong = '';
    try {
      const sample = list[lines[INDEX]!];
      if (lines[WHAT] === CHECK) wrong = compare(name, cache.get(sample!.key), sample!.value, sample!.name);
      else if (lines[WHAT] === SET) cache.set(sample!.key, sample!.value) || (wrong = 'set was refused');
      else if (lines[WHAT] === STOOD) wrong = compare(name, cache.get('stands'), STANDS, 'after a refusal');
      else wrong = refusal(cache, refused[lines[INDEX]!]!);
    } catch (error) {
      wrong = String((error as Error).stack);
    }
    const encoded = Buffer.from(wrong).subarray(0, 4000);
    text.set(encoded);
    lines[TEXT_LENGTH] = encoded.length;
    lines[VERDICT] = wrong ? 2 : 1;
    Atomics.add(lines, TURN, 1);
    Atomics.notify(lines, TURN);
  }
}

function attachAll(handles: Record<string, CacheHandle>) {
  return Object.entries(handles).map(([name, handle]) => {
    const codec = CODECS[name];
    const cache = SharedCache.attach(handle, codec === undefined ? {} : { codec });
    return {
      name,
      cache,
      list: samples(name, SharedCache.engineOf(cache).maxValueBytes),
      refused: refusals(name),
    };
  });
}

function compare(codec: string, found: unknown, wanted: unknown, name: string): string {
  return same(found, wanted) ? '' : `${codec}, ${name}: got ${String(found).slice(0, 80)}`;
}

/** Tries to store what the codec would alter; what went otherwise than it should. */
function refusal(cache: SharedCache, [value, path]: [unknown, string]): string {
  try {
    cache.set('stands', value);
  } catch (error) {
    if (!(error instanceof CodecError) || error.code !== 'ERR_CAIRN_CODEC') return `threw ${error}`;
    return error.path === path && error.message.startsWith(path) ? '' : `named ${error.path}, not ${path}`;
  }
  return `the value with ${path} was not refused`;
}

if (!isMainThread && workerData.mode === 'lock-step') {
  lockStepWorker(workerData.handles, workerData.lines);
} else if (!isMainThread) {
  await serveOperations(workerData.cache);
}

/** What a {@link Thread} of this file does. */
async function serveOperations(handle: CacheHandle | undefined): Promise<void> {
  const caches: SharedCache<any>[] = handle ? [SharedCache.attach(handle)] : [];
  let inner: Thread | undefined;
  serve({
    attach: (given: CacheHandle) => void caches.push(SharedCache.attach(given)),
    detach: (index: number) => caches[index]!.close(),
    call: (method: 'get', ...args: [string]) => caches.at(-1)![method](...args),
    callOn: (index: number, method: 'get', ...args: [string]) => caches[index]![method](...args),
    size: () => caches.at(-1)!.size,
    keys: () => [...caches.at(-1)!.keys()],
    nest: () => void (inner = new Thread(import.meta.url, { cache: caches.at(-1)!.handle })),
    inner: (name: string, ...args: unknown[]) => inner!.ask(name, ...args),
    leaveInner: () => inner!.leave(),
    increments(gate: Int32Array, threads: number, times: number) {
      const cache = caches.at(-1)!;
      meet(gate, threads);
      for (let i = 0; i < times; i++) cache.increment('counter');
    },
    takes(gate: Int32Array, threads: number, keys: number, seed: number) {
      const cache = caches.at(-1)!;
      const from = Math.floor(random(seed)() * keys);
      const taken: number[] = [];
      meet(gate, threads);
      for (let i = 0; i < keys; i++) {
        const key = (i + from) % keys;
        const value = cache.take(`take ${key}`);
        if (value === undefined) continue;
        if (value.key !== key) throw new Error(`key ${key} gave ${JSON.stringify(value)}`);
        taken.push(key);
      }
      return taken;
    },
    sums(gate: Int32Array, threads: number, times: number, me: number) {
      const cache = caches.at(-1)!;
      meet(gate, threads);
      for (let i = 0; i < times; i++) {
        if (me % 2) cache.increment('sum');
        else cache.update('sum', (old: number | undefined) => (old ?? 0) + 1);
      }
    },
    updates(gate: Int32Array, threads: number, times: number, me: number) {
      const cache = caches.at(-1)!;
      let runs = 0;
      meet(gate, threads);
      for (let i = 0; i < times; i++) {
        cache.update('list', (old: { sum: number; by: number[] } | undefined) => {
          runs++;
          const by = [...(old?.by ?? [0, 0, 0, 0])];
          by[me]!++;
          return { sum: (old?.sum ?? 0) + 1, by };
        });
      }
      return runs;
    },
    adds(gate: Int32Array, threads: number, keys: number, me: number) {
      const cache = caches.at(-1)!;
      const added: number[] = [];
      meet(gate, threads);
      for (let i = 0; i < keys; i++) if (cache.add(`add ${i}`, me)) added.push(i);
      return added;
    },
  });
}

// ---- The tests

if (isMainThread) {
  test('a value is read by the very next get in another thread, for every codec and type', async () => {
    const caches: { name: string; cache: SharedCache<any> }[] = [];
    const handles: Record<string, CacheHandle> = {};
    for (const [name, codec] of Object.entries(CODECS)) {
      const cache = SharedCache.create<any>({
        maxBytes: 32 * MIB,
        maxValueBytes: MIB / 2,
        maxThreads: 4,
        codec,
      });
      caches.push({ name, cache });
      handles[name] = cache.handle;
    }
    const lines = new Int32Array(new SharedArrayBuffer(TEXT_AT + 4096));
    const thread = new Thread(import.meta.url, { mode: 'lock-step', handles, lines });
    const turn = (codec: number, what: number, index: number) => {
      lines[CODEC] = codec;
      lines[WHAT] = what;
      lines[INDEX] = index;
      const mine = Atomics.add(lines, TURN, 1) + 1;
      Atomics.notify(lines, TURN);
      if (what === END) return;
      // again and again: the other thread's last notify may come only now
      while (Atomics.load(lines, TURN) === mine) {
        assert.is.not(Atomics.wait(lines, TURN, mine, HANG_MS), 'timed-out', 'the other thread hangs');
      }
      const said = Buffer.from(
        lines.buffer as unknown as ArrayBuffer,
        TEXT_AT,
        lines[TEXT_LENGTH]!,
      ).toString();
      assert.is(lines[VERDICT], 1, said);
    };
    let shared = 0;
    for (const [at, { name, cache }] of caches.entries()) {
      const list = samples(name, SharedCache.engineOf(cache).maxValueBytes);
      for (const [index, sample] of list.entries()) {
        cache.set(sample.key, 'an older value');
        if (index % 3 === 0) cache.get(sample.key);
        assert.ok(cache.set(sample.key, sample.value), `${name}, ${sample.name}`);
        turn(at, CHECK, index);
        turn(at, CHECK, index); // and once more, now perhaps from its decoded values
        cache.set(sample.key, 'something else');
        assert.is(cache.get(sample.key), 'something else');
        turn(at, SET, index);
        assert.is(compare(name, cache.get(sample.key), sample.value, sample.name), '');
        assert.is(compare(name, cache.get(sample.key), sample.value, sample.name), '');
        shared++;
      }
      const refused = refusals(name);
      assert.ok(refused.length > 5);
      for (const [index, pair] of refused.entries()) {
        cache.set('stands', STANDS);
        assert.is(refusal(cache, pair), '', `${name}, ${pair[1]}`);
        assert.is(cache.get('stands'), STANDS);
        turn(at, STOOD, index);
        turn(at, REFUSE, index);
        assert.is(cache.get('stands'), STANDS);
        turn(at, STOOD, index);
      }
    }
    console.log(`# ${shared} values shared both ways`);
    turn(0, END, 0);
    assert.is(await thread.leave(), 0);
    for (const { cache } of caches) {
      checkHeap(cache);
      cache.close();
    }
  });

  test('workers of workers attach too', async () => {
    const cache = SharedCache.create<any>({ maxBytes: 8 * MIB, maxThreads: 8 });
    const outer = new Thread(import.meta.url, { cache: cache.handle });
    await outer.ask('nest');
    await outer.ask('inner', 'nest');
    const deep = ['inner', 'inner', 'call'] as const; // asks the worker of the worker of the worker
    cache.set('from above', { level: 0 });
    assert.equal(await outer.ask(...deep, 'get', 'from above'), { level: 0 });
    assert.is(await outer.ask(...deep, 'set', 'from below', [3]), true);
    assert.equal(cache.get('from below'), [3]);
    assert.equal(await outer.ask('call', 'get', 'from below'), [3]);
    assert.is(slots(cache).live, 4);
    assert.is(await outer.ask('inner', 'leaveInner'), 0);
    assert.ok(await until(() => slots(cache).live === 3));
    assert.is(await outer.ask('leaveInner'), 0);
    assert.is(await outer.leave(), 0);
    assert.ok(await until(() => slots(cache).live === 1));
    checkHeap(cache);
    cache.close();
  });

  test('a thread that attaches twice has one slot, and leaves with the last close', async () => {
    const cache = SharedCache.create<any>({ maxBytes: 8 * MIB, maxThreads: 4 });
    const own = SharedCache.attach<any>(cache.handle);
    assert.is(slots(cache).live, 1);
    own.set('a', 1);
    own.close();
    assert.is(cache.get('a'), 1);
    const thread = new Thread(import.meta.url, { cache: cache.handle });
    await thread.ask('attach', cache.handle);
    assert.is(slots(cache).live, 2);
    await thread.ask('callOn', 0, 'set', 'b', 'by the first');
    assert.is(await thread.ask('callOn', 1, 'get', 'b'), 'by the first');
    await thread.ask('detach', 0);
    await thread.ask('detach', 0); // twice is once
    assert.is(slots(cache).live, 2);
    assert.is(await thread.ask('callOn', 1, 'get', 'a'), 1);
    const used = await thread.ask('callOn', 0, 'get', 'a').catch((error: RemoteError) => error.code);
    assert.is(used, 'ERR_CAIRN_CLOSED');
    await thread.ask('detach', 1);
    assert.is(slots(cache).live, 1);
    await thread.ask('attach', cache.handle);
    assert.is(slots(cache).live, 2);
    assert.is(await thread.ask('call', 'get', 'a'), 1);
    assert.is(await thread.leave(), 0);
    checkHeap(cache);
    cache.close();
  });

  test('a handle by postMessage is as good as one by workerData', async () => {
    const cache = SharedCache.create<any>({ maxBytes: 8 * MIB, maxThreads: 4 });
    const thread = new Thread(import.meta.url, {});
    await thread.ask('attach', cache.handle);
    cache.set('k', new Map([['a', 1]]));
    assert.equal(await thread.ask('call', 'get', 'k'), new Map([['a', 1]]));
    await thread.ask('call', 'set', 'k', 'back');
    assert.is(cache.get('k'), 'back');
    assert.is(await thread.leave(), 0);
    checkHeap(cache);
    cache.close();
  });

  test('every operation is seen by the next one of another thread', async () => {
    const cache = SharedCache.create<any>({ maxBytes: 8 * MIB, maxThreads: 4 });
    const thread = new Thread(import.meta.url, { cache: cache.handle });
    const there = (method: string, ...args: unknown[]) => thread.ask('call', method, ...args);
    cache.set('k', { v: 1 });
    assert.equal(await there('get', 'k'), { v: 1 });
    assert.is(await there('delete', 'k'), true);
    assert.is(cache.has('k'), false);
    assert.is(await there('delete', 'k'), false);
    assert.is(await there('add', 'k', 'added'), true);
    assert.is(cache.add('k', 'late'), false);
    assert.is(cache.get('k'), 'added');
    assert.is(await there('replace', 'k', 'replaced'), true);
    assert.is(cache.get('k'), 'replaced');
    assert.is(cache.take('k'), 'replaced');
    assert.is(await there('take', 'k'), undefined);
    assert.is(await there('replace', 'k', 'no'), false);
    assert.is(cache.increment('n', 5), 5);
    assert.is(await there('increment', 'n', 2.5), 7.5);
    assert.is(cache.get('n'), 7.5);
    assert.is(
      cache.update('n', (n) => n * 2),
      15,
    );
    assert.is(await there('get', 'n'), 15);
    const info = cache.info('n')!;
    assert.is(info.expiresAt, null);
    assert.is(await there('touch', 'n', 1_000_000), true);
    const touched = cache.info('n')!;
    assert.ok(touched.expiresAt! >= info.createdAt + 1_000_000, String(touched.expiresAt));
    assert.is(touched.createdAt, info.createdAt);
    assert.is(await there('touch', 'n', null), true);
    assert.is(cache.info('n')!.expiresAt, null);
    assert.is(
      cache.setMany([
        ['a', 1],
        ['b', [2]],
      ]),
      2,
    );
    assert.equal(await there('getMany', ['b', 'none', 'a']), [[2], undefined, 1]);
    assert.is(await thread.ask('size'), cache.size);
    assert.equal((await thread.ask<string[]>('keys')).sort(), ['a', 'b', 'n']);
    await there('clear');
    assert.is(cache.size, 0);
    assert.equal(cache.getMany(['a', 'b', 'n']), [undefined, undefined, undefined]);
    await there('set', 'a', 'after clear');
    assert.equal([...cache], [['a', 'after clear']]);
    cache.clear();
    assert.is(await there('has', 'a'), false);
    assert.is(await thread.leave(), 0);
    checkHeap(cache);
    cache.close();
  });

  const race = (
    name: string,
    run: (cache: SharedCache<any>, threads: Thread[], gate: Int32Array) => Promise<void>,
  ) =>
    test(`4 threads: ${name}`, async () => {
      const cache = SharedCache.create<any>({ maxBytes: 16 * MIB, maxThreads: 8 });
      const threads = Array.from({ length: 4 }, () => new Thread(import.meta.url, { cache: cache.handle }));
      await run(cache, threads, newGate());
      for (const thread of threads) assert.is(await thread.leave(), 0);
      checkHeap(cache);
      cache.close();
    });

  race('50,000 increments of one key each, none lost', async (cache, threads, gate) => {
    await Promise.all(threads.map((thread) => thread.ask('increments', gate, 4, 50_000)));
    assert.is(cache.get('counter'), 200_000);
    assert.is(cache.size, 1);
  });

  race('take of 2,000 keys, each taken once', async (cache, threads, gate) => {
    for (let key = 0; key < 2000; key++)
      cache.set(`take ${key}`, { key, pad: 'x'.repeat(key % 7 === 0 ? 3000 : 10) });
    const taken = await Promise.all(
      threads.map((thread, i) => thread.ask<number[]>('takes', gate, 4, 2000, SEED + i)),
    );
    const all = taken.flat().sort((a, b) => a - b);
    assert.equal(all, [...Array(2000).keys()]);
    assert.is(cache.size, 0);
  });

  race('5,000 updates of one key each, none lost', async (cache, threads, gate) => {
    const runs = await Promise.all(
      threads.map((thread, i) => thread.ask<number>('updates', gate, 4, 5000, i)),
    );
    assert.equal(cache.get('list'), { sum: 20_000, by: [5000, 5000, 5000, 5000] });
    console.log(`# 20,000 updates in ${runs.reduce((a, b) => a + b)} runs`);
  });

  race('50,000 updates or increments of one number each, none lost', async (cache, threads, gate) => {
    await Promise.all(threads.map((thread, i) => thread.ask('sums', gate, 4, 50_000, i)));
    assert.is(cache.get('sum'), 200_000);
  });

  race('add of 2,000 keys, each added once', async (cache, threads, gate) => {
    const added = await Promise.all(
      threads.map((thread, i) => thread.ask<number[]>('adds', gate, 4, 2000, i)),
    );
    assert.is(added.flat().length, 2000);
    for (const [me, keys] of added.entries()) for (const key of keys) assert.is(cache.get(`add ${key}`), me);
    assert.is(cache.size, 2000);
  });

  test.run();
}
