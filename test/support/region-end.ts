/** The end of a test of a region: nothing is left of it, and its engine is sound. */
import * as assert from 'uvu/assert';
import { type CacheRegion, SharedCache, SlabBackend } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap } from './engine.ts';

/** No run in the table, no mutex of this thread held, a sound heap; then closes the region. */
export function endRegion(region: CacheRegion<any>): void {
  const { runs, localMutexes } = coreOf(region);
  assert.equal([runs.size, localMutexes.size], [0, 0]);
  const backend = region.actualBackend;
  if (backend instanceof SlabBackend) {
    const seen = SharedCache.attach(backend.handle);
    checkHeap(seen);
    seen.close();
  }
  region.close();
}
