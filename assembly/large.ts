// Writing large entries: over 1,024 bytes, in pieces. The protocol is at the head of write.ts; what is shared besides is the
// shard's large-value lock and its `filling` list, which only the holder of that lock adds to.
//
//   large_begin    both locks; what a dead filler left is buried; the pieces are taken, a commit each; the shard's lock goes
//   (JavaScript)   fills the pieces
//   large_publish  header, then the shard's lock, then one commit: the entry is published and `filling` is empty
//
// Died before the publishing commit: the list stands under a lock that is free or a dead one's, and the next who needs
// chunks, or the next filler, buries it. The shard dropped by this very thread meanwhile: AGAIN, everything anew.
import {
  AGAIN, CLOSED, E_CREATED, E_EXPIRES, E_HASH, E_LENGTH, E_META, KIND_WHOLE, PAGE_BITS, PAGE_SIZE, PIECE_LINK,
  PIECE_PAYLOAD, R_ADDRESS, R_SHARD, REFUSED, S_SETS, SH_BASE, SH_FILLING, SH_FILLING_LAST, WHOLE_PAYLOAD,
} from './layout';
import { commitBegin, commitEnd, fillerDrops, largeHeld, turn } from './hold';
import { freeSlot } from './index-table';
import { breathe, lockLarge, lockShard, unlockLarge, unlockShard } from './lock';
import { findLocked } from './read';
import { buryFilling, growIndex, makeSlot, roomStep, startRoom } from './room';
import { classOf, classSize, freePages, fullestPage, takeChunk, takePage } from './slab';
import { count, mySlot } from './threads';
import {
  begin, describe, finish, firstLook, publish, refuse, verdict, wBytes, wCreated, wExpires, wHash, wIdentity, wKeyLength,
  wLengths, wMeta, wToMain, wWeight,
} from './write';

/** Gives the large-value lock back when a large write ends without publishing; its pieces belong to nobody then. */
function leaveLarge(sh: usize, result: i32): i32 {
  unlockLarge(sh);
  return result;
}

/** Size of the piece that this thread took last. */
let lastPieceSize: u32 = 0;

/** One commit: a piece goes onto `filling`. `cls` is KIND_WHOLE for a page. */
function takePiece(sh: usize, cls: u32, page: u32): usize {
  const head = load<u32>(sh, SH_FILLING);
  const last = <usize>load<u32>(sh, SH_FILLING_LAST);
  const lastSize = <usize>lastPieceSize;
  const size = <usize>(cls == KIND_WHOLE ? PAGE_SIZE : classSize(cls));
  let piece: usize = 0;
  // commit: take-piece {
  commitBegin(sh);
  if (cls == KIND_WHOLE) piece = <usize>(load<u32>(sh, SH_BASE) + (takePage(sh, KIND_WHOLE) << PAGE_BITS));
  else piece = takeChunk(sh, cls, page);
  store<u32>(piece + size - 8, 0);
  store<u32>(piece + size - 4, head);
  if (head) store<u32>(last + lastSize - 8, <u32>piece);
  else store<u32>(sh, <u32>piece, SH_FILLING);
  store<u32>(sh, <u32>piece, SH_FILLING_LAST);
  commitEnd(sh);
  // } commit
  turn();
  lastPieceSize = <u32>size;
  return piece;
}

/**
 * Begins a large write: 0 with both the large-value lock held and all pieces taken (R_ADDRESS is the first; `store_pieces`
 * lists them), or a refusal with nothing held. The staging area holds the key.
 */
export function large_begin(keyLength: u32, keyMeta: u32, valueLength: u32, type: u32, v: u32, mode: u32, now: f64, mono: f64, expires: f64, created: f64, generation: f64, expect: f64): i32 {
  const sh = describe(keyLength, keyMeta, valueLength, type, v, mode, now, mono, expires, created, generation, expect);
  lockLarge(sh);
  let entered = lockShard(sh);
  if (entered < 0) return leaveLarge(sh, entered);
  if (load<u32>(sh, SH_FILLING)) buryFilling(sh); // a dead owner's
  begin(sh);
  const refusal = firstLook(sh);
  if (refusal < 0) {
    unlockShard(sh);
    return leaveLarge(sh, refusal);
  }
  entered = growIndex(sh);
  if (entered < 0) return leaveLarge(sh, entered);
  while (true) {
    const drops = fillerDrops;
    const taken = takePieces(sh, drops);
    if (taken == AGAIN) continue;
    if (taken == REFUSED) return leaveLarge(sh, refuse(sh));
    if (taken < 0) return leaveLarge(sh, taken);
    break;
  }
  store<u32>(mySlot, load<u32>(sh, SH_FILLING), R_ADDRESS);
  store<u32>(mySlot, <u32>sh, R_SHARD);
  unlockShard(sh);
  return 0;
}

/** 0: all taken. AGAIN: the shard was dropped meanwhile (by this thread), begin anew. The lock is held then; not with CLOSED. */
function takePieces(sh: usize, drops: u32): i32 {
  startRoom();
  let rest = wBytes;
  while (rest) {
    let cls: u32 = KIND_WHOLE;
    let part: u32 = WHOLE_PAYLOAD;
    if (rest < WHOLE_PAYLOAD) {
      part = rest > PIECE_PAYLOAD ? PIECE_PAYLOAD : rest;
      cls = classOf(part + PIECE_LINK);
    }
    let page: i32 = 0;
    while (true) {
      if (cls == KIND_WHOLE ? freePages(sh) > 0 : (page = fullestPage(sh, cls)) >= 0) break;
      const step = roomStep(sh, cls, wWeight, wToMain);
      if (fillerDrops != drops) return step < 0 ? step : AGAIN;
      if (step < 0) return step;
    }
    takePiece(sh, cls, page);
    rest -= part;
    const entered = breathe(sh);
    if (fillerDrops != drops) return entered < 0 ? entered : AGAIN;
    if (entered < 0) return entered;
  }
  return 0;
}

/** Publishes the filled entry. 0 or a refusal, with nothing held; AGAIN: the shard was dropped, begin anew. */
export function large_publish(): i32 {
  const sh = largeHeld;
  const first = <usize>load<u32>(sh, SH_FILLING); // not the results: they are not part of the protocol
  const drops = fillerDrops;
  store<u32>(first, <u32>wHash, E_HASH);
  store<u32>(first, wMeta, E_META);
  store<u64>(first, wLengths, E_LENGTH);
  store<f64>(first, wExpires, E_EXPIRES);
  store<f64>(first, wCreated, E_CREATED);
  const entered = lockShard(sh);
  if (entered < 0) return leaveLarge(sh, entered);
  while (true) {
    if (fillerDrops != drops) {
      unlockShard(sh);
      return leaveLarge(sh, AGAIN);
    }
    const old = findLocked(sh, wHash, wIdentity, wKeyLength);
    const refusal = verdict(old);
    if (refusal < 0) {
      buryFilling(sh);
      finish(sh);
      return leaveLarge(sh, refusal);
    }
    if (!old && !freeSlot) {
      const step = makeSlot(sh, <u32>wHash);
      if (step == CLOSED) return leaveLarge(sh, CLOSED);
      if (step < 0) {
        buryFilling(sh);
        return leaveLarge(sh, refuse(sh));
      }
      continue;
    }
    publish(sh, old, first, 0, 0);
    count(S_SETS);
    finish(sh);
    return leaveLarge(sh, 0);
  }
}
