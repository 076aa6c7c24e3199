// Everything else that is done to entries: delete, touch, the two halves of a fenced creation, and the walk over keys.
// All of it under the shard's lock, each change one commit or one aligned word.
import {
  ABSENT, C_BYTES, C_COUNT, C_FLOOR, CHANGED, CLOSED, E_CREATED, E_EXPIRES, E_HASH, E_LENGTH, E_META, E_SIZE, E_WORD,
  FREQUENCY_MASK, G_CLEARED, G_GENERATION, GENERATION_SHIFT, H_CLEARS, H_SHARDS, META_WIDE, MISS, MODE_ADD,
  PAGE_SIZE, R_CURSOR, R_GENERATION, R_KEY_LENGTH, R_KEY_META, R_SHARD, R_SLOT, R_SLOT_WORD, R_STATE, R_VERSION,
  S_DELETES, SH_GHOST_PAGES, SH_INDEX_PAGES, SH_STATE, SLOT_STAGE, TYPE_NUMBER, TYPE_PLACEHOLDER,
  VERSION_SHIFT,
} from './layout';
import {
  counterOf, currentGeneration, isGone, keyBytes, regionOf, regionRow, removeEntry, setClocks, typeOf,
} from './eviction';
import { hashKey } from './hash';
import { bucketAddress, bucketCount, bucketOf, isLink, linked, lowPower } from './index-table';
import { lockShard, unlockShard } from './lock';
import { copyEntry, findLocked, foundSlot, identityOf, shardAt, shardOf } from './read';
import { mayExpire } from './sweep';
import { count, mySlot } from './threads';
import { store_put } from './write';

/** Removes the key. 1: a value stood there; 0: none (a placeholder goes too); CHANGED: not with version `expect` (0: any). */
export function store_delete(keyLength: u32, keyMeta: u32, now: f64, mono: f64, expect: f64): i32 {
  setClocks(now, mono);
  const hash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  const sh = shardOf(hash);
  if (lockShard(sh) < 0) return CLOSED;
  const entry = findLocked(sh, hash, identityOf(keyLength, keyMeta), keyLength);
  let result: i32 = expect != 0 ? CHANGED : 0;
  if (entry && (expect == 0 || <f64>(atomic.load<u64>(entry, E_WORD) >> VERSION_SHIFT) == expect)) {
    result = typeOf(load<u32>(entry, E_META)) != TYPE_PLACEHOLDER && !isGone(entry) ? 1 : 0;
    removeEntry(sh, entry, false);
    if (result) count(S_DELETES);
  }
  unlockShard(sh);
  return result;
}

/** Gives the value a new expiry (0: never). 1, or ABSENT. One aligned word: readers load it atomically. */
export function store_touch(keyLength: u32, keyMeta: u32, now: f64, mono: f64, expires: f64): i32 {
  setClocks(now, mono);
  const hash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  const sh = shardOf(hash);
  if (lockShard(sh) < 0) return CLOSED;
  const entry = findLocked(sh, hash, identityOf(keyLength, keyMeta), keyLength);
  let result: i32 = ABSENT;
  if (entry && typeOf(load<u32>(entry, E_META)) != TYPE_PLACEHOLDER && !isGone(entry)) {
    atomic.store<u64>(entry, reinterpret<u64>(expires), E_EXPIRES);
    if (expires != 0) mayExpire(sh);
    result = 1;
  }
  unlockShard(sh);
  return result;
}

/**
 * Begins a creation (docs/dogpile.md, tokens): the second read and the marking in one hold of the lock. A value that
 * stands: its type, with its fields in the results, its version as the token, its frequency at the maximum. Otherwise MISS
 * with the version of the placeholder: one that stands, its leases over or not, is shared and its time starts anew.
 */
export function store_begin(keyLength: u32, keyMeta: u32, now: f64, mono: f64, reclaimAt: f64, v: u32): i32 {
  setClocks(now, mono);
  const hash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  const sh = shardOf(hash);
  if (lockShard(sh) < 0) return CLOSED;
  const generation = <f64>currentGeneration(regionRow(keyMeta >> 1));
  const entry = findLocked(sh, hash, identityOf(keyLength, keyMeta), keyLength);
  if (entry) {
    const meta = load<u32>(entry, E_META);
    if (typeOf(meta) == TYPE_PLACEHOLDER) {
      if (!cleared(entry)) {
        atomic.store<u64>(entry, reinterpret<u64>(reclaimAt), E_CREATED);
        store<f64>(mySlot, <f64>(atomic.load<u64>(entry, E_WORD) >> VERSION_SHIFT), R_VERSION);
        store<f64>(mySlot, generation, R_GENERATION);
        unlockShard(sh);
        return MISS;
      }
    } else if (!isGone(entry)) {
      const word = atomic.load<u64>(entry, E_WORD) | FREQUENCY_MASK;
      atomic.store<u64>(entry, word, E_WORD);
      copyEntry(entry, meta);
      store<u32>(mySlot, <u32>sh, R_SHARD);
      store<u32>(mySlot, <u32>foundSlot, R_SLOT);
      store<u64>(mySlot, load<u64>(foundSlot), R_SLOT_WORD);
      store<u64>(mySlot, atomic.load<u64>(sh, SH_STATE), R_STATE);
      unlockShard(sh);
      return typeOf(meta);
    }
    removeEntry(sh, entry, false);
  }
  unlockShard(sh);
  // Between the two holds another may set a value or mark: then ask again
  const put = store_put(keyLength, keyMeta, 0, TYPE_PLACEHOLDER, v, MODE_ADD, now, mono, 0, reclaimAt, generation, 0);
  if (put == 0) {
    store<f64>(mySlot, generation, R_GENERATION);
    return MISS;
  }
  return put;
}

/** Whether an entry lies below its region's cleared floor. */
@inline function cleared(entry: usize): bool {
  return load<u64>(entry, E_LENGTH) >> GENERATION_SHIFT < atomic.load<u64>(regionRow(regionOf(load<u32>(entry, E_META))), G_CLEARED);
}

/** Ends a creation that stored nothing: takes its own placeholder away, if that still stands. */
export function store_end(keyLength: u32, keyMeta: u32, now: f64, mono: f64, token: f64): i32 {
  setClocks(now, mono);
  const hash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  const sh = shardOf(hash);
  if (lockShard(sh) < 0) return CLOSED;
  const entry = findLocked(sh, hash, identityOf(keyLength, keyMeta), keyLength);
  if (entry && typeOf(load<u32>(entry, E_META)) == TYPE_PLACEHOLDER && <f64>(atomic.load<u64>(entry, E_WORD) >> VERSION_SHIFT) == token) {
    removeEntry(sh, entry, false);
  }
  unlockShard(sh);
  return 0;
}

/** Version of what stands under the key, a placeholder too; 0: nothing does. */
export function store_version(keyLength: u32, keyMeta: u32): f64 {
  const hash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  const sh = shardOf(hash);
  if (lockShard(sh) < 0) return CLOSED;
  const entry = findLocked(sh, hash, identityOf(keyLength, keyMeta), keyLength);
  const version = entry ? <f64>(atomic.load<u64>(entry, E_WORD) >> VERSION_SHIFT) : 0;
  unlockShard(sh);
  return version;
}

// ---- Walking over keys

@inline function reverse(x: u32): u32 {
  x = ((x >> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  x = ((x >> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  return bswap<u32>(x);
}

/**
 * Finds the next key of a region in a shard behind the position in R_CURSOR (the first call stores 0): 1 with the key in
 * the staging area, 0: no more. Positions are hashes, low half reversed, high half behind it: in that order a bucket is an
 * interval and a split cuts it in two, so a walk meets each key that stays put exactly once.
 */
export function store_scan(shard: u32, region: u32, now: f64, mono: f64): i32 {
  setClocks(now, mono);
  const sh = shardAt(shard);
  let cursor = load<u64>(mySlot, R_CURSOR);
  if (lockShard(sh) < 0) return CLOSED;
  for (let n = 0; n < 256; n++) {
    const buckets = bucketCount(sh);
    const b = bucketOf(reverse(<u32>(cursor >> 32)), buckets);
    let best: u64 = ~(<u64>0);
    let found: usize = 0;
    let bucket = bucketAddress(sh, b);
    while (true) {
      let word: u64 = 0;
      for (let i = 0; i < 8; i++) {
        word = load<u64>(bucket + <usize>(i << 3));
        if (!word || isLink(word)) continue;
        const entry = <usize>(<u32>word);
        const position = (<u64>reverse(load<u32>(entry, E_HASH)) << 32) | (word >> 32);
        if (position < cursor || position >= best) continue;
        const meta = load<u32>(entry, E_META);
        if (regionOf(meta) != region || typeOf(meta) == TYPE_PLACEHOLDER || isGone(entry)) continue;
        best = position;
        found = entry;
      }
      if (!isLink(word)) break;
      bucket = linked(word);
    }
    if (found) {
      const meta = load<u32>(found, E_META);
      memory.copy(mySlot + SLOT_STAGE, found + (typeOf(meta) == TYPE_NUMBER ? E_SIZE + 8 : E_SIZE), keyBytes(meta));
      store<u32>(mySlot, keyBytes(meta), R_KEY_LENGTH);
      store<u32>(mySlot, (region << 1) | (meta & META_WIDE ? 1 : 0), R_KEY_META);
      store<u64>(mySlot, best + 1, R_CURSOR);
      unlockShard(sh);
      return best == ~(<u64>0) ? 0 : 1;
    }
    // the interval of this bucket ends where its low bits, reversed, have their next value
    const low = lowPower(buckets);
    const size = (b < buckets - low || b >= low) ? low + low : low;
    const width = <u64>1 << <u64>(64 - ctz<u32>(size));
    const start = cursor & ~(width - 1);
    cursor = start + width;
    if (cursor == 0) {
      unlockShard(sh);
      return 0;
    }
  }
  store<u64>(mySlot, cursor, R_CURSOR);
  unlockShard(sh);
  return 2; // nothing yet: call again
}

// ---- Counts and floors

/** Adds up a region's entries (`what` 0) or bytes (1) over all shards; region 64: all regions' bytes, index and ghost pages. */
export function region_count(region: u32, what: u32): f64 {
  let sum: f64 = 0;
  const shards = load<u32>(0, H_SHARDS);
  for (let s: u32 = 0; s < shards; s++) sum += counted(shardAt(s), region, what);
  return sum;
}

@inline function counted(sh: usize, region: u32, what: u32): f64 {
  const counter = counterOf(sh, region);
  const floor = atomic.load<u64>(counter, C_FLOOR);
  if (floor != atomic.load<u64>(regionRow(region), G_CLEARED)) return 0;
  return <f64>(what ? atomic.load<u64>(counter, C_BYTES) : atomic.load<u64>(counter, C_COUNT));
}

function raiseTo(at: usize, generation: u64): void {
  let seen = atomic.load<u64>(at);
  while (seen < generation) {
    const was = atomic.cmpxchg<u64>(at, seen, generation);
    if (was == seen) return;
    seen = was;
  }
}

/** Bytes of index, overflow and ghost pages over all shards. */
export function index_bytes(): f64 {
  let sum: f64 = 0;
  const shards = load<u32>(0, H_SHARDS);
  for (let s: u32 = 0; s < shards; s++) sum += <f64>(load<u32>(shardAt(s), SH_INDEX_PAGES) + load<u32>(shardAt(s), SH_GHOST_PAGES)) * PAGE_SIZE;
  return sum;
}

/**
 * Raises a floor of the region (G_CLEARED, G_HARD, G_SOFT) to a new generation: the floor first, then the counter. Writers
 * take the highest of all four, so no entry of the new generation is ever counted under the old floor, and a death between
 * the two changes nothing.
 */
export function region_raise(region: u32, floor: u32): void {
  const row = regionRow(region);
  const generation = currentGeneration(row) + 1;
  raiseTo(row + <usize>floor, generation);
  raiseTo(row + G_GENERATION, generation);
  if (floor == G_CLEARED) atomic.add<u32>(0, 1, H_CLEARS);
}
