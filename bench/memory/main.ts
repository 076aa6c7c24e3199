/**
 * `node dist/bench/memory/main.js [--quick]`: what an entry of a 23-byte key and an 85-byte value takes. In the engine, and as resident
 * memory of a process whose four threads have each read every entry, less that of a process with four idle workers; beside it
 * four `lru-cache`s. Each in a process of its own, after a collection in every thread. The first two in three processes each, in turn:
 * how much of its young generation a thread has given back by then differs from run to run.
 */
import { median } from '../duels/rounds.ts';
import { runScript } from '../run/child.ts';
import { finish, type Row } from '../run/rows.ts';

const quick = process.argv.includes('--quick');
const ENTRIES = quick ? 100_000 : 1_000_000;

interface Held {
  rss: number;
  bytes: number;
  size: number;
}

const hold = async (what: 'idle' | 'cairn' | 'lru') => {
  const held = (await runScript('memory/hold.js', [what, String(ENTRIES)], {
    execArgv: ['--expose-gc', '--max-old-space-size=6144'],
  })) as Held;
  console.log(`  ${what}: ${Math.round(held.rss / 2 ** 20)} MiB resident`);
  return held;
};

const pairs: [idle: Held, cairn: Held][] = [];
for (let run = 0; run < (quick ? 1 : 3); run++) pairs.push([await hold('idle'), await hold('cairn')]);
const lru = await hold('lru');
const cairn = pairs[0]![1];
const idleRss = median(pairs.map(([idle]) => idle.rss));
const group = `memory of an entry, ${ENTRIES.toLocaleString('en')} entries of 23-byte keys and 85-byte values`;
const perEntry = (held: Held) => (held.rss - idleRss) / ENTRIES;
const cairnEach = pairs.map(([, held]) => perEntry(held));
const rows: Row[] = [
  {
    id: 'memory-engine',
    group,
    title: 'bytes / size',
    unit: 'B',
    value: cairn.bytes / cairn.size,
    better: 'less',
    goal: 205,
  },
  {
    id: 'memory-rss',
    group,
    title: 'resident, read by four threads, less four idle workers',
    unit: 'B',
    value: median(cairnEach),
    low: Math.min(...cairnEach),
    high: Math.max(...cairnEach),
    better: 'less',
    goal: 350,
    rival: { title: 'an lru-cache in each of four threads', package: 'lru-cache' },
    sides: { cairn: median(cairnEach), rival: perEntry(lru), unit: 'B' },
  },
];
finish({ suite: 'memory', rows });
