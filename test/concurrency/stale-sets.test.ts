/** A delete, set or invalidation in another thread while a creator runs wins, over 10,000 random interleavings. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHeap, SEED } from '../support/engine.ts';
import { staleSets } from '../support/stale-sets.ts';

test('10,000 interleavings: no stale value stays', async () => {
  const report = await staleSets(10_000, SEED, 64, false, checkHeap);
  console.log(`# kept ${report.kept} of 10,000, ${JSON.stringify(report.actions)}`);
  assert.equal(report.stale, []);
  assert.ok(report.kept > 1000, 'what another thread set stands');
});

test('at mutexes: 1 operations on other keys keep nothing out', async () => {
  const report = await staleSets(2_000, SEED, 1, true, checkHeap);
  assert.equal(report.stale, []);
  assert.is(report.kept, 2_000);
});

test.run();
