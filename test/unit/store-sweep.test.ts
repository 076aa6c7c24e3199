/** The sweep of a chain that is longer than one hold of the lock may take: cut short, gone on with, and ended in the same round. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import { stageKey } from '../../src/store/keys.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from '../support/engine.ts';

const KEYS = 100;
/** Far more than there are buckets: keys that are alike here stand in one chain. */
const ALIKE = 1023;

test('chains of what was cleared are taken away in several holds, all in one round', () => {
  const cache = SharedCache.create<number>({ maxBytes: 2 ** 20, shards: 1 });
  const engine = SharedCache.engineOf(cache);
  const entries = () => engine.x.debug_number(0, 0);
  // in all buckets, and many in two from the middle, which a round visits once
  const found = [0, 0, 0];
  for (let n = 0; found.some((count) => count < KEYS); n++) {
    const key = `k${n}`;
    const low = engine.x.store_note(stageKey(engine, key) >>> 1, 0) & ALIKE;
    const kind = low === 30 || low === 31 ? low - 29 : 0;
    if (found[kind]! === KEYS) continue;
    cache.set(key, n);
    found[kind]!++;
  }
  assert.is(entries(), KEYS * found.length);
  cache.clear();
  const looks = 2 * L.BUCKET_SLOTS * engine.x.debug_number(0, 3); // far more than a round
  let most = 0;
  for (let n = 0; n < looks; n++) {
    const before = entries();
    cache.set('other', n);
    most = Math.max(most, before - entries());
  }
  assert.is(entries(), 1, 'all that was cleared is gone');
  assert.ok(most > L.BUCKET_SLOTS, 'the chain was longer than a bucket');
  assert.ok(most <= L.TURNS_MAX + L.BUCKET_SLOTS, `${most} in one hold`);
  checkHeap(cache);
  cache.close();
});

test.run();
