// The sweep: with every few writes one bucket is looked at, while something may have to be reclaimed, and what stands for
// nobody is taken away. A round is as many looks as there are buckets; a clear, a write with an expiry or a placeholder
// begins a new one. Nothing waits for it: reads judge by themselves, and eviction takes what it finds at a tail.
import {
  E_EXPIRES, E_META, H_CLEARS, SH_CLEARS, SH_SWEEP, SH_SWEEP_LEFT, SH_SWEEP_TURN, SWEEP_EVERY, TURNS_MAX,
  TYPE_PLACEHOLDER,
} from './layout';
import { evict, isGone, typeOf } from './eviction';
import { turns } from './hold';
import { bucketAddress, bucketCount, isLink, linked } from './index-table';

/** Looks at one bucket every few writes while something may have to be reclaimed, and takes away what stands for nobody. */
export function sweep(sh: usize): void {
  const clears = atomic.load<u32>(0, H_CLEARS);
  if (clears != load<u32>(sh, SH_CLEARS)) {
    store<u32>(sh, clears, SH_CLEARS);
    store<u32>(sh, bucketCount(sh), SH_SWEEP_LEFT);
  }
  const left = load<u32>(sh, SH_SWEEP_LEFT);
  if (!left) return;
  const due = load<u32>(sh, SH_SWEEP_TURN) + 1;
  if (due < SWEEP_EVERY) {
    store<u32>(sh, due, SH_SWEEP_TURN);
    return;
  }
  store<u32>(sh, 0, SH_SWEEP_TURN);
  store<u32>(sh, left - 1, SH_SWEEP_LEFT);
  const b = load<u32>(sh, SH_SWEEP) % bucketCount(sh);
  store<u32>(sh, b + 1, SH_SWEEP);
  let bucket = bucketAddress(sh, b);
  while (true) {
    let word: u64 = 0;
    for (let i = 0; i < 8; i++) {
      word = load<u64>(bucket + <usize>(i << 3));
      if (!word || isLink(word)) continue;
      const entry = <usize>(<u32>word);
      if (isGone(entry)) {
        evict(sh, entry);
      } else if (load<f64>(entry, E_EXPIRES) != 0 || typeOf(load<u32>(entry, E_META)) == TYPE_PLACEHOLDER) {
        mayExpire(sh);
      }
    }
    if (!isLink(word)) return;
    if (turns >= TURNS_MAX) {
      store<u32>(sh, b, SH_SWEEP); // the next look begins with the rest of this chain
      return;
    }
    bucket = linked(word);
  }
}

/** Something stands that will have to be swept: the round begins anew. */
@inline export function mayExpire(sh: usize): void {
  store<u32>(sh, bucketCount(sh), SH_SWEEP_LEFT);
}

