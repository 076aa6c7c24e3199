// The heap walk and a way to die, for tests and tools. The walk takes a shard's lock and visits everything: each chunk is
// live, free, being filled or dead, exactly once; queues, index, lists and counters tell the same story. It answers 0 or
// the number of the rule that does not hold (docs/recovery.md lists them).
import {
  C_BYTES, C_COUNT, C_FLOOR, CHAIN_MAX, CLASSES, CLOSED, E_HASH, E_LENGTH, E_META, E_NEXT, E_PREV, E_WORD, KIND_FREE,
  KIND_GHOST, KIND_INDEX, KIND_OVERFLOW, KIND_WHOLE, P_CARVED, P_FREE, P_KIND, P_LIVE, P_NEXT, P_PREV, PAGE_SIZE,
  PIECE_PAYLOAD, REGIONS, SH_BASE, SH_BYTES, SH_CARVED, SH_CLASS_FREE, SH_CLASS_MAP, SH_COMMIT, SH_COUNT, SH_DEAD,
  SH_DROPS, SH_END, SH_FILLING, SH_FREE, SH_FREE_COUNT, SH_GHOST_PAGES, SH_HEAD, SH_INDEX_PAGES, SH_LARGE, SH_LISTS,
  SH_LOCK, SH_PAGES, SH_STATE, SH_TAIL, SLOT_COPY, SMALL_MAX, STATE_SPLITTING, TYPE_PLACEHOLDER, WHOLE_PAYLOAD,
} from './layout';
import { counterOf, entryBytes, generationOf, queueOf, regionOf, typeOf } from './eviction';
import { bucketAddress, bucketCount, bucketOf, isLink, linked, slotNaming } from './index-table';
import { lockShard, unlockShard } from './lock';
import { shardAt } from './read';
import { classChunks, classOf, classSize, pageOf, pieceSize, recordOf, weightOf } from './slab';
import { mySlot } from './threads';

let chunks: u32 = 0; // chunks in use as the entries and lists tell, whole pages not counted
let wholes: u32 = 0;

/** Counts the pieces of a chain; false: a piece is not where pieces are. */
function countChain(sh: usize, first: usize): bool {
  const base = <usize>load<u32>(sh, SH_BASE);
  const end = <usize>load<u32>(sh, SH_END);
  let at = first;
  for (let n = 0; at; n++) {
    if (n > 5000 || at < base || at >= end || at & 7) return false;
    const kind = <u32>load<u8>(recordOf(sh, pageOf(sh, at)), P_KIND);
    if (kind == KIND_WHOLE) wholes++;
    else if (kind >= 1 && kind <= CLASSES) chunks++;
    else return false;
    at = <usize>load<u32>(at + <usize>pieceSize(sh, at) - 8);
  }
  return true;
}

/** Pieces of a live large entry, against what its length asks for. */
function checkLarge(sh: usize, entry: usize, bytes: u32): bool {
  let at = entry;
  let rest = bytes;
  while (rest) {
    let part: u32 = WHOLE_PAYLOAD;
    let size: u32 = PAGE_SIZE;
    if (rest < WHOLE_PAYLOAD) {
      part = rest > PIECE_PAYLOAD ? PIECE_PAYLOAD : rest;
      size = classSize(classOf(part + 8));
    }
    if (!at || pieceSize(sh, at) != size) return false;
    if (at != entry && load<u32>(at + <usize>size - 4) != <u32>entry) return false;
    rest -= part;
    at = <usize>load<u32>(at + <usize>size - 8);
  }
  return !at;
}

function walkQueue(sh: usize, queue: u32): i32 {
  const at = sh + <usize>(queue << 2);
  let prev: u32 = 0;
  let entries: u32 = 0;
  let bytes: u64 = 0;
  for (let entry = load<u32>(at, SH_HEAD); entry; entry = load<u32>(<usize>entry, E_NEXT)) {
    if (load<u32>(<usize>entry, E_PREV) != prev) return 20;
    if (queueOf(load<u64>(<usize>entry, E_WORD)) != queue) return 21;
    if (!slotNaming(sh, load<u32>(<usize>entry, E_HASH), <usize>entry)) return 22;
    if (++entries > 100000000) return 23;
    bytes += weightOf(entryBytes(<usize>entry));
    prev = entry;
  }
  if (load<u32>(at, SH_TAIL) != prev) return 24;
  if (load<u32>(at, SH_COUNT) != entries) return 25;
  if (load<u64>(sh + <usize>(queue << 3), SH_BYTES) != bytes) return 26;
  return 0;
}

function walkIndex(sh: usize): i32 {
  const buckets = bucketCount(sh);
  let entries: u32 = 0;
  for (let b: u32 = 0; b < buckets; b++) {
    let bucket = bucketAddress(sh, b);
    for (let n: u32 = 0; true; n++) {
      if (n == CHAIN_MAX) return 30;
      let word: u64 = 0;
      for (let i = 0; i < 8; i++) {
        word = load<u64>(bucket + <usize>(i << 3));
        if (!word || isLink(word)) continue;
        const entry = <usize>(<u32>word);
        if (bucketOf(load<u32>(entry, E_HASH), buckets) != b) return 31;
        if (slotNaming(sh, load<u32>(entry, E_HASH), entry) != bucket + <usize>(i << 3)) return 32;
        const bytes = entryBytes(entry);
        if (bytes <= SMALL_MAX) {
          if (<u32>load<u8>(recordOf(sh, pageOf(sh, entry)), P_KIND) != classOf(bytes)) return 33;
          chunks++;
        } else {
          if (!checkLarge(sh, entry, bytes)) return 34;
          if (!countChain(sh, entry)) return 35;
        }
        entries++;
      }
      if (!isLink(word)) break;
      bucket = linked(word);
    }
  }
  return entries == load<u32>(sh, SH_COUNT) + load<u32>(sh, SH_COUNT + 4) ? 0 : 36;
}

function walkPages(sh: usize): i32 {
  let live: u32 = 0;
  let whole: u32 = 0;
  let free: u32 = 0;
  let index: u32 = 0;
  let ghosts: u32 = 0;
  const carved = load<u32>(sh, SH_CARVED);
  if (carved > load<u32>(sh, SH_PAGES)) return 40;
  for (let cls: u32 = 1; cls <= CLASSES; cls++) store<u32>(mySlot + SLOT_COPY + <usize>(cls << 2), 0);
  for (let page: u32 = 0; page < carved; page++) {
    const record = recordOf(sh, page);
    const kind = <u32>load<u8>(record, P_KIND);
    if (kind == KIND_WHOLE) whole++;
    else if (kind == KIND_FREE) free++;
    else if (kind == KIND_INDEX || kind == KIND_OVERFLOW) index++;
    else if (kind == KIND_GHOST) ghosts++;
    else if (kind <= CLASSES) {
      const size = classSize(kind);
      const used = <u32>load<u8>(record, P_LIVE);
      let spare: u32 = 0;
      for (let at = <u32>load<u16>(record, P_FREE); at; at = load<u32>(<usize>(load<u32>(sh, SH_BASE) + (page << 12) + ((at - 1) << 3)), 8)) {
        if (((at - 1) << 3) % size || ((at - 1) << 3) >= <u32>load<u16>(record, P_CARVED) || ++spare > 64) return 41;
      }
      spare += (PAGE_SIZE - <u32>load<u16>(record, P_CARVED)) / size;
      if (used + spare != classChunks(kind)) return 42;
      live += used;
      const sum = mySlot + SLOT_COPY + <usize>(kind << 2);
      store<u32>(sum, load<u32>(sum) + spare);
      if (used < classChunks(kind)) {
        // it stands in the list of its live count: its neighbour, or the head, names it
        const prev = load<u32>(record, P_PREV);
        const named = prev ? load<u32>(recordOf(sh, prev - 1), P_NEXT) : load<u32>(sh + SH_LISTS + <usize>(((kind << 6) + used) << 2));
        if (named != page + 1) return 43;
        if (!(load<u64>(sh + SH_CLASS_MAP + <usize>(kind << 3)) & (<u64>1 << <u64>used))) return 44;
      }
    } else return 45;
  }
  for (let cls: u32 = 1; cls <= CLASSES; cls++) {
    if (load<u32>(sh + SH_CLASS_FREE + <usize>(cls << 2)) != load<u32>(mySlot + SLOT_COPY + <usize>(cls << 2))) return 46;
  }
  if (live != chunks) return 47;
  if (whole != wholes) return 48;
  if (free != load<u32>(sh, SH_FREE_COUNT)) return 49;
  let listed: u32 = 0;
  for (let at = load<u32>(sh, SH_FREE); at; at = load<u32>(recordOf(sh, at - 1), P_NEXT)) if (++listed > free) return 50;
  if (listed != free) return 51;
  if (index != load<u32>(sh, SH_INDEX_PAGES) || ghosts != load<u32>(sh, SH_GHOST_PAGES)) return 52;
  return 0;
}

function walkCounters(sh: usize): i32 {
  for (let region: u32 = 0; region < REGIONS; region++) {
    const counter = counterOf(sh, region);
    const floor = load<u64>(counter, C_FLOOR);
    let entries: u64 = 0;
    let bytes: u64 = 0;
    if (!load<u64>(counter, C_COUNT) && !load<u64>(counter, C_BYTES) && region) continue;
    for (let queue: u32 = 0; queue < 2; queue++) {
      for (let entry = load<u32>(sh + <usize>(queue << 2), SH_HEAD); entry; entry = load<u32>(<usize>entry, E_NEXT)) {
        const meta = load<u32>(<usize>entry, E_META);
        if (regionOf(meta) != region || typeOf(meta) == TYPE_PLACEHOLDER || generationOf(load<u64>(<usize>entry, E_LENGTH)) < floor) continue;
        entries++;
        bytes += weightOf(entryBytes(<usize>entry));
      }
    }
    if (entries != load<u64>(counter, C_COUNT) || bytes != load<u64>(counter, C_BYTES)) return 60;
  }
  return 0;
}

/** Walks a shard: 0, CLOSED, or the number of the first rule that does not hold. */
export function debug_walk(shard: u32): i32 {
  const sh = shardAt(shard);
  if (lockShard(sh) < 0) return CLOSED;
  chunks = 0;
  wholes = 0;
  let result: i32 = atomic.load<u32>(sh, SH_COMMIT) ? 10 : 0;
  if (!result && atomic.load<u64>(sh, SH_STATE) & <u64>STATE_SPLITTING) result = 11;
  if (!result) result = walkQueue(sh, 0);
  if (!result) result = walkQueue(sh, 1);
  if (!result) result = walkIndex(sh);
  if (!result && load<u32>(sh, SH_FILLING) && !countChain(sh, <usize>load<u32>(sh, SH_FILLING))) result = 12;
  if (!result) {
    // the dead list: chains, the next one named behind the first piece's link
    for (let first = <usize>load<u32>(sh, SH_DEAD); first && !result; first = <usize>load<u32>(first + <usize>pieceSize(sh, first) - 4)) {
      if (!countChain(sh, first)) result = 13;
    }
  }
  if (!result) result = walkPages(sh);
  if (!result) result = walkCounters(sh);
  unlockShard(sh);
  return result;
}

/** Locks held in a shard right now: bit 0 its lock, 1 the large-value lock, 2 a commit is open. */
export function debug_held(shard: u32): u32 {
  const sh = shardAt(shard);
  return (atomic.load<u32>(sh, SH_LOCK) ? 1 : 0) | (atomic.load<u32>(sh, SH_LARGE) ? 2 : 0) | (atomic.load<u32>(sh, SH_COMMIT) ? 4 : 0);
}

/** Takes a shard's lock and traps: dies between two commits (0) or inside one (1). The shell takes it for a death. */
export function debug_die(shard: u32, inCommit: u32): void {
  const sh = shardAt(shard);
  if (lockShard(sh) < 0) return;
  if (inCommit) atomic.xchg<u32>(sh + SH_COMMIT, 1); // not a commit: the check of commits looks for plain atomic stores
  unreachable();
}

/** A number of a shard, for tests: 0 entries, 1 free pages listed, 2 drops, 3 buckets, 4 index pages, 5 ghost pages. */
export function debug_number(shard: u32, what: u32): f64 {
  const sh = shardAt(shard);
  switch (what) {
    case 0: return <f64>(load<u32>(sh, SH_COUNT) + load<u32>(sh, SH_COUNT + 4));
    case 1: return <f64>load<u32>(sh, SH_FREE_COUNT);
    case 2: return <f64>load<u32>(sh, SH_DROPS);
    case 3: return <f64>bucketCount(sh);
    case 4: return <f64>load<u32>(sh, SH_INDEX_PAGES);
    default: return <f64>load<u32>(sh, SH_GHOST_PAGES);
  }
}
