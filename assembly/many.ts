// Several keys at once, for getMany: their way through memory is walked ahead of the reads, all of a step before any of the
// next, so that the cache misses of many keys overlap instead of following each other. Nothing is decided here: what is
// found is a hint that is loaded and thrown away, and each key is then read as any other.
//
//   hash all (many_note) · load all buckets, then all entries that they name (many_touch) · read each
import {
  BUCKET_SIZE, MANY_ADDRESSES, SH_BASE, SH_END, SH_STATE, SLOT_COPY, SLOT_STAGE,
} from './layout';
import { hashKey } from './hash';
import { bucketAddress, bucketOf } from './index-table';
import { shardOf, slotsWith } from './read';
import { stageText } from './text';
import { mySlot } from './threads';

/** Of an entry four lines of the CPU's cache are loaded: header, key and what is likely to be the value of a small one. */
const LINE: u32 = 64;
const TOUCHED: u32 = 3 * LINE + 8;

/** Notes the hash of the key in the staging area as number `at`, below MANY_MAX. */
export function many_note(keyLength: u32, keyMeta: u32, at: u32): void {
  store<u64>(mySlot + SLOT_COPY + <usize>(at << 3), hashKey(mySlot + SLOT_STAGE, keyLength, keyMeta));
}

/** The same for a key that nobody has written there. One that is too long is left for its read to refuse. */
export function many_note_text(key: externref, region: u32, at: u32): void {
  const staged = stageText(key);
  many_note(staged < 0 ? 0 : <u32>staged >> 1, (region << 1) | (<u32>staged & 1), at);
}

/** Walks ahead for the first `count` noted keys. */
export function many_touch(count: u32): u32 {
  const hashes = mySlot + SLOT_COPY;
  const addresses = hashes + MANY_ADDRESSES;
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u64>(hashes + <usize>(i << 3));
    const sh = shardOf(hash);
    const base = load<u32>(sh, SH_BASE);
    const end = load<u32>(sh, SH_END);
    const bucket = bucketAddress(sh, bucketOf(<u32>hash, <u32>atomic.load<u64>(sh, SH_STATE)));
    let entry: u32 = 0;
    if (<u32>bucket >= base && <u32>bucket <= end - BUCKET_SIZE) {
      const slots = slotsWith(<u32>(hash >> 32), bucket);
      entry = slots ? load<u32>(bucket + <usize>(ctz(slots) << 3)) : 0;
      if (entry < base || entry > end - TOUCHED) entry = 0;
    }
    store<u32>(addresses + <usize>(i << 2), entry);
  }
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = <usize>load<u32>(addresses + <usize>(i << 2));
    seen += load<u32>(entry) + load<u32>(entry, LINE) + load<u32>(entry, 2 * LINE) + load<u32>(entry, 3 * LINE);
  }
  return seen;
}
