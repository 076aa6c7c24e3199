/**
 * An origin that is down is not asked once per caller: 8 threads with 100 callers each run one creator a thread, one
 * after the other, and every caller gets the very error of its thread's. With a stale value, all get that. This file is
 * its own worker.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attachRegion, type CacheRegion, type RegionHandle } from '../../src/index.ts';
import {
  Crew,
  checkLeft,
  Rounds,
  runsOf,
  type SharedRegion,
  sharedRegion,
} from '../support/region-threads.ts';
import { serve } from '../support/threads.ts';

const THREADS = 8;
const CALLERS = 100;
/** How long the origin takes to fail. */
const FAILS_AFTER_MS = 50;
/** A hang, or every caller asks the origin. One run a thread takes 400 ms. */
const LIMIT_MS = 10_000;

/** Words of the side table: the rounds, creators that run, the most of them. */
const ROUNDS = 0;
const RUNNING = 2;
const MOST = 3;
const WORDS = 4;

type How = 'one' | 'several' | 'staleOnError' | 'stale';

interface Job {
  handle: RegionHandle;
  side: SharedArrayBuffer;
  how: How;
  me: number;
}

interface Report {
  /** How often this thread's creator ran. */
  runs: number;
  /** Messages of the errors that callers got, and how many objects these were. */
  errors: string[];
  objects: number;
  /** Whether it was the object that the creator threw. */
  veryError: boolean;
  values: unknown[];
  left: number;
}

/** One of the callers. */
function call(region: CacheRegion<string>, how: How, creator: () => Promise<never>): Promise<unknown> {
  if (how === 'one') return region.getOrCreate('key', creator);
  if (how === 'several') return region.getOrCreateMulti(['other key', 'key'], creator);
  return region.getOrCreate('key', creator, { staleOnError: how === 'staleOnError' });
}

async function fail({ handle, side, how, me }: Job): Promise<Report> {
  const words = new Int32Array(side);
  const region = attachRegion<string>(handle);
  const thrown: Error[] = [];
  const creator = async () => {
    const error = new Error(`the origin is down, says thread ${me}`);
    thrown.push(error);
    const running = Atomics.add(words, RUNNING, 1) + 1;
    for (let most = Atomics.load(words, MOST); most < running; most = Atomics.load(words, MOST)) {
      if (Atomics.compareExchange(words, MOST, most, running) === most) break;
    }
    await delay(FAILS_AFTER_MS);
    Atomics.sub(words, RUNNING, 1);
    throw error;
  };
  new Rounds(words, ROUNDS, THREADS).meet();
  const answers = await Promise.allSettled(Array.from({ length: CALLERS }, () => call(region, how, creator)));
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  const report = {
    runs: thrown.length,
    errors: errors.map((error) => String(error.message)),
    objects: new Set(errors).size,
    veryError: errors.every((error) => error === thrown[0]),
    values: answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])),
    left: runsOf(region),
  };
  region.close();
  return report;
}

if (!isMainThread) serve({ fail });

async function failing(crew: Crew, shared: SharedRegion<string>, how: How): Promise<Report[]> {
  const side = new SharedArrayBuffer(WORDS * 4);
  const { handle } = shared.region;
  const began = performance.now();
  const reports = await crew.ask<Report>('fail', (me): Job => ({ handle, side, how, me }));
  const ms = performance.now() - began;
  const runs = reports.reduce((sum, report) => sum + report.runs, 0);
  console.log(`# ${how}: ${THREADS} x ${CALLERS} callers in ${Math.round(ms)} ms, ${runs} runs`);
  assert.ok(ms < LIMIT_MS, `${ms} ms`);
  reports.forEach(({ runs, errors, veryError, left }, me) => {
    assert.ok(runs <= 1, `thread ${me} ran its creator ${runs} times`);
    assert.ok(veryError, `thread ${me} got errors of others: ${[...new Set(errors)]}`);
    assert.is(left, 0);
  });
  assert.is(new Int32Array(side)[MOST], 1, 'creators ran at once');
  const { loads, loadErrors } = shared.region.stats();
  assert.equal([loads, loadErrors], [runs, runs]);
  return reports;
}

if (isMainThread) {
  const crew = new Crew(import.meta.url, THREADS);

  for (const how of ['one', 'several'] as const) {
    test(`a missing key, ${how}: one run a thread, its very error for all callers`, async () => {
      const shared = sharedRegion<string>(how === 'one' ? 1024 : 7);
      const reports = await failing(crew, shared, how);
      reports.forEach(({ runs, errors, objects, values }, me) => {
        assert.is(runs, 1);
        assert.is(objects, 1);
        assert.equal(errors, Array(CALLERS).fill(`the origin is down, says thread ${me}`));
        assert.equal(values, []);
      });
      assert.is(shared.region.stats().joined, THREADS * (CALLERS - 1) * (how === 'one' ? 1 : 2));
      assert.is(await shared.region.get('key'), undefined);
      assert.is(await shared.region.getOrCreate('key', () => 'it is up again'), 'it is up again');
      checkLeft(shared);
    });
  }

  test('a stale value and staleOnError: all get the old value', async () => {
    const shared = sharedRegion<string>(1024);
    await shared.region.set('key', 'old');
    await shared.region.invalidate({ hard: false });
    const reports = await failing(crew, shared, 'staleOnError');
    for (const { values } of reports) assert.equal(values, Array(CALLERS).fill('old'));
    assert.ok(
      reports.some(({ runs }) => runs > 0),
      'somebody asked the origin',
    );
    assert.is(shared.region.stats().staleServed, THREADS * CALLERS);
    assert.is(await shared.region.get('key', { ignoreExpiration: true }), 'old');
    checkLeft(shared);
  });

  test('a stale value alone: only the callers whose creator ran get its error', async () => {
    const shared = sharedRegion<string>(1024);
    await shared.region.set('key', 'old');
    await shared.region.invalidate({ hard: false });
    const reports = await failing(crew, shared, 'stale');
    for (const { runs, errors, values } of reports) {
      assert.is(errors.length, runs);
      assert.equal(values, Array(CALLERS - runs).fill('old'));
    }
    checkLeft(shared);
  });

  test.after(() => crew.end());
  test.run();
}
