/** The text of the report: docs/benchmarks.md, and the tables that README and docs/performance.md have between their marks. */
import { majorOf, type Result, type ResultRow } from '../run/result.ts';
import { show, verdict } from '../run/rows.ts';
import type { Chart } from './charts.ts';

/** What README tells, in this order. */
const README_ROWS = [
  'get-object-built-zipf-100k',
  'get-string-built-zipf-100k',
  'get-string-built-uniform-1m',
  'get-object-kept-zipf-100k',
  'get-missing',
  'set-new-string',
  'set-over-object',
  'get-string-lmdb',
  'get-object-lmdb',
  'get-string-other-thread',
];

const mainOf = (results: readonly Result[]) =>
  results.find((result) => majorOf(result) === 24) ?? results.at(-1)!;
const rowOf = (result: Result, id: string) => result.rows.find((row) => row.id === id);
const cell = (text: string) => text.replaceAll('|', '\\|');

function rivalOf({ rival }: ResultRow): string {
  if (!rival) return '';
  return rival.version ? `${rival.title} (${rival.version})` : rival.title;
}

function machineOf({ machine }: Result): string {
  return `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}, ${machine.kernel}`;
}

/** One table: a row for each figure, a column for each Node. */
function table(rows: readonly ResultRow[], results: readonly Result[]): string[] {
  const nodes = results.map((result) => `Node ${majorOf(result)}`);
  const lines = [
    `| | beside | ${nodes.join(' | ')} | goal | |`,
    `| --- | --- | ${nodes.map(() => '---').join(' | ')} | --- | --- |`,
  ];
  const main = mainOf(results);
  for (const row of rows) {
    const cells = results.map((result) => {
      const own = rowOf(result, row.id);
      if (!own) return '–';
      const spread =
        own.low !== undefined && own.high !== undefined
          ? ` (${own.low.toFixed(2)} to ${own.high.toFixed(2)})`
          : '';
      const sides =
        own.sides && own.unit !== 'ratio' ? `, beside ${show(own.sides.rival, own.sides.unit)}` : '';
      const text = `${show(own.value, own.unit)}${spread}${sides}`;
      return result === main ? `**${text}**` : text;
    });
    const reached = row.goal === undefined ? '' : verdict(row);
    lines.push(
      `| ${cell(row.title)} | ${cell(rivalOf(row))} | ${cells.join(' | ')} | ${goalOf(row)} | ${reached} |`,
    );
  }
  return lines;
}

const goalOf = ({ goal, better, unit }: ResultRow) =>
  goal === undefined ? '' : `${better === 'more' ? '≥' : '≤'} ${show(goal, unit)}`;

export function pageOf(results: readonly Result[], charts: readonly Chart[]): string {
  const main = mainOf(results);
  const goals = main.rows.filter(({ goal }) => goal !== undefined);
  const reached = goals.filter((row) => verdict(row) === 'reached').length;
  const lines = [
    '# Benchmarks',
    '',
    '<!-- Made by `npm run bench:report` from bench/results. Not edited by hand. -->',
    '',
    "A ratio is Cairn's speed as a multiple of the rival's: above 1 Cairn is faster. Figures are medians of interleaved rounds,",
    'with quartiles in brackets: of duels, latency and resident memory the lowest and highest of three. Goals are judged on Node',
    `${majorOf(main)}: ${reached} of ${goals.length} reached. [performance.md](performance.md) says why the others are not.`,
    '',
    '- All of it: `npm run bench`, about 15 minutes. A taste, in under 3: `npm run bench -- --quick`. Another Node:',
    '  `npm run bench -- --node PATH`.',
    '- Both sides of a duel get the same keys and values, in one process; every result is used. In caches that answer at once each entry was read before.',
    '  Cairn has its defaults and, like `lru-cache`, a `ttl`. Above 250,000 entries it has a higher `maxBytes`.',
    '',
    '| Node | V8 | date | Cairn | machine |',
    '| --- | --- | --- | --- | --- |',
    ...results.map(
      (result) =>
        `| ${result.node} | ${result.v8} | ${result.date.slice(0, 10)} | ${result.cairn.version}${result.cairn.commit ? `, ${result.cairn.commit}` : ''} | ${machineOf(result)} |`,
    ),
    '',
  ];
  for (const { name, title } of charts) lines.push(`## ${title}`, '', `![${title}](charts/${name}.svg)`, '');
  for (const group of new Set(main.rows.map((row) => row.group))) {
    lines.push(`## ${group}`, '');
    lines.push(
      ...table(
        main.rows.filter((row) => row.group === group),
        results,
      ),
      '',
    );
  }
  for (const result of results) {
    for (const note of result.notes) lines.push(`- Node ${majorOf(result)}: ${note}`);
    for (const { id, error } of result.failed)
      lines.push(`- Node ${majorOf(result)}: ${id} failed: ${error}`);
  }
  lines.push('## Which command made which number', '', '| figure | command |', '| --- | --- |');
  for (const { title, rival, command } of main.rows) {
    lines.push(`| ${cell(title)}${rival ? `; ${cell(rival.title)}` : ''} | \`${command}\` |`);
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

export function readmeBlock(results: readonly Result[]): string {
  const main = mainOf(results);
  const lines = ['| | beside | Cairn is so many times as fast |', '| --- | --- | --- |'];
  for (const id of README_ROWS) {
    const row = rowOf(main, id);
    if (!row) continue;
    lines.push(
      `| ${cell(row.title)} | ${cell(rivalOf(row))} | ${row.value.toFixed(2)} (${row.low!.toFixed(2)} to ${row.high!.toFixed(2)}) |`,
    );
  }
  lines.push(
    '',
    `From \`npm run bench\`, Node ${main.node}, ${main.machine.cpu}, ${main.machine.cores} shared cores; 100,000 entries unless said. All figures, and those`,
    'of other Nodes: [docs/benchmarks.md](docs/benchmarks.md); why they are what they are: [docs/performance.md](docs/performance.md).',
  );
  return lines.join('\n');
}

/** Every goal and what was measured, one row each. */
export function goalsBlock(results: readonly Result[]): string {
  const main = mainOf(results);
  const lines = ['| work | beside | goal | measured | |', '| --- | --- | --- | --- | --- |'];
  for (const row of main.rows) {
    if (row.goal === undefined) continue;
    lines.push(
      `| ${cell(row.title)} | ${cell(row.rival?.title ?? '')} | ${goalOf(row)} | ${show(row.value, row.unit)} | ${verdict(row)} |`,
    );
  }
  return lines.join('\n');
}
