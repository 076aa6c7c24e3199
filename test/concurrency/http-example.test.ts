/** A short form of the HTTP example, as a process of its own, and its parts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { load, zipf } from '../../examples/http-server/load.ts';
import { failures, type Outcome, table } from '../../examples/http-server/report.ts';
import { newThreads } from '../../examples/http-server/threads.ts';
import { bodyOf } from '../../examples/http-server/upstream.ts';
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
  assert.match(out, /region\.stats\(\): hits \d+/);
  const loads = Number(out.match(/\bloads (\d+)/)![1]);
  // a load is counted before its call arrives, and no more than the mutexes can be between the two at the end
  assert.ok(cairn <= loads && loads <= cairn + 16, `${loads} loads by the region, ${cairn} calls`);
});

test('options: a wrong one is named', async () => {
  for (const [args, message] of [
    [['--bogus'], "'--bogus'"],
    [['--seconds', 'x'], '--seconds'],
    [['--connections', '3'], '--connections must be a whole number from 4'],
  ] as const) {
    const { code, err } = await run(...args);
    assert.is(code, 1);
    assert.match(err, message);
  }
  const { code, out } = await run('--help');
  assert.is(code, 0);
  assert.match(out, '--connections');
});

test('the load: each answer is looked at, and all connections are opened', async () => {
  let sockets = 0;
  const sent = [0, 0, 0];
  const servers = Array.from({ length: 2 }, () =>
    createServer((request, response) => {
      const id = Number(request.url!.slice('/items/'.length));
      sent[id]++;
      // of the three ids one is answered, one refused, one answered by what differs only at its end
      setTimeout(() => response.writeHead(id === 1 ? 503 : 200).end(bodyOf(id).replace('0.02', '0.03')), 5);
    }).on('connection', () => sockets++),
  );
  try {
    const urls: string[] = [];
    for (const server of servers) {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    const result = await load(urls, { seconds: 1, connections: 5, ids: 3, seed: 1 });
    assert.is(sockets, 5);
    // each connection may have one request on its way at the end
    const near = (value: number, expected: number, what: string) =>
      assert.ok(
        expected > 0 && value <= expected && value >= expected - 5,
        `${what}: ${value} of ${expected}`,
      );
    near(result.wrong, sent[2], 'wrong');
    near(result.failed, sent[1], 'failed');
    near(result.answered, sent[0] + sent[2], 'answered');
    assert.is(result.requests, result.answered + result.failed);
    assert.ok(result.perSecond <= result.answered, 'it took a second at least');
    assert.ok(result.latencyMs.p50 > 0 && result.latencyMs.p99 >= result.latencyMs.p97_5);
  } finally {
    for (const server of servers) server.close();
  }
});

test('a thread that fails, or ends by itself, is not waited for', async () => {
  for (const [script, message] of [
    ['throw new Error("port taken")', 'port taken'],
    ['process.exit(3)', 'with code 3'],
  ] as const) {
    const threads = newThreads();
    const good =
      'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => {}).postMessage(1)';
    assert.is(await threads.start(`data:text/javascript,${good}`, null), 'http://127.0.0.1:1');
    let told = new Error('nothing was told');
    let hang: NodeJS.Timeout | undefined;
    await Promise.race([
      threads.start(`data:text/javascript,${script}`, null).catch((error) => (told = error)),
      new Promise((resolve) => (hang = setTimeout(resolve, HANG_MS))),
    ]);
    clearTimeout(hang);
    await threads.stop();
    assert.match(told.message, message);
    await threads.failed.catch((error) => assert.is(error, told));
  }
});

test('a broken claim is told', () => {
  const fine: Outcome = {
    ...{
      requests: 9,
      answered: 9,
      perSecond: 9,
      latencyMs: { p50: 1, p97_5: 2, p99: 3 },
      failed: 0,
      wrong: 0,
    },
    ...{ upstreamCalls: 3, upstreamMost: 16, upstreamRefused: 0, stats: null },
  };
  assert.equal(failures({ none: { ...fine, failed: 4, upstreamMost: 33 }, lru: fine, cairn: fine }, 16), []);
  const nothing = { ...fine, requests: 0, answered: 0, latencyMs: { p50: NaN, p97_5: NaN, p99: NaN } };
  const outcomes = {
    none: nothing,
    lru: { ...fine, wrong: 2 },
    cairn: { ...fine, upstreamMost: 17, failed: 1 },
  };
  assert.equal(failures(outcomes, 16), [
    'no cache: no request was answered',
    'an lru-cache per thread: 2 answers did not belong to their request',
    'Cairn: 17 calls at once, with mutexes: 16',
    'Cairn: 1 requests failed',
  ]);
  assert.match(table(outcomes), /p99 +- +3\.0 ms +3\.0 ms/);
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
