/**
 * One contestant with one number of entries, in a process of its own: `node dist/bench/growth/hold.js cairn|map ENTRIES
 * [--quick]`. Its last line: the median nanoseconds of a get in uniform order as JSON, with what it holds.
 */
import { SharedCache } from '../../src/index.ts';
import { spreadOf } from '../run/spread.ts';
import { keyOf, uniformOrder } from '../support/workload.ts';

const [name, count, ...flags] = process.argv.slice(2);
const entries = Number(count);
const quick = flags.includes('--quick');
const ROUNDS = quick ? 7 : 21;
const GETS = 2 ** (quick ? 16 : 17);
/** Far more than a processor's caches hold, and no entry more often than others. */
const order = uniformOrder(2 ** (quick ? 20 : 22), entries);

/** 8 bytes: a number that is not a small integer. */
const numberOf = (i: number) => i + 0.5;

interface Store {
  get(key: string): number | undefined;
  set(key: string, value: number): unknown;
}

function make(): { store: Store; held: () => number } {
  if (name === 'map') {
    const map = new Map<string, number>();
    return { store: map, held: () => map.size };
  }
  const cache = SharedCache.create<number>({ maxBytes: Math.max(64 * 2 ** 20, entries * 214) });
  return { store: cache, held: () => cache.size };
}

/** Sum of what was read, so that nothing is optimised away. */
function read(store: Store, from: number): number {
  const mask = order.length - 1;
  let sum = 0;
  for (let i = from; i < from + GETS; i++) sum += store.get(keyOf(order[i & mask]!))!;
  return sum;
}

const { store, held } = make();
// keys in one piece: a joined one would stay joined in a Map
for (let i = 0; i < entries; i++) store.set(Buffer.from(keyOf(i)).toString('latin1'), numberOf(i));
if (held() !== entries) throw new Error(`${name} holds ${held()} of ${entries} entries`);
const times: number[] = [];
for (let round = -4; round < ROUNDS; round++) {
  const began = performance.now();
  const sum = read(store, (round + 4) * GETS);
  const ns = ((performance.now() - began) * 1e6) / GETS;
  if (!(sum > 0)) throw new Error('a get that had to hit missed');
  if (round >= 0) times.push(ns);
}
console.log(JSON.stringify({ ns: spreadOf(times).value, rss: process.memoryUsage().rss }));
