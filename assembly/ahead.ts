// Lines of memory that a write will need one after the other, each found by what the one before it holds or behind an
// atomic access that waits for all before it. Asked for here side by side, they arrive together: in a large cache a write
// mostly waits. Under the shard's lock, so that every address read is one; nothing is decided by what is loaded.
import { E_HASH, E_NEXT, E_PREV } from './layout';
import { bucketAddress, bucketCount, bucketOf, ghostAddress } from './index-table';

/** What was loaded, so that the loads are not optimised away. */
let seen: u32 = 0;

/** A key's bucket and, if it may be a new one, its ghosts. */
@inline export function aheadOfKey(sh: usize, hash: u32, isNew: bool): void {
  const b = bucketOf(hash, bucketCount(sh));
  seen ^= load<u32>(bucketAddress(sh, b));
  if (isNew) seen ^= load<u32>(ghostAddress(sh, b));
}

/** What an entry's leaving needs beside the entry. Of a neighbour that is none (0) the header's first bytes are loaded. */
@inline export function aheadOfRemoval(sh: usize, entry: usize): void {
  const b = bucketOf(load<u32>(entry, E_HASH), bucketCount(sh));
  seen ^= load<u32>(bucketAddress(sh, b)) ^ load<u32>(ghostAddress(sh, b)) ^ load<u32>(load<u32>(entry, E_PREV), E_NEXT) ^ load<u32>(load<u32>(entry, E_NEXT), E_NEXT);
}
