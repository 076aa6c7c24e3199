/** Every operation from four threads for half a minute, first with eviction, then without. */
import { test } from 'uvu';
import { runMixed } from '../support/stress-mixed.ts';
import { runPresent } from '../support/stress-present.ts';

test('mixed operations with eviction, expiry and pages that change class: no violation in 30 s', async () => {
  await runMixed({ threads: 4, seconds: 30, maxBytes: 8 * 2 ** 20, shards: 2 });
});

test('a handful of hot keys whose chunks come back at once: no violation in 30 s', async () => {
  await runMixed({ threads: 4, seconds: 30, maxBytes: 2 ** 21, shards: 1, hot: true });
});

test('without eviction, while the index grows: no present key is missed in 30 s, no increment is lost', async () => {
  const small = Array.from({ length: 500 }, () => ({ keys: 4000, ms: 30 }));
  const large = Array.from({ length: 5 }, () => ({ keys: 100_000, ms: 3000 }));
  await runPresent(4, [...small, ...large]);
});

test.run();
