// The region table: rows by name, found or made under an owner-named lock. A row is written whole before the count is
// raised, so a death before that leaves nothing, and the next one writes over it. Rows are never reused.
import { FULL, G_NAME, G_NAME_LENGTH, H_REGION_COUNT, H_TABLE_LOCK, REGIONS, SLOT_STAGE } from './layout';
import { regionRow } from './eviction';
import { lockPlain, unlockPlain } from './lock';
import { mySlot } from './threads';

/** Row of the region whose name (`length` bytes) stands in the staging area, made if it is new. FULL: all 64 are taken. */
export function region_row(length: u32): i32 {
  const name = mySlot + SLOT_STAGE;
  lockPlain(H_TABLE_LOCK);
  const rows = atomic.load<u32>(0, H_REGION_COUNT);
  let found: i32 = FULL;
  for (let n: u32 = 0; n < rows && found < 0; n++) {
    const row = regionRow(n);
    if (load<u32>(row, G_NAME_LENGTH) == length && memory.compare(row + G_NAME, name, length) == 0) found = n;
  }
  if (found < 0 && rows < REGIONS) {
    const row = regionRow(rows);
    store<u32>(row, length, G_NAME_LENGTH);
    memory.copy(row + G_NAME, name, length);
    atomic.store<u32>(0, rows + 1, H_REGION_COUNT);
    found = rows;
  }
  unlockPlain(H_TABLE_LOCK);
  return found;
}
