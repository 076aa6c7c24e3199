// The index: linear hashing (Litwin, 1980) in slab pages, reached through a directory of page offsets. Sixty-four buckets
// a page, a bucket is one 64-byte line. All writing happens under the shard's lock; readers probe without one (store.ts).
//
// Bucket of a hash at count N, with low = the largest power of two <= N:
//   b = h & (2 low - 1), or h & (low - 1) where that is >= N. The split that raises N to N + 1 moves from N - low to N.
//
// A split, each line a commit (see slab and lock rules in docs/locking.md):
//   1. the pages for bucket N and its ghosts are taken and set to zero            died here: N as before, the page stands ready
//   2. the chain of N is lengthened until it can hold all movers                  died here: as before
//   3. ghosts are copied, the state becomes N + 1 | SPLITTING                     died after: whoever enters goes on with 4
//   4. each mover: copied to the new bucket, then the old slot is cleared         readers look in the old bucket, then the new
//   5. SPLITTING is cleared
// A bucket whose eight slots are used and that needs a ninth: the eighth word goes to the first slot of an overflow bucket,
// then becomes the link. Slots move in no other way; overflow buckets are never given back.
import {
  BUCKET_SIZE, BUCKETS_A_PAGE, CHAIN_MAX, E_HASH, GHOST_SIZE, GHOSTS_A_PAGE, KIND_GHOST, KIND_INDEX, KIND_OVERFLOW,
  LINK, PAGE_SIZE, SH_GHOST_DIR, SH_GHOST_PAGES, SH_INDEX_DIR, SH_INDEX_PAGES, SH_OVERFLOW, SH_OVERFLOW_LEFT,
  SH_STATE, STATE_SPLITTING,
} from './layout';
import { commitBegin, commitEnd, turn } from './hold';
import { pageAddress, takePage } from './slab';
import { count } from './threads';

@inline export function lowPower(count: u32): u32 {
  return <u32>0x80000000 >> clz<u32>(count);
}

@inline export function bucketOf(hash: u32, count: u32): u32 {
  const low = lowPower(count);
  const b = hash & (low + low - 1);
  return b < count ? b : hash & (low - 1);
}

@inline export function bucketAddress(sh: usize, b: u32): usize {
  return <usize>load<u32>(<usize>load<u32>(sh, SH_INDEX_DIR) + <usize>((b >> 6) << 2)) + <usize>((b & 63) << 6);
}

@inline export function ghostAddress(sh: usize, b: u32): usize {
  return <usize>load<u32>(<usize>load<u32>(sh, SH_GHOST_DIR) + <usize>((b >> 7) << 2)) + <usize>((b & 127) << 5);
}

@inline export function bucketCount(sh: usize): u32 {
  return <u32>atomic.load<u64>(sh, SH_STATE);
}

@inline export function isLink(word: u64): bool {
  return <bool>(<u32>word & LINK);
}

/** Address of the bucket that a link names. */
@inline export function linked(word: u64): usize {
  return <usize>(<u32>word & ~7);
}

// What the last walk of a chain for room found (Wasm globals: this thread's).
/** First empty slot of the chain, 0: none. */
export let freeSlot: usize = 0;
/** Last bucket of the chain and how many it has. */
export let lastBucket: usize = 0;
export let chainLength: u32 = 0;

/** Under the lock: one bit for each slot of a bucket that names `entry`, or is empty (0). A loop would end at another one each time. */
@inline function slotsNaming(entry: u32, bucket: usize): u32 {
  const wanted = i32x4.splat(entry);
  const first = v128.shuffle<u32>(v128.load(bucket), v128.load(bucket, 16), 0, 2, 4, 6);
  const second = v128.shuffle<u32>(v128.load(bucket, 32), v128.load(bucket, 48), 0, 2, 4, 6);
  return <u32>i32x4.bitmask(i32x4.eq(first, wanted)) | (<u32>i32x4.bitmask(i32x4.eq(second, wanted)) << 4);
}

/** Under the lock: the slot that names `entry` (not 0), in the chain of its hash. 0 if none does: then no index slot names it at all. */
export function slotNaming(sh: usize, hash: u32, entry: usize): usize {
  let bucket = bucketAddress(sh, bucketOf(hash, bucketCount(sh)));
  for (let n: u32 = 0; n < CHAIN_MAX; n++) {
    const slots = slotsNaming(<u32>entry, bucket);
    if (slots) return bucket + <usize>(ctz(slots) << 3);
    const last = load<u64>(bucket, 56);
    if (!isLink(last)) return 0;
    bucket = linked(last);
  }
  return 0;
}

/** Walks a chain only for its room: sets freeSlot, lastBucket, chainLength. */
export function walkChain(first: usize): void {
  let bucket = first;
  freeSlot = 0;
  chainLength = 1;
  while (true) {
    const empty = slotsNaming(0, bucket);
    if (empty && !freeSlot) freeSlot = bucket + <usize>(ctz(empty) << 3);
    lastBucket = bucket;
    const last = load<u64>(bucket, 56);
    if (!isLink(last)) return;
    bucket = linked(last);
    chainLength++;
  }
}

/** One commit: an overflow bucket (there is one) is linked behind the full last bucket of a chain. */
export function extendChain(sh: usize, last: usize): void {
  const extra = <usize>load<u32>(sh, SH_OVERFLOW);
  // commit: extend-chain {
  commitBegin(sh);
  memory.fill(extra, 0, BUCKET_SIZE);
  store<u32>(sh, load<u32>(sh, SH_OVERFLOW) + BUCKET_SIZE, SH_OVERFLOW);
  store<u32>(sh, load<u32>(sh, SH_OVERFLOW_LEFT) - 1, SH_OVERFLOW_LEFT);
  atomic.store<u64>(extra, load<u64>(last, 56));
  atomic.store<u64>(last, <u64>(<u32>extra | LINK), 56); // after the bucket: a reader finds the eighth word in either place
  commitEnd(sh);
  // } commit
  turn();
}

/** One commit: a free page (there is one) becomes the next page of overflow buckets. */
export function addOverflowPage(sh: usize): void {
  // commit: overflow-page {
  commitBegin(sh);
  const page = takePage(sh, KIND_OVERFLOW);
  store<u32>(sh, <u32>pageAddress(sh, page), SH_OVERFLOW);
  store<u32>(sh, BUCKETS_A_PAGE, SH_OVERFLOW_LEFT);
  store<u32>(sh, load<u32>(sh, SH_INDEX_PAGES) + 1, SH_INDEX_PAGES);
  commitEnd(sh);
  // } commit
  turn();
}

/** One commit: a free page (there is one) becomes directory entry `at` of the index, all empty. */
export function addIndexPage(sh: usize, at: u32): void {
  const entry = <usize>load<u32>(sh, SH_INDEX_DIR) + <usize>(at << 2);
  // commit: index-page {
  commitBegin(sh);
  const page = pageAddress(sh, takePage(sh, KIND_INDEX));
  memory.fill(page, 0, PAGE_SIZE);
  store<u32>(entry, <u32>page);
  store<u32>(sh, load<u32>(sh, SH_INDEX_PAGES) + 1, SH_INDEX_PAGES);
  commitEnd(sh);
  // } commit
  turn();
}

/** One commit: the same for the ghosts. */
export function addGhostPage(sh: usize, at: u32): void {
  const entry = <usize>load<u32>(sh, SH_GHOST_DIR) + <usize>(at << 2);
  // commit: ghost-page {
  commitBegin(sh);
  const page = pageAddress(sh, takePage(sh, KIND_GHOST));
  memory.fill(page, 0, PAGE_SIZE);
  store<u32>(entry, <u32>page);
  store<u32>(sh, load<u32>(sh, SH_GHOST_PAGES) + 1, SH_GHOST_PAGES);
  commitEnd(sh);
  // } commit
  turn();
}

// ---- Splits
/** What `countMovers` found: entries that move to the new bucket. */
export let movers: u32 = 0;

/** Counts the movers of the next split. */
export function countMovers(sh: usize): void {
  const count = bucketCount(sh);
  const old = count - lowPower(count);
  movers = 0;
  let bucket = bucketAddress(sh, old);
  while (true) {
    let word: u64 = 0;
    for (let i = 0; i < 8; i++) {
      word = load<u64>(bucket + <usize>(i << 3));
      if (word && !isLink(word) && bucketOf(load<u32>(<usize>(<u32>word), E_HASH), count + 1) == count) movers++;
    }
    if (!isLink(word)) return;
    bucket = linked(word);
  }
}

/** One commit: the count rises, the new bucket is part of the index, empty, and SPLITTING says where to look. */
export function beginSplit(sh: usize): void {
  const state = atomic.load<u64>(sh, SH_STATE);
  const count = <u32>state;
  const old = count - lowPower(count);
  const from = ghostAddress(sh, old);
  const to = ghostAddress(sh, count);
  // commit: begin-split {
  commitBegin(sh);
  memory.copy(to, from, GHOST_SIZE);
  atomic.add<u64>(sh, <u64>STATE_SPLITTING + 1, SH_STATE); // not stored whole: the closer sets its bit without the lock
  commitEnd(sh);
  // } commit
  turn();
}

/** One step of the open split: moves one slot, or closes it when none is left. */
export function splitStep(sh: usize): void {
  const state = atomic.load<u64>(sh, SH_STATE);
  const count = <u32>state;
  let bucket = bucketAddress(sh, count - 1 - lowPower(count - 1));
  while (true) {
    let word: u64 = 0;
    for (let i = 0; i < 8; i++) {
      const from = bucket + <usize>(i << 3);
      word = load<u64>(from);
      if (word && !isLink(word) && bucketOf(load<u32>(<usize>(<u32>word), E_HASH), count) == count - 1) {
        walkChain(bucketAddress(sh, count - 1));
        const to = freeSlot;
        // commit: move-slot {
        commitBegin(sh);
        atomic.store<u64>(to, word); // readers look in the old bucket first, so the copy comes first
        atomic.store<u64>(from, 0);
        commitEnd(sh);
        // } commit
        turn();
        return;
      }
    }
    if (!isLink(word)) break;
    bucket = linked(word);
  }
  // commit: end-split {
  commitBegin(sh);
  atomic.sub<u64>(sh, STATE_SPLITTING, SH_STATE);
  commitEnd(sh);
  // } commit
  turn();
}

/** Whether bucket `count` of the next split begins a page of its directory that is not there yet. Directory entries are 0 until then. */
@inline export function indexPageMissing(sh: usize, count: u32): bool {
  return !(count & (BUCKETS_A_PAGE - 1)) && !load<u32>(<usize>load<u32>(sh, SH_INDEX_DIR) + <usize>((count >> 6) << 2));
}

@inline export function ghostPageMissing(sh: usize, count: u32): bool {
  return !(count & (GHOSTS_A_PAGE - 1)) && !load<u32>(<usize>load<u32>(sh, SH_GHOST_DIR) + <usize>((count >> 7) << 2));
}
