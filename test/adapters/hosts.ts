/** What the tests inside a host share: which hosts run here, a time that the test moves, and two threads on one cache. */
import * as assert from 'uvu/assert';
import type { SharedCache } from '../../src/store/shared-cache.ts';
import { Thread } from '../support/threads.ts';
import { MIB, withCache } from './adapter-rules.ts';

/** Keyv 6 says that it needs Node 22.19; below that `undefined`, and files choose their tests by it. */
export async function loadKeyv6(): Promise<typeof import('keyv6').Keyv | undefined> {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  if (major < 22 || (major === 22 && minor < 19)) return undefined;
  return (await import('keyv6')).Keyv;
}

export interface Time {
  /** Epoch milliseconds; also what `Date.now()` says meanwhile. For the cache's `clock`. */
  now(): number;
  pass(ms: number): void;
}

/** Runs `run` while `Date.now()` stands still but for what the test lets pass. */
export async function withTime(run: (time: Time) => Promise<void>): Promise<void> {
  const real = Date.now;
  let ms = real();
  const now = () => ms;
  Date.now = now;
  try {
    await run({
      now,
      pass(more) {
        ms += more;
      },
    });
  } finally {
    Date.now = real;
  }
}

/**
 * Runs `run` with two workers of the file at `url`, each of which attaches to `workerData.handle`. The main thread made the
 * cache, and closes it when both have gone.
 */
export async function withThreads(
  url: string,
  run: (one: Thread, two: Thread, cache: SharedCache<any>) => Promise<void>,
): Promise<void> {
  await withCache({ maxBytes: 2 * MIB }, async (cache) => {
    const one = new Thread(url, { handle: cache.handle });
    const two = new Thread(url, { handle: cache.handle });
    await run(one, two, cache);
    assert.equal(await Promise.all([one.leave(), two.leave()]), [0, 0]);
  });
}
