// Every offset, size, mask and limit of the shared memory: the only place for numbers. Both halves import it:
// assembly/ compiles it into the engine, src/ reads the same constants as TypeScript. So it holds plain integer
// constants and nothing else (`u32` is a number to TypeScript: src/engine/assembly.d.ts). Little-endian; every offset is from the start of its record.
//
// Memory map, low to high (where each part begins stands in the header, written once by the creator):
//
//   header 4 KiB | thread slots | statistics stripes | region table | mutex table | shards' control blocks | slab pages
//
// Tags on fields: A atomic only · W:L written under the shard's lock · R readers look at it without a lock and check
// afterwards · O its thread only · I fixed after the engine was made.

export const MAGIC: u32 = 0x4e524943; // 'CIRN'
export const LAYOUT_VERSION: u32 = 2;

// ╒═══════════ Header, 4096 bytes ═══════════╕   [I] unless said
export const H_SIZE: u32 = 4096;
export const H_MAGIC: u32 = 0; //           u32  written last by the creator [A]
export const H_LAYOUT: u32 = 4; //          u32
export const H_STATE: u32 = 8; //           u32  0 open, 1 closed by its owner [A]
export const H_CHECKSUM: u32 = 12; //       u32  FNV-1a of bytes 16..256
export const H_TOTAL: u32 = 16; //          u32  bytes of the memory
export const H_SHARDS: u32 = 20; //         u32  a power of two
export const H_MAX_THREADS: u32 = 28; //    u32
export const H_MUTEXES: u32 = 32; //        u32
export const H_MAX_VALUE: u32 = 36; //      u32  bytes of key and value
export const H_SLOTS: u32 = 40; //          u32  offset of the thread slots
export const H_STATS: u32 = 44; //          u32  offset of the statistics stripes
export const H_REGIONS: u32 = 48; //        u32  offset of the region table
export const H_MUTEX_TABLE: u32 = 52; //    u32  offset of the mutex table
export const H_SHARD_TABLE: u32 = 56; //    u32  offset of the first control block
export const H_SHARD_STRIDE: u32 = 60; //   u32  bytes from one control block to the next
export const H_PAGES: u32 = 64; //          u32  offset of the first slab page
export const H_PAGES_PER_SHARD: u32 = 68; // u32
export const H_SEED0: u32 = 72; //          u64  key of the hash
export const H_SEED1: u32 = 80; //          u64
export const H_EPOCH: u32 = 88; //          f64  epoch ms at creation
export const H_ORIGIN: u32 = 96; //         f64  monotonic ms at creation
export const H_LEASE: u32 = 104; //         f64  ms
export const H_TTL: u32 = 112; //           f64  ms, 0: never
export const H_OWNER_THREAD: u32 = 120; //  u32  Node's threadId of the creator
export const H_PID: u32 = 124; //           u32  process of the creator
export const H_INDEX_DIR: u32 = 132; //     u32  entries of a shard's index directory
export const H_GHOST_DIR: u32 = 136; //     u32  entries of a shard's ghost directory
export const H_CODEC_LENGTH: u32 = 140; //  u32
export const H_CODEC: u32 = 144; //         up to 64 bytes, UTF-8
export const H_ID: u32 = 208; //           u64  names the engine, at random
export const H_MAX_BYTES: u32 = 216; //    f64  as the creator gave it
export const H_CONFIG_END: u32 = 256;
export const H_TABLE_LOCK: u32 = 256; //    u32  lock of the region table [A]
export const H_REGION_COUNT: u32 = 260; //  u32  rows in use [A]
export const H_CLEARS: u32 = 264; //        u32  counts every clear: shards see that there is something to sweep [A]
export const H_ATTACHED: u32 = 268; //      u32  counts attaches, for tests [A]
export const H_CLASS_SIZE: u32 = 512; //    u16[32]  chunk bytes by class
export const H_CLASS_CHUNKS: u32 = 576; //  u16[32]  chunks a page by class
export const H_CLASS_OF: u32 = 640; //      u8[130]  class by (bytes + 7) >> 3

// ╒═══════════ Thread slot, 2304 bytes ═══════════╕
export const SLOT_SIZE: u32 = 2304;
export const SLOT_WORD: u32 = 0; //   u64  tid << 32 | generation << 8 | state [A]
export const SLOT_START: u32 = 8; //  u64  start time of that OS thread, 0: not known [A]
export const SLOT_THREAD: u32 = 16; // u32 Node's threadId [A]
export const SLOT_PID: u32 = 20; //   u32  [A]
export const SLOT_FENCE: u32 = 24; // u64  a word for the barrier on weakly ordered CPUs [O]
export const STATE_FREE: u32 = 0;
export const STATE_LIVE: u32 = 1;
export const STATE_DEAD: u32 = 2;
export const GENERATION_MASK: u32 = 0x3fffff; // 22 bits
// Results of the last call, 192 bytes [O]
export const R_ADDRESS: u32 = 64; //  u32  the entry
export const R_LENGTH: u32 = 68; //   u32  bytes of the value
export const R_VERSION: u32 = 72; //  f64  48 bits, exact
export const R_V: u32 = 84; //        u32  metadata's v
export const R_EXPIRES: u32 = 88; //  f64  epoch ms, 0: never
export const R_CREATED: u32 = 96; //  f64  epoch ms
export const R_GENERATION: u32 = 104; // f64
export const R_NUMBER: u32 = 112; //  f64  value of a number
export const R_SHARD: u32 = 120; //   u32  control block
export const R_SLOT: u32 = 124; //    u32  index slot that named the entry
export const R_SLOT_WORD: u32 = 128; // u64 what it held
export const R_STATE: u32 = 136; //   u64  index state as noted
export const R_HASH_LOW: u32 = 148; // u32  low half of the key's hash: where the table of decoded values keeps it
export const R_ELSEWHERE: u32 = 156; // u32 large entry: offset of the value in its first piece
export const R_KEY_LENGTH: u32 = 160; // u32 bytes of the key that `scan` found
export const R_KEY_META: u32 = 164; // u32  region << 1 | UTF-16
export const R_CURSOR: u32 = 168; //  u64  position that `scan` stands at
export const R_BYTES: u32 = 176; //   u32  header, key and value: over SMALL_MAX the entry is a large one
export const R_VERSION_BITS: u32 = 184; // u64  the version as an integer: what the table of decoded values compares
// A reading of the clock that hits may reuse (src/engine/clock.ts) [O]
export const SLOT_NOW: u32 = 192; //  f64  epoch ms
export const SLOT_NOW_LEFT: u32 = 200; // u32 hits that may still use it
// Staging: key, then value of a small entry, as JavaScript wrote them [O]
export const SLOT_STAGE: u32 = 256;
// A small value that was read, or a list of pieces [O]
export const SLOT_COPY: u32 = 1280;
// For several keys at once the copy area holds their hashes, u64 each, and behind them their entries, u32 each.
export const MANY_MAX: u32 = 64;
export const MANY_ADDRESSES: u32 = 512;

// ╒═══════════ Statistics stripe, 2176 bytes a thread slot: u64 each, then f64s [O writes, all read] ═══════════╕
export const STATS_SIZE: u32 = 2176;
export const S_HITS: u32 = 0;
export const S_MISSES: u32 = 8;
export const S_SETS: u32 = 16;
export const S_DELETES: u32 = 24;
export const S_EVICTIONS: u32 = 32;
export const S_EXPIRED: u32 = 40; //       reclaimed because expired or cleared
export const S_REFUSED: u32 = 48;
export const S_RETRIES: u32 = 56; //       optimistic reads that failed a check
export const S_LOCKED_READS: u32 = 64;
export const S_LOCK_WAITS: u32 = 72;
export const S_TAKEOVERS: u32 = 80; //     locks taken over from the dead
export const S_DROPS: u32 = 88; //         shards dropped
export const S_MUTEX_WAITS: u32 = 96; //   times a thread waited for another's load
export const S_LOADS: u32 = 104; //        creators run
export const S_UNLOCKED: u32 = 112; //     creators run without their mutex
export const S_PAGES_EMPTIED: u32 = 120;
export const S_REGIONS: u32 = 128; //      f64[64][4]  what each region counts on its fast path
export const S_REGION_SIZE: u32 = 32;

// ╒═══════════ Region row, 576 bytes ═══════════╕
export const REGIONS: u32 = 64;
export const REGION_SIZE: u32 = 576;
export const G_GENERATION: u32 = 0; // u64  counts invalidations and clears [A]
export const G_CLEARED: u32 = 8; //   u64  floors: an entry below is gone, [A]
export const G_HARD: u32 = 16; //     u64  missing, [A]
export const G_SOFT: u32 = 24; //     u64  stale [A]
export const G_NAME_LENGTH: u32 = 56; // u32 [I once the row counts]
export const G_NAME: u32 = 64; //     up to 255 bytes
export const REGION_NAME_MAX: u32 = 255;
export const G_COUNTERS: u32 = 320; // u64[32]  what the region counts elsewhere [A]

// ╒═══════════ Mutex record, 32 bytes ═══════════╕
export const MUTEX_SIZE: u32 = 32;
export const X_WORD: u32 = 0; //     u64  fence << 32 | owner's lock word, 0 in the low half: free [A]
export const X_DEADLINE: u32 = 8; // u64  monotonic ms << 24 | low 24 bits of the fence [A]
export const X_TURN: u32 = 16; //    u32  raised by every release: what waiters sleep on [A]
export const X_FENCE_MASK: u32 = 0xffffff;

// ╒═══════════ Shard's control block ═══════════╕
// line 0: who may write
export const SH_LOCK: u32 = 0; //     u32  owner's lock word | WAITERS [A]
export const SH_LARGE: u32 = 4; //    u32  the large-value lock, likewise [A]
export const SH_COMMIT: u32 = 60; //  u32  1 while a commit is open; no other record has an atomic u32 at 60 [A]
// line 1: what readers need
export const SH_STATE: u32 = 64; //   u64  epoch << 34 | closed << 33 | splitting << 32 | bucket count [A, W:L]
export const SH_INDEX_DIR: u32 = 72; // u32 offset of the index directory: u32 page offsets [I]
export const SH_GHOST_DIR: u32 = 76; // u32 offset of the ghost directory [I]
export const SH_RECORDS: u32 = 80; // u32  offset of the page records [I]
export const SH_BASE: u32 = 84; //    u32  offset of the first page [I]
export const SH_END: u32 = 88; //     u32  offset behind the last page [I]
export const SH_PAGES: u32 = 92; //   u32  [I]
export const SH_TICK: u32 = 96; //    u64  capacity / 32, bytes [I]
export const SH_TARGET_MIN: u32 = 104; // f64 1 % of the capacity [I]
export const SH_TARGET_MAX: u32 = 112; // f64 80 % of it [I]
// lines 2 to 4: allocator and policy [W:L]
export const SH_VERSION: u32 = 128; // u64 next version, 48 bits, never set back
export const SH_MISSES: u32 = 136; // u64  bytes of missed entries that were stored
export const SH_SEQ: u32 = 144; //    u64[2]  bytes evicted from S, from M
export const SH_USABLE: u32 = 160; // f64  Cs, the smoothed usable size
export const SH_TARGET: u32 = 168; // f64  size wanted for S, bytes
export const SH_BYTES: u32 = 176; //  u64[2]  chunk bytes in S, in M
export const SH_HEAD: u32 = 192; //   u32[2]  newest entry of S, of M
export const SH_TAIL: u32 = 200; //   u32[2]  oldest
export const SH_COUNT: u32 = 208; //  u32[2]  entries in S, in M
export const SH_FREE: u32 = 216; //   u32  list of free pages: page number + 1
export const SH_FREE_COUNT: u32 = 220; // u32 pages on it
export const SH_CARVED: u32 = 224; // u32  pages from this number on were never used
export const SH_DEAD: u32 = 228; //   u32  list of chains to be freed, a piece a commit
export const SH_FILLING: u32 = 232; // u32 first piece of the entry that is being filled
export const SH_FILLING_LAST: u32 = 236; // u32
export const SH_OVERFLOW: u32 = 240; // u32 next overflow bucket, 0: get a page
export const SH_OVERFLOW_LEFT: u32 = 244; // u32
export const SH_INDEX_PAGES: u32 = 248; // u32 index and overflow pages
export const SH_GHOST_PAGES: u32 = 252; // u32
export const SH_SWEEP: u32 = 256; //  u32  bucket that the sweep looks at next
export const SH_SWEEP_LEFT: u32 = 260; // u32 ends of buckets until a round is over; 0: nothing to sweep
export const SH_SWEEP_SLOT: u32 = 264; // u32 the slot of it
export const SH_CLEARS: u32 = 268; // u32  H_CLEARS as seen
export const SH_DROPS: u32 = 272; //  u32  how often the shard was dropped
export const SH_CLASS_MAP: u32 = 320; // u64[24]  bit n: a page of the class with n live chunks is listed
export const SH_CLASS_FREE: u32 = 512; // u32[24] free chunks of the class
export const SH_LISTS: u32 = 640; //  u32[24 * 64]  pages by class and live chunks: page number + 1
export const SH_COUNTERS: u32 = 6784; // [64] one a region, see below
export const SH_FIXED: u32 = 8832;
export const SH_RESET_FROM: u32 = 176; // what a drop sets to zero: SH_BYTES ..
export const SH_RESET_END: u32 = 8832; // .. SH_COUNTERS included

// ╒═══════════ A region's counter in a shard, 32 bytes [W:L] ═══════════╕
export const COUNTER_SIZE: u32 = 32;
export const C_FLOOR: u32 = 0; //  u64  counts entries of this generation and later
export const C_COUNT: u32 = 8; //  u64
export const C_BYTES: u32 = 16; // u64

// ╒═══════════ Page record, 16 bytes beside the pages [W:L] ═══════════╕
export const PAGE_SIZE: u32 = 4096;
export const PAGE_BITS: u32 = 12;
export const RECORD_SIZE: u32 = 16;
export const PAGE_COST: u32 = 4112;
export const P_KIND: u32 = 0; //   u8   0 free, 1 to 22 a class, or one of KIND_*
export const P_LIVE: u32 = 1; //   u8   chunks in use
export const P_FREE: u32 = 2; //   u16  first free chunk: offset / 8 + 1; its own link stands at its byte 8
export const P_PREV: u32 = 4; //   u32  page number + 1
export const P_NEXT: u32 = 8; //   u32
export const P_CARVED: u32 = 12; // u16  offset of the first chunk that was never used
export const CLASSES: u32 = 22;
export const KIND_FREE: u32 = 0;
export const KIND_WHOLE: u32 = 23;
export const KIND_INDEX: u32 = 24;
export const KIND_OVERFLOW: u32 = 25;
export const KIND_GHOST: u32 = 26;

// ╒═══════════ Index bucket, 64 bytes: eight u64 [A, R, W:L] ═══════════╕
//   tag (high half of the hash) << 32 | entry     or, in the last one,     overflow bucket | LINK     or 0
export const BUCKET_SIZE: u32 = 64;
export const BUCKET_SLOTS: u32 = 8;
export const BUCKETS_A_PAGE: u32 = 64;
export const LINK: u32 = 1;
export const CHAIN_MAX: u32 = 16;
export const LOAD_MAX: u32 = 5; // entries a bucket before the index grows
export const FIRST_BUCKETS: u32 = 64;
export const STATE_SPLITTING: u64 = 0x100000000;
export const STATE_CLOSED: u64 = 0x200000000;
export const EPOCH_SHIFT: u32 = 34;

// ╒═══════════ Ghost bucket, 32 bytes: eight u32 [W:L] ═══════════╕
//   fingerprint 12 (never 0) | origin 1 | stamp 11 | eviction clock 8
export const GHOST_SIZE: u32 = 32;
export const GHOST_WORDS: u32 = 8;
export const GHOSTS_A_PAGE: u32 = 128;

// ╒═══════════ Entry header, 48 bytes ═══════════╕
export const E_WORD: u32 = 0; //     u64  version 48 | stamp 11 at 4 | placeholder's use | queue at 2 | frequency 2 [A, R]
export const E_HASH: u32 = 8; //     u32  low half of the hash [R]
export const E_META: u32 = 12; //    u32  v 10 | region 6 | type 5 | UTF-16 1 | key bytes 10 [R]
export const E_LENGTH: u32 = 16; //  u64  generation 39 | value bytes 25 [R]
export const E_PREV: u32 = 24; //    u32  towards the head of its queue [W:L]
export const E_NEXT: u32 = 28; //    u32  towards the tail [W:L]
export const E_EXPIRES: u32 = 32; // f64  epoch ms, 0: never [A, R]
export const E_CREATED: u32 = 40; // f64  epoch ms; of a placeholder: monotonic ms when it may be reclaimed [R]
export const E_SIZE: u32 = 48; //         then the number of a number [A], key, value
export const VERSION_SHIFT: u32 = 16;
export const STAMP_SHIFT: u32 = 4;
export const STAMP_MASK: u32 = 0x7ff;
export const QUEUE_BIT: u32 = 4;
export const FREQUENCY_MASK: u32 = 3;
export const META_WIDE: u32 = 0x400; // key is UTF-16
export const META_KEY_MASK: u32 = 0x3ff;
export const META_TYPE_SHIFT: u32 = 11;
export const META_REGION_SHIFT: u32 = 16;
export const META_V_SHIFT: u32 = 22;
export const META_IDENTITY: u32 = 0x003f07ff; // region, UTF-16, key bytes: what two equal keys share
export const V_MAX: u32 = 1023;
export const TYPE_MASK: u32 = 31;
export const TYPE_NUMBER: u32 = 4; // as ValueType in src/codec/types.ts
export const TYPE_TEXT: u32 = 6; //   the last of the two kinds of strings
export const TYPE_PLACEHOLDER: u32 = 31;
export const LENGTH_MASK: u32 = 0x1ffffff;
export const GENERATION_SHIFT: u32 = 25;

// A piece of a large entry ends in 8 bytes: u32 next piece (0: the last), u32 its entry (in a first piece: the next
// chain, while it stands on the dead list).
export const PIECE_LINK: u32 = 8;
export const KEY_MAX: u32 = 960;
export const SMALL_MAX: u32 = 1024; // header, key and value of a small entry
export const WHOLE_PAYLOAD: u32 = 4088;
export const PIECE_SIZE: u32 = 1024;
export const PIECE_PAYLOAD: u32 = 1016;
export const VALUE_MAX: u32 = 16777216; // 16 MiB

// Locks
export const WAITERS: u32 = 0x80000000; // somebody sleeps on the word
export const OWNER_SLOT_BITS: u32 = 9; //  slot number + 1
export const SPINS: u32 = 100;
export const WAIT_SLICE_MS: u32 = 10; //   then the waiter looks whether the owner lives
export const TURNS_MAX: u32 = 64; //       commits under one hold of a lock
export const READ_TRIES: u32 = 3;

// Policy: spec'd in docs/memory-layout.md
export const EVICTIONS_FREE: u32 = 8;
export const CLOCK_STEPS: u32 = 16;
export const PLACEHOLDER_LEASES: u32 = 4;

// What exports return: 0 and up is a result of the call, below:
export const MISS: i32 = -1;
export const CLOSED: i32 = -2;
export const EXISTS: i32 = -3; //     add: a value stands
export const ABSENT: i32 = -4; //     replace, touch: none stands
export const CHANGED: i32 = -5; //    another version stands
export const REFUSED: i32 = -6; //    no room
export const WRONG_TYPE: i32 = -7; // increment: not a number
export const NOT_FINITE: i32 = -8;
export const AGAIN: i32 = -9; //      a large value's pieces are gone: start anew
export const FULL: i32 = -11; //      table of regions, or of thread slots
export const TOO_LONG: i32 = -12; //  a key of more than KEY_MAX bytes

// Modes of a write
export const MODE_SET: u32 = 0;
export const MODE_ADD: u32 = 1;
export const MODE_REPLACE: u32 = 2;
export const MODE_VERSION: u32 = 3; // only over this version (0: only where nothing stands)
export const MODE_TOKEN: u32 = 4; //   only over this version, and with no floor above the generation
