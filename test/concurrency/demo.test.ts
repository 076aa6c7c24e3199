/** A short form of the demo, as a process of its own, and the quick start. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findNodeModules, listFiles, sampleFiles } from '../../examples/brotli-pool/files.ts';
import { findFailures, type Report } from '../../examples/brotli-pool/report.ts';
import { run } from '../../examples/brotli-pool/run.ts';
import { countDistinct, zipfStream } from '../../examples/brotli-pool/stream.ts';

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

function runExample(path: string, ...args: string[]): Promise<Outcome> {
  const script = fileURLToPath(new URL(`../../examples/${path}.js`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const outcome: Outcome = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (outcome.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...outcome, code }));
  });
}

let report: Report;

test('--json prints one document and nothing else', async () => {
  const { code, stdout, stderr } = await runExample(
    'brotli-pool/main',
    ...['--json', '--requests', '400', '--files', '40', '--seed', '7'],
  );
  assert.is(stderr, '');
  assert.is(code, 0);
  report = JSON.parse(stdout) as Report;
  assert.is(report.threads, 4);
  assert.equal(report.failures, []);
});

test('with Cairn the origin is asked once for each file, with lru-cache per thread more often', () => {
  const { none, lru, cairn } = report.ways;
  assert.is(cairn.requests, 400);
  assert.is(cairn.distinctFiles, report.distinctFiles);
  assert.is(cairn.loads, report.distinctFiles);
  assert.is(cairn.stats!.loads, cairn.loads);
  assert.is(cairn.wrongAnswers, 0);
  assert.is(lru.requests, cairn.requests);
  assert.ok(lru.loads > cairn.loads, `${lru.loads} loads with lru-cache, ${cairn.loads} with Cairn`);
  assert.ok(lru.hitRatio < cairn.hitRatio);
  assert.is(none.loads, none.requests);
  assert.ok(none.requests < cairn.requests, 'without a cache it runs a sample');
  for (const { latencyMs, requestsPerSecond } of [none, lru, cairn]) {
    assert.ok(latencyMs.p50 > 0 && latencyMs.p99 >= latencyMs.p50);
    assert.ok(requestsPerSecond > 0);
  }
});

test('threads wait for each other, and mutexes bound the loads that run at once', () => {
  assert.ok(report.ways.cairn.stats!.mutexWaits > 0, 'threads waited for loads of others');
  assert.equal(
    report.throttle.map(({ mutexes }) => mutexes),
    [2, 8, 1024],
  );
  for (const { mutexes, mostLoadsAtOnce, loads, distinctFiles } of report.throttle) {
    assert.ok(mostLoadsAtOnce <= mutexes, `${mostLoadsAtOnce} loads at once with ${mutexes} mutexes`);
    assert.is(loads, distinctFiles);
  }
  const [two, , most] = report.throttle;
  assert.ok(two!.mostLoadsAtOnce < most!.mostLoadsAtOnce, 'without the throttle more loads run at once');
});

test('one load for each file, whatever the number of threads', async () => {
  const root = findNodeModules();
  const paths = sampleFiles(listFiles(root), 30, 3).map(({ path }) => path);
  const stream = zipfStream(400, paths.length, 3);
  for (const threads of [1, 2, 8]) {
    const { loads, wrongAnswers } = await run({ way: 'cairn', threads, root, paths, stream }, () => {});
    assert.is(loads, countDistinct(stream), `${threads} threads`);
    assert.is(wrongAnswers, 0);
  }
});

test('a broken claim is told', () => {
  const { ways, throttle } = structuredClone(report);
  ways.cairn.loads++;
  ways.lru.wrongAnswers = 1;
  throttle[0]!.mostLoadsAtOnce = 3;
  const failures = findFailures({ ways, throttle }).join('\n');
  assert.is(failures.split('\n').length, 3);
  assert.match(failures, `Cairn: ${ways.cairn.loads} loads for ${ways.cairn.distinctFiles} different files`);
  assert.match(failures, 'lru-cache: wrong answers: 1');
  assert.match(failures, 'mutexes: 2: 3 loads ran at once');
});

test('the stream and the files follow from the seed', () => {
  const all = listFiles(findNodeModules());
  assert.equal(sampleFiles(all, 20, 5), sampleFiles(all, 20, 5));
  assert.not.equal(sampleFiles(all, 20, 5), sampleFiles(all, 20, 6));
  assert.equal(zipfStream(100, 20, 5), zipfStream(100, 20, 5));
  assert.not.equal(zipfStream(100, 20, 5), zipfStream(100, 20, 6));
  const shares = [0, 1, 9].map(
    (file) => zipfStream(100_000, 100, 1).filter((asked) => asked === file).length,
  );
  assert.ok(Math.abs(shares[0]! / shares[1]! - 2) < 0.1, 'the second is asked for half as often');
  assert.ok(Math.abs(shares[0]! / shares[2]! - 10) < 1, 'the tenth a tenth as often');
});

test('without a terminal it prints plain lines', async () => {
  const { code, stdout } = await runExample(
    'brotli-pool/main',
    '--requests',
    '60',
    '--files',
    '8',
    '--threads',
    '2',
  );
  assert.is(code, 0);
  assert.not.match(stdout, /[^\n\x20-\x7e]/);
  assert.equal(
    stdout.split('\n').filter((line) => line.length > 100),
    [],
    'lines that do not fit',
  );
  assert.match(stdout, 'loads of the origin');
});

test('a wrong option: a message and exit code 2', async () => {
  for (const args of [['--speed'], ['--files', '601'], ['--requests', 'many'], ['file']]) {
    const { code, stdout, stderr } = await runExample('brotli-pool/main', ...args);
    assert.is(code, 2);
    assert.is(stdout, '');
    assert.match(stderr, args[0]!);
  }
  const help = await runExample('brotli-pool/main', '--help');
  assert.is(help.code, 0);
  assert.match(help.stdout, '--seed N');
});

test('the quick start', async () => {
  const { code, stdout, stderr } = await runExample('quick-start/main');
  assert.is(stderr, '');
  assert.is(code, 0);
  assert.match(stdout, 'worker read hello from main');
  assert.match(stdout, 'main read hello from worker');
  const [main, worker] = [...stdout.matchAll(/got <h1>Home<\/h1>, rendered by thread (\d+)/g)];
  assert.is(main![1], worker![1], 'rendered once');
});

test.run();
