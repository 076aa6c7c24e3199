// Making room, under the shard's lock, one commit at a time. A piece comes from, in this order: a partly used page of its
// class (the fullest first) · the dead list, a piece a commit · a free page · a page of a class with no live chunk ·
// 8 + bytes / 512 evictions in policy order · all entries of the page with the fewest live chunks of any class.
// The last is how pages change class as the mix of sizes shifts, without moving anything.
//
// A page with a piece that is being filled is passed over, and while there is another, so is one with a placeholder
// inside its leases. Growing the index is here too, since its pages are got like any.
import {
  BUCKETS_A_PAGE, CHAIN_MAX, CLASSES, E_CREATED, E_HASH, E_META, E_WORD, EVICTIONS_FREE, FREQUENCY_MASK,
  GHOSTS_A_PAGE, H_GHOST_DIR, H_INDEX_DIR, KIND_WHOLE, LOAD_MAX, P_CARVED, P_FREE, P_KIND, P_LIVE, P_NEXT, PAGE_SIZE,
  REFUSED, S_PAGES_EMPTIED, SH_BASE, SH_CLASS_FREE, SH_CLASS_MAP, SH_COUNT, SH_DEAD, SH_END, SH_FILLING,
  SH_FILLING_LAST, SH_LARGE, SH_LISTS, SH_OVERFLOW_LEFT, SH_STATE, STATE_SPLITTING, TURNS_MAX, TYPE_PLACEHOLDER,
  WAITERS,
} from './layout';
import { evict, evictInOrder, monoMs, typeOf } from './eviction';
import { commitBegin, commitEnd, largeHeld, turn, turns } from './hold';
import {
  addGhostPage, addIndexPage, addOverflowPage, beginSplit, bucketAddress, bucketCount, bucketOf, chainLength,
  countMovers, extendChain, ghostPageMissing, indexPageMissing, isLink, lastBucket, linked, movers, slotNaming,
  splitStep, walkChain,
} from './index-table';
import { breathe } from './lock';
import {
  buryChain, classChunks, classSize, freePages, freePiece, givePage, joinClass, pageAddress, pieceSize, recordOf,
  unlistPage,
} from './slab';
import { count, ownerDead } from './threads';

/** Evictions that this call has made in policy order. */
let evictions: u32 = 0;

export function startRoom(): void {
  evictions = 0;
}

/** One commit: the first piece of the dead list is free. */
export function freeDead(sh: usize): void {
  const first = <usize>load<u32>(sh, SH_DEAD);
  const size = <usize>pieceSize(sh, first);
  const next = <usize>load<u32>(first + size - 8);
  const chain = load<u32>(first + size - 4);
  const behind = next ? next + <usize>pieceSize(sh, next) - 4 : 0;
  // commit: free-dead {
  commitBegin(sh);
  if (behind) {
    store<u32>(behind, chain);
    store<u32>(sh, <u32>next, SH_DEAD);
  } else {
    store<u32>(sh, chain, SH_DEAD);
  }
  freePiece(sh, first);
  commitEnd(sh);
  // } commit
  turn();
}

/** Whether what stands on `filling` belongs to nobody: the large-value lock is free, or its owner dead. */
@inline function fillerGone(sh: usize): bool {
  if (largeHeld == sh) return false;
  const owner = atomic.load<u32>(sh, SH_LARGE) & ~(<u32>WAITERS);
  return !owner || ownerDead(owner);
}

/** One commit: what was being filled goes to the dead list. */
export function buryFilling(sh: usize): void {
  const first = <usize>load<u32>(sh, SH_FILLING);
  // commit: bury-filling {
  commitBegin(sh);
  buryChain(sh, first);
  store<u32>(sh, 0, SH_FILLING);
  store<u32>(sh, 0, SH_FILLING_LAST);
  commitEnd(sh);
  // } commit
  turn();
}

function join(sh: usize, cls: u32): void {
  // commit: join-class {
  commitBegin(sh);
  joinClass(sh, cls);
  commitEnd(sh);
  // } commit
  turn();
}

/** One commit: a page of a class with no live chunk is free. False: there is none. */
function freeEmptyPage(sh: usize): bool {
  for (let cls: u32 = 1; cls <= CLASSES; cls++) {
    if (load<u64>(sh + SH_CLASS_MAP + <usize>(cls << 3)) & 1) {
      const page = load<u32>(sh + SH_LISTS + <usize>(cls << 8)) - 1;
      const free = sh + SH_CLASS_FREE + <usize>(cls << 2);
      const chunks = classChunks(cls);
      // commit: free-page {
      commitBegin(sh);
      unlistPage(sh, cls, 0, page);
      givePage(sh, page);
      store<u32>(free, load<u32>(free) - chunks);
      commitEnd(sh);
      // } commit
      turn();
      return true;
    }
  }
  return false;
}

// ---- The page with the fewest live chunks

/** Chunks of a page that hold nothing, a bit each. */
function freeChunks(sh: usize, page: u32, size: u32): u64 {
  const record = recordOf(sh, page);
  const address = pageAddress(sh, page);
  let bits: u64 = 0;
  let free = <u32>load<u16>(record, P_FREE);
  for (let n = 0; free && n < 64; n++) {
    const offset = (free - 1) << 3;
    bits |= <u64>1 << <u64>(offset / size);
    free = load<u32>(address + <usize>offset, 8);
  }
  for (let offset = <u32>load<u16>(record, P_CARVED); offset + size <= PAGE_SIZE; offset += size) bits |= <u64>1 << <u64>(offset / size);
  return bits;
}

/** The entry that owns a chunk in use, 0: it is being filled. An index slot names an entry exactly if it is one. */
function ownerOf(sh: usize, chunk: usize, size: u32): usize {
  if (slotNaming(sh, load<u32>(chunk, E_HASH), chunk)) return chunk;
  const head = <usize>load<u32>(chunk + <usize>size - 4);
  const base = <usize>load<u32>(sh, SH_BASE);
  if (head < base || head > <usize>load<u32>(sh, SH_END) - 64 || head & 7) return 0;
  return slotNaming(sh, load<u32>(head, E_HASH), head) ? head : 0;
}

/** 0: may be emptied. 1: holds a placeholder inside its leases. 2: holds a piece that is being filled. */
function holds(sh: usize, page: u32, cls: u32): u32 {
  const size = classSize(cls);
  const free = freeChunks(sh, page, size);
  const address = pageAddress(sh, page);
  let found: u32 = 0;
  for (let i: u32 = 0; i < classChunks(cls); i++) {
    if (free & (<u64>1 << <u64>i)) continue;
    const owner = ownerOf(sh, address + <usize>(i * size), size);
    if (!owner) return 2;
    if (typeOf(load<u32>(owner, E_META)) == TYPE_PLACEHOLDER && load<f64>(owner, E_CREATED) > monoMs) found = 1;
  }
  return found;
}

/** Page to empty: fewest live chunks, a tie goes to the class with most free bytes. -1: none. `worst`: what it may hold. */
function pageToEmpty(sh: usize, worst: u32): i32 {
  for (let live: u32 = 1; live < 64; live++) {
    let tried: u64 = 0; // classes
    while (true) {
      let best: u32 = 0;
      let bestFree: u32 = 0;
      for (let cls: u32 = 1; cls <= CLASSES; cls++) {
        if (tried & (<u64>1 << <u64>cls) || !(load<u64>(sh + SH_CLASS_MAP + <usize>(cls << 3)) & (<u64>1 << <u64>live))) continue;
        const free = load<u32>(sh + SH_CLASS_FREE + <usize>(cls << 2)) * classSize(cls);
        if (!best || free > bestFree) {
          best = cls;
          bestFree = free;
        }
      }
      if (!best) break;
      tried |= <u64>1 << <u64>best;
      let page = load<u32>(sh + SH_LISTS + <usize>(((best << 6) + live) << 2));
      for (let n = 0; page && n < 8; n++) {
        if (holds(sh, page - 1, best) <= worst) return <i32>page - 1;
        page = load<u32>(recordOf(sh, page - 1), P_NEXT);
      }
    }
  }
  return -1;
}

/** Evicts every entry with a chunk in the page. 0, or CLOSED. */
function emptyPage(sh: usize, page: u32): i32 {
  const record = recordOf(sh, page);
  const cls = <u32>load<u8>(record, P_KIND);
  const size = classSize(cls);
  const address = pageAddress(sh, page);
  for (let i: u32 = 0; i < classChunks(cls); i++) {
    if (<u32>load<u8>(record, P_KIND) != cls || !load<u8>(record, P_LIVE)) break; // it is free, or somebody has it
    if (freeChunks(sh, page, size) & (<u64>1 << <u64>i)) continue;
    const owner = ownerOf(sh, address + <usize>(i * size), size);
    if (owner) evict(sh, owner);
    if (turns >= TURNS_MAX) return breathe(sh); // and choose again: what the page holds may have changed
  }
  count(S_PAGES_EMPTIED);
  return 0;
}

/** One step towards a free chunk of `cls`, or a free page (KIND_WHOLE). 0: go on; below: REFUSED (nothing left to evict), CLOSED. */
export function roomStep(sh: usize, cls: u32, weight: u32, toMain: bool): i32 {
  if (load<u32>(sh, SH_DEAD)) {
    freeDead(sh);
  } else if (load<u32>(sh, SH_FILLING) && fillerGone(sh)) {
    buryFilling(sh);
  } else if (freePages(sh)) {
    if (cls != KIND_WHOLE) join(sh, cls);
  } else if (!freeEmptyPage(sh)) {
    if (evictions < EVICTIONS_FREE + weight / 512) {
      const evicted = evictInOrder(sh, toMain, weight);
      if (evicted < 0) return REFUSED;
      evictions += evicted;
    } else {
      let page = pageToEmpty(sh, 0);
      if (page < 0) page = pageToEmpty(sh, 1);
      if (page >= 0) return emptyPage(sh, page);
      if (evictInOrder(sh, toMain, weight) < 0) return REFUSED;
    }
  }
  return breathe(sh);
}

// ---- Growing the index

/** Gets a free page. 0, or why not. */
function freePage(sh: usize): i32 {
  const before = evictions;
  evictions = 0; // a page of index has a count of its own
  let step: i32 = 0;
  while (step >= 0 && !freePages(sh)) step = roomStep(sh, KIND_WHOLE, PAGE_SIZE, false);
  evictions = before;
  return step < 0 ? step : 0;
}

/**
 * Splits buckets, at most four, until an entry more is no more than five a bucket. 0: nothing was to do; 1: the index may have
 * changed; CLOSED: the lock is not held.
 */
export function growIndex(sh: usize): i32 {
  let changed = 0;
  for (let n = 0; n < 4; changed = 1) {
    const buckets = bucketCount(sh);
    if (load<u32>(sh, SH_COUNT) + load<u32>(sh, SH_COUNT + 4) + 1 <= LOAD_MAX * buckets) return changed;
    if (buckets >= load<u32>(0, H_INDEX_DIR) * BUCKETS_A_PAGE || buckets >= load<u32>(0, H_GHOST_DIR) * GHOSTS_A_PAGE) return changed;
    const needIndex = indexPageMissing(sh, buckets);
    const needGhost = ghostPageMissing(sh, buckets);
    let needOverflow: bool = false;
    if (!needIndex && !needGhost) {
      countMovers(sh);
      walkChain(bucketAddress(sh, buckets));
      needOverflow = movers > 7 * chainLength + 1;
    }
    if (needIndex || needGhost || (needOverflow && !load<u32>(sh, SH_OVERFLOW_LEFT))) {
      if (!freePages(sh)) {
        const step = freePage(sh);
        if (step == REFUSED) return 1; // no page to be had: the index stays as it is
        if (step < 0) return step;
        continue; // the lock may have been let go: look again
      }
      if (needIndex) addIndexPage(sh, buckets >> 6);
      else if (needGhost) addGhostPage(sh, buckets >> 7);
      else addOverflowPage(sh);
      continue;
    }
    if (needOverflow) {
      extendChain(sh, lastBucket);
      continue;
    }
    beginSplit(sh);
    while (atomic.load<u64>(sh, SH_STATE) & <u64>STATE_SPLITTING && turns < TURNS_MAX) splitStep(sh);
    n++; // what is left of the split is the next holder's first work, this thread's after a breath
    const entered = breathe(sh);
    if (entered < 0) return entered;
  }
  return changed;
}

/**
 * A slot for a new key in the chain that `findLocked` has just walked without finding an empty one: an overflow bucket,
 * or, where the chain is as long as it may be, the place of its least used entry. 0: look again; below 0: CLOSED, REFUSED.
 */
export function makeSlot(sh: usize, hash: u32): i32 {
  if (chainLength >= CHAIN_MAX) {
    evictFromChain(sh, hash);
    return breathe(sh);
  }
  if (load<u32>(sh, SH_OVERFLOW_LEFT)) {
    extendChain(sh, lastBucket);
    return breathe(sh);
  }
  if (!freePages(sh)) {
    const step = freePage(sh);
    if (step < 0) return step;
  }
  // in the same hold: another look at the class first would join this very page to it, and back, for ever
  addOverflowPage(sh);
  return breathe(sh);
}

function evictFromChain(sh: usize, hash: u32): void {
  let bucket = bucketAddress(sh, bucketOf(hash, bucketCount(sh)));
  let victim: usize = 0;
  let lowest: u32 = FREQUENCY_MASK + 1;
  while (true) {
    let word: u64 = 0;
    for (let i = 0; i < 8; i++) {
      word = load<u64>(bucket + <usize>(i << 3));
      if (!word || isLink(word)) continue;
      const entry = <usize>(<u32>word);
      const frequency = <u32>atomic.load<u64>(entry, E_WORD) & FREQUENCY_MASK;
      if (frequency < lowest) {
        lowest = frequency;
        victim = entry;
      }
    }
    if (!isLink(word)) break;
    bucket = linked(word);
  }
  if (victim) evict(sh, victim);
}
