// Thread slots: names for threads, nothing else. A death repairs locks, never slots.
//
// A slot's word is one u64: OS thread id, generation, state. It changes by compare-exchange only:
//
//   FREE or DEAD, generation g  ── join ──▶  LIVE, g + 1, no tid   by the thread that joins
//   LIVE, g + 1, no tid         ──────────▶  LIVE, g + 1, tid      by it, once start time and thread number stand beside
//   LIVE, g                     ── leave ─▶  FREE, g               by that thread
//   LIVE, g                     ── death ─▶  DEAD, g               by whoever sees it: a waiter, the owner's port, its own catch
//
// A lock word (below) names slot and generation; an owner whose generation is not the slot's current one, or whose
// slot is not LIVE, is dead. Died after any of these stores: the word is whole, the next joiner or waiter goes on.
//
//   lock word, u32:  WAITERS 1 | generation 22 | slot number + 1: 9      (0: free)
import {
  FULL, GENERATION_MASK, H_ATTACHED, H_MAX_THREADS, H_SLOTS, H_STATS, OWNER_SLOT_BITS, SLOT_FENCE, SLOT_NOW_LEFT, SLOT_PID,
  SLOT_SIZE, SLOT_START, SLOT_THREAD, SLOT_WORD, STATE_DEAD, STATE_FREE, STATE_LIVE, STATS_SIZE, WAITERS,
} from './layout';
import { forgetHolds } from './hold';

/** Asks JavaScript whether the OS thread of a slot is gone: 1 only if that is certain. Never throws. */
@external('threads', 'is_dead') declare function isDead(slot: u32, tid: u32, generation: u32): u32;

/** This thread's lock word, its slot and its statistics stripe. Wasm globals, so each thread has its own. */
export let me: u32 = 0;
export let mySlot: usize = 0;
export let myStats: usize = 0;
let weak: u32 = 0;

@inline export function slotOf(number: u32): usize {
  return <usize>load<u32>(0, H_SLOTS) + <usize>number * SLOT_SIZE;
}

@inline function wordOf(tid: u32, generation: u32, state: u32): u64 {
  return (<u64>tid << 32) | <u64>((generation << 8) | state);
}

@inline function generationOf(word: u64): u32 {
  return (<u32>word >> 8) & GENERATION_MASK;
}

/** A full barrier where the CPU reorders plain accesses around atomic ones: a read-modify-write on a word of one's own. */
@inline export function barrier(): void {
  if (weak) atomic.add<u64>(mySlot, 0, SLOT_FENCE);
}

@inline export function count(counter: usize): void {
  store<u64>(myStats + counter, load<u64>(myStats + counter) + 1);
}

/** Whether the owner that a lock word names can never come back. */
export function ownerDead(owner: u32): bool {
  const number = (owner & ((1 << OWNER_SLOT_BITS) - 1)) - 1;
  if (number >= load<u32>(0, H_MAX_THREADS)) return true;
  const word = atomic.load<u64>(slotOf(number), SLOT_WORD);
  return (<u32>word & 255) != STATE_LIVE || generationOf(word) != ((owner & ~(<u32>WAITERS)) >> OWNER_SLOT_BITS);
}

/** Looks whether the owner's OS thread still runs, and writes down its death. Called while waiting, with no lock of a shard wanted yet held. */
export function probeOwner(owner: u32): void {
  const number = (owner & ((1 << OWNER_SLOT_BITS) - 1)) - 1;
  if (number >= load<u32>(0, H_MAX_THREADS)) return;
  const slot = slotOf(number);
  const word = atomic.load<u64>(slot, SLOT_WORD);
  if ((<u32>word & 255) == STATE_LIVE && isDead(number, <u32>(word >> 32), generationOf(word))) {
    atomic.cmpxchg<u64>(slot, word, (word & ~(<u64>255)) | STATE_DEAD, SLOT_WORD);
  }
}

function take(number: u32, word: u64, tid: u32, start: u64, thread: u32, pid: u32): bool {
  const slot = slotOf(number);
  const generation = (generationOf(word) + 1) & GENERATION_MASK;
  // without its OS thread first, of which nobody can say that it is gone: what stands beside the word is the last owner's
  if (atomic.cmpxchg<u64>(slot, word, wordOf(0, generation, STATE_LIVE), SLOT_WORD) != word) return false;
  atomic.store<u64>(slot, start, SLOT_START);
  atomic.store<u32>(slot, thread, SLOT_THREAD);
  atomic.store<u32>(slot, pid, SLOT_PID);
  atomic.cmpxchg<u64>(slot, wordOf(0, generation, STATE_LIVE), wordOf(tid, generation, STATE_LIVE), SLOT_WORD);
  mySlot = slot;
  store<u32>(slot, 0, SLOT_NOW_LEFT); // a reading of the slot's last owner
  myStats = <usize>load<u32>(0, H_STATS) + <usize>number * STATS_SIZE;
  me = (generation << OWNER_SLOT_BITS) | (number + 1);
  atomic.add<u32>(0, 1, H_ATTACHED);
  return true;
}

/** Joins this thread: takes a free slot, else one of the dead. Returns its number or FULL. `weakOrder`: 1 on CPUs that reorder. */
export function thread_join(tid: u32, start: u64, thread: u32, pid: u32, weakOrder: u32): i32 {
  weak = weakOrder;
  forgetHolds();
  // the shell may have died (out of stack) before it noted the slot that an earlier call took
  if (me) thread_mark_dead((me & ((1 << OWNER_SLOT_BITS) - 1)) - 1, me >> OWNER_SLOT_BITS);
  const max = load<u32>(0, H_MAX_THREADS);
  for (let pass = 0; pass < 2; pass++) {
    for (let number: u32 = 0; number < max; number++) {
      let word = atomic.load<u64>(slotOf(number), SLOT_WORD);
      if (pass && (<u32>word & 255) == STATE_LIVE) {
        probeOwner((generationOf(word) << OWNER_SLOT_BITS) | (number + 1));
        word = atomic.load<u64>(slotOf(number), SLOT_WORD);
      }
      if ((<u32>word & 255) != STATE_LIVE && take(number, word, tid, start, thread, pid)) return number;
    }
  }
  return FULL;
}

/** Gives the slot back. The thread holds no lock. */
export function thread_leave(): void {
  const word = atomic.load<u64>(mySlot, SLOT_WORD);
  if (generationOf(word) == me >> OWNER_SLOT_BITS && (<u32>word & 255) == STATE_LIVE) {
    atomic.cmpxchg<u64>(mySlot, word, wordOf(0, generationOf(word), STATE_FREE), SLOT_WORD);
  }
  me = 0;
}

/** Writes down that this generation of a slot is dead, unless the slot has a later one. */
export function thread_mark_dead(number: u32, generation: u32): void {
  const slot = slotOf(number);
  const word = atomic.load<u64>(slot, SLOT_WORD);
  if (generationOf(word) == generation && (<u32>word & 255) == STATE_LIVE) {
    atomic.cmpxchg<u64>(slot, word, (word & ~(<u64>255)) | STATE_DEAD, SLOT_WORD);
  }
}

/** This thread's lock word, for JavaScript. */
export function thread_me(): u32 {
  return me;
}
