/**
 * Nothing that Cairn holds keeps an idle process or worker alive, and a thread that ends without `close` is as good as one
 * that closed. This file is its own worker, and its own child process.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { runChild } from '../support/child.ts';
import { checkHeap } from '../support/engine.ts';
import { slots, until } from '../support/threads.ts';

const create = (maxThreads = 4) =>
  SharedCache.create<any>({ maxBytes: 8 * 2 ** 20, maxThreads, mutexes: 16 });

/** Only a hang limit, shorter than the test runner's. */
const HANG_MS = 30_000;

/** How a worker ended by itself; `'hangs'` after the hang limit. */
function exitCode(worker: Worker): Promise<number | 'hangs'> {
  return new Promise((resolve) => {
    const hang = setTimeout(() => {
      resolve('hangs');
      worker.terminate();
    }, HANG_MS);
    worker.on('error', () => {}); // told by its code
    worker.on('exit', (code) => {
      clearTimeout(hang);
      resolve(code);
    });
  });
}

/** `late`: the worker ends only after its parent's loop turned several times, so that its death notice is on its way. */
function start(how: string, cache?: SharedCache<any>, late = false): Worker {
  const data = { how, late, cache: cache?.handle };
  const worker = new Worker(new URL(import.meta.url), { workerData: data, stderr: true });
  worker.on('message', (message) => message === 'ping' && worker.postMessage('pong'));
  return worker;
}

/** What a worker of this file does, and how it ends. */
async function work(how: string): Promise<void> {
  if (how === 'own') {
    const cache = create();
    cache.set('k', 'from its owner');
    parentPort!.postMessage(cache.handle);
    return;
  }
  const cache = SharedCache.attach<any>(workerData.cache);
  cache.increment('attached');
  cache.set('expires', 'v', { ttl: 60_000 });
  cache.get('expires');
  for (let pings = workerData.late ? 3 : 0; pings > 0; pings--) {
    parentPort!.postMessage('ping');
    await new Promise((resolve) => parentPort!.once('message', resolve));
  }
  if (how === 'close') cache.close();
  else if (how === 'exit') process.exit(3);
  else if (how === 'throw') throw new Error('on purpose');
  else if (how === 'nest') await exitCode(start('return', cache, workerData.late));
  else if (how === 'stay') {
    parentPort!.on('message', () => {});
    parentPort!.postMessage('ready');
  }
}

/** What a child process of this file does; it never calls `process.exit`. */
async function child(how: string): Promise<void> {
  const cache = create();
  cache.set('k', 'v', { ttl: 60_000 });
  cache.get('k');
  if (how === 'closed') cache.close();
  if (how === 'mutex') {
    const mutex = cache.mutex('k');
    assert.is(mutex.tryAcquire(), true); // held, and nobody waits
  }
  if (how === 'many') for (let i = 0; i < 20; i++) create().set('k', i);
  if (how === 'workers') {
    const codes = await Promise.all(['return', 'close', 'nest'].map((end) => exitCode(start(end, cache))));
    assert.equal(codes, [0, 0, 0]);
    assert.is(cache.get('attached'), 4);
  }
  if (how === 'workers left') for (const end of ['return', 'close', 'nest']) start(end, cache); // not waited for
  if (how === 'collected') {
    let lost: SharedCache<any> | undefined = create();
    lost.set('k', 1);
    lost = undefined;
    gc!();
    await new Promise((resolve) => setImmediate(resolve));
    gc!();
  }
  console.log('idle');
}

if (!isMainThread) {
  await work(workerData.how);
} else if (process.argv[2] !== undefined) {
  await child(process.argv[2]);
} else {
  for (const how of ['created', 'closed', 'mutex', 'many', 'workers', 'workers left', 'collected']) {
    test(`a process that has nothing more to do ends by itself: ${how}`, async () => {
      const { code, out, err } = await runChild(import.meta.url, [how], HANG_MS, ['--expose-gc']);
      assert.is(code, 0, `${how}: ${err}`);
      assert.match(out, /idle/);
      assert.is(err, '');
    });
  }

  test('workers end by themselves, however, and the notice of it gives their slots back', async () => {
    const cache = create();
    const ends = { return: 0, close: 0, exit: 3, throw: 1, nest: 0, terminate: 1 };
    let attached = 0;
    for (let round = 0; round < 3; round++) {
      for (const [how, code] of Object.entries(ends)) {
        const worker = start(how === 'terminate' ? 'stay' : how, cache, true);
        if (how === 'terminate') worker.on('message', (message) => message === 'ready' && worker.terminate());
        assert.is(await exitCode(worker), code, how);
        attached += how === 'nest' ? 2 : 1;
        assert.ok(await until(() => slots(cache).live === 1), `the slot after ${how}`);
        assert.is(cache.get('attached'), attached);
      }
    }
    checkHeap(cache);
    cache.close();
  });

  test('the next thread reclaims the slot of one that ended, noticed or not', async () => {
    const cache = create(2); // a worker that ends at once may leave no notice behind
    let attached = 0;
    for (let round = 0; round < 5; round++) {
      for (const how of ['return', 'exit', 'throw']) {
        await exitCode(start(how, cache));
        assert.is(cache.get('attached'), ++attached, how); // the one before it left its slot
      }
    }
    checkHeap(cache);
    cache.close();
  });

  test('the owner ends without close: the others go on', async () => {
    const owner = start('own');
    const ended = exitCode(owner);
    const cache = await new Promise<SharedCache<any>>((resolve) =>
      owner.once('message', (handle) => resolve(SharedCache.attach(handle))),
    );
    await ended;
    assert.is(cache.get('k'), 'from its owner');
    for (let i = 0; i < 2000; i++) assert.ok(cache.set(`k${i}`, 'x'.repeat(i * 3)));
    for (let i = 0; i < 2000; i++) assert.is(cache.get(`k${i}`), 'x'.repeat(i * 3));
    for (let i = 1; i <= 6; i++) {
      assert.is(await exitCode(start('return', cache)), 0);
      assert.is(cache.get('attached'), i);
    }
    checkHeap(cache);
    cache.close();
  });

  test.run();
}
