// Writing under the shard's lock: small entries in one hold and one publishing commit, large ones in three parts.
//
// A small entry (header, key and value in one chunk, up to 1,024 bytes). JavaScript has written key and value to its
// staging area. Lock; a step of the sweep; look the key up (may this write go on? is it a miss for the policy?); make room;
// look it up again, which decides, since room may have been made of that very key; then one commit takes a chunk, copies,
// links, publishes (version, then slot) and frees the old chunk. Nothing is ever pending: died between two commits, nothing
// was begun.
//
// A large one. Under the shard's large-value lock its pieces are taken, one commit each, onto `filling`; the shard's lock
// is let go and JavaScript fills them; one commit publishes the entry and empties the list. Died in between: the list
// belongs to nobody from then on (room.ts). The chain that it replaced goes whole onto the dead list.
//
// Overwriting counts as a hit: the new entry takes the old one's place in its queue.
import {
  ABSENT, CHANGED, CLOSED, E_CREATED, E_EXPIRES, E_HASH, E_LENGTH, E_META, E_NEXT, E_PREV, E_SIZE, E_WORD, EXISTS,
  FREQUENCY_MASK, G_CLEARED, G_HARD, G_SOFT, GENERATION_SHIFT, META_TYPE_SHIFT, META_V_SHIFT, MODE_ADD, MODE_REPLACE,
  MODE_SET, MODE_VERSION, NOT_FINITE, QUEUE_BIT, R_ADDRESS, R_NUMBER, R_VERSION, REFUSED, S_REFUSED, S_SETS,
  SH_FILLING, SH_FILLING_LAST, SH_HEAD, SH_MISSES, SH_TAIL, SH_VERSION, SLOT_STAGE, SMALL_MAX, STAMP_MASK,
  STAMP_SHIFT, TYPE_NUMBER, TYPE_PLACEHOLDER, VERSION_SHIFT, WRONG_TYPE,
} from './layout';
import {
  addBytes, admit, afterInsert, counterOf, countIn, countOut, currentGeneration, entryBytes, generationOf, isGone,
  linkHead, nextVictim, queueOf, regionRow, removeEntry, setClocks, typeOf, unlink,
} from './eviction';
import { aheadOfKey, aheadOfRemoval } from './ahead';
import { stampNow, takeGhost } from './ghost';
import { hashKey } from './hash';
import { commitBegin, commitEnd, turn } from './hold';
import { freeSlot } from './index-table';
import { holdNumber, lockShard, unlockShard } from './lock';
import { findLocked, foundSlot, identityOf, shardOf } from './read';
import { growIndex, makeSlot, roomStep, startRoom } from './room';
import { buryChain, classOf, freePiece, fullestPage, takeChunk, weightOf } from './slab';
import { mayExpire, sweep } from './sweep';
import { barrier, count, mySlot } from './threads';

// The entry that is being written (Wasm globals: this thread's).
export let wHash: u64 = 0;
export let wIdentity: u32 = 0;
export let wKeyLength: u32 = 0;
export let wRegion: u32 = 0;
export let wMeta: u32 = 0;
export let wLengths: u64 = 0; // generation and value bytes
export let wBytes: u32 = 0; //   header, key and value
export let wStaged: u32 = 0; //  of them in the staging area
export let wWeight: u32 = 0;
export let wNumber: u64 = 0;
export let wExpires: f64 = 0;
export let wCreated: f64 = 0;
export let wMode: u32 = 0;
export let wExpect: u64 = 0;
export let wGeneration: u64 = 0;
export let wMiss: bool = false; // the key was missed at first: ghosts and `misses` were asked
export let wToMain: bool = false;
let wOld: usize = 0; //  what `firstLook` found, with `foundSlot` and `freeSlot` of index-table.ts,
let wHold: u32 = 0; //   in this hold of the lock

/** A generation of another region, copied with a value, must not lie above this one's: it would outlive a clear. */
@inline function least(a: u64, b: u64): u64 {
  return a < b ? a : b;
}

export function describe(keyLength: u32, keyMeta: u32, valueLength: u32, type: u32, v: u32, mode: u32, now: f64, mono: f64, expires: f64, created: f64, generation: f64, expect: f64): usize {
  setClocks(now, mono);
  wHash = hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta);
  wIdentity = identityOf(keyLength, keyMeta);
  wKeyLength = keyLength;
  wRegion = keyMeta >> 1;
  wMeta = wIdentity | (type << META_TYPE_SHIFT) | (v << META_V_SHIFT);
  wGeneration = generation < 0 ? currentGeneration(regionRow(wRegion)) : least(<u64>generation, currentGeneration(regionRow(wRegion)));
  wLengths = (wGeneration << GENERATION_SHIFT) | <u64>valueLength;
  wBytes = E_SIZE + keyLength + valueLength + (type == TYPE_NUMBER ? 8 : 0);
  wStaged = keyLength + valueLength;
  wWeight = weightOf(wBytes);
  wNumber = load<u64>(mySlot, R_NUMBER);
  wExpires = expires;
  wCreated = created;
  wMode = mode;
  wExpect = <u64>expect;
  wMiss = false;
  wToMain = false;
  return shardOf(wHash);
}

/** Whether the write may go on over what stands (0: nothing). 0, or the refusal. */
export function verdict(old: usize): i32 {
  if (wMode == MODE_SET) return 0;
  if (typeOf(wMeta) == TYPE_PLACEHOLDER) return old && (typeOf(load<u32>(old, E_META)) == TYPE_PLACEHOLDER || !isGone(old)) ? EXISTS : 0;
  const live = old && typeOf(load<u32>(old, E_META)) != TYPE_PLACEHOLDER && !isGone(old);
  if (wMode == MODE_ADD) return live ? EXISTS : 0;
  if (wMode == MODE_REPLACE) return live ? 0 : ABSENT;
  const version = old ? atomic.load<u64>(old, E_WORD) >> VERSION_SHIFT : 0;
  if (wMode == MODE_VERSION) return (live ? version : 0) == wExpect ? 0 : CHANGED;
  const row = regionRow(wRegion);
  if (!old || version != wExpect || wGeneration < atomic.load<u64>(row, G_CLEARED) || wGeneration < atomic.load<u64>(row, G_HARD) || wGeneration < atomic.load<u64>(row, G_SOFT)) return CHANGED;
  return 0;
}

/** Whether `old` is a value whose place the new one takes. */
@inline function inPlace(old: usize): bool {
  return old && typeOf(load<u32>(old, E_META)) != TYPE_PLACEHOLDER && wMeta >> META_TYPE_SHIFT != TYPE_PLACEHOLDER && !isGone(old);
}

/** The beginning of every write, in its hold of the lock. */
export function begin(sh: usize): void {
  const evicts = wBytes > SMALL_MAX || fullestPage(sh, classOf(wBytes)) < 0;
  aheadOfKey(sh, <u32>wHash, evicts);
  if (evicts) {
    const victim = nextVictim(sh);
    if (victim) aheadOfRemoval(sh, victim);
  }
  sweep(sh); // its entry comes with these
}

/** The first look: refuses, or asks the policy about a missed key. 0, or the refusal. */
export function firstLook(sh: usize): i32 {
  const old = findLocked(sh, wHash, wIdentity, wKeyLength);
  wOld = old;
  wHold = holdNumber;
  const refusal = verdict(old);
  if (refusal < 0) return refusal;
  if (typeOf(wMeta) != TYPE_PLACEHOLDER && !inPlace(old)) {
    wMiss = true;
    store<u64>(sh, load<u64>(sh, SH_MISSES) + <u64>wWeight, SH_MISSES);
    wToMain = admit(sh, takeGhost(sh, <u32>wHash, <u32>(wHash >> 32)), wWeight);
  }
  return 0;
}

@inline function drawVersion(sh: usize): u64 {
  return load<u64>(sh, SH_VERSION) & 0xffffffffffff;
}

/** The publishing commit. `large`: its first piece, filled and with its header; 0: a small one, from a page of `cls`. */
export function publish(sh: usize, old: usize, large: usize, cls: u32, page: u32): void {
  const slot = old ? foundSlot : freeSlot;
  const keeps = inPlace(old);
  const oldWord = old ? atomic.load<u64>(old, E_WORD) : 0;
  const oldQueue = queueOf(oldWord);
  const oldBytes = old ? entryBytes(old) : 0;
  const oldWeight = old ? weightOf(oldBytes) : 0;
  const oldCounted = old ? typeOf(load<u32>(old, E_META)) != TYPE_PLACEHOLDER : false;
  const oldGeneration = old ? generationOf(load<u64>(old, E_LENGTH)) : 0;
  const prev = old ? load<u32>(old, E_PREV) : 0;
  const next = old ? load<u32>(old, E_NEXT) : 0;
  const placeholder = typeOf(wMeta) == TYPE_PLACEHOLDER;
  const queue: u32 = keeps ? oldQueue : wToMain ? 1 : 0;
  const seen = <u32>oldWord & FREQUENCY_MASK;
  const frequency: u32 = keeps ? (seen < FREQUENCY_MASK ? seen + 1 : seen) : placeholder ? FREQUENCY_MASK : 0;
  const stamp = keeps ? <u32>(oldWord >> STAMP_SHIFT) & STAMP_MASK : stampNow(sh);
  const version = drawVersion(sh);
  const word = (version << VERSION_SHIFT) | <u64>((stamp << STAMP_SHIFT) | (queue << 2) | frequency);
  const counter = counterOf(sh, wRegion);
  const floor = atomic.load<u64>(regionRow(wRegion), G_CLEARED);
  const number = typeOf(wMeta) == TYPE_NUMBER;
  const offset: usize = number ? E_SIZE + 8 : E_SIZE;
  const lists = sh + <usize>(queue << 2);
  let entry = large;
  barrier(); // an eviction of this hold must be seen before its chunk is filled anew
  // commit: publish {
  commitBegin(sh);
  store<u64>(sh, version + 1, SH_VERSION);
  if (large) {
    store<u32>(sh, 0, SH_FILLING);
    store<u32>(sh, 0, SH_FILLING_LAST);
  } else {
    entry = takeChunk(sh, cls, page);
    store<u32>(entry, <u32>wHash, E_HASH);
    store<u32>(entry, wMeta, E_META);
    store<u64>(entry, wLengths, E_LENGTH);
    store<f64>(entry, wExpires, E_EXPIRES);
    store<f64>(entry, wCreated, E_CREATED);
    if (number) store<u64>(entry, wNumber, E_SIZE);
    memory.copy(entry + offset, mySlot + SLOT_STAGE, wStaged);
  }
  if (keeps) {
    store<u32>(entry, prev, E_PREV);
    store<u32>(entry, next, E_NEXT);
    if (prev) store<u32>(<usize>prev, <u32>entry, E_NEXT);
    else store<u32>(lists, <u32>entry, SH_HEAD);
    if (next) store<u32>(<usize>next, <u32>entry, E_PREV);
    else store<u32>(lists, <u32>entry, SH_TAIL);
    addBytes(sh, queue, <i64>wWeight - <i64>oldWeight, 0);
  } else {
    if (old) {
      unlink(sh, oldQueue, old);
      addBytes(sh, oldQueue, -<i64>oldWeight, -1);
    }
    linkHead(sh, queue, entry);
    addBytes(sh, queue, <i64>wWeight, 1);
  }
  atomic.store<u64>(entry, word, E_WORD); // the version before the slot: a sleeping reader of this chunk must not find both unchanged
  atomic.store<u64>(slot, (wHash & 0xffffffff00000000) | <u64>entry);
  if (oldCounted) countOut(counter, oldGeneration, oldWeight);
  if (!placeholder) countIn(counter, floor, wGeneration, wWeight);
  if (oldBytes > SMALL_MAX) buryChain(sh, old);
  else if (old) freePiece(sh, old);
  commitEnd(sh);
  // } commit
  turn();
  store<f64>(mySlot, <f64>version, R_VERSION);
  store<u32>(mySlot, <u32>entry, R_ADDRESS);
  if (wMiss && !keeps) afterInsert(sh);
}

/** The end of every write. */
export function finish(sh: usize): void {
  if (wExpires != 0 || typeOf(wMeta) == TYPE_PLACEHOLDER) mayExpire(sh);
  unlockShard(sh);
}

// ---- Small entries

/** The lock is held, the write described and allowed at first look. Leaves without the lock. 0: stored, or the refusal. */
function putLocked(sh: usize): i32 {
  const cls = classOf(wBytes);
  const grown = growIndex(sh);
  if (grown < 0) return CLOSED;
  // Of the first look's answer "none" stays true in this hold, and an empty slot empty: making room only removes. An entry
  // that it found may be removed by that.
  let looked: bool = !grown;
  startRoom();
  while (true) {
    const page = fullestPage(sh, cls);
    if (page < 0) {
      looked = looked && !wOld;
      const step = roomStep(sh, cls, wWeight, wToMain);
      if (step == CLOSED) return CLOSED;
      if (step < 0) return refuse(sh);
      continue;
    }
    const old = looked && wHold == holdNumber ? wOld : findLocked(sh, wHash, wIdentity, wKeyLength);
    const refusal = verdict(old);
    if (refusal < 0) {
      finish(sh);
      return refusal;
    }
    if (!old && !freeSlot) {
      if (looked) { // making room may have emptied a slot of this chain
        looked = false;
        continue;
      }
      const step = makeSlot(sh, <u32>wHash);
      if (step == CLOSED) return CLOSED;
      if (step < 0) return refuse(sh);
      continue;
    }
    publish(sh, old, 0, cls, page);
    finish(sh);
    return 0;
  }
}

/** No room at all: what the write was to replace goes, so that no old value outlives a refused new one. */
export function refuse(sh: usize): i32 {
  count(S_REFUSED);
  const old = findLocked(sh, wHash, wIdentity, wKeyLength);
  if (old && verdict(old) == 0) removeEntry(sh, old, false);
  unlockShard(sh);
  return REFUSED;
}

/** Stores the entry in the staging area. `mode`: MODE_*; `generation` below 0: the region's own of now; `expect`: a version. */
export function store_put(keyLength: u32, keyMeta: u32, valueLength: u32, type: u32, v: u32, mode: u32, now: f64, mono: f64, expires: f64, created: f64, generation: f64, expect: f64): i32 {
  const sh = describe(keyLength, keyMeta, valueLength, type, v, mode, now, mono, expires, created, generation, expect);
  if (lockShard(sh) < 0) return CLOSED;
  begin(sh);
  const refusal = firstLook(sh);
  if (refusal < 0) {
    unlockShard(sh);
    return refusal;
  }
  const result = putLocked(sh);
  if (!result && type != TYPE_PLACEHOLDER) count(S_SETS);
  return result;
}

/**
 * Adds `by` to a number, or stores `initial + by` where none stands; the result is in R_NUMBER. In place: the number
 * first, then its version, or an update could note the new version, read the old number and overwrite the increment.
 */
export function store_increment(keyLength: u32, keyMeta: u32, by: f64, initial: f64, now: f64, mono: f64, expires: f64): i32 {
  store<f64>(mySlot, initial + by, R_NUMBER);
  const sh = describe(keyLength, keyMeta, 0, TYPE_NUMBER, 1, MODE_ADD, now, mono, expires, now, -1, 0);
  while (true) {
    if (lockShard(sh) < 0) return CLOSED;
    begin(sh);
    const old = findLocked(sh, wHash, wIdentity, wKeyLength);
    const type = old ? typeOf(load<u32>(old, E_META)) : TYPE_PLACEHOLDER;
    if (!old || type == TYPE_PLACEHOLDER || isGone(old)) {
      if (!isFinite<f64>(initial + by)) {
        unlockShard(sh);
        return NOT_FINITE;
      }
      firstLook(sh);
      const stored = putLocked(sh);
      if (stored != EXISTS) {
        if (!stored) count(S_SETS);
        return stored;
      }
      wMiss = false; // another thread stored it while the lock was let go
      continue;
    }
    if (type != TYPE_NUMBER) {
      unlockShard(sh);
      return WRONG_TYPE;
    }
    const sum = load<f64>(old, E_SIZE) + by;
    if (!isFinite<f64>(sum)) {
      unlockShard(sh);
      return NOT_FINITE;
    }
    const version = drawVersion(sh);
    const seen = atomic.load<u64>(old, E_WORD);
    const frequency = seen & FREQUENCY_MASK;
    const word = (version << VERSION_SHIFT) | (seen & ((STAMP_MASK << STAMP_SHIFT) | QUEUE_BIT)) | (frequency < FREQUENCY_MASK ? frequency + 1 : frequency);
    // commit: increment {
    commitBegin(sh);
    store<u64>(sh, version + 1, SH_VERSION);
    atomic.store<u64>(old, reinterpret<u64>(sum), E_SIZE);
    atomic.store<u64>(old, word, E_WORD);
    commitEnd(sh);
    // } commit
    turn();
    store<f64>(mySlot, sum, R_NUMBER);
    count(S_SETS);
    unlockShard(sh);
    return 0;
  }
}

/** A large value is larger than the engine takes: what stood under the key goes. */
export function store_refuse(keyLength: u32, keyMeta: u32, mode: u32, now: f64, mono: f64, expect: f64): i32 {
  const sh = describe(keyLength, keyMeta, 0, 0, 0, mode, now, mono, 0, 0, -1, expect);
  if (lockShard(sh) < 0) return CLOSED;
  const refusal = verdict(findLocked(sh, wHash, wIdentity, wKeyLength));
  if (refusal < 0) {
    unlockShard(sh);
    return refusal;
  }
  return refuse(sh);
}
