/**
 * `node dist/bench/latency/main.js [--quick]`: how even a `set` is under constant eviction, with values of 16 bytes to 64 KiB, each size
 * as often as any other on a logarithmic scale. After each `set`, and as long as the mean one, a step that does nothing but read
 * the clock: how long it takes too long is the machine's own pause. Three rounds; of each figure the median.
 *
 * All keys are made before, in one piece each, and a round that does not count comes first. A key built from a number leaves a string
 * in the runtime's cache of such strings, and each collection of young objects copies the thousands that are in it: 1.5 to 3 ms
 * that fall into a `set` by chance, though it has no part in them.
 */
import { SharedCache } from '../../src/index.ts';
import { median } from '../duels/rounds.ts';
import { finish, type Row } from '../run/rows.ts';
import { keyOf } from '../support/workload.ts';

const quick = process.argv.includes('--quick');
const SETS = quick ? 50_000 : 400_000;
const ROUNDS = quick ? 1 : 3;
const MAX_BYTES = 64 * 2 ** 20;

const cache = SharedCache.create<Uint8Array>({ maxBytes: MAX_BYTES });
const values = Array.from({ length: 512 }, (_, i) => new Uint8Array(Math.floor(16 * 4096 ** (i / 511))));
let state = 12345;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
};
const keys = Array.from({ length: (ROUNDS + 1) * SETS }, (_, i) => Buffer.from(keyOf(i)).toString('latin1'));
let next = 0;
for (let i = 0; cache.stats().evictions < 20_000; i--) cache.set(keyOf(i), values[random() >>> 23]!);

// made once, or the rounds would be measured with a collection of the last one's
const sets = new Float64Array(SETS);
const pauses = new Float64Array(SETS);
const QUANTILES = [0.5, 0.99, 0.999, 1];

/** The quantiles of all sets, and of all idle steps, in microseconds. */
function round(): { sets: number[]; pauses: number[] } {
  let all = 0;
  for (let i = 0; i < SETS; i++) {
    const key = keys[next++]!;
    const value = values[random() >>> 23]!;
    const began = performance.now();
    cache.set(key, value);
    const ended = performance.now();
    sets[i] = ended - began;
    all += ended - began;
    const until = ended + all / (i + 1);
    let now = ended;
    while (now < until) now = performance.now();
    pauses[i] = now - until;
  }
  sets.sort();
  pauses.sort();
  const of = (times: Float64Array) => QUANTILES.map((q) => times[Math.round(q * (SETS - 1))]! * 1000);
  return { sets: of(sets), pauses: of(pauses) };
}

round();
const rounds = Array.from({ length: ROUNDS }, round);
cache.close();

const group = 'a set under constant eviction, 16 B to 64 KiB';
const rows = [
  { id: 'latency-p50', title: 'median' },
  { id: 'latency-p99', title: 'p99' },
  { id: 'latency-p999', title: 'p99.9', goal: 50 },
  { id: 'latency-max', title: 'longest', goal: 2000 },
].map(({ id, title, goal }, at): Row => {
  const of = rounds.map((round) => round.sets[at]!);
  const value = median(of);
  return {
    id,
    group,
    title: `${title} of ${SETS.toLocaleString('en')}`,
    unit: 'µs',
    value,
    low: Math.min(...of),
    high: Math.max(...of),
    better: 'less',
    ...(goal && { goal }),
    rival: { title: "the machine's own pauses" },
    sides: {
      cairn: value,
      rival: median(rounds.map((round) => round.pauses[at]!)),
      unit: 'µs',
    },
  };
});
finish({ suite: 'latency', rows });
