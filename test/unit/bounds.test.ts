/** How much fits, that sizes of every order live together, and that a shift of sizes does not spoil the cache. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createWithSeed } from '../../src/store/create.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap, random, SEED } from '../support/engine.ts';
import { pattern } from '../support/values.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

test('dense: at least 300,000 entries of 100 bytes under keys of 20 in 64 MiB', () => {
  const cache = SharedCache.create<string>({ maxBytes: 64 * MIB });
  const value = 'v'.repeat(100);
  for (let i = 0; i < 500_000; i++) cache.set(String(i).padStart(20, '0'), value);
  console.log(`# ${cache.size} entries in ${cache.bytes} of ${cache.maxBytes} bytes`);
  assert.ok(cache.size >= 300_000, `${cache.size} entries`);
  let walked = 0;
  for (const key of cache.keys()) {
    assert.is(key.length, 20);
    walked++;
  }
  assert.is(walked, cache.size);
  checkHeap(cache);
  cache.close();
});

test('mixed: 1 B, 100 B, 10 KiB, 1 MiB and 10 MiB live together in 256 MiB with default options', () => {
  const cache = SharedCache.create<Uint8Array>({ maxBytes: 256 * MIB });
  const kinds = [
    { size: 1, count: 2000 },
    { size: 100, count: 2000 },
    { size: 10 * KIB, count: 500 },
    { size: MIB, count: 16 },
    { size: 10 * MIB, count: 3 },
  ];
  const pool = Buffer.from(pattern(11 * MIB, SEED & 255));
  const valueFor = (size: number, i: number) => pool.subarray(i % 256, (i % 256) + size);
  const right = (size: number, i: number) => {
    const found = cache.get(`${size} ${i}`);
    if (found === undefined) return false;
    assert.ok(valueFor(size, i).equals(found), `value ${i} of ${size} bytes`);
    return true;
  };
  const rnd = random(SEED);
  const order = kinds.flatMap(({ size, count }) =>
    Array.from({ length: count }, (_, i) => ({ size, i, at: rnd() })),
  );
  for (const { size, i } of order.sort((a, b) => a.at - b.at))
    assert.ok(cache.set(`${size} ${i}`, valueFor(size, i)));
  for (const { size, count } of kinds)
    for (let i = 0; i < count; i++) assert.ok(right(size, i), `${size} ${i} stands`);
  assert.is(cache.stats().evictions, 0);
  assert.is(cache.size, order.length);
  checkHeap(cache);
  // and on, until it is full and evicts: every size goes on being stored and found
  for (let i = 0; i < 40; i++) {
    for (const { size, count } of kinds) {
      for (let n = 0; n < count / 16; n++) {
        const at = count + Math.ceil(count / 16) * i + n;
        assert.ok(cache.set(`${size} ${at}`, valueFor(size, at)));
        assert.ok(right(size, at), `${size} ${at} stands after its set`);
      }
    }
  }
  assert.ok(cache.stats().evictions > 0);
  for (const { size } of kinds)
    assert.ok(
      [...cache.keys()].some((key) => key.startsWith(`${size} `)),
      `some of ${size} bytes`,
    );
  checkHeap(cache);
  cache.close();
});

/** Keys by rank, drawn with probability proportional to 1 / rank ** 0.9. */
function zipf(keys: number, rnd: () => number): () => number {
  const sums = Float64Array.from({ length: keys }, (_, rank) => (rank + 1) ** -0.9);
  for (let rank = 1; rank < keys; rank++) sums[rank]! += sums[rank - 1]!;
  return () => {
    const wanted = rnd() * sums[keys - 1]!;
    let low = 0;
    for (let high = keys - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

test('size shift: 100 bytes, 10 KiB, 100 bytes again: at least 95 % of a fresh cache\u2019s hit ratio', () => {
  const maxBytes = 16 * MIB;
  const create = () =>
    createWithSeed<string>({ maxBytes, decoded: { mode: 'off' }, maxThreads: 4, mutexes: 16 }, BigInt(SEED));
  const small = 'v'.repeat(100);
  const large = 'w'.repeat(10 * KIB);
  // gets, and sets after each miss, until `bytes` were written or `requests` made
  const run = (
    cache: SharedCache<string>,
    draw: () => number,
    name: string,
    value: string,
    bytes: number,
    requests = 1 / 0,
  ) => {
    let written = 0;
    let hits = 0;
    let made = 0;
    for (; written < bytes && made < requests; made++) {
      const key = `${name} ${draw()}`;
      if (cache.get(key) !== undefined) hits++;
      else {
        cache.set(key, value);
        written += value.length + key.length + 48;
      }
    }
    return hits / made;
  };
  const third = (cache: SharedCache<string>) => {
    const draw = zipf(400_000, random(SEED + 3));
    run(cache, draw, 'third', small, 2 * maxBytes);
    return run(cache, draw, 'third', small, 1 / 0, 300_000);
  };
  const fresh = create();
  const wanted = third(fresh);
  const shifted = create();
  run(shifted, zipf(400_000, random(SEED + 1)), 'first', small, 2 * maxBytes);
  run(shifted, zipf(8_000, random(SEED + 2)), 'second', large, 2 * maxBytes);
  const got = third(shifted);
  console.log(
    `# hit ratio after the shift ${(got * 100).toFixed(2)} %, fresh ${(wanted * 100).toFixed(2)} %`,
  );
  assert.ok(wanted > 0.5 && got >= 0.95 * wanted);
  // a hit ratio falls slowly: half the room costs it 4 %. So the pages too must have gone back to the small entries
  console.log(`# entries after the shift ${shifted.size}, fresh ${fresh.size}`);
  assert.ok(shifted.size >= 0.9 * fresh.size);
  for (const cache of [fresh, shifted]) {
    checkHeap(cache);
    cache.close();
  }
});

test('what was cleared or has expired makes room before what stands', () => {
  for (const how of ['cleared', 'expired']) {
    let time = 1000;
    const cache = SharedCache.create<string>({
      maxBytes: 8 * MIB,
      maxThreads: 4,
      mutexes: 16,
      clock: () => time,
    });
    const value = 'v'.repeat(100);
    for (let i = 0; i < 100_000; i++) cache.set(`old ${i}`, value, { ttl: 50 });
    const full = cache.size;
    time += 10;
    if (how === 'cleared') cache.clear();
    else time += 100;
    const count = Math.floor(full / 2);
    for (let i = 0; i < count; i++) cache.set(`new ${i}`, value);
    let stand = 0;
    for (let i = 0; i < count; i++) if (cache.has(`new ${i}`)) stand++;
    console.log(`# ${how}: of ${count} entries, half of what the cache holds, ${stand} stand`);
    assert.ok(stand >= 0.95 * count, `${how}: ${stand} of ${count}`);
    checkHeap(cache);
    cache.close();
  }
});

test.run();
