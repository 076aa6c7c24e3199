// The store evicts as well as its policy does without pages, and better than LRU, on a generated log; and the benchmark
// that measures this on real logs derives the sizes that its table is made for.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LruReference } from '../../bench/hit-ratio/reference-lru.ts';
import { S3lReference, scramble } from '../../bench/hit-ratio/reference-s3l.ts';
import { biSize, derivedSize, keyHash, logSize } from '../../bench/hit-ratio/sizes.ts';
import { StoreContestant } from '../../bench/hit-ratio/store.ts';
import { parseLog, replay, uniqueBytes, type Workload } from '../../bench/hit-ratio/traces.ts';

const MIB = 2 ** 20;
const SEEDS = [1, 2];

/** Numbers in [0, 1), the same in every run. */
function generator(seed: number): () => number {
  let counter = scramble(seed);
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    return scramble(counter) / 2 ** 32;
  };
}

/** Zipf-like popularity, with scans over keys that never return and loops over keys that always do. */
function generatedLog(requests: number): Workload {
  const random = generator(20);
  const popular = 30_000;
  const weights = Float64Array.from({ length: popular }, (_, rank) => (rank + 1) ** -0.9);
  for (let rank = 1; rank < popular; rank++) weights[rank] += weights[rank - 1];
  const lines: string[] = [];
  let scanned = 0;
  while (lines.length < requests) {
    const turn = random();
    if (turn < 0.001) {
      for (let i = 0; i < 200; i++) lines.push(`scan-${scanned++}`);
    } else if (turn < 0.0015) {
      const loop = Math.floor(random() * 3);
      for (let i = 0; i < 400; i++) lines.push(`loop-${loop}-${i}`);
    } else {
      const wanted = random() * weights[popular - 1];
      let low = 0;
      for (let high = popular - 1; low < high; ) {
        const middle = (low + high) >> 1;
        if (weights[middle] < wanted) low = middle + 1;
        else high = middle;
      }
      lines.push(`key-${low}`);
    }
  }
  return parseLog('generated', lines.join('\n'), 'log');
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test('sizes are the ones that the table was made with', () => {
  assert.equal(
    ['0', '1', '2'].map((key) => derivedSize('log', key)),
    [81, 437, 469],
  );
  let log = 0;
  let bi = 0;
  for (let key = 0; key < 5000; key++) {
    const hash = keyHash(String(key));
    log += logSize(hash);
    bi += biSize(hash);
  }
  assert.is(log, 3087216);
  assert.is(bi, 5772800);
});

test('keys are padded after the size was taken, and keep the size of their first line', () => {
  const derived = parseLog('log', '1\n2\n1\n', 'log');
  assert.equal(derived.keys, ['1'.padStart(20, '0'), '2'.padStart(20, '0')]);
  assert.equal([...derived.requests], [0, 1, 0]);
  assert.is(uniqueBytes(derived), 437 + 469);
  const own = parseLog('log', '/a b 10\n/c 0\n/a b 99\n', 'own');
  assert.equal(own.keys, ['/a b', '/c']);
  assert.equal([...own.sizes], [10, 0]);
  assert.equal([...own.keyBytes], [4, 2]);
});

test('LRU keeps what was used last, and counts header, key, value and metadata', () => {
  const entry = 48 + 1 + 100 + 19;
  const lines = (keys: string): string =>
    [...keys].map((key) => `${key} ${key === 'x' ? 1000 : 100}`).join('\n');
  const hits = (keys: string, capacity: number): number => {
    const log = parseLog('log', lines(keys), 'own');
    return Math.round(replay(log, new LruReference(log, capacity)).objects * 0.01 * keys.length);
  };
  assert.is(hits('abcadabcd', 4 * entry - 1), 2, 'three fit: d takes the place of b');
  assert.is(hits('abcadabcd', 4 * entry), 5, 'four fit');
  assert.is(hits('xx', 4 * entry), 0, 'more than a quarter is not stored');
});

for (const mebibytes of [4, 8]) {
  test(`on a generated log at ${mebibytes} MiB the store is level with S3L in exact bytes`, () => {
    const log = generatedLog(150_000);
    const capacity = mebibytes * MIB;
    const lru = replay(log, new LruReference(log, capacity)).objects;
    const s3l = mean(SEEDS.map((seed) => replay(log, new S3lReference(log, capacity, seed)).objects));
    assert.ok(s3l > lru + 1, `S3L ${s3l}, LRU ${lru}`);
    const ratios = SEEDS.map((seed) => {
      const store = new StoreContestant(log, capacity, seed);
      const ratio = replay(log, store).objects;
      store[Symbol.dispose]();
      return ratio;
    });
    const store = mean(ratios);
    console.log(
      `# ${mebibytes} MiB: store ${store.toFixed(2)}, S3L ${s3l.toFixed(2)}, LRU ${lru.toFixed(2)}`,
    );
    assert.ok(Math.abs(store - s3l) <= 1.5, `store ${ratios}, S3L ${s3l}`);
    assert.ok(store > lru - 1, `store ${ratios}, LRU ${lru}`);
  });
}

// Whoever changes the policy on purpose measures it (`npm run bench:hit-ratio`) and then writes the new numbers here.
test('the store evicts what it has always evicted: hits are the same to the last one', () => {
  const log = generatedLog(150_000);
  const hits = SEEDS.map((seed) => {
    const store = new StoreContestant(log, 2 * MIB, seed);
    const { objects } = replay(log, store);
    store[Symbol.dispose]();
    return Math.round((objects / 100) * log.requests.length);
  });
  assert.equal(hits, [78_173, 77_691]);
});

test.run();
