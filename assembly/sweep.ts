// The sweep: with every write one slot of the index is looked at, while something may have to be reclaimed, and what stands
// for nobody is taken away. A round is all buckets; a clear, a write with an expiry or a placeholder begins a new one.
// Nothing waits for it: reads judge by themselves, and eviction takes what it finds at a tail.
//
// It comes first in a write's hold of the lock: its entry is a random line of memory, and is loaded beside those of the key
// (ahead.ts).
import {
  BUCKET_SLOTS, E_EXPIRES, E_META, H_CLEARS, SH_CLEARS, SH_SWEEP, SH_SWEEP_LEFT, SH_SWEEP_SLOT, TURNS_MAX,
  TYPE_PLACEHOLDER,
} from './layout';
import { evict, isGone, typeOf } from './eviction';
import { turns } from './hold';
import { bucketAddress, bucketCount, isLink, linked } from './index-table';

/** Looks at one slot while something may have to be reclaimed; with the last of a bucket at the rest of its chain. */
export function sweep(sh: usize): void {
  const clears = atomic.load<u32>(0, H_CLEARS);
  if (clears != load<u32>(sh, SH_CLEARS)) {
    store<u32>(sh, clears, SH_CLEARS);
    mayExpire(sh);
  }
  const left = load<u32>(sh, SH_SWEEP_LEFT);
  if (!left) return;
  let b = load<u32>(sh, SH_SWEEP);
  if (b >= bucketCount(sh)) b = 0;
  const slot = load<u32>(sh, SH_SWEEP_SLOT);
  const word = load<u64>(bucketAddress(sh, b) + <usize>(slot << 3));
  const last = slot == BUCKET_SLOTS - 1;
  store<u32>(sh, last ? 0 : slot + 1, SH_SWEEP_SLOT);
  store<u32>(sh, last ? b + 1 : b, SH_SWEEP);
  if (last) store<u32>(sh, left - 1, SH_SWEEP_LEFT);
  if (isLink(word)) sweepChain(sh, b, word);
  else if (word) judge(sh, <usize>(<u32>word));
}

/** The overflow buckets behind bucket `b`. */
function sweepChain(sh: usize, b: u32, link: u64): void {
  let word = link;
  while (isLink(word)) {
    if (turns >= TURNS_MAX) {
      // this end did not count: the bucket is looked at once more, when what this hold took is gone
      store<u32>(sh, b, SH_SWEEP);
      store<u32>(sh, load<u32>(sh, SH_SWEEP_LEFT) + 1, SH_SWEEP_LEFT);
      return;
    }
    const bucket = linked(word);
    for (let i: u32 = 0; i < BUCKET_SLOTS; i++) {
      word = load<u64>(bucket + <usize>(i << 3));
      if (word && !isLink(word)) judge(sh, <usize>(<u32>word));
    }
  }
}

@inline function judge(sh: usize, entry: usize): void {
  if (isGone(entry)) {
    evict(sh, entry);
  } else if (load<f64>(entry, E_EXPIRES) != 0 || typeOf(load<u32>(entry, E_META)) == TYPE_PLACEHOLDER) {
    mayExpire(sh);
  }
}

/**
 * Something stands that will have to be swept: a round begins anew. One more end than there are buckets, as the first may be of
 * a bucket that was half done.
 */
@inline export function mayExpire(sh: usize): void {
  store<u32>(sh, bucketCount(sh) + 1, SH_SWEEP_LEFT);
}
