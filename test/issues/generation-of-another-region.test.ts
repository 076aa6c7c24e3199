/**
 * A CachedValue may be copied whole from another region, with that region's generation. Stored by `SlabBackend.set` it is an
 * entry like any other: `clear` removes it, and what is counted stays right.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CachedValue,
  type CacheRegion,
  createRegion,
  SharedCache,
  type SlabBackend,
} from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';
import { fixedBytes } from '../support/stress-heap.ts';

const GENERATIONS = [
  1,
  3,
  1000,
  2 ** 32,
  2 ** 39 - 1,
  2 ** 39,
  2 ** 40 + 7,
  Number.MAX_SAFE_INTEGER,
  2 ** 60,
];
const ODD = [0, -1, -5, 0.5, 3.25, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const REGION = 1; // row of the region, behind the cache's own

interface Made {
  cache: SharedCache<any>;
  region: CacheRegion<any>;
  backend: SlabBackend<any>;
}

function make(name = 'copies'): Made {
  const cache = SharedCache.create<any>({ maxBytes: 2 * 2 ** 20, maxThreads: 2, mutexes: 16, shards: 1 });
  const region = createRegion({ name, backend: 'cairn.slab', arguments: { cache } });
  return { cache, region, backend: region.actualBackend as SlabBackend };
}

/** Entries and bytes that the region counts; the bytes of the whole engine agree. */
function counted({ cache }: Made): { size: number; bytes: number } {
  const { x } = SharedCache.engineOf(cache);
  const bytes = x.region_count(REGION, 1);
  assert.is(cache.bytes, fixedBytes(cache) + bytes + x.region_count(0, 1), 'bytes of the engine');
  return { size: x.region_count(REGION, 0), bytes };
}

function end({ cache, region }: Made): void {
  checkHeap(cache);
  region.close();
  cache.close();
}

const value = (payload: unknown, generation?: number) =>
  new CachedValue(payload, { ct: Date.now(), v: 1, ...(generation !== undefined && { generation }) });

for (const clears of [0, 1, 5]) {
  test(`any generation, in a region that was cleared ${clears} times`, async () => {
    const made = make();
    const { cache, region, backend } = made;
    for (let n = 0; n < clears; n++) await region.clear();
    for (const payload of ['small', 42, 'x'.repeat(5000)]) {
      for (const generation of [...GENERATIONS, ...ODD]) {
        const what = `generation ${generation}`;
        assert.equal(counted(made), { size: 0, bytes: 0 }, what);
        assert.ok(backend.set('copied', value(payload, generation)));
        const stands = await region.get('copied');
        // one from before the region's last clear is gone at once; all others stand
        if (generation >= clears || generation < 0 || !Number.isInteger(generation))
          assert.is(stands, payload, what);
        else assert.is(stands, undefined, what);
        assert.is(counted(made).size, stands === undefined ? 0 : 1, what);
        backend.set('own', value(payload));
        assert.is(counted(made).size, stands === undefined ? 1 : 2, what);
        backend.delete('own');
        backend.delete('copied');
        assert.equal(counted(made), { size: 0, bytes: 0 }, `${what}, deleted`);
      }
    }
    checkHeap(cache);
    end(made);
  });
}

test('clear removes it, and what leaves later is not counted twice', async () => {
  const made = make();
  const { cache, region, backend } = made;
  const all = [...GENERATIONS, ...ODD];
  for (let round = 0; round < 3; round++) {
    for (const [n, generation] of all.entries()) backend.set(`copied ${n}`, value(`v${n}`, generation));
    await region.clear();
    for (const n of all.keys()) assert.is(await region.get(`copied ${n}`), undefined, `generation ${all[n]}`);
    assert.equal(counted(made), { size: 0, bytes: 0 });
    // overwritten, deleted, or left to the sweep: an old entry leaves beside new ones
    backend.set('copied 0', value('new'));
    backend.delete('copied 1');
    await region.set('copied 2', 'new');
    assert.is(counted(made).size, 2);
    for (let n = 0; n < 2000; n++) backend.set(`fill ${n % 100}`, value(n));
    assert.is(counted(made).size, 102);
    checkHeap(cache);
    await region.clear();
    assert.equal(counted(made), { size: 0, bytes: 0 });
  }
  end(made);
});

test('copied from a region that was invalidated often to one that never was', async () => {
  const made = make();
  const { cache, region, backend } = made;
  const other = createRegion<string>({ name: 'often', backend: 'cairn.slab', arguments: { cache } });
  for (let n = 0; n < 7; n++) await other.invalidate();
  await other.set('k', 'kept');
  const read = other.actualBackend.get('k') as CachedValue<string>;
  assert.is(read.metadata.generation, 7);
  assert.ok(backend.set('k', read));
  assert.is(await region.get('k'), 'kept');
  assert.is((backend.get('k') as CachedValue).metadata.generation, 0, 'the generation of its new region');
  await region.invalidate();
  assert.is(await region.get('k'), undefined, 'a hard invalidation reaches it');
  assert.is(await region.get('k', { ignoreExpiration: true }), 'kept');
  assert.is(await region.getOrCreate('k', () => 'made'), 'made');
  await region.invalidate({ hard: false });
  assert.is(await region.get('k'), undefined, 'a soft one as well');
  assert.is(await other.get('k'), 'kept', 'the region that it came from is as it was');
  await region.clear();
  assert.is(await region.get('k', { ignoreExpiration: true }), undefined);
  other.close();
  end(made);
});

test.run();
