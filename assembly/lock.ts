// Owner-named locks with timed waits and take-over, and how a shard is entered.
//
// A lock word is 0 or names its owner (threads.ts), with WAITERS set while somebody may sleep on it. Taken by one
// compare-exchange, let go by one exchange to 0 that tells whether to wake. Every wait is a slice of 10 ms; then the
// waiter looks whether the owner lives. A waiter that has slept keeps WAITERS set in the word it takes, since others may
// still sleep. A thread that dies holding a lock is found by the next who wants it; nobody has to notice before.
//
// Order: region table lock | large-value lock of a shard, then that shard's lock. Never two shards.
//
// Entering a shard. The owner may have died inside a commit: `commit` is 1 and the lock word names the dead. Then
// nobody takes the lock alone; the shard is dropped (repair.ts) by somebody who has its large-value lock first, so that
// no living filler writes into pieces that the drop makes free. A filler has it already: it drops and starts anew.
// Whoever gets in finishes an open split first, since lookups under the lock know one place for a key only.
import {
  CLOSED, H_STATE, S_DROPS, S_LOCK_WAITS, S_TAKEOVERS, SH_COMMIT, SH_LARGE, SH_LOCK, SH_STATE, SPINS, STATE_CLOSED,
  STATE_SPLITTING, TURNS_MAX, WAIT_SLICE_MS, WAITERS,
} from './layout';
import { firstTurn, holdLarge, largeHeld, noteFillerDrop, turns } from './hold';
import { splitStep } from './index-table';
import { resetShard } from './repair';
import { count, me, ownerDead, probeOwner } from './threads';

const BROKEN = 1;

@inline export function turn(): void {
  turns++;
}

/**
 * Takes the lock at `lock`; 0 when got. BROKEN: its owner died inside a commit (`commit` is the address of that word,
 * 0: this lock has none) and this thread may not take it so.
 */
function takeLock(lock: usize, commit: usize): u32 {
  if (atomic.cmpxchg<u32>(lock, 0, me) == 0) return 0;
  let mark: u32 = 0;
  let spins: u32 = 0;
  while (true) {
    let seen = atomic.load<u32>(lock);
    if (seen == 0) {
      if (atomic.cmpxchg<u32>(lock, 0, me | mark) == 0) return 0;
      continue;
    }
    const owner = seen & ~(<u32>WAITERS);
    if (owner == me) unreachable(); // an earlier call of this thread ended in an exception: the shell attaches anew
    if (ownerDead(owner)) {
      if (commit && atomic.load<u32>(commit)) {
        if (atomic.load<u32>(lock) == seen) return BROKEN;
        continue;
      }
      if (atomic.cmpxchg<u32>(lock, seen, me | <u32>WAITERS) == seen) {
        count(S_TAKEOVERS);
        return 0;
      }
      continue;
    }
    if (spins < SPINS) {
      spins++;
      continue;
    }
    if (!(seen & <u32>WAITERS)) {
      if (atomic.cmpxchg<u32>(lock, seen, seen | <u32>WAITERS) != seen) continue;
      seen |= <u32>WAITERS;
    }
    count(S_LOCK_WAITS);
    mark = <u32>WAITERS;
    if (memory.atomic.wait32(lock, seen, WAIT_SLICE_MS * 1000000) == 2) probeOwner(owner);
  }
}

@inline function letGo(lock: usize): void {
  if (atomic.xchg<u32>(lock, 0) & <u32>WAITERS) atomic.notify(lock, 1);
}

/** A lock without commits: the region table's. */
export function lockPlain(lock: usize): void {
  takeLock(lock, 0);
}

export function unlockPlain(lock: usize): void {
  letGo(lock);
}

/** Takes the large-value lock. What stands on `filling` then is a dead owner's: the caller moves it away first. */
export function lockLarge(sh: usize): void {
  takeLock(sh + SH_LARGE, 0);
  holdLarge(sh);
}

export function unlockLarge(sh: usize): void {
  holdLarge(0);
  letGo(sh + SH_LARGE);
}

/** The owner of a shard's lock died inside a commit. Drops the shard, unless somebody else did. */
function dropBroken(sh: usize): void {
  const filler = largeHeld == sh;
  if (!filler) takeLock(sh + SH_LARGE, 0);
  const seen = atomic.load<u32>(sh, SH_LOCK);
  if (seen && atomic.load<u32>(sh, SH_COMMIT) && ownerDead(seen) && atomic.cmpxchg<u32>(sh, seen, me | <u32>WAITERS, SH_LOCK) == seen) {
    // `commit` stands at 1 and stays so until all is reset; a dropper who dies here leaves what it found
    resetShard(sh);
    count(S_TAKEOVERS);
    count(S_DROPS);
    if (filler) noteFillerDrop();
    letGo(sh + SH_LOCK);
  }
  if (!filler) letGo(sh + SH_LARGE);
}

/** Counts this thread's holds of shards' locks: what was looked up in another hold is void. */
export let holdNumber: u32 = 0;

/** Enters a shard: its lock is held and no split is open. CLOSED: the engine was closed; the lock is not held. */
export function lockShard(sh: usize): i32 {
  while (true) {
    if (atomic.load<u32>(0, H_STATE)) return CLOSED;
    if (takeLock(sh + SH_LOCK, sh + SH_COMMIT) == BROKEN) {
      dropBroken(sh);
      continue;
    }
    firstTurn();
    if (atomic.load<u64>(sh, SH_STATE) & <u64>STATE_CLOSED || atomic.load<u32>(0, H_STATE)) {
      letGo(sh + SH_LOCK);
      return CLOSED;
    }
    while (atomic.load<u64>(sh, SH_STATE) & <u64>STATE_SPLITTING && turns < TURNS_MAX) splitStep(sh);
    if (!(atomic.load<u64>(sh, SH_STATE) & <u64>STATE_SPLITTING)) {
      holdNumber++;
      return 0;
    }
    letGo(sh + SH_LOCK);
  }
}

@inline export function unlockShard(sh: usize): void {
  letGo(sh + SH_LOCK);
}

/** Between two commits of a long loop: lets others in after TURNS_MAX of them. What was looked up before is void after it. */
export function breathe(sh: usize): i32 {
  if (turns < TURNS_MAX) return 0;
  letGo(sh + SH_LOCK);
  return lockShard(sh);
}
