/**
 * A hit on an entry that expires may end in a stack overflow, anywhere in it. Whatever it left behind, this thread goes on to
 * see entries expire: a reading of the clock is never reused past its synchronous stretch.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from '../support/engine.ts';

/** Frame sizes: the stack ends at another place of the hit each time. */
const FRAMES = 60;
const TTL = 3;

const create = () =>
  SharedCache.create<string>({ maxBytes: 2 * 2 ** 20, maxThreads: 4, mutexes: 16, shards: 1 });

/** An entry is read, which may note the time; it must be gone in a later stretch. */
async function expires(cache: SharedCache<string>, what: string): Promise<void> {
  for (let n = 0; n < 3; n++) {
    cache.set('short', 'v', { ttl: TTL });
    cache.get('short');
    const until = performance.now() + 2 * TTL;
    while (performance.now() < until) await delay(1);
    assert.is(cache.get('short'), undefined, `${what}: an expired value, read ${n + 1}`);
  }
}

/** Calls `hit` at the very end of the stack, from frames with `size` arguments. How many calls failed before one did not. */
function atTheEnd(size: number, hit: () => void): number {
  const names = Array.from({ length: size }, (_, n) => `a${n}`);
  const deeper = new Function(
    'hit',
    'state',
    ...names,
    `try { state.deeper(${['hit', 'state', ...names].join(', ')}); } catch {}
     if (!state.done) try { hit(); state.done = true; } catch { state.failed++; }`,
  );
  const state = { deeper, done: false, failed: 0 };
  try {
    deeper(hit, state);
  } catch {
    // the last frame has no room for its own catch
  }
  return state.failed;
}

test('the microtask that forgets a reading cannot be queued', async () => {
  const cache = create();
  const { queueMicrotask } = globalThis;
  cache.set('long', 'v', { ttl: 100_000 });
  globalThis.queueMicrotask = () => {
    throw new RangeError('Maximum call stack size exceeded');
  };
  try {
    assert.throws(
      () => cache.get('long'),
      (error: unknown) => error instanceof EngineError && error.cause instanceof RangeError,
    );
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
  await expires(cache, 'after the failure');
  assert.is(cache.get('long'), 'v');
  checkHeap(cache);
  cache.close();
});

test(`hits at the end of the stack, ${FRAMES} sizes of frames`, async () => {
  const cache = create();
  let failed = 0;
  for (let size = 0; size < FRAMES; size++) {
    cache.set('long', 'v', { ttl: 100_000 });
    failed += atTheEnd(size, () => cache.get('long'));
    await expires(cache, `frames of ${size}`);
    assert.is(cache.get('long'), 'v');
  }
  assert.ok(failed >= FRAMES, `${failed} hits ended in an overflow`);
  checkHeap(cache);
  cache.close();
});

test.run();
