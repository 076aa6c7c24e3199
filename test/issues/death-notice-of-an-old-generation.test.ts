/**
 * A slot passes from one thread to the next. What is told of the old owner's death, whenever it comes, does not touch the
 * new one. Ports first, by themselves; then the engine; then threads in a process without /proc, where ports decide. This
 * file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import { portSaysDead, sendNotice, unwatchDeaths, watchDeaths } from '../../src/engine/death-notice.ts';
import type { CacheHandle } from '../../src/engine/handle.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { runChild } from '../support/child.ts';
import { checkHeap } from '../support/engine.ts';
import { WITHOUT_PROC } from '../support/issues-copies.ts';
import { serve, slots, Thread, until } from '../support/threads.ts';

const OPTIONS = { maxBytes: 2 ** 21, maxThreads: 4, mutexes: 4, shards: 1 };
const ENGINE = 'an engine of this test';
const HANG_MS = 60_000;
const FIRST_LEFT = 0;
const SECOND_HOLDS = 1;
const DONE = 2;

interface Data {
  handle: CacheHandle;
  words: Int32Array;
}

if (!isMainThread) {
  const { handle, words } = workerData as Data;
  let cache: SharedCache;
  const notices = new Map<number, { close(): void }>();
  const raise = (word: number) => {
    Atomics.store(words, word, 1);
    Atomics.notify(words, word);
  };
  serve({
    attach: () => {
      cache = SharedCache.attach(handle);
    },
    // both answer only when the owner, whose event loop stands, has let go
    leaveAndWait: () => {
      cache.close();
      raise(FIRST_LEFT);
      Atomics.wait(words, DONE, 0, HANG_MS);
    },
    followAndHold: () => {
      Atomics.wait(words, FIRST_LEFT, 0, HANG_MS);
      cache = SharedCache.attach(handle);
      assert.ok(cache.mutex('k').tryAcquire());
      raise(SECOND_HOLDS);
      Atomics.wait(words, DONE, 0, HANG_MS);
    },
    slots: () => slots(cache),
    // for the ports by themselves: what an attach of this thread would send, and its end
    notice: (slot: number, generation: number) => {
      notices.set(
        generation,
        sendNotice(ENGINE, 0, slot, generation, () => {}),
      );
    },
    close: async (generation: number) => {
      notices.get(generation)!.close();
      for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve));
      raise(DONE);
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  });
} else if (process.argv.includes('without-proc')) {
  test('the owner asks, while its event loop stands, for a slot that has changed hands', async () => {
    const cache = SharedCache.create(OPTIONS);
    const told = countAttaches();
    const words = new Int32Array(new SharedArrayBuffer(12));
    const [first, second] = [0, 1].map(() => new Thread(import.meta.url, { handle: cache.handle, words }));
    await first!.ask('attach');
    const engine = SharedCache.engineOf(cache);
    const slot = engine.u32[L.H_SLOTS >> 2]! + L.SLOT_SIZE;
    const generation = () => Atomics.load(engine.u32, slot >> 2) >>> 8;
    const before = generation();
    assert.ok(await until(() => told() === 1), 'the port of the first has come');
    const left = first!.ask('leaveAndWait');
    const holds = second!.ask('followAndHold');
    Atomics.wait(words, SECOND_HOLDS, 0, HANG_MS); // no event loop turns here from now on
    assert.is(generation(), before + 1, 'the second thread has the slot of the first');
    assert.is(cache.mutex('k').acquireSync(300), false, 'the mutex stays with the living');
    assert.is(engine.u32[slot >> 2]! & 255, L.STATE_LIVE);
    Atomics.store(words, DONE, 1);
    Atomics.notify(words, DONE);
    await Promise.all([left, holds]);
    // and by its event loop: the close of the first one's port comes now
    for (let n = 0; n < 20; n++) {
      await first!.ask('turn');
      assert.equal(await second!.ask('slots'), { live: 2, dead: 0, free: 2 });
    }
    assert.not(cache.mutex('k').tryAcquire());
    await second!.terminate();
    assert.ok(await until(() => slots(cache).dead === 1), 'its own death is noticed');
    assert.ok(cache.mutex('k').tryAcquire());
    await first!.terminate();
    checkHeap(cache);
    cache.close();
  });
  test.run();
} else {
  test('a port speaks for its own generation alone', async () => {
    const deaths: string[] = [];
    watchDeaths(ENGINE, (slot, generation) => deaths.push(`${slot} ${generation}`));
    const words = new Int32Array(new SharedArrayBuffer(12));
    const thread = new Thread(import.meta.url, { words });
    const told = countAttaches();
    const begin = async (generation: number) => {
      const before = told();
      await thread.ask('notice', 3, generation);
      assert.ok(await until(() => told() > before));
      assert.not(portSaysDead(ENGINE, 3, generation), 'a living thread');
    };
    await begin(7);
    await thread.ask('close', 7);
    assert.ok(await until(() => deaths.length > 0));
    assert.equal(deaths, ['3 7']);
    assert.not(portSaysDead(ENGINE, 3, 7), 'no port any more');

    // a closed port stands while the event loop does not turn
    await begin(8);
    Atomics.store(words, DONE, 0);
    const closed = thread.ask('close', 8);
    Atomics.wait(words, DONE, 0, HANG_MS);
    assert.ok(saysDead(3, 8), 'its own generation');
    assert.not(portSaysDead(ENGINE, 3, 9), 'the next owner of the slot');
    assert.not(portSaysDead(ENGINE, 3, 7), 'the one before');
    assert.not(portSaysDead(ENGINE, 4, 8), 'another slot');
    assert.not(portSaysDead('another engine', 3, 8));
    await closed;
    assert.ok(await until(() => deaths.length > 1));

    // the next owner's port comes before the notice of the old one's end
    await begin(9);
    await begin(10);
    assert.not(portSaysDead(ENGINE, 3, 9));
    await thread.ask('close', 9);
    assert.ok(await until(() => deaths.length > 2));
    for (let n = 0; n < 100; n++) assert.not(portSaysDead(ENGINE, 3, 10), 'the new owner lives');
    Atomics.store(words, DONE, 0);
    const last = thread.ask('close', 10);
    Atomics.wait(words, DONE, 0, HANG_MS);
    assert.ok(saysDead(3, 10), 'the end of the old one took no port away');
    await last;
    assert.ok(await until(() => deaths.length > 3), 'and its end is told');

    // an end that this side makes is no death
    await begin(11);
    unwatchDeaths(ENGINE);
    for (let n = 0; n < 10; n++) await thread.ask('turn');
    assert.equal(deaths, ['3 7', '3 8', '3 9', '3 10']);
    await thread.terminate();
  });

  test('a thread that gives its slot back closes its port, and no owner is gone for it', async () => {
    let gone = 0;
    const notice = sendNotice(ENGINE, 0, 1, 1, () => gone++);
    notice.close();
    for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve));
    assert.is(gone, 0);
  });

  test('a death of another generation, written down late, changes nothing', () => {
    const cache = SharedCache.create<string>(OPTIONS);
    const engine = SharedCache.engineOf(cache);
    const mutex = cache.mutex('k');
    // this thread dies a few times: its slots have later generations
    for (let n = 0; n < 3; n++) {
      assert.throws(() => engine.guard((x) => x.debug_die(0, 0)));
      cache.set('k', 'v');
    }
    assert.ok(mutex.tryAcquire());
    const { slotNumber, generation } = engine;
    for (const other of [generation - 1, generation - 2, 0, generation + 1])
      engine.x.thread_mark_dead(slotNumber, other);
    assert.ok(mutex.locked());
    assert.not(cache.mutex('k').tryAcquire());
    assert.is(engine.generation, generation);
    assert.is(cache.get('k'), 'v');
    engine.x.thread_mark_dead(slotNumber, generation);
    assert.not(mutex.locked(), 'its own generation it would have ended');
    engine.down = 1;
    assert.is(cache.get('k'), 'v');
    checkHeap(cache);
    cache.close();
  });

  test('a slot that changes hands while the owner waits', async () => {
    const child = await runChild(import.meta.url, ['without-proc'], HANG_MS, WITHOUT_PROC);
    assert.is(child.code, 0, child.out + child.err);
    assert.match(child.out, /Passed: +1/);
  });
  test.run();
}

/** Counts attach messages; a listener that comes after the owner's own, so what it counts the owner has had. */
function countAttaches(): () => number {
  let told = 0;
  process.on('workerMessage', (message: unknown) => {
    if ((message as { tag?: unknown } | null)?.tag === 'cairn.attach') told++;
  });
  return () => told;
}

/** The question of `portSaysDead`: the first answers may come before the queue of the port was looked at. */
function saysDead(slot: number, generation: number): boolean {
  for (let n = 0; n < 1000; n++) if (portSaysDead(ENGINE, slot, generation)) return true;
  return false;
}
