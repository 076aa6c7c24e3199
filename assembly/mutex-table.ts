// The mutex table: N regeneration mutexes, a key uses number hash % N. A mutex is a lease, so its holder may run user code.
//
//   word      fence 32 | lock word of the owner 32 (0: free)
//   deadline  monotonic ms << 24 | low 24 bits of the fence that it belongs to
//   turn      raised by every release; waiters sleep on it
//
// Take: compare-exchange of the whole word to (fence + 1, me), then the deadline. Free for the taking: no owner; an owner
// that is dead; a deadline that carries this word's fence and is over. A deadline with another fence belongs to an earlier
// holder (the new one has not written its own yet), so it steals nothing.
// Wait: read `turn`, try, sleep while `turn` is what was read. Release: compare owner and fence, free the word, raise
// `turn`, notify all. Died after the take: the owner is dead, the next try takes it. Died between take and deadline: the
// same. Died between the stores of a release: the word is free, and every wait is timed.
//
// Two callers of one thread share an owner, so the fence tells them apart: the first, its lease lost, must not free the
// second's.
import { H_MUTEX_TABLE, H_MUTEXES, MUTEX_SIZE, SLOT_STAGE, X_DEADLINE, X_FENCE_MASK, X_TURN, X_WORD } from './layout';
import { hashKey } from './hash';
import { me, mySlot, ownerDead, probeOwner } from './threads';

@inline function recordOf(index: u32): usize {
  return <usize>(load<u32>(0, H_MUTEX_TABLE) + index * MUTEX_SIZE);
}

/** Number of the mutex of the key in the staging area. */
export function mutex_of(keyLength: u32, keyMeta: u32): u32 {
  return <u32>hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta) % load<u32>(0, H_MUTEXES);
}

/** Tries to take a mutex for `leaseMs`: its fence (above 0), or 0. */
export function mutex_try(index: u32, now: f64, leaseMs: f64): f64 {
  const record = recordOf(index);
  const word = atomic.load<u64>(record, X_WORD);
  const owner = <u32>word;
  const fence = <u32>(word >> 32);
  if (owner && !ownerDead(owner)) {
    const deadline = atomic.load<u64>(record, X_DEADLINE);
    if (<u32>(deadline & X_FENCE_MASK) != (fence & X_FENCE_MASK) || now < <f64>(deadline >> 24)) return 0;
  }
  let next = fence + 1;
  if (!next) next = 1;
  if (atomic.cmpxchg<u64>(record, word, (<u64>next << 32) | <u64>me, X_WORD) != word) return 0;
  atomic.store<u64>(record, (<u64>(now + leaseMs) << 24) | <u64>(next & X_FENCE_MASK), X_DEADLINE);
  return <f64>next;
}

/** Ends a held mutex's lease at `until`, if it would not end before: what no caller awaits any more has a shorter one. */
export function mutex_shorten(index: u32, fence: f64, until: f64): void {
  const record = recordOf(index);
  const deadline = atomic.load<u64>(record, X_DEADLINE);
  if (atomic.load<u64>(record, X_WORD) != ((<u64>(<u32>fence) << 32) | <u64>me)) return;
  if (<f64>(deadline >> 24) <= until) return;
  // by exchange: the lease may be lost meanwhile, and then the deadline is another's
  atomic.cmpxchg<u64>(record, deadline, (<u64>until << 24) | <u64>(<u32>fence & X_FENCE_MASK), X_DEADLINE);
}

/** Releases a mutex that is still held under this fence. How many waiters were woken, -1: the lease was lost. */
export function mutex_release(index: u32, fence: f64): i32 {
  const record = recordOf(index);
  const mine = (<u64>(<u32>fence) << 32) | <u64>me;
  if (atomic.cmpxchg<u64>(record, mine, <u64>(<u32>fence) << 32, X_WORD) != mine) return -1;
  atomic.add<u32>(record, 1, X_TURN);
  return atomic.notify(record + X_TURN, -1);
}

/** 1: held by a living owner inside its lease. */
export function mutex_held(index: u32, now: f64): i32 {
  const record = recordOf(index);
  const word = atomic.load<u64>(record, X_WORD);
  if (!<u32>word || ownerDead(<u32>word)) return 0;
  const deadline = atomic.load<u64>(record, X_DEADLINE);
  return <u32>(deadline & X_FENCE_MASK) != (<u32>(word >> 32) & X_FENCE_MASK) || now < <f64>(deadline >> 24);
}

/** Asks whether the owner of a mutex still runs; a timed waiter calls it. */
export function mutex_probe(index: u32): void {
  const owner = <u32>atomic.load<u64>(recordOf(index), X_WORD);
  if (owner && owner != me) probeOwner(owner);
}

/** Raises every `turn` and wakes who sleeps on it: the engine is closed. */
export function mutex_wake_all(): void {
  const mutexes = load<u32>(0, H_MUTEXES);
  for (let index: u32 = 0; index < mutexes; index++) {
    atomic.add<u32>(recordOf(index), 1, X_TURN);
    atomic.notify(recordOf(index) + X_TURN, -1);
  }
}
