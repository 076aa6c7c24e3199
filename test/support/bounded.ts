/**
 * The ceiling holds: what a cache costs when it is made, and what it and the process hold while far more is written than it
 * has room for. Each measurement is made in a fresh process, which is this file itself: `node bounded.js WHAT BYTES TIMES SEED`.
 */
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { runChild } from './child.ts';
import { checkHeap, random, SEED } from './engine.ts';
import { pattern } from './values.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** What the process may hold above the cache: garbage of the writer's own, not yet collected. */
const SLACK = 64 * MIB;

export interface Bounded {
  maxBytes: number;
  /** Resident bytes more than before `create`: right after it, at the most, at the end. */
  created: number;
  most: number;
  last: number;
  /** The most that `bytes` ever said. */
  mostBytes: number;
  samples: number;
  sets: number;
  refused: number;
  evictions: number;
  wrong: string[];
}

const rss = () => process.memoryUsage.rss();

/** Made before `create`, touched, and kept: the writer allocates no values. */
function makePool(rnd: () => number) {
  const bytes = Buffer.from(pattern(33 * MIB, 1));
  const texts = Array.from({ length: 300 }, (_, i) =>
    (i % 3 ? 'latin \u00e9 ' : 'wide \u2192 ').repeat(
      1 + Math.floor(Math.exp(rnd() * Math.log(i % 3 ? 8000 : 2000))),
    ),
  );
  const objects = Array.from({ length: 300 }, (_, i) => ({
    id: i,
    tags: texts[i]!.slice(0, i).split(' '),
    at: { x: i / 7, none: null },
  }));
  return { bytes, texts, objects };
}

function fill(maxBytes: number, times: number, seed: number): Bounded {
  const rnd = random(seed);
  const pool = makePool(rnd);
  const largest = Math.min(16 * MIB, Math.floor(maxBytes / 16)) - 32;
  const upTo = (most: number) => Math.floor(Math.exp(rnd() * Math.log(most)));
  const before = rss();
  const cache = SharedCache.create<unknown>({ maxBytes, decoded: { mode: 'off' } });
  const result: Bounded = {
    maxBytes,
    created: rss() - before,
    most: 0,
    last: 0,
    mostBytes: 0,
    samples: 0,
    sets: 0,
    refused: 0,
    evictions: 0,
    wrong: [],
  };
  const sample = () => {
    result.samples++;
    result.mostBytes = Math.max(result.mostBytes, cache.bytes);
    result.last = rss() - before;
    result.most = Math.max(result.most, result.last);
  };
  for (let written = 0; written < times * maxBytes; result.sets++) {
    const key = `key ${Math.floor(rnd() * 1e9)}`;
    const kind = rnd();
    let value: unknown;
    let length = 200;
    if (kind < 0.95) {
      length = kind < 0.85 ? upTo(2 * KIB) : kind < 0.949 ? upTo(256 * KIB) : upTo(largest);
      const from = Math.floor(rnd() * (pool.bytes.length - length));
      value = pool.bytes.subarray(from, from + length);
    } else if (kind < 0.98) {
      const text = pool.texts[result.sets % pool.texts.length]!;
      value = text;
      length = text.length;
    } else {
      value = pool.objects[result.sets % pool.objects.length]!;
    }
    if (!cache.set(key, value)) result.refused++;
    written += length + 64;
    if (length < 64 * KIB && result.sets % 64 === 0) {
      const found = cache.get(key);
      const right =
        value instanceof Buffer
          ? found instanceof Buffer && value.equals(found)
          : JSON.stringify(found) === JSON.stringify(value);
      if (!right && result.wrong.length < 5) result.wrong.push(`${key} of ${length} bytes`);
    }
    if (result.sets % 128 === 0 || length > MIB) sample();
  }
  sample();
  result.evictions = cache.stats().evictions;
  checkHeap(cache);
  return result;
}

/** What one `create` costs, in a process that did nothing before. */
function create(maxBytes: number): number {
  const before = rss();
  const cache = SharedCache.create({ maxBytes });
  const cost = rss() - before;
  assert.is(cache.maxBytes, maxBytes);
  return cost;
}

/** Runs one of the above in a process of its own. */
async function inChild<T>(what: string, maxBytes: number, times: number, hangMs: number): Promise<T> {
  const child = await runChild(
    import.meta.url,
    [what, String(maxBytes), String(times), String(SEED)],
    hangMs,
  );
  assert.is(child.code, 0, `${child.code} ${child.err}${child.out}`);
  return JSON.parse(child.out.slice(child.out.lastIndexOf('\n{') + 1)).result as T;
}

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;

/** The tests, at full size or in the short form. */
export function boundedTests(maxBytes: number, times: number, hangMs: number): void {
  test('maxBytes of 1 GiB costs under 10 MiB when it is made', async () => {
    const cost = await inChild<number>('create', GIB, 0, hangMs);
    console.log(`# create of 1 GiB: ${mib(cost)} resident`);
    assert.ok(cost < 10 * MIB, mib(cost));
  });

  test(`${mib(maxBytes)}, written with ${times} times its size, hold`, async () => {
    const result = await inChild<Bounded>('fill', maxBytes, times, hangMs);
    console.log(
      `# ${result.sets} sets, ${result.evictions} evictions: bytes at most ${mib(result.mostBytes)} of ${mib(maxBytes)}, ` +
        `resident at most ${mib(result.most)}, at the end ${mib(result.last)}, ${result.samples} samples`,
    );
    assert.equal(result.wrong, []);
    assert.is(result.refused, 0);
    assert.ok(result.samples > 500 && result.evictions > 1000);
    assert.ok(result.mostBytes <= maxBytes, `bytes ${result.mostBytes}`);
    assert.ok(result.mostBytes > 0.9 * maxBytes, `it was full: ${result.mostBytes}`);
    assert.ok(result.most <= maxBytes + SLACK, `resident ${mib(result.most)}`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, maxBytes, times, seed] = [process.argv[2], ...process.argv.slice(3).map(Number)] as [
    string,
    number,
    number,
    number,
  ];
  console.log(
    `\n${JSON.stringify({ result: what === 'create' ? create(maxBytes) : fill(maxBytes, times, seed) })}`,
  );
}
