/**
 * The report: `docs/benchmarks.md`, its charts, README's table and the goals in `docs/performance.md`, made from the newest full
 * result of each Node in bench/results.
 * `node dist/bench/report/main.js` writes them, `--check` only compares and ends with 1 if anything differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../run/machine.ts';
import { majorOf, RESULTS, type Result } from '../run/result.ts';
import { chartsOf } from './charts.ts';
import { goalsBlock, pageOf, readmeBlock } from './page.ts';

/** Files that are written by hand but for what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
const BLOCKS = [
  { path: 'README.md', name: 'benchmarks', blockOf: readmeBlock },
  { path: 'docs/performance.md', name: 'goals', blockOf: goalsBlock },
];

function withBlock(text: string, { path, name }: { path: string; name: string }, block: string): string {
  const begin = `<!-- ${name}:begin -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`<!-- ${name}:end -->`);
  if (from < 0 || to < from) throw new Error(`${path} has no ${begin} … <!-- ${name}:end -->`);
  return `${text.slice(0, from + begin.length)}\n${block}\n${text.slice(to)}`;
}

/** The newest full result of each Node major, by major. */
export function newestResults(folder = join(ROOT, RESULTS)): Result[] {
  if (!existsSync(folder)) return [];
  const newest = new Map<number, Result>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.json')) continue;
    const result = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result;
    if (result.kind === 'full') newest.set(majorOf(result), result);
  }
  return [...newest.values()].sort((a, b) => majorOf(a) - majorOf(b));
}

/** Every file of the report by its path below the repository. `read`: what such a file says now. */
export function filesOf(results: readonly Result[], read: (path: string) => string): Map<string, string> {
  const files = new Map<string, string>();
  if (results.length === 0) return files;
  const charts = chartsOf(results);
  for (const { name, svg } of charts) files.set(`docs/charts/${name}.svg`, svg);
  files.set('docs/benchmarks.md', pageOf(results, charts));
  for (const file of BLOCKS) files.set(file.path, withBlock(read(file.path), file, file.blockOf(results)));
  return files;
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Writes what differs; which files. */
export function writeReport(): string[] {
  const written: string[] = [];
  for (const [path, text] of filesOf(newestResults(), read)) {
    const file = join(ROOT, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    written.push(path);
  }
  return written;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = filesOf(newestResults(), read);
  if (files.size === 0) {
    console.log('no result in bench/results: run `npm run bench` first');
    process.exitCode = 1;
  }
  if (process.argv.includes('--check')) {
    const stale = [...files].filter(([path, text]) => {
      const file = join(ROOT, path);
      return !existsSync(file) || readFileSync(file, 'utf8') !== text;
    });
    for (const [path] of stale) console.log(`${path} is not what bench/results gives: npm run bench:report`);
    if (stale.length > 0) process.exitCode = 1;
  } else {
    for (const path of writeReport()) console.log(`wrote ${path}`);
  }
}
