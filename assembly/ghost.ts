// Ghosts: what was evicted lately, as eight 4-byte words beside each index bucket. Only the policy reads them, so a word
// that is lost or wrong costs a worse decision, never a wrong value; single words are written outside commits too.
//
//   word: fingerprint 12 (never 0) | origin queue 1 | stamp 11 | eviction clock of its origin 8
import { GHOST_WORDS, SH_MISSES, SH_SEQ, SH_TICK, STAMP_MASK } from './layout';
import { bucketCount, bucketOf, ghostAddress } from './index-table';

/** Time now, in ticks of missed bytes. */
@inline export function stampNow(sh: usize): u32 {
  return <u32>(load<u64>(sh, SH_MISSES) / load<u64>(sh, SH_TICK)) & STAMP_MASK;
}

/** Eviction clock of a queue from which `seq` bytes were evicted. */
@inline export function clockOf(sh: usize, seq: u64): u32 {
  return <u32>(seq / load<u64>(sh, SH_TICK)) & 0xff;
}

@inline export function evictionClock(sh: usize, queue: u32): u32 {
  return clockOf(sh, load<u64>(sh + SH_SEQ + <usize>(queue << 3)));
}

@inline export function fingerprint(tag: u32): u32 {
  const print = tag & 0xfff;
  return print ? print : 1;
}

/** One bit for each of a bucket's eight words, of two comparisons of four. */
@inline function wordsThatAre(first: v128, second: v128): u32 {
  return <u32>i32x4.bitmask(first) | (<u32>i32x4.bitmask(second) << 4);
}

/** Where the ghost of an entry that leaves `queue` goes: an empty word of its bucket, or the oldest by its own origin's clock. */
export function ghostPlace(sh: usize, hash: u32): usize {
  const bucket = ghostAddress(sh, bucketOf(hash, bucketCount(sh)));
  const zero = i32x4.splat(0);
  const empty = wordsThatAre(i32x4.eq(v128.load(bucket), zero), i32x4.eq(v128.load(bucket, 16), zero));
  if (empty) return bucket + <usize>(ctz(empty) << 2);
  const small = evictionClock(sh, 0);
  const main = evictionClock(sh, 1);
  let best = bucket;
  let oldest: u32 = 0;
  for (let i: u32 = 0; i < GHOST_WORDS; i++) {
    const at = bucket + <usize>(i << 2);
    const word = load<u32>(at);
    const age = (select(main, small, (word >> 19) & 1) - (word & 0xff)) & 0xff;
    best = select(at, best, age >= oldest);
    oldest = max(age, oldest);
  }
  return best;
}

@inline export function ghostWord(tag: u32, queue: u32, stamp: u32, clock: u32): u32 {
  return (fingerprint(tag) << 20) | (queue << 19) | (stamp << 8) | clock;
}

/** Takes the ghost of a key away and returns its word, 0: none. */
export function takeGhost(sh: usize, hash: u32, tag: u32): u32 {
  const bucket = ghostAddress(sh, bucketOf(hash, bucketCount(sh)));
  const print = i32x4.splat(fingerprint(tag));
  const found = wordsThatAre(
    i32x4.eq(i32x4.shr_u(v128.load(bucket), 20), print),
    i32x4.eq(i32x4.shr_u(v128.load(bucket, 16), 20), print),
  );
  if (!found) return 0;
  const at = bucket + <usize>(ctz(found) << 2);
  const word = load<u32>(at);
  store<u32>(at, 0);
  return word;
}
