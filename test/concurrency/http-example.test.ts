/** A short form of the HTTP example, as a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { zipf } from '../../examples/http-server/load.ts';
import { HANG_MS } from '../support/threads.ts';

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const script = fileURLToPath(new URL('../../examples/http-server/main.js', import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const hang = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('close', (code) => {
      clearTimeout(hang);
      resolve({ code, out, err });
    });
  });
}

/** The three numbers of a row: no cache, lru-cache per thread, Cairn. */
function row(out: string, name: string): number[] {
  const line = out.split('\n').find((text) => text.startsWith(`${name} `));
  assert.ok(line, `a row ${name} in\n${out}`);
  const numbers = line!
    .slice(name.length)
    .replaceAll(',', '')
    .match(/[\d.]+/g)!
    .map(Number);
  assert.is(numbers.length, 3);
  return numbers;
}

test('four threads under load: the upstream is asked less, and by no more than the throttle lets in', async () => {
  const { code, out, err } = await run('--seconds', '1', '--connections', '48', '--ids', '100');
  assert.is(err, '');
  assert.is(code, 0);
  const [none, , cairn] = row(out, 'calls of the upstream');
  assert.ok(cairn < none, `${cairn} calls with Cairn, ${none} without`);
  assert.ok(row(out, 'of those at once')[2] <= 16);
  assert.equal(row(out, 'wrong answers'), [0, 0, 0]);
  assert.is(row(out, 'failed requests')[2], 0);
  assert.is(row(out, 'refused by the upstream')[2], 0);
  assert.match(out, /region\.stats\(\): \{"hits":\d+/);
});

test('options: a wrong one is named', async () => {
  for (const [args, message] of [
    [['--bogus'], "'--bogus'"],
    [['--seconds', 'x'], '--seconds'],
  ] as const) {
    const { code, err } = await run(...args);
    assert.is(code, 1);
    assert.match(err, message);
  }
  const { code, out } = await run('--help');
  assert.is(code, 0);
  assert.match(out, '--connections');
});

test("ids by Zipf's law: the first is the most frequent, one seed gives one sequence", () => {
  const counts = new Array(50).fill(0);
  const next = zipf(50, 3);
  const again = zipf(50, 3);
  for (let n = 0; n < 20_000; n++) {
    const id = next();
    assert.is(again(), id);
    counts[id]++;
  }
  // the second about half as often as the first, the tenth about a tenth
  assert.ok(counts[1] / counts[0] > 0.4 && counts[1] / counts[0] < 0.6, `${counts[1]} of ${counts[0]}`);
  assert.ok(counts[9] / counts[0] > 0.07 && counts[9] / counts[0] < 0.14, `${counts[9]} of ${counts[0]}`);
});

test.run();
