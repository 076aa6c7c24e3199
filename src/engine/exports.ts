/** What the engine exports (assembly/index.ts), typed. Numbers in and out; results are in the thread slot (layout.ts). */
export interface EngineExports {
  engine_format(): void;
  engine_shard(shard: number, version: number): void;
  engine_open(): void;
  engine_close(): void;
  thread_join(tid: number, start: bigint, thread: number, pid: number, weakOrder: number): number;
  thread_leave(): void;
  thread_mark_dead(slot: number, generation: number): void;
  thread_me(): number;
  region_row(nameLength: number): number;
  region_count(region: number, what: number): number;
  region_raise(region: number, floor: number): void;
  index_bytes(): number;
  store_find(key: string, region: number, flags: number): number;
  store_get(keyLength: number, keyMeta: number, flags: number): number;
  store_note(keyLength: number, keyMeta: number): number;
  store_note_text(key: string, region: number): number;
  store_look(flags: number): number;
  store_copy(): number;
  store_get_locked(keyLength: number, keyMeta: number, flags: number): number;
  many_note(keyLength: number, keyMeta: number, at: number): void;
  many_note_text(key: string, region: number, at: number): void;
  many_touch(count: number): number;
  store_unlock(): void;
  store_check(): number;
  store_pieces(address: number, bytes: number, from: number): number;
  store_put: WriteExport;
  large_begin: WriteExport;
  large_publish(): number;
  store_increment(
    keyLength: number,
    keyMeta: number,
    by: number,
    initial: number,
    now: number,
    mono: number,
    expires: number,
  ): number;
  store_refuse(
    keyLength: number,
    keyMeta: number,
    mode: number,
    now: number,
    mono: number,
    expect: number,
  ): number;
  store_delete(keyLength: number, keyMeta: number, now: number, mono: number, expect: number): number;
  store_touch(keyLength: number, keyMeta: number, now: number, mono: number, expires: number): number;
  store_begin(
    keyLength: number,
    keyMeta: number,
    now: number,
    mono: number,
    reclaimAt: number,
    v: number,
  ): number;
  store_end(keyLength: number, keyMeta: number, now: number, mono: number, token: number): number;
  store_version(keyLength: number, keyMeta: number): number;
  store_scan(shard: number, region: number, now: number, mono: number): number;
  mutex_of(keyLength: number, keyMeta: number): number;
  mutex_try(index: number, now: number, leaseMs: number): number;
  mutex_shorten(index: number, fence: number, until: number): void;
  mutex_release(index: number, fence: number): number;
  mutex_held(index: number, now: number): number;
  mutex_probe(index: number): void;
  debug_walk(shard: number): number;
  debug_held(shard: number): number;
  debug_die(shard: number, inCommit: number): void;
  debug_number(shard: number, what: number): number;
}

type WriteExport = (
  keyLength: number,
  keyMeta: number,
  valueLength: number,
  type: number,
  v: number,
  mode: number,
  now: number,
  mono: number,
  expires: number,
  created: number,
  generation: number,
  expect: number,
) => number;
