/**
 * `npm run bench:compare -- <git ref or folder> [--only TEXT] [--processes N] [--rounds N] [--round-ms M]`: this tree beside
 * another state of it. The other one is built in a temporary folder; then every duel runs the two builds in turn in one
 * process, in several processes, in half of them with the sides changed over, since the side that is filled first may be
 * better off. Above 1 this tree is faster. With `--max-loss 0.05` it fails where the median is slower by more.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES } from '../duels/cases.ts';
import { type DuelResult, median, quantile } from '../duels/rounds.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DUEL = fileURLToPath(new URL('../duels/main.js', import.meta.url));
/** One of each kind of work; more than that is the report's. */
const DEFAULT_IDS = [
  'get-string-built-zipf-100k',
  'get-string-kept-uniform-100k',
  'get-object-built-uniform-100k',
  'get-missing',
  'set-new-string',
  'set-over-object',
  'get-or-create-sync',
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    processes: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '61' },
    'round-ms': { type: 'string', default: '10' },
    'max-loss': { type: 'string' },
  },
});

/** The module of another state, and what undoes its making. */
function otherBuild(other: string): { module: string; remove(): void } {
  if (existsSync(join(other, 'dist/src/index.js'))) {
    return { module: resolve(other, 'dist/src/index.js'), remove: () => undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'cairn-compare-'));
  const archive = execFileSync('git', ['archive', other], { cwd: ROOT, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'dist'), { recursive: true });
  execFileSync(process.execPath, ['scripts/build.mjs', '--quiet'], { cwd: folder, stdio: 'inherit' });
  return {
    module: join(folder, 'dist/src/index.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function duelOnce(id: string, builds: string[]): DuelResult {
  const out = execFileSync(
    process.execPath,
    [
      DUEL,
      id,
      '--builds',
      builds.map((path) => pathToFileURL(path).href).join(','),
      '--rounds',
      values.rounds,
      '--round-ms',
      values['round-ms'],
    ],
    { encoding: 'utf8' },
  );
  return JSON.parse(out.trim().split('\n').at(-1)!) as DuelResult;
}

const other = positionals[0];
if (!other) {
  console.error('usage: npm run bench:compare -- <git ref or folder> [--only TEXT] [--processes N]');
  process.exit(2);
}
const { module, remove } = otherBuild(other);
try {
  const own = join(ROOT, 'dist/src/index.js');
  const ids = values.only
    ? CASES.filter(({ id }) => id.includes(values.only!)).map(({ id }) => id)
    : DEFAULT_IDS;
  console.log(`Node ${process.version}; this tree's speed as a multiple of that of ${other}\n`);
  let lost = false;
  for (const id of ids) {
    const ratios: number[] = [];
    let ns = 0;
    for (let run = 0; run < Number(values.processes); run++) {
      const swapped = run % 2 === 1;
      const result = duelOnce(id, swapped ? [module, own] : [own, module]);
      ratios.push(swapped ? 1 / result.ratio : result.ratio);
      ns = swapped ? result.nsB : result.nsA;
    }
    ratios.sort((a, b) => a - b);
    const middle = median(ratios);
    if (middle < 1 - Number(values['max-loss'] ?? 1)) lost = true;
    const spread = `${quantile(ratios, 0).toFixed(3)} to ${quantile(ratios, 1).toFixed(3)}`;
    console.log(`${id.padEnd(34)} ${middle.toFixed(3)}  (${spread})  ${ns.toFixed(0)} ns`);
  }
  process.exitCode = lost ? 1 : 0;
} finally {
  remove();
}
