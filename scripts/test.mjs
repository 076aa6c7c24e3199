// Runs the compiled uvu test files: one process a file, with a watchdog and a least number of tests.
//   node scripts/test.mjs [--tier default|soak] [--node PATH] [--filter TEXT] [--jobs N]
// Each file must print uvu's summary with at least one test, all passed and none skipped. Prints
// `N passed, N failed` (tests) as its last line and exits 1 when anything failed.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const argv = process.argv.slice(2);
const option = (name, fallback) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : fallback);
const tier = option('--tier', 'default');
const node = option('--node', process.execPath);
const filter = option('--filter', '');
const jobs = Number(option('--jobs', String(Math.min(2, availableParallelism()))));
const WATCHDOG_MS = tier === 'soak' ? 60 * 60_000 : 150_000;

function testFiles(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}

const isSoak = (path) => path.includes(`${join('test', 'soak')}`);
const files = testFiles(join(root, 'dist', 'test'))
  .filter((path) => isSoak(path) === (tier === 'soak') && path.includes(filter))
  .sort();

function runFile(path) {
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(node, [path], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let killed = false;
    const watchdog = setTimeout(() => {
      killed = true;
      child.kill('SIGKILL');
    }, WATCHDOG_MS);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code, signal) => {
      clearTimeout(watchdog);
      const number = (label) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
      const total = number('Total');
      const passed = number('Passed');
      const skipped = number('Skipped');
      const reason = killed
        ? `killed after ${WATCHDOG_MS} ms`
        : signal
          ? `ended by ${signal}`
          : total === 0
            ? 'ran no test'
            : skipped > 0
              ? `${skipped} skipped`
              : code !== 0
                ? `exit code ${code}`
                : passed < total
                  ? `${total - passed} failed`
                  : '';
      resolve({
        path,
        passed,
        failed: reason ? Math.max(1, total - passed) : 0,
        reason,
        output,
        ms: performance.now() - began,
      });
    });
  });
}

const queue = [...files];
let passed = 0;
let failed = 0;
await Promise.all(
  Array.from({ length: jobs }, async () => {
    for (let path = queue.shift(); path; path = queue.shift()) {
      const result = await runFile(path);
      passed += result.passed;
      failed += result.failed;
      const name = relative(join(root, 'dist', 'test'), path).replace(/\.js$/, '');
      const note = result.output.match(/^# .*$/gm) ?? [];
      console.log(
        `${result.reason ? 'FAIL' : 'ok  '} ${name} (${result.passed} tests, ${(result.ms / 1000).toFixed(1)} s) ${result.reason}`,
      );
      for (const line of note) console.log(`     ${line}`);
      if (result.reason) console.log(result.output);
    }
  }),
);
if (files.length === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
