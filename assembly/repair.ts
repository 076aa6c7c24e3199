// Repair: what a death inside a commit leaves is not mended, it is dropped. It is a cache: the shard begins anew, empty.
//
// Whoever calls holds the large-value lock and then the shard's lock, and has seen `commit` at 1 again under them
// (lock.ts, dropBroken); or it is the creator. The epoch comes first, so that no reader believes what it finds from here
// on; versions go on, so that none is drawn twice; `commit` goes to 0 last. Died at any store: `commit` still says 1 and
// the lock word names a dead owner: the next one resets again, from the start.
import {
  EPOCH_SHIFT, FIRST_BUCKETS, H_GHOST_DIR, H_INDEX_DIR, KIND_GHOST, KIND_INDEX, P_KIND, P_NEXT, PAGE_SIZE,
  RECORD_SIZE, SH_CARVED, SH_DROPS, SH_GHOST_DIR, SH_GHOST_PAGES, SH_INDEX_DIR, SH_INDEX_PAGES, SH_PAGES, SH_RECORDS,
  SH_RESET_END, SH_RESET_FROM, SH_STATE, SH_TARGET, SH_TICK, SH_USABLE, SH_VERSION, STATE_CLOSED,
} from './layout';
import { commitBegin, commitEnd, turn } from './hold';
import { pageAddress } from './slab';

export function resetShard(sh: usize): void {
  const state = atomic.load<u64>(sh, SH_STATE);
  // added, not stored whole: the closer sets its bit without the lock
  const change = ((((state >> EPOCH_SHIFT) + 1) << EPOCH_SHIFT) | (state & <u64>STATE_CLOSED) | FIRST_BUCKETS) - state;
  const drops = load<u32>(sh, SH_DROPS);
  const version = load<u64>(sh, SH_VERSION);
  const indexDir = <usize>load<u32>(sh, SH_INDEX_DIR);
  const ghostDir = <usize>load<u32>(sh, SH_GHOST_DIR);
  const indexDirBytes = <usize>(load<u32>(0, H_INDEX_DIR) << 2);
  const ghostDirBytes = <usize>(load<u32>(0, H_GHOST_DIR) << 2);
  const first = pageAddress(sh, 0);
  const second = pageAddress(sh, 1);
  const records = <usize>load<u32>(sh, SH_RECORDS);
  const pageBytes = <f64>load<u32>(sh, SH_PAGES) * PAGE_SIZE;
  const target = <f64>load<u64>(sh, SH_TICK) * 32 * 0.05;
  // commit: reset {
  commitBegin(sh);
  atomic.add<u64>(sh, change, SH_STATE);
  store<u64>(sh, version + 1, SH_VERSION);
  memory.fill(sh + SH_RESET_FROM, 0, SH_RESET_END - SH_RESET_FROM);
  memory.fill(indexDir, 0, indexDirBytes);
  memory.fill(ghostDir, 0, ghostDirBytes);
  memory.fill(first, 0, PAGE_SIZE);
  memory.fill(second, 0, PAGE_SIZE);
  store<u64>(records, KIND_INDEX, P_KIND);
  store<u64>(records, 0, P_NEXT);
  store<u64>(records, KIND_GHOST, RECORD_SIZE + P_KIND);
  store<u64>(records, 0, RECORD_SIZE + P_NEXT);
  store<u32>(indexDir, <u32>first);
  store<u32>(ghostDir, <u32>second);
  store<u32>(sh, 2, SH_CARVED);
  store<u32>(sh, 1, SH_INDEX_PAGES);
  store<u32>(sh, 1, SH_GHOST_PAGES);
  store<u32>(sh, drops + 1, SH_DROPS);
  store<f64>(sh, pageBytes, SH_USABLE);
  store<f64>(sh, target, SH_TARGET);
  commitEnd(sh);
  // } commit
  turn();
}
