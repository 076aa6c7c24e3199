/**
 * `region.stats()` is the sum of what all threads did, whichever asks; the diagnostics channels tell each thread what it
 * did itself, and nothing else. Every thread works on keys of its own, so that it knows what must be counted; mutexes
 * they share. This file is its own worker.
 */
import { isMainThread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RegionStats } from '../../src/index.ts';
import { SEED } from '../support/engine.ts';
import {
  type Counted,
  CountedCaller,
  clockOf,
  type Job,
  listen,
  nothingCounted,
  type Report,
  type Told,
  WORDS,
} from '../support/region-counted.ts';
import { Crew, checkLeft, sharedRegion } from '../support/region-threads.ts';
import { serve } from '../support/threads.ts';

const THREADS = 4;
const OPERATIONS = 400;
const OFTEN = 15_000;

if (!isMainThread) {
  let caller: CountedCaller;
  serve({
    work(job: Job) {
      caller = new CountedCaller(job);
      return caller.work();
    },
    stats: () => caller.region.stats(),
    invalidate(how: 'hard' | 'soft' | 'clear') {
      if (how === 'clear') caller.region.clearSync();
      else caller.region.invalidateSync({ hard: how === 'hard' });
    },
    told: () => caller.told.splice(0),
    end: () => caller.region.close(),
  });
}

/** The histogram of `loadTimes`, of single times. */
function bucketsOf(times: readonly number[], bounds: readonly number[]): number[] {
  const counts = bounds.map(() => 0);
  for (const ms of times) counts[bounds.findIndex((belowMs) => ms < belowMs)]!++;
  return counts;
}

function checkLoadTimes({ loads, loadTimes }: RegionStats, reports: readonly Report[]): void {
  const toldMs = reports.flatMap((report) => report.toldMs);
  const tookMs = reports.flatMap((report) => report.tookMs);
  const bounds = loadTimes.buckets.map(({ belowMs }) => belowMs);
  const counts = loadTimes.buckets.map(({ count }) => count);
  assert.is(
    counts.reduce((sum, count) => sum + count, 0),
    loads,
  );
  assert.equal(counts, bucketsOf(toldMs, bounds));
  const micros = toldMs.reduce((sum, ms) => sum + Math.round(ms * 1000), 0);
  assert.is(Math.round(loadTimes.totalMs * 1000), micros);
  // By the creators' own watches, which begin later and end earlier.
  assert.is(tookMs.length, loads);
  let [counted, took] = [0, 0];
  bucketsOf(tookMs, bounds).forEach((count, n) => {
    counted += counts[n]!;
    took += count;
    assert.ok(counted <= took, `${counted} loads below ${bounds[n]} ms, by the creators ${took}`);
  });
  assert.ok(took > counts[0]!, 'all loads took less than a millisecond');
}

if (isMainThread) {
  const crew = new Crew(import.meta.url, THREADS);

  for (const mutexes of [1, 64]) {
    test(`mutexes: ${mutexes}: the counters are the sum over all threads, the events are of one`, async () => {
      const side = new Int32Array(new SharedArrayBuffer(WORDS * 4));
      const shared = sharedRegion<string>(mutexes, { clock: clockOf(side) });
      const { region, cache } = shared;
      const { handle } = region;
      const toldHere = listen();
      const reports = await crew.ask<Report>('work', (me): Job => {
        return {
          handle,
          side: side.buffer as SharedArrayBuffer,
          threads: THREADS,
          operations: OPERATIONS,
          // with one mutex they would only wait for each other
          often: mutexes === 1 ? 0 : OFTEN,
          mutexes,
          me,
          seed: SEED + me,
        };
      });
      assert.equal(
        reports.flatMap(({ wrong }) => wrong),
        [],
      );
      assert.equal(toldHere, [], 'events of other threads');
      const sums = nothingCounted();
      for (const { counted } of reports) {
        for (const name of Object.keys(sums) as (keyof Counted)[]) sums[name] += counted[name];
      }
      const stats = region.stats();
      const { waits, loadTimes, ...counted } = stats;
      assert.equal(counted, sums);
      for (const [name, count] of Object.entries(counted)) {
        if (name !== 'unlockedCreations') assert.ok(count > 0, `no ${name}`);
      }
      assert.ok(waits > 0, 'no thread waited for another');
      checkLoadTimes(stats, reports);
      for (const other of await crew.ask<RegionStats>('stats', () => undefined)) assert.equal(other, stats);
      const ofEngine = cache.stats();
      assert.is(ofEngine.loads, stats.loads);
      assert.is(ofEngine.unlockedLoads, stats.unlockedCreations);
      console.log(`# mutexes ${mutexes}: ${JSON.stringify({ ...counted, waits })}`);

      const hows = ['hard', 'soft', 'clear', 'soft'] as const;
      await crew.ask('invalidate', (me) => hows[me]);
      const told = await crew.ask<Told[]>('told', () => undefined);
      told.forEach((events, me) => {
        assert.equal(events, [{ name: 'invalidate', event: { region: 'shared', how: hows[me] } }]);
      });
      assert.equal(toldHere, []);
      await crew.ask('end', () => undefined);
      checkLeft(shared);
    });
  }

  test.after(() => crew.end());
  test.run();
}
