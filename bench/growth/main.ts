/**
 * `node dist/bench/growth/main.js [--quick]`: what a get costs with 10,000 to 10,000,000 entries, beside a `Map`. Each size of each
 * side runs in fresh processes, the two sides in turn. The figure is the slowest size over the fastest: how much a get loses
 * by growth. Sizes that the machine's free memory cannot hold are left out, and said so.
 */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { runScript } from '../run/child.ts';
import { finish, type Row, show } from '../run/rows.ts';
import { spreadOf } from '../run/spread.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [10_000, 100_000, 500_000] : [10_000, 100_000, 1_000_000, 10_000_000];
const RUNS = quick ? 1 : 3;
/** Of either side, with room for the heap to collect. */
const BYTES_PER_ENTRY = 400;
const SIDES = ['cairn', 'map'] as const;
type Side = (typeof SIDES)[number];

/** Bytes that a process may take without pushing others out. */
function available(): number {
  try {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return kib ? Number(kib) * 1024 : freemem();
  } catch {
    return freemem();
  }
}

async function hold(side: Side, entries: number): Promise<number> {
  const result = (await runScript('growth/hold.js', [side, String(entries), ...(quick ? ['--quick'] : [])], {
    execArgv: ['--max-old-space-size=6144'],
  })) as { ns: number; rss: number };
  console.log(
    `  ${entries.toLocaleString('en').padStart(10)} ${side.padEnd(5)} ${show(result.ns, 'ns').padStart(8)}  ${Math.round(result.rss / 2 ** 20)} MiB`,
  );
  return result.ns;
}

console.log(
  `Node ${process.version}, get of a key built for the call, 8-byte values, ${RUNS} processes each`,
);
const notes: string[] = [];
const fitting = SIZES.filter((entries) => {
  const fits = entries * BYTES_PER_ENTRY < available();
  if (!fits)
    notes.push(`${entries.toLocaleString('en')} entries were left out: too little free memory for them.`);
  return fits;
});
const times = new Map(fitting.map((entries) => [entries, { cairn: [] as number[], map: [] as number[] }]));
for (let run = 0; run < RUNS; run++) {
  for (const [entries, taken] of times) {
    for (const side of run % 2 ? SIDES : [...SIDES].reverse()) taken[side].push(await hold(side, entries));
  }
}

const group = 'get as entries grow, beside Map (8-byte values, key built for the call, uniform)';
/** Slowest size over fastest. */
const growth = (values: number[]) => Math.max(...values) / Math.min(...values);
const ofRuns = (side: Side) =>
  Array.from({ length: RUNS }, (_, run) => growth([...times.values()].map((taken) => taken[side][run]!)));
const cairn = spreadOf(ofRuns('cairn')).value;
const map = spreadOf(ofRuns('map')).value;
const rows: Row[] = [...times].map(([entries, taken]) => {
  const sides = { cairn: spreadOf(taken.cairn).value, rival: spreadOf(taken.map).value, unit: 'ns' } as const;
  return {
    id: `growth-${entries}`,
    group,
    title: `get, ${entries.toLocaleString('en')} entries`,
    unit: 'ratio',
    ...spreadOf(taken.map.map((ns, run) => ns / taken.cairn[run]!)),
    better: 'more',
    rival: { title: 'Map' },
    sides,
  };
});
rows.push({
  id: 'growth-worst-over-best',
  group,
  title: `slowest over fastest of these sizes (goal: not above that of Map)`,
  unit: 'times',
  ...spreadOf(ofRuns('cairn')),
  better: 'less',
  goal: map,
  rival: { title: 'Map' },
  sides: { cairn, rival: map, unit: 'times' },
});
finish({ suite: 'growth', rows, notes });
