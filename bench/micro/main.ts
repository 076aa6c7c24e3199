/**
 * `npm run bench:micro [-- --quick]`: what each operation of a `SharedCache` costs, by itself, under benchmark.js. For
 * comparisons there are the duels: figures of one process beside those of another say little on a shared machine. The last
 * line is all of it as JSON.
 */
import Benchmark from 'benchmark';
import { SharedCache } from '../../src/index.ts';
import { ENTRIES, keyOf, objectOf, stringOf, uniformOrder } from '../support/workload.ts';

const quick = process.argv.includes('--quick');
const order = uniformOrder(2 ** 18, ENTRIES);
const kept = Array.from({ length: ENTRIES }, (_, i) => keyOf(i));
/** Keeps results alive, so that no read is optimised away. */
export let sink: unknown;

const cache = SharedCache.create<any>({ ttl: 3_600_000, maxBytes: 128 * 2 ** 20 });
const WIDE = 'ключ:профиль:';
for (let i = 0; i < ENTRIES; i++) {
  cache.set(kept[i]!, stringOf(i));
  cache.set(`object:${i}`, objectOf(i));
}
for (let i = 0; i < 1000; i++) {
  cache.set(`${WIDE}${i}`, i);
  cache.set(`large:${i & 15}`, 'x'.repeat(16384));
  cache.set(`bytes:${i}`, new Uint8Array(85));
}
cache.set('number', 1);

const OPERATIONS: Record<string, (n: number) => unknown> = {
  'get, 85-byte string': (n) => cache.get(kept[order[n]!]!),
  'get, small object': (n) => cache.get(`object:${order[n]}`),
  'get, number': () => cache.get('number'),
  'get, 85 bytes, copied for each caller': (n) => cache.get(`bytes:${n % 1000}`),
  'get, string of 16 KiB, decoded before': (n) => cache.get(`large:${n & 15}`),
  'get, key in UTF-16': (n) => cache.get(`${WIDE}${n % 1000}`),
  'get, missing': (n) => cache.get(`missing:${n}`),
  has: (n) => cache.has(kept[order[n]!]!),
  peek: (n) => cache.peek(kept[order[n]!]!),
  info: (n) => cache.info(kept[order[n]!]!),
  'getOrCreateSync, hit': (n) => cache.getOrCreateSync(kept[order[n]!]!, () => 'never'),
  'set over, 85-byte string': (n) => cache.set(kept[order[n]!]!, kept[n % ENTRIES]!),
  'set over, small object': (n) => cache.set(`object:${order[n]}`, objectOf(n)),
  touch: (n) => cache.touch(kept[order[n]!]!, 3_600_000),
  increment: () => cache.increment('number'),
  'add and delete': (n) => {
    cache.add(`new:${n}`, n);
    return cache.delete(`new:${n}`);
  },
};

const rows: { operation: string; ns: number; rme: number }[] = [];
console.log(`Node ${process.version}, ${ENTRIES} entries in random order, nanoseconds an operation`);
for (const [operation, run] of Object.entries(OPERATIONS)) {
  let n = 0;
  const bench = new Benchmark(
    operation,
    () => {
      sink = run(n++ & (order.length - 1));
    },
    { minSamples: quick ? 5 : 20, maxTime: quick ? 0.2 : 1.5 },
  ).run();
  const row = { operation, ns: Math.round(bench.stats.mean * 1e9), rme: Math.round(bench.stats.rme) };
  rows.push(row);
  console.log(`  ${operation.padEnd(40)} ${String(row.ns).padStart(6)}  ±${row.rme} %`);
}
cache.close();
console.log(JSON.stringify({ suite: 'micro', rows }));
