/** Counts what a cache holds by walking its queues and chains from outside: a second opinion on `bytes` and `size`. */
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from './engine.ts';

/** Control block of a shard. */
export function shardAddress(cache: SharedCache<any>, shard: number): number {
  const { u32 } = SharedCache.engineOf(cache);
  return u32[L.H_SHARD_TABLE >> 2]! + shard * u32[L.H_SHARD_STRIDE >> 2]!;
}

/** Entries and bytes of chunks of the region 0, with the engine at rest. */
export function walk(cache: SharedCache<any>): { entries: number; bytes: number } {
  const { u8, u32, u64, shards } = SharedCache.engineOf(cache);
  const at = (address: number) => u32[address >>> 2]!;
  const floor = u64[(at(L.H_REGIONS) + L.G_CLEARED) / 8]!;
  let entries = 0;
  let bytes = 0;
  for (let shard = 0; shard < shards; shard++) {
    const sh = shardAddress(cache, shard);
    const sizeAt = (piece: number) => {
      const page = (piece - at(sh + L.SH_BASE)) >>> L.PAGE_BITS;
      const kind = u8[at(sh + L.SH_RECORDS) + page * L.RECORD_SIZE + L.P_KIND]!;
      return kind === L.KIND_WHOLE
        ? L.PAGE_SIZE
        : (at(L.H_CLASS_SIZE + (kind >> 1) * 4) >>> ((kind & 1) * 16)) & 0xffff;
    };
    for (const queue of [0, 4]) {
      for (let entry = at(sh + L.SH_HEAD + queue); entry; entry = at(entry + L.E_NEXT)) {
        const meta = at(entry + L.E_META);
        const lengths = u64[(entry + L.E_LENGTH) / 8]!;
        const type = (meta >>> L.META_TYPE_SHIFT) & L.TYPE_MASK;
        if (type === L.TYPE_PLACEHOLDER || lengths >> BigInt(L.GENERATION_SHIFT) < floor) continue;
        entries++;
        const total =
          L.E_SIZE +
          (meta & L.META_KEY_MASK) +
          (Number(lengths) & L.LENGTH_MASK) +
          (type === L.TYPE_NUMBER ? 8 : 0);
        if (total <= L.SMALL_MAX) bytes += sizeAt(entry);
        else
          for (let piece = entry; piece; piece = at(piece + sizeAt(piece) - L.PIECE_LINK))
            bytes += sizeAt(piece);
      }
    }
  }
  return { entries, bytes };
}

/** What the engine holds without entries: header, tables, control blocks, index and ghosts. */
export function fixedBytes(cache: SharedCache<any>): number {
  const { u32, x } = SharedCache.engineOf(cache);
  return u32[L.H_PAGES >> 2]! + x.index_bytes();
}

/** With the engine at rest: the heap walk balances, no lock is held, `bytes` and `size` are what a walk counts. */
export function checkAtRest(cache: SharedCache<any>): void {
  checkHeap(cache);
  const walked = walk(cache);
  assert.is(cache.bytes, fixedBytes(cache) + walked.bytes, 'bytes is what the walk counts');
  assert.is(cache.size, walked.entries, 'size is what the walk counts');
}

/** Mutexes that somebody holds. */
export function heldMutexes(cache: SharedCache<any>): number[] {
  const { x, mutexes } = SharedCache.engineOf(cache);
  return Array.from({ length: mutexes }, (_, index) => index).filter(
    (index) => x.mutex_held(index, performance.now()) === 1,
  );
}

/** A key of each shard. */
export function keyOfEachShard(cache: SharedCache<any>): string[] {
  const engine = SharedCache.engineOf(cache);
  const keys: string[] = [];
  const first = shardAddress(cache, 0);
  for (let n = 0; keys.filter(Boolean).length < engine.shards; n++) {
    const key = `shard probe ${n}`;
    cache.set(key, 0 as never);
    cache.get(key); // the results tell its shard
    const shard = (engine.u32[(engine.slot + L.R_SHARD) >>> 2]! - first) / engine.u32[L.H_SHARD_STRIDE >> 2]!;
    keys[shard] ??= key;
    cache.delete(key);
  }
  return keys;
}

/**
 * After deaths: a small and a large write in each shard take over what the dead left, then everything is cleared and swept
 * away by writes, and nothing is left but fixed parts.
 */
export function checkNothingLeaks(cache: SharedCache<any>): void {
  const keys = keyOfEachShard(cache);
  const large = new Uint8Array(20_000);
  for (const key of keys) {
    assert.ok(cache.set(key, large as never), 'a large value is stored');
    assert.ok(cache.set(key, 1 as never), 'a small value is stored');
  }
  checkAtRest(cache);
  cache.clear();
  assert.is(cache.bytes, fixedBytes(cache), 'bytes after clear are the fixed parts');
  const engine = SharedCache.engineOf(cache);
  keys.forEach((key, shard) => {
    // the sweep looks at a slot with each write
    const writes = L.BUCKET_SLOTS * (engine.x.debug_number(shard, 3) + 1);
    for (let n = 0; n < writes; n++) cache.set(key, n as never);
    assert.is(engine.x.debug_number(shard, 0), 1, `entries of shard ${shard} after the sweep`);
    cache.delete(key);
  });
  checkAtRest(cache);
  assert.is(cache.bytes, fixedBytes(cache), 'bytes after the sweep are the fixed parts');
  assert.is(cache.size, 0);
}
