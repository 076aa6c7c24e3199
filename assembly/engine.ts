// Making an engine: the creator has written the configuration into the header (src/engine/plan.ts) and is alone in the
// memory; it fills the class table and resets each shard, then publishes the magic word. Everybody else only joins.
//
// Closing: the owner raises the header's state and each shard's closed bit. Readers see it in the index state that they
// load anyway, writers under the lock; then every mutex's `turn` is raised so that waiters wake and look.
import {
  CLASSES, H_CLASS_CHUNKS, H_CLASS_OF, H_CLASS_SIZE, H_GHOST_DIR, H_INDEX_DIR, H_MAGIC, H_PAGES, H_PAGES_PER_SHARD,
  H_SHARDS, H_STATE, MAGIC, PAGE_BITS, PAGE_COST, PAGE_SIZE, SH_BASE, SH_END, SH_FIXED, SH_GHOST_DIR, SH_INDEX_DIR,
  SH_PAGES, SH_RECORDS, SH_STATE, SH_TARGET_MAX, SH_TARGET_MIN, SH_TICK, SH_VERSION, STATE_CLOSED,
} from './layout';
import { mutex_wake_all } from './mutex-table';
import { shardAt } from './read';
import { resetShard } from './repair';

/** Chunk bytes of a class: least loss on sizes that are spread evenly over a logarithmic scale (docs/memory-layout.md). */
function sizeOfClass(cls: u32): u32 {
  switch (cls) {
    case 1: return 64;
    case 2: return 80;
    case 3: return 96;
    case 4: return 112;
    case 5: return 128;
    case 6: return 144;
    case 7: return 168;
    case 8: return 184;
    case 9: return 200;
    case 10: return 224;
    case 11: return 256;
    case 12: return 288;
    case 13: return 312;
    case 14: return 336;
    case 15: return 368;
    case 16: return 408;
    case 17: return 448;
    case 18: return 512;
    case 19: return 584;
    case 20: return 680;
    case 21: return 816;
    default: return 1024;
  }
}

export function engine_format(): void {
  let cls: u32 = 1;
  for (let n: u32 = 1; n <= 128; n++) {
    while (sizeOfClass(cls) < n << 3) cls++;
    store<u8>(n, <u8>cls, H_CLASS_OF);
  }
  for (cls = 1; cls <= CLASSES; cls++) {
    store<u16>(cls << 1, <u16>sizeOfClass(cls), H_CLASS_SIZE);
    store<u16>(cls << 1, <u16>(PAGE_SIZE / sizeOfClass(cls)), H_CLASS_CHUNKS);
  }
}

/** Makes one shard: where its parts are, then empty. `version`: where its versions begin, at random. */
export function engine_shard(number: u32, version: f64): void {
  const sh = shardAt(number);
  const pages = load<u32>(0, H_PAGES_PER_SHARD);
  const indexDir = <u32>sh + SH_FIXED;
  const ghostDir = indexDir + (load<u32>(0, H_INDEX_DIR) << 2);
  const records = (ghostDir + (load<u32>(0, H_GHOST_DIR) << 2) + 15) & ~15;
  const base = load<u32>(0, H_PAGES) + ((number * pages) << PAGE_BITS);
  const capacity = <f64>pages * PAGE_COST;
  store<u32>(sh, indexDir, SH_INDEX_DIR);
  store<u32>(sh, ghostDir, SH_GHOST_DIR);
  store<u32>(sh, records, SH_RECORDS);
  store<u32>(sh, base, SH_BASE);
  store<u32>(sh, base + (pages << PAGE_BITS), SH_END);
  store<u32>(sh, pages, SH_PAGES);
  store<u64>(sh, <u64>(capacity / 32), SH_TICK);
  store<f64>(sh, capacity * 0.01, SH_TARGET_MIN);
  store<f64>(sh, capacity * 0.8, SH_TARGET_MAX);
  store<u64>(sh, <u64>version, SH_VERSION);
  resetShard(sh);
}

export function engine_open(): void {
  atomic.store<u32>(0, MAGIC, H_MAGIC);
}

export function engine_close(): void {
  atomic.store<u32>(0, 1, H_STATE);
  const shards = load<u32>(0, H_SHARDS);
  for (let s: u32 = 0; s < shards; s++) atomic.or<u64>(shardAt(s), <u64>STATE_CLOSED, SH_STATE);
  mutex_wake_all();
}
