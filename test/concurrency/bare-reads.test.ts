/**
 * A read that asked only for address and version copies the value by a second call. Between the two another thread does its
 * worst: the value is changed, removed, or its chunk given to other entries. This file is its own worker.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheHandle, SharedCache } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';
import { HANG_MS } from '../support/threads.ts';

interface Value {
  name: string;
  list: number[];
}

/** Words between the threads: the number of a change that is wanted, and of the last that was made. */
const WANTED = 0;
const DONE = 1;
const END = -1;

const storedAs = (name: string): Value => ({ name: name.padEnd(40, '.'), list: [1, 2, 3] });

/** What the other thread does in between, by name. */
const CHANGES: Record<string, (cache: SharedCache<any>) => void> = {
  'set anew, its chunk given to others': (cache) => {
    cache.set('k', storedAs('new'));
    for (let i = 0; i < 200; i++) cache.set(`${i}`.padStart(3, '0').slice(-1), storedAs(`other ${i}`));
  },
  'removed, its chunk given to others': (cache) => {
    cache.delete('k');
    for (let i = 0; i < 9; i++) cache.set(`${i}`, storedAs(`other ${i}`));
  },
  'removed and set again under the same key': (cache) => {
    cache.delete('k');
    cache.set('k', storedAs('new'));
  },
  'made large': (cache) => {
    cache.set('k', { name: 'new'.padEnd(5000, '.'), list: [] });
    for (let i = 0; i < 9; i++) cache.set(`${i}`, storedAs(`other ${i}`));
  },
  'made a number': (cache) => {
    cache.set('k', 7);
    for (let i = 0; i < 9; i++) cache.set(`${i}`, storedAs(`other ${i}`));
  },
  'changed and changed back': (cache) => {
    for (let i = 0; i < 50; i++) cache.set('k', storedAs(i % 2 ? 'old' : 'new'));
  },
};
const NAMES = Object.keys(CHANGES);

if (!isMainThread) {
  const handle: CacheHandle = workerData.handle;
  const words: Int32Array = workerData.words;
  const cache = SharedCache.attach<any>(handle);
  for (let done = 0; ; done++) {
    while (Atomics.load(words, WANTED) === done) Atomics.wait(words, WANTED, done, HANG_MS);
    if (Atomics.load(words, WANTED) === END) break;
    CHANGES[NAMES[done]!]!(cache);
    Atomics.store(words, DONE, done + 1);
    Atomics.notify(words, DONE);
  }
  cache.close();
} else {
  test('what stands after the change is read, and nothing else', async () => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    const cache = SharedCache.create<any>({ maxBytes: 2 ** 20, shards: 1 });
    // its exports are replaced for one read, which no other user may do
    const engine = SharedCache.engineOf(cache) as any;
    const worker = new Worker(new URL(import.meta.url), { workerData: { handle: cache.handle, words } });
    await new Promise((resolve) => worker.once('online', resolve));
    const exports = engine.x;
    for (const [index, name] of NAMES.entries()) {
      cache.clear();
      cache.set('k', storedAs('old'));
      let between = 0;
      engine.x = {
        ...exports,
        store_copy: () => {
          if (between++ === 0) {
            Atomics.store(words, WANTED, index + 1);
            Atomics.notify(words, WANTED);
            while (Atomics.load(words, DONE) === index) {
              assert.is.not(Atomics.wait(words, DONE, index, HANG_MS), 'timed-out', 'the other thread hangs');
            }
          }
          return exports.store_copy();
        },
      };
      const found = cache.get('k');
      engine.x = exports;
      assert.is(between > 0, true, `${name}: the read was a bare one`);
      assert.equal(found, cache.get('k'), name);
      const before = cache.stats();
      assert.is(before.hits + before.misses, (index + 1) * 2, `${name}: a read that is repeated counts once`);
      checkHeap(cache);
    }
    Atomics.store(words, WANTED, END);
    Atomics.notify(words, WANTED);
    await new Promise((resolve) => worker.once('exit', resolve));
    cache.close();
  });

  test.run();
}
