/**
 * `node dist/bench/memory/main.js [--quick]`: what an entry of a 23-byte key and an 85-byte value takes. In the engine, and as resident
 * memory of a process whose four threads have each read every entry, less that of a process with four idle workers; beside it
 * four `lru-cache`s. Each in a process of its own, after a collection in every thread.
 */
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

const idle = await hold('idle');
const cairn = await hold('cairn');
const lru = await hold('lru');
const group = `memory of an entry, ${ENTRIES.toLocaleString('en')} entries of 23-byte keys and 85-byte values`;
const perEntry = (held: Held) => (held.rss - idle.rss) / ENTRIES;
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
    value: perEntry(cairn),
    better: 'less',
    goal: 350,
    rival: { title: 'an lru-cache in each of four threads', package: 'lru-cache' },
    sides: { cairn: perEntry(cairn), rival: perEntry(lru), unit: 'B' },
  },
];
finish({ suite: 'memory', rows });
