// What this thread holds right now, and the marks that open and close a commit. Wasm globals, so each thread has its own;
// nothing here is shared but the commit word.
//
// A commit opens with a store of 1 to the shard's `commit` word and closes with a store of 0. Between them stand loads,
// stores and forward branches only (I5): no loop, no call, no grow, no wait, so V8 cannot end the thread in it.
// scripts/check-wat.mjs reads the compiled text for that.
import { SH_COMMIT } from './layout';

/** The shard whose large-value lock this thread holds, 0: none. */
export let largeHeld: usize = 0;
/** Commits since the shard's lock was taken. */
export let turns: u32 = 0;
/** Counts the drops that this thread made as a filler: its pieces are gone. */
export let fillerDrops: u32 = 0;

@inline export function commitBegin(sh: usize): void {
  atomic.store<u32>(sh, 1, SH_COMMIT);
}

@inline export function commitEnd(sh: usize): void {
  atomic.store<u32>(sh, 0, SH_COMMIT);
}

/** A commit is over. */
@inline export function turn(): void {
  turns++;
}

@inline export function firstTurn(): void {
  turns = 0;
}

@inline export function holdLarge(sh: usize): void {
  largeHeld = sh;
}

export function noteFillerDrop(): void {
  fillerDrops++;
}

/** A new generation holds nothing, whatever the one before it died with. */
export function forgetHolds(): void {
  largeHeld = 0;
  turns = 0;
}
