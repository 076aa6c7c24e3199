/**
 * `npm run bench`: reads, writes and misses in one thread, beside Map, lru-cache and lmdb. Every figure is the whole cost
 * of one operation on 100,000 entries in random order; ratios, not times, are what carries over to another machine.
 */
import { cpus } from 'node:os';
import Benchmark from 'benchmark';
import { contestants } from '../support/contestants.ts';
import { ENTRIES, keyOf, objectOf, stringOf, uniformOrder } from '../support/workload.ts';

const quick = process.argv.includes('--quick');
const ORDER = uniformOrder(2 ** 18, ENTRIES);
const MASK = ORDER.length - 1;
/** Keeps results alive, so that no read is optimised away. */
export let sink: unknown;

function run(
  title: string,
  operation: (contestant: ReturnType<typeof contestants>[number], n: number) => unknown,
  fill: (i: number) => unknown,
  each = 1,
) {
  const suite = new Benchmark.Suite();
  const taking = contestants(ENTRIES + 1);
  const kept = Array.from({ length: ENTRIES }, (_, i) => keyOf(i));
  for (const contestant of taking) {
    for (let i = 0; i < ENTRIES; i++) contestant.set(kept[i]!, fill(i));
    for (let i = 0; i < ENTRIES; i++) sink = contestant.get(kept[i]!); // first reads decode, and are not what is timed
    let n = 0;
    suite.add(
      contestant.name,
      () => {
        sink = operation(contestant, n++);
      },
      { minSamples: quick ? 5 : 20, maxTime: quick ? 0.2 : 1.5 },
    );
  }
  suite.run();
  const results = suite.map((bench: Benchmark) => ({
    name: (bench as Benchmark & { name: string }).name,
    ns: (bench.stats.mean * 1e9) / each,
    rme: bench.stats.rme,
  })) as { name: string; ns: number; rme: number }[];
  const own = results.find((result) => result.name.startsWith('cairn'))!.ns;
  console.log(`\n${title}`);
  for (const { name, ns, rme } of results) {
    const ratio = name.startsWith('cairn') ? '' : `cairn is ${(ns / own).toFixed(2)} x as fast`;
    console.log(`  ${name.padEnd(16)} ${ns.toFixed(0).padStart(7)} ns  ±${rme.toFixed(0)} %  ${ratio}`);
  }
  for (const contestant of taking) contestant.close();
}

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${ENTRIES} entries, uniform order`,
);
const kept = Array.from({ length: ENTRIES }, (_, i) => keyOf(i));
const at = (n: number) => ORDER[n & MASK]!;
const kinds: [string, (i: number) => unknown][] = [
  ['85-byte string', stringOf],
  ['small object', objectOf],
];
for (const [what, fill] of kinds) {
  run(`get, ${what}, key built for the call`, (c, n) => c.get(keyOf(at(n))), fill);
  run(`get, ${what}, key kept`, (c, n) => c.get(kept[at(n)]!), fill);
}
run('get of a missing key, built', (c, n) => c.get(`no:${keyOf(at(n))}`), stringOf);
for (const [what, fill] of kinds) {
  run(`set over an existing key, ${what}`, (c, n) => c.set(kept[at(n)]!, fill(n)), fill);
}
run(
  'getMany of 100 keys, per key',
  (c, n) => c.getMany(Array.from({ length: 100 }, (_, i) => kept[at(n * 100 + i)]!)),
  stringOf,
  100,
);
