// Reading without a lock (I3). The order, and why each step stands where it does (docs/locking.md has the interleavings):
//
//   note the index state · probe the bucket: note a slot word · note the entry's version · compare the key, copy ·
//   the slot word again · the version again · the state's epoch again
//
// The version is noted before the copy, or it would bless a copy half overwritten. A slot that still says the same may
// say so again (deleted and set anew in the same chunk): the version tells. The epoch is last: after a drop, bucket and
// chunk may hold anything. A key that differs counts only after the same checks, a miss only if the whole state stood
// still. Whatever is read before the checks is range-checked before use, so garbage is a mismatch and never a trap.
//
// A bare read copies nothing: it says which version stood at which address, which is all that a thread needs that has that
// version decoded. Who has not copies afterwards (`store_copy`) and makes the three checks again, as large values do: the slot's
// word, the version and the epoch must still be those that were noted.
//
// A hit writes nothing but one compare-exchange on the word that it checked, while the frequency is below 3 (I3a).
import {
  AGAIN, BUCKET_SIZE, CHAIN_MAX, CLOSED, E_CREATED, E_EXPIRES, E_HASH, E_LENGTH, E_META, E_SIZE, E_WORD, EPOCH_SHIFT,
  FREQUENCY_MASK, G_CLEARED, H_SHARD_STRIDE, H_SHARD_TABLE, H_SHARDS, LENGTH_MASK, META_IDENTITY, META_REGION_SHIFT,
  META_V_SHIFT, META_WIDE, MISS, PAGE_SIZE, PIECE_LINK, PIECE_PAYLOAD, PIECE_SIZE, R_ADDRESS, R_BYTES, R_CREATED, R_ELSEWHERE,
  R_EXPIRES, R_GENERATION, R_HASH_LOW, R_KEY_LENGTH, R_KEY_META, R_LENGTH, R_NUMBER, R_SHARD, R_SLOT, R_SLOT_WORD, R_STATE, R_V,
  R_VERSION, R_VERSION_BITS, READ_TRIES,
  S_HITS, S_LOCKED_READS, S_MISSES, S_RETRIES, SH_BASE, SH_END, SH_STATE, SLOT_COPY, SLOT_NOW, SLOT_NOW_LEFT,
  SLOT_STAGE, SMALL_MAX, STATE_CLOSED, STATE_SPLITTING, TOO_LONG, TYPE_NUMBER, TYPE_PLACEHOLDER, TYPE_TEXT, VERSION_SHIFT, WHOLE_PAYLOAD,
} from './layout';
import { generationOf, keyBytes, regionOf, regionRow, typeOf } from './eviction';
import { hashKey } from './hash';
import { bucketAddress, bucketCount, bucketOf, isLink, linked, lowPower, walkChain } from './index-table';
import { lockShard, unlockShard } from './lock';
import { stageText } from './text';
import { barrier, count, mySlot } from './threads';

/** The engine's clock, epoch ms. Asked outside every lock; the shell's wrapper never throws. */
@external('clock', 'now') declare function clockNow(): f64;

export const PEEK = 1; //  no frequency, no statistics
export const QUIET = 2; // no statistics
export const BARE = 4; //  only address and version are told: the shell may have it decoded, else it asks `store_copy`
export const TEXT = 8; //  with BARE: strings are copied all the same, like numbers

@inline export function shardOf(hash: u64): usize {
  const bits = load<u32>(0, H_SHARDS) - 1;
  return <usize>(load<u32>(0, H_SHARD_TABLE) + (<u32>(hash >> 56) & bits) * load<u32>(0, H_SHARD_STRIDE));
}

@inline export function shardAt(number: u32): usize {
  return <usize>(load<u32>(0, H_SHARD_TABLE) + number * load<u32>(0, H_SHARD_STRIDE));
}

@inline export function identityOf(keyLength: u32, keyMeta: u32): u32 {
  return ((keyMeta >> 1) << META_REGION_SHIFT) | (keyMeta & 1 ? META_WIDE : 0) | keyLength;
}

/**
 * Whether the key at `a` is the one at `b`. A rest is compared with what stands before it, or, in a key of less than a word,
 * by a word that ends inside the smallest chunk.
 */
@inline function sameBytes(a: usize, b: usize, length: u32): bool {
  if (length < 8) return !length || ((load<u64>(a) ^ load<u64>(b)) << <u64>((8 - length) << 3)) == 0;
  const last = a + <usize>(length - 8);
  while (a < last) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  return load<u64>(last) == load<u64>(b - (a - last));
}

/**
 * One bit for each slot of a bucket that has the tag: four at a time, since a loop over slots ends at another one each time
 * and is never predicted. Only a hint: whoever follows it loads the slot's word by itself. Lanes of eight bytes are not torn.
 */
@inline export function slotsWith(tag: u32, bucket: usize): u32 {
  const wanted = i32x4.splat(tag);
  const first = v128.shuffle<u32>(v128.load(bucket), v128.load(bucket, 16), 1, 3, 5, 7);
  const second = v128.shuffle<u32>(v128.load(bucket, 32), v128.load(bucket, 48), 1, 3, 5, 7);
  return <u32>i32x4.bitmask(i32x4.eq(first, wanted)) | (<u32>i32x4.bitmask(i32x4.eq(second, wanted)) << 4);
}

@inline function keyOffset(meta: u32): usize {
  return typeOf(meta) == TYPE_NUMBER ? E_SIZE + 8 : E_SIZE;
}

@inline function setVersion(slot: usize, word: u64): void {
  store<f64>(slot, <f64><i64>(word >> VERSION_SHIFT), R_VERSION);
  store<u64>(slot, word >> VERSION_SHIFT, R_VERSION_BITS);
}

/**
 * Writes what stands in an entry to this thread's results and, if it is small and `copy` asks for it, its value to the copy
 * area. The entry may change meanwhile: the caller checks. False: what stands there cannot be an entry.
 */
@inline function copyOut(entry: usize, meta: u32, copy: bool): bool {
  const slot = mySlot; // a local: a global is loaded anew each time
  const lengths = load<u64>(entry, E_LENGTH);
  const length = <u32>lengths & LENGTH_MASK;
  const offset = keyOffset(meta) + <usize>keyBytes(meta);
  const bytes = <u32>offset + length;
  store<u32>(slot, <u32>entry, R_ADDRESS);
  store<u32>(slot, length, R_LENGTH);
  store<u32>(slot, bytes, R_BYTES);
  store<u32>(slot, meta >> META_V_SHIFT, R_V);
  store<u32>(slot, load<u32>(entry, E_HASH), R_HASH_LOW);
  store<u64>(slot, atomic.load<u64>(entry, E_EXPIRES), R_EXPIRES);
  store<u64>(slot, load<u64>(entry, E_CREATED), R_CREATED);
  store<f64>(slot, <f64><i64>generationOf(lengths), R_GENERATION);
  store<u32>(slot, <u32>offset, R_ELSEWHERE);
  store<u32>(slot, keyBytes(meta), R_KEY_LENGTH);
  store<u32>(slot, (regionOf(meta) << 1) | <u32>((meta & META_WIDE) != 0), R_KEY_META);
  if (typeOf(meta) == TYPE_NUMBER) store<u64>(slot, atomic.load<u64>(entry, E_SIZE), R_NUMBER);
  if (bytes > SMALL_MAX) return true;
  if ((<u32>entry & (PAGE_SIZE - 1)) + bytes > PAGE_SIZE) return false;
  if (copy && length) memory.copy(slot + SLOT_COPY, entry + offset, length);
  return true;
}

/** Under the lock: the same for an entry that cannot change, its version included. */
export function copyEntry(entry: usize, meta: u32): void {
  copyOut(entry, meta, true);
  setVersion(mySlot, atomic.load<u64>(entry, E_WORD));
}

/** The clock for a hit: a reading that the shell left in the slot, while it may be used. */
@inline function hitNow(): f64 {
  const left = load<u32>(mySlot, SLOT_NOW_LEFT);
  if (!left) return clockNow();
  store<u32>(mySlot, left - 1, SLOT_NOW_LEFT);
  return load<f64>(mySlot, SLOT_NOW);
}

/** After the checks: whether the value stands for its region and its time. `now` below 0: ask the clock if it matters. */
@inline function stands(meta: u32, generation: u64, expires: f64, now: f64): bool {
  if (typeOf(meta) == TYPE_PLACEHOLDER) return false;
  if (generation < atomic.load<u64>(regionRow(regionOf(meta)), G_CLEARED)) return false;
  return expires == 0 || (now < 0 ? hitNow() : now) <= expires;
}

/** One try. Type of the value, MISS, CLOSED, or AGAIN: a check failed. */
function readOnce(sh: usize, hash: u64, identity: u32, keyLength: u32, flags: u32): i32 {
  const state = atomic.load<u64>(sh, SH_STATE);
  if (state & <u64>STATE_CLOSED) return CLOSED;
  const buckets = <u32>state;
  const low = <u32>hash;
  const tag = <u32>(hash >> 32);
  const base = load<u32>(sh, SH_BASE);
  const end = load<u32>(sh, SH_END);
  const my = mySlot; // a local: a global is loaded anew each time
  const key = my + SLOT_STAGE;
  const b = bucketOf(low, buckets);
  let second: bool = (state & <u64>STATE_SPLITTING) != 0 && b == buckets - 1;
  let bucket = bucketAddress(sh, second ? b - lowPower(b) : b);
  if (<u32>bucket < base || <u32>bucket > end - BUCKET_SIZE) return AGAIN;
  while (true) {
    for (let n: u32 = 0; true; n++) {
      if (n == CHAIN_MAX) return AGAIN;
      for (let slots = slotsWith(tag, bucket); slots; slots &= slots - 1) {
        const slot = bucket + <usize>(ctz(slots) << 3);
        const word = atomic.load<u64>(slot);
        if (<u32>(word >> 32) != tag || !word || isLink(word)) continue;
        const at = <u32>word;
        if (at < base || at > end - E_SIZE || at & 7) return AGAIN;
        const entry = <usize>at;
        const version = atomic.load<u64>(entry, E_WORD);
        const meta = load<u32>(entry, E_META);
        const offset = keyOffset(meta);
        if ((meta & META_IDENTITY) != identity || (at & (PAGE_SIZE - 1)) + <u32>offset + keyLength > PAGE_SIZE || !sameBytes(key, entry + offset, keyLength)) {
          barrier();
          if (atomic.load<u64>(slot) != word || atomic.load<u64>(entry, E_WORD) >> VERSION_SHIFT != version >> VERSION_SHIFT || atomic.load<u64>(sh, SH_STATE) >> EPOCH_SHIFT != state >> EPOCH_SHIFT) return AGAIN;
          continue;
        }
        const generation = generationOf(load<u64>(entry, E_LENGTH));
        const expires = reinterpret<f64>(atomic.load<u64>(entry, E_EXPIRES));
        const bare: bool = (flags & BARE) != 0 && typeOf(meta) > (flags & TEXT ? TYPE_TEXT : TYPE_NUMBER);
        const whole: bool = bare || copyOut(entry, meta, true);
        barrier();
        if (atomic.load<u64>(slot) != word) return AGAIN;
        const now = atomic.load<u64>(entry, E_WORD);
        if (now >> VERSION_SHIFT != version >> VERSION_SHIFT) return AGAIN;
        if (atomic.load<u64>(sh, SH_STATE) >> EPOCH_SHIFT != state >> EPOCH_SHIFT || !whole) return AGAIN;
        // a `touch` may have come between copy and clock: then no moment of this read saw it expired
        if (!stands(meta, generation, expires, -1)) return atomic.load<u64>(entry, E_EXPIRES) == reinterpret<u64>(expires) ? MISS : AGAIN;
        setVersion(my, version);
        store<u32>(my, at, R_ADDRESS);
        store<u32>(my, low, R_HASH_LOW);
        store<u32>(my, <u32>sh, R_SHARD);
        store<u32>(my, <u32>slot, R_SLOT);
        store<u64>(my, word, R_SLOT_WORD);
        store<u64>(my, state, R_STATE);
        if (!(flags & PEEK) && (<u32>now & FREQUENCY_MASK) < FREQUENCY_MASK) atomic.cmpxchg<u64>(entry, now, now + 1, E_WORD);
        return typeOf(meta);
      }
      const last = atomic.load<u64>(bucket, 56);
      if (!isLink(last)) break;
      bucket = linked(last);
      if (<u32>bucket < base || <u32>bucket > end - BUCKET_SIZE) return AGAIN;
    }
    if (!second) break;
    second = false;
    bucket = bucketAddress(sh, b);
    if (<u32>bucket < base || <u32>bucket > end - BUCKET_SIZE) return AGAIN;
  }
  barrier();
  return atomic.load<u64>(sh, SH_STATE) == state ? MISS : AGAIN;
}

function lookUp(hash: u64, keyLength: u32, keyMeta: u32, flags: u32): i32 {
  const sh = shardOf(hash);
  const identity = identityOf(keyLength, keyMeta);
  for (let n: u32 = 0; n < READ_TRIES; n++) {
    const found = readOnce(sh, hash, identity, keyLength, flags);
    if (found != AGAIN) {
      if (!(flags & (PEEK | QUIET))) count(found >= 0 ? S_HITS : S_MISSES);
      return found;
    }
    count(S_RETRIES);
  }
  const found = store_get_locked(keyLength, keyMeta, flags & (PEEK | QUIET));
  if (found >= 0) store_unlock();
  return found;
}

/**
 * Reads the key in the staging area. Type of the value (its fields are in the results, a small value in the copy area),
 * MISS or CLOSED. A large value is only named: the shell copies its pieces (`pieces`) and then asks `check`.
 */
export function store_get(keyLength: u32, keyMeta: u32, flags: u32): i32 {
  return lookUp(hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta), keyLength, keyMeta, flags);
}

/** The same for a key that no one has written to the staging area: written, hashed and found in one call. */
export function store_find(key: externref, region: u32, flags: u32): i32 {
  const staged = stageText(key);
  if (staged < 0) return TOO_LONG;
  return store_get(<u32>staged >> 1, (region << 1) | (<u32>staged & 1), flags);
}

// The same in two calls, for a shell that has something to do in between: the key that was noted (Wasm globals: this thread's). It
// must still stand in the staging area when it is looked for, so nothing else of this thread may write there or run meanwhile.
let notedHash: u64 = 0;
let notedMeta: u32 = 0;
let notedLength: i32 = -1; // below 0: none, or it was too long

/** Notes the key in the staging area for `store_look`. Returns the low half of its hash, by which decoded values are kept. */
export function store_note(keyLength: u32, keyMeta: u32): u32 {
  notedHash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  notedMeta = keyMeta;
  notedLength = keyLength;
  return <u32>notedHash;
}

export function store_note_text(key: externref, region: u32): u32 {
  const staged = stageText(key);
  if (staged >= 0) return store_note(<u32>staged >> 1, (region << 1) | (<u32>staged & 1));
  notedLength = -1;
  return 0;
}

/** `store_get` of the key that was noted, or TOO_LONG. */
export function store_look(flags: u32): i32 {
  return notedLength < 0 ? TOO_LONG : lookUp(notedHash, notedLength, notedMeta, flags);
}

/** The same under the shard's lock, which stays held when a value was found: the shell copies, then calls `store_unlock`. */
export function store_get_locked(keyLength: u32, keyMeta: u32, flags: u32): i32 {
  const hash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  const sh = shardOf(hash);
  const now = clockNow(); // before the lock: a clock may be the user's
  count(S_LOCKED_READS);
  if (lockShard(sh) < 0) return CLOSED;
  store<u32>(mySlot, <u32>sh, R_SHARD);
  const entry = findLocked(sh, hash, identityOf(keyLength, keyMeta), keyLength);
  if (entry) {
    const meta = load<u32>(entry, E_META);
    const word = atomic.load<u64>(entry, E_WORD);
    copyOut(entry, meta, true);
    setVersion(mySlot, word);
    store<u32>(mySlot, <u32>foundSlot, R_SLOT);
    store<u64>(mySlot, load<u64>(foundSlot), R_SLOT_WORD);
    store<u64>(mySlot, atomic.load<u64>(sh, SH_STATE), R_STATE);
    if (stands(meta, generationOf(load<u64>(entry, E_LENGTH)), load<f64>(entry, E_EXPIRES), now)) {
      if (!flags) count(S_HITS);
      return typeOf(meta);
    }
  }
  unlockShard(sh);
  if (!flags) count(S_MISSES);
  return MISS;
}

export function store_unlock(): void {
  unlockShard(<usize>load<u32>(mySlot, R_SHARD));
}

/** After the shell's copy of a large value: 1 if what was read is what stood there, 0: read again. */
export function store_check(): i32 {
  const sh = <usize>load<u32>(mySlot, R_SHARD);
  barrier();
  if (atomic.load<u64>(<usize>load<u32>(mySlot, R_SLOT)) != load<u64>(mySlot, R_SLOT_WORD)) return 0;
  if (<f64>(atomic.load<u64>(<usize>load<u32>(mySlot, R_ADDRESS)) >> VERSION_SHIFT) != load<f64>(mySlot, R_VERSION)) return 0;
  return atomic.load<u64>(sh, SH_STATE) >> EPOCH_SHIFT == load<u64>(mySlot, R_STATE) >> EPOCH_SHIFT;
}

/**
 * After a BARE read: what stands in the entry, to the results, and a small value to the copy area. 1: it is what was read; 0:
 * read again.
 */
export function store_copy(): i32 {
  const entry = <usize>load<u32>(mySlot, R_ADDRESS);
  return copyOut(entry, load<u32>(entry, E_META), true) && store_check();
}

/**
 * Writes up to 256 piece addresses of a large entry of `bytes` to the copy area, beginning with piece `address`, which is
 * number `from`. Returns how many; fewer than are left means that a link was none (a changed entry). Reads racing memory.
 */
export function store_pieces(address: u32, bytes: u32, from: u32): u32 {
  const sh = <usize>load<u32>(mySlot, R_SHARD);
  const base = load<u32>(sh, SH_BASE);
  const end = load<u32>(sh, SH_END);
  const whole = bytes >= WHOLE_PAYLOAD ? bytes / WHOLE_PAYLOAD : 0;
  const rest = bytes - whole * WHOLE_PAYLOAD;
  const total = whole + (rest + PIECE_PAYLOAD - 1) / PIECE_PAYLOAD;
  let n: u32 = 0;
  for (let piece = from; piece < total && n < 256; piece++) {
    const size: u32 = piece < whole ? PAGE_SIZE : PIECE_SIZE;
    const last = piece + 1 == total;
    if (address < base || address & 7 || address > end - (last ? 64 : size) || (!last && (address & (PAGE_SIZE - 1)) + size > PAGE_SIZE)) return n;
    store<u32>(mySlot + SLOT_COPY + <usize>(n << 2), address);
    n++;
    if (!last) address = load<u32>(<usize>(address + size - PIECE_LINK));
  }
  return n;
}

// ---- Under the lock

/** Slot that names the entry that `findLocked` found. */
export let foundSlot: usize = 0;

/** Under the lock: the entry of the key in the staging area. 0: none; then freeSlot, lastBucket and chainLength are set. */
export function findLocked(sh: usize, hash: u64, identity: u32, keyLength: u32): usize {
  const tag = <u32>(hash >> 32);
  const key = mySlot + SLOT_STAGE;
  const first = bucketAddress(sh, bucketOf(<u32>hash, bucketCount(sh)));
  let bucket = first;
  while (true) {
    for (let slots = slotsWith(tag, bucket); slots; slots &= slots - 1) {
      const slot = bucket + <usize>(ctz(slots) << 3);
      const word = load<u64>(slot);
      if (!word || isLink(word)) continue;
      const entry = <usize>(<u32>word);
      const meta = load<u32>(entry, E_META);
      if ((meta & META_IDENTITY) == identity && sameBytes(key, entry + keyOffset(meta), keyLength)) {
        foundSlot = slot;
        return entry;
      }
    }
    const last = load<u64>(bucket, 56);
    if (!isLink(last)) break;
    bucket = linked(last);
  }
  walkChain(first);
  return 0;
}
