/**
 * `node dist/bench/latency/main.js [--quick]`: how even a `set` is under constant eviction, with values of 16 bytes to 64 KiB, each size
 * as often as any other on a logarithmic scale. Beside it the machine's own pauses: a loop of the same length that does nothing
 * but read the clock, in as many steps that take as long in all.
 */
import { SharedCache } from '../../src/index.ts';
import { quantile } from '../duels/rounds.ts';
import { finish, type Row } from '../run/rows.ts';
import { keyOf } from '../support/workload.ts';

const quick = process.argv.includes('--quick');
const SETS = quick ? 50_000 : 400_000;
const MAX_BYTES = 64 * 2 ** 20;

const cache = SharedCache.create<Uint8Array>({ maxBytes: MAX_BYTES });
const values = Array.from({ length: 512 }, (_, i) => new Uint8Array(Math.floor(16 * 4096 ** (i / 511))));
let state = 12345;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
};
let next = 0;
while (cache.stats().evictions < 20_000) cache.set(keyOf(next++), values[random() >>> 23]!);

const times = new Float64Array(SETS);
for (let i = 0; i < SETS; i++) {
  const key = keyOf(next++);
  const value = values[random() >>> 23]!;
  const began = performance.now();
  cache.set(key, value);
  times[i] = performance.now() - began;
}
cache.close();
const step = times.reduce((sum, time) => sum + time, 0) / SETS;
const sorted = [...times.sort()];

const pauses = new Float64Array(SETS);
for (let i = 0; i < SETS; i++) {
  const began = performance.now();
  let now = began;
  while (now - began < step) now = performance.now();
  pauses[i] = now - began - step;
}
const idle = [...pauses.sort()];

const group = 'a set under constant eviction, 16 B to 64 KiB';
const rows = [
  { id: 'latency-p50', title: 'median', q: 0.5 },
  { id: 'latency-p99', title: 'p99', q: 0.99 },
  { id: 'latency-p999', title: 'p99.9', q: 0.999, goal: 50 },
  { id: 'latency-max', title: 'longest', q: 1, goal: 2000 },
].map(({ id, title, q, goal }): Row => {
  const value = quantile(sorted, q) * 1000;
  return {
    id,
    group,
    title: `${title} of ${SETS.toLocaleString('en')}`,
    unit: 'µs',
    value,
    better: 'less',
    ...(goal && { goal }),
    rival: { title: "the machine's own pauses" },
    sides: { cairn: value, rival: quantile(idle, q) * 1000, unit: 'µs' },
  };
});
finish({ suite: 'latency', rows });
