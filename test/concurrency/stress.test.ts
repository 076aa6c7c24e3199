/** The short form of test/soak/stress.test.ts: every operation from four threads, first with eviction, then without. */
import { test } from 'uvu';
import { runMixed } from '../support/stress-mixed.ts';
import { runPresent } from '../support/stress-present.ts';

test('mixed operations with eviction, expiry and pages that change class: no violation', async () => {
  await runMixed({ threads: 4, seconds: 4, maxBytes: 4 * 2 ** 20, shards: 2 });
});

test('a handful of hot keys whose chunks come back at once: no violation', async () => {
  await runMixed({ threads: 4, seconds: 4, maxBytes: 2 ** 21, shards: 1, hot: true });
});

test('without eviction, while the index grows: no present key is missed, no increment is lost', async () => {
  const small = Array.from({ length: 60 }, () => ({ keys: 4000, ms: 30 }));
  await runPresent(4, [...small, { keys: 60_000, ms: 2000 }]);
});

test.run();
