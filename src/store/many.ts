/**
 * Several keys at once. One read after the other waits for its cache misses one after the other; here the engine first walks
 * ahead for up to 64 keys, step by step for all of them, and the table of decoded values likewise, so that the misses of many
 * keys overlap (assembly/many.ts). Then each key is read as `get` reads it, from memory that is near.
 */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';
import type { DecodedTable } from './decoded-table.ts';
import { SHORT_TEXT, stageKey } from './keys.ts';

/** Fewer keys than this are not worth it. */
export const MANY_FROM = 4;
/** Nor is an engine that the CPU's cache holds: entries, about. */
const NEAR_ENTRIES = 16_384;
/** Entries a bucket, about. */
const LOAD = 5;

/** Whether the engine is so large that reads wait for memory. Looks at one shard, as entries are spread evenly. */
export function isFar(engine: Engine): boolean {
  const { u32, shards } = engine;
  const buckets = u32[(u32[L.H_SHARD_TABLE >> 2]! + L.SH_STATE) >>> 2]!;
  return buckets * shards * LOAD > NEAR_ENTRIES;
}

/** Brings near what the reads of `keys[from]` to `keys[to - 1]`, at most MANY_MAX, will look at. Their order counts nothing. */
export function walkAhead(
  engine: Engine,
  region: number,
  table: DecodedTable | undefined,
  keys: readonly string[],
  from: number,
  to: number,
): number {
  const count = to - from;
  const { x } = engine;
  for (let i = 0; i < count; i++) {
    const key = keys[from + i]!;
    if (engine.readsText && key.length < SHORT_TEXT) {
      x.many_note_text(key, region, i);
    } else {
      const staged = stageKey(engine, key);
      x.many_note(staged >>> 1, (region << 1) | (staged & 1), i);
    }
  }
  let seen = x.many_touch(count);
  if (table !== undefined) {
    const hashes = engine.copy >>> 2; // of each the low half first
    for (let i = 0; i < count; i++) seen |= table.placeOf(engine.i32[hashes + 2 * i]!);
  }
  return seen;
}
