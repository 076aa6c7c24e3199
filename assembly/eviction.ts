// Eviction: S3L (S3-FIFO, Yang et al., SOSP 2023, with an adaptive small queue, a reuse test on ghosts in the manner of
// LIRS, Jiang and Zhang 2002, and warm fill), one per shard over all size classes, counted in bytes of chunks. The rule
// and its figures: docs/memory-layout.md, "Eviction". All of it runs under the shard's lock; each list step is a commit.
//
// Queues 0 (S, new entries) and 1 (M, proven ones) are lists through the entries, head newest. A hit only raises the
// frequency in the entry's word (store.ts); writers store that word whole, so a bump may be lost and nothing else.
import {
  C_BYTES, C_COUNT, C_FLOOR, CLOCK_STEPS, COUNTER_SIZE, E_CREATED, E_EXPIRES, E_HASH, E_LENGTH, E_META, E_NEXT,
  E_PREV, E_SIZE, E_WORD, FREQUENCY_MASK, G_CLEARED, G_GENERATION, G_HARD, G_SOFT, GENERATION_SHIFT, H_REGIONS,
  LENGTH_MASK, META_KEY_MASK, META_REGION_SHIFT, META_TYPE_SHIFT, PAGE_SIZE, QUEUE_BIT, REGION_SIZE, REGIONS,
  S_EVICTIONS, S_EXPIRED, SH_BYTES, SH_COUNT, SH_COUNTERS, SH_HEAD, SH_SEQ, SH_TAIL, SH_TARGET, SH_TARGET_MAX,
  SH_TARGET_MIN, SH_TICK, SH_USABLE, SMALL_MAX, STAMP_MASK, STAMP_SHIFT, TURNS_MAX, TYPE_MASK, TYPE_NUMBER,
  TYPE_PLACEHOLDER,
} from './layout';
import { clockOf, evictionClock, ghostPlace, ghostWord, stampNow } from './ghost';
import { commitBegin, commitEnd, turn, turns } from './hold';
import { slotNaming } from './index-table';
import { buryChain, freePages, freePiece, weightOf } from './slab';
import { count } from './threads';

/** Clocks of this call: epoch ms and monotonic ms. */
export let nowMs: f64 = 0;
export let monoMs: f64 = 0;

export function setClocks(now: f64, mono: f64): void {
  nowMs = now;
  monoMs = mono;
}

// ---- Entries

@inline export function keyBytes(meta: u32): u32 {
  return meta & META_KEY_MASK;
}

@inline export function typeOf(meta: u32): u32 {
  return (meta >> META_TYPE_SHIFT) & TYPE_MASK;
}

@inline export function regionOf(meta: u32): u32 {
  return (meta >> META_REGION_SHIFT) & (REGIONS - 1);
}

@inline export function queueOf(word: u64): u32 {
  return <u32>(word >> 2) & 1;
}

@inline export function regionRow(region: u32): usize {
  return <usize>load<u32>(0, H_REGIONS) + <usize>(region * REGION_SIZE);
}

/** Generation of what is stored now: the counter, or a floor that was raised before it. */
export function currentGeneration(row: usize): u64 {
  return maxOf(
    maxOf(atomic.load<u64>(row, G_GENERATION), atomic.load<u64>(row, G_CLEARED)),
    maxOf(atomic.load<u64>(row, G_HARD), atomic.load<u64>(row, G_SOFT)),
  );
}

@inline function maxOf(a: u64, b: u64): u64 {
  return a > b ? a : b;
}

@inline export function generationOf(length: u64): u64 {
  return length >> GENERATION_SHIFT;
}

/** Header, key and value of an entry, bytes. */
@inline export function entryBytes(entry: usize): u32 {
  const meta = load<u32>(entry, E_META);
  return E_SIZE + keyBytes(meta) + (<u32>load<u64>(entry, E_LENGTH) & LENGTH_MASK) + (typeOf(meta) == TYPE_NUMBER ? 8 : 0);
}

/** Whether a value stands for nobody any more: expired, cleared, or a placeholder whose leases are over. */
@inline export function isGone(entry: usize): bool {
  const meta = load<u32>(entry, E_META);
  if (typeOf(meta) == TYPE_PLACEHOLDER && load<f64>(entry, E_CREATED) <= monoMs) return true;
  const expires = load<f64>(entry, E_EXPIRES);
  if (expires != 0 && nowMs > expires) return true;
  return generationOf(load<u64>(entry, E_LENGTH)) < atomic.load<u64>(regionRow(regionOf(meta)), G_CLEARED);
}

// ---- Pieces of commits: straight-line

@inline export function linkHead(sh: usize, queue: u32, entry: usize): void {
  const at = sh + <usize>(queue << 2);
  const head = load<u32>(at, SH_HEAD);
  store<u32>(entry, 0, E_PREV);
  store<u32>(entry, head, E_NEXT);
  if (head) store<u32>(<usize>head, <u32>entry, E_PREV);
  else store<u32>(at, <u32>entry, SH_TAIL);
  store<u32>(at, <u32>entry, SH_HEAD);
}

@inline export function unlink(sh: usize, queue: u32, entry: usize): void {
  const at = sh + <usize>(queue << 2);
  const prev = load<u32>(entry, E_PREV);
  const next = load<u32>(entry, E_NEXT);
  if (prev) store<u32>(<usize>prev, next, E_NEXT);
  else store<u32>(at, next, SH_HEAD);
  if (next) store<u32>(<usize>next, prev, E_PREV);
  else store<u32>(at, prev, SH_TAIL);
}

@inline export function addBytes(sh: usize, queue: u32, bytes: i64, entries: i32): void {
  const at = sh + <usize>(queue << 3);
  store<u64>(at, load<u64>(at, SH_BYTES) + bytes, SH_BYTES);
  const counter = sh + <usize>(queue << 2);
  store<u32>(counter, load<u32>(counter, SH_COUNT) + entries, SH_COUNT);
}

@inline export function counterOf(sh: usize, region: u32): usize {
  return sh + SH_COUNTERS + <usize>(region * COUNTER_SIZE);
}

/** A live entry leaves its region's count; one from below the counter's floor was not in it. */
@inline export function countOut(counter: usize, generation: u64, bytes: u32): void {
  if (generation >= load<u64>(counter, C_FLOOR)) {
    store<u64>(counter, load<u64>(counter, C_COUNT) - 1, C_COUNT);
    store<u64>(counter, load<u64>(counter, C_BYTES) - <u64>bytes, C_BYTES);
  }
}

@inline export function countIn(counter: usize, floor: u64, generation: u64, bytes: u32): void {
  if (load<u64>(counter, C_FLOOR) < floor) {
    atomic.store<u64>(counter, 0, C_COUNT);
    atomic.store<u64>(counter, 0, C_BYTES);
    atomic.store<u64>(counter, floor, C_FLOOR);
  }
  if (generation >= load<u64>(counter, C_FLOOR)) {
    store<u64>(counter, load<u64>(counter, C_COUNT) + 1, C_COUNT);
    store<u64>(counter, load<u64>(counter, C_BYTES) + <u64>bytes, C_BYTES);
  }
}

// ---- Leaving

/** One commit: an entry leaves the index, its queue and the counts; its chunk is free, its chain buried. `ghost`: it was evicted. */
export function removeEntry(sh: usize, entry: usize, ghost: bool): void {
  const hash = load<u32>(entry, E_HASH);
  const slot = slotNaming(sh, hash, entry);
  if (!slot) unreachable();
  const tag = <u32>(load<u64>(slot) >> 32);
  const word = atomic.load<u64>(entry, E_WORD);
  const queue = queueOf(word);
  const meta = load<u32>(entry, E_META);
  const bytes = entryBytes(entry);
  const weight = weightOf(bytes);
  const counter = counterOf(sh, regionOf(meta));
  const generation = generationOf(load<u64>(entry, E_LENGTH));
  const counted = typeOf(meta) != TYPE_PLACEHOLDER;
  const place = ghost ? ghostPlace(sh, hash) : 0;
  const stamp = <u32>(word >> STAMP_SHIFT) & STAMP_MASK;
  const seq = sh + SH_SEQ + <usize>(queue << 3);
  const evicted = load<u64>(seq) + <u64>weight;
  const ghostOf = ghostWord(tag, queue, stamp, clockOf(sh, evicted));
  // commit: remove {
  commitBegin(sh);
  atomic.store<u64>(slot, 0);
  unlink(sh, queue, entry);
  addBytes(sh, queue, -<i64>weight, -1);
  if (counted) countOut(counter, generation, weight);
  if (place) {
    store<u64>(seq, evicted);
    store<u32>(place, ghostOf);
  }
  if (bytes > SMALL_MAX) buryChain(sh, entry);
  else freePiece(sh, entry);
  commitEnd(sh);
  // } commit
  turn();
}

/** Evicts in policy or page order. What stood for nobody leaves no ghost. */
export function evict(sh: usize, entry: usize): void {
  const value = typeOf(load<u32>(entry, E_META)) != TYPE_PLACEHOLDER;
  const gone = isGone(entry);
  if (value) count(gone ? S_EXPIRED : S_EVICTIONS);
  removeEntry(sh, entry, value && !gone);
}

/** One commit: an entry goes to the head of `to` with this frequency and stamp. */
export function moveToHead(sh: usize, entry: usize, to: u32, frequency: u32, stamp: u32): void {
  const word = atomic.load<u64>(entry, E_WORD);
  const from = queueOf(word);
  const weight = <i64>weightOf(entryBytes(entry));
  const next = (word & ~(<u64>((STAMP_MASK << STAMP_SHIFT) | QUEUE_BIT | FREQUENCY_MASK))) | <u64>((stamp << STAMP_SHIFT) | (to << 2) | frequency);
  // commit: requeue {
  commitBegin(sh);
  unlink(sh, from, entry);
  addBytes(sh, from, -weight, -1);
  linkHead(sh, to, entry);
  addBytes(sh, to, weight, 1);
  atomic.store<u64>(entry, next, E_WORD);
  commitEnd(sh);
  // } commit
  turn();
}

// ---- The policy

@inline export function tailOf(sh: usize, queue: u32): usize {
  return <usize>load<u32>(sh + <usize>(queue << 2), SH_TAIL);
}

@inline export function bytesIn(sh: usize, queue: u32): f64 {
  return <f64>load<u64>(sh + <usize>(queue << 3), SH_BYTES);
}

@inline function mainCapacity(sh: usize): f64 {
  return load<f64>(sh, SH_USABLE) - load<f64>(sh, SH_TARGET);
}

/** The entry that is evicted next in policy order if nothing has been read lately; 0: none. */
@inline export function nextVictim(sh: usize): usize {
  return tailOf(sh, bytesIn(sh, 1) > mainCapacity(sh) ? 1 : 0);
}

/** M's victim: its tail, after at most 16 that still have a frequency went round. 0: M is empty. */
function mainVictim(sh: usize): usize {
  let n: u32 = 0;
  while (true) {
    const entry = tailOf(sh, 1);
    if (!entry) return 0;
    const frequency = <u32>atomic.load<u64>(entry, E_WORD) & FREQUENCY_MASK;
    if (!frequency || n == CLOCK_STEPS || isGone(entry)) return entry;
    n++;
    moveToHead(sh, entry, 1, frequency - 1, stampNow(sh));
  }
}

/**
 * Evicts one entry in policy order: 1. 0: the turns of this hold are over before one was found; -1: both queues are empty.
 * `toMain`, `weight`: of the entry that needs room.
 */
export function evictInOrder(sh: usize, toMain: bool, weight: u32): i32 {
  let n: u32 = 0;
  while (turns < TURNS_MAX) {
    const capacity = mainCapacity(sh);
    const main = bytesIn(sh, 1);
    const tail = tailOf(sh, 0);
    const mainTail = tailOf(sh, 1);
    // what stands for nobody goes before anything that does
    if (tail && isGone(tail)) {
      evict(sh, tail);
      return 1;
    }
    if (mainTail && isGone(mainTail)) {
      evict(sh, mainTail);
      return 1;
    }
    if (!tail || main > capacity || (toMain && main + <f64>weight > capacity && mainTail)) {
      let victim = mainVictim(sh);
      if (!victim) victim = tail;
      if (!victim) return -1;
      evict(sh, victim);
      return 1;
    }
    const frequency = <u32>atomic.load<u64>(tail, E_WORD) & FREQUENCY_MASK;
    if (frequency >= 2) {
      moveToHead(sh, tail, 1, 0, stampNow(sh));
    } else if (frequency == 1 && n < CLOCK_STEPS) {
      n++;
      moveToHead(sh, tail, 0, 0, stampNow(sh));
    } else {
      evict(sh, tail);
      return 1;
    }
  }
  return 0;
}

/**
 * A key is missed and will be stored: counts it, adapts the size wanted for S, and says whether the new entry goes to M.
 * `ghost`: its ghost word, 0: none.
 */
export function admit(sh: usize, ghost: u32, weight: u32): bool {
  if (!ghost) return false;
  const usable = load<f64>(sh, SH_USABLE);
  const origin = (ghost >> 19) & 1;
  const depth = <f64>((evictionClock(sh, origin) - (ghost & 0xff)) & 0xff) * <f64>load<u64>(sh, SH_TICK);
  if (depth > 2 * usable) return false;
  const entries = load<u32>(sh, SH_COUNT) + load<u32>(sh, SH_COUNT + 4);
  if (depth <= usable / 10 && entries) {
    const step = 2 * ((bytesIn(sh, 0) + bytesIn(sh, 1)) / <f64>entries);
    const target = load<f64>(sh, SH_TARGET);
    store<f64>(sh, origin ? max<f64>(load<f64>(sh, SH_TARGET_MIN), target - step) : min<f64>(load<f64>(sh, SH_TARGET_MAX), target + step), SH_TARGET);
  }
  if (<f64>freePages(sh) * PAGE_SIZE >= <f64>weight || bytesIn(sh, 1) + <f64>weight <= mainCapacity(sh)) return true;
  const victim = mainVictim(sh);
  if (!victim) return true;
  const idle = (stampNow(sh) - (<u32>(atomic.load<u64>(victim, E_WORD) >> STAMP_SHIFT) & STAMP_MASK)) & STAMP_MASK;
  const reuse = (stampNow(sh) - ((ghost >> 8) & STAMP_MASK)) & STAMP_MASK;
  return idle > reuse;
}

/** After a store of a new entry: S's overflow goes to M while M is below its share, then the usable size is smoothed. What is left over the turns of one hold waits for the next. */
export function afterInsert(sh: usize): void {
  while (turns < TURNS_MAX) {
    if (bytesIn(sh, 0) <= load<f64>(sh, SH_TARGET) || load<u32>(sh, SH_COUNT) <= 1) break;
    const tail = tailOf(sh, 0);
    if (bytesIn(sh, 1) + <f64>weightOf(entryBytes(tail)) > mainCapacity(sh)) break;
    const word = atomic.load<u64>(tail, E_WORD);
    moveToHead(sh, tail, 1, <u32>word & FREQUENCY_MASK ? 1 : 0, <u32>(word >> STAMP_SHIFT) & STAMP_MASK);
  }
  const usable = load<f64>(sh, SH_USABLE);
  const size = bytesIn(sh, 0) + bytesIn(sh, 1) + <f64>freePages(sh) * PAGE_SIZE;
  store<f64>(sh, usable + (size - usable) / 64, SH_USABLE);
}
