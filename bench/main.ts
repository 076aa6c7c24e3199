/**
 * `npm run bench [-- --quick] [--only TEXT] [--node PATH]`: every duel and suite, each in fresh processes, one after the other.
 * A full run (about 15 minutes) writes `bench/results/<date>-node-<major>.json` and then the report (bench/report). `--quick` takes
 * under 3 minutes and writes nothing that is kept; `--only` runs what has the text in its name. `--node` runs all of it under
 * another binary. Ends with 1 if something could not be measured; a goal that is missed is no failure.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, type DuelCase } from './duels/cases.ts';
import type { DuelResult } from './duels/rounds.ts';
import { writeReport } from './report/main.ts';
import { runScript } from './run/child.ts';
import { cairnState, machine, packageVersion, ROOT, versionsOf } from './run/machine.ts';
import { fileName, RESULTS, type Result, type ResultRow } from './run/result.ts';
import { line, type Row, type SuiteOutput, verdict } from './run/rows.ts';
import { merged } from './run/spread.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    node: { type: 'string', default: process.execPath },
  },
});
const { quick, only, node } = values;
const SUITES = ['codec', 'threads', 'growth', 'memory', 'life', 'latency'];
const RUNS = quick ? 1 : 3;
const DUEL_ARGS = quick ? ['--rounds', '11', '--round-ms', '15'] : ['--rounds', '21', '--round-ms', '40'];
/** A quick run leaves out what takes long to fill. */
const QUICK_ENTRIES = 100_000;

const rows: ResultRow[] = [];
const notes: string[] = [];
const failed: Result['failed'] = [];
const packages: Record<string, string> = {};

function add(suite: string, command: string, row: Row): void {
  const { package: name } = row.rival ?? {};
  const version = name && packageVersion(name);
  if (name && version) packages[name] = version;
  const rival = row.rival && { ...row.rival, ...(version && { version }) };
  const reached = row.goal === undefined ? {} : { reached: verdict(row) === 'reached' };
  rows.push({ ...row, ...(rival && { rival }), suite, command, ...reached });
}

/** Spread of a ratio, as the codec's suite tells it for encoding and decoding. */
interface Sides {
  title: string;
  encode: { ratio: number; low: number; high: number };
  decode: Sides['encode'];
}

function rowsOf(row: Row | (Row & Sides)): Row[] {
  if (!('encode' in row)) return [row];
  return (['encode', 'decode'] as const).map((what) => {
    const { ratio, low, high } = row[what];
    return {
      id: `codec-${what}-${row.id}`,
      group: `structured codec beside JSON, ${what}`,
      title: `${what}, ${row.title}`,
      unit: 'ratio',
      value: ratio,
      low,
      high,
      better: 'more',
      rival: { title: what === 'encode' ? 'JSON.stringify' : 'JSON.parse' },
    };
  });
}

async function attempt(id: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    failed.push({
      id,
      error: String((error as Error).message)
        .replaceAll('\n', ' ')
        .slice(0, 300),
    });
    console.log(`  FAILED ${(error as Error).message}`);
  }
}

async function runDuel(duel: DuelCase): Promise<void> {
  const results: (DuelResult & { rival: string; package?: string })[] = [];
  for (let run = 0; run < RUNS; run++)
    results.push((await runScript('duels/main.js', [duel.id, ...DUEL_ARGS], { node })) as never);
  const first = results[0]!;
  const middle = (of: (result: DuelResult) => number) =>
    results.map(of).sort((a, b) => a - b)[results.length >> 1]!;
  const row: Row = {
    id: duel.id,
    group: duel.group,
    title: duel.title,
    unit: 'ratio',
    ...merged(results.map(({ ratio, low, high, min, max }) => ({ value: ratio, low, high, min, max }))),
    better: 'more',
    ...(duel.goal !== undefined && { goal: duel.goal }),
    rival: { title: first.rival, ...(first.package && { package: first.package }) },
    sides: { cairn: middle(({ nsA }) => nsA), rival: middle(({ nsB }) => nsB), unit: 'ns' },
  };
  console.log(`  ${line(row)}`);
  add('duels', `npm run bench -- --only ${duel.id}`, row);
}

async function runSuite(suite: string): Promise<void> {
  const args = quick ? ['--quick'] : [];
  const output = (await runScript(`${suite}/main.js`, args, {
    node,
    onLine: (text) => console.log(`  ${text}`),
  })) as SuiteOutput;
  const command = `node dist/bench/${suite}/main.js`;
  for (const row of output.rows) for (const each of rowsOf(row)) add(suite, command, each);
  notes.push(...(output.notes ?? []));
}

const began = performance.now();
const { node: nodeVersion, v8 } = versionsOf(node);
const here = machine();
console.log(
  `Node ${nodeVersion}, ${here.cpu}, ${here.cores} cores; ratios above 1: Cairn is faster\n` +
    'Another program on this machine makes the spread wider; the two sides of a duel suffer alike.\n',
);
const named = CASES.some(({ id }) => id === only);
const matches = (text: string) => only === undefined || (named ? text === only : text.includes(only));
const duels = CASES.filter(({ id, entries }) => matches(id) && (!quick || entries <= QUICK_ENTRIES));
for (const [index, duel] of duels.entries()) {
  console.log(`${index + 1}/${duels.length} ${duel.title}; beside ${duel.rival}`);
  await attempt(duel.id, () => runDuel(duel));
}
for (const suite of SUITES.filter(matches)) {
  console.log(suite);
  await attempt(suite, () => runSuite(suite));
}

const kind = quick ? 'quick' : only === undefined ? 'full' : 'partial';
const result: Result = {
  date: new Date().toISOString(),
  kind,
  node: nodeVersion,
  v8,
  machine: here,
  cairn: cairnState(),
  packages,
  rows,
  notes,
  failed,
};
if (kind === 'full') {
  mkdirSync(join(ROOT, RESULTS), { recursive: true });
  const file = join(RESULTS, fileName(result));
  writeFileSync(join(ROOT, file), `${JSON.stringify(result, null, 1)}\n`);
  for (const written of [file, ...writeReport()]) console.log(`wrote ${written}`);
}
const goals = rows.filter(({ reached }) => reached !== undefined);
console.log(
  `\n${rows.length} figures, ${goals.filter(({ reached }) => reached).length} of ${goals.length} goals reached, ` +
    `${failed.length} failed, ${Math.round((performance.now() - began) / 1000)} s`,
);
if (rows.length === 0) console.log('nothing has that in its name');
process.exitCode = failed.length > 0 || rows.length === 0 ? 1 : 0;
