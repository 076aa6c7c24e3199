/**
 * The loops that are timed. Each side of a duel imports this file under a query of its own, so V8 compiles the loops for
 * that side alone: a call site that had seen both caches would be slow for both, as it is in no program. Every result is
 * used.
 */
import { keyOf } from '../support/workload.ts';

/** What a loop works on. `order` has a power of two of entry numbers. */
export interface Work {
  order: Uint32Array;
  kept: string[];
  values: unknown[];
  /** Entries; also where keys that nobody has stored begin. */
  entries: number;
}

function use(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value === 'number') return value;
  return value === undefined || value === null ? 0 : (value as { id: number }).id;
}

type Loop = (cache: any, work: Work, from: number, count: number) => number | Promise<number>;

/** The name of the loop, then what it does `count` times. */
export const LOOPS = {
  getBuilt(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += use(cache.get(keyOf(order[i & mask]!)));
    return sum;
  },
  getKept(cache, { order, kept }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += use(cache.get(kept[order[i & mask]!]!));
    return sum;
  },
  getMissing(cache, { order, entries }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += use(cache.get(keyOf(entries + order[i & mask]!)));
    return sum;
  },
  setOver(cache, { order, kept, values }, from, count) {
    const mask = order.length - 1;
    const valueMask = values.length - 1;
    for (let i = from; i < from + count; i++) cache.set(kept[order[i & mask]!]!, values[i & valueMask]);
    return count;
  },
  setNew(cache, { entries, values }, from, count) {
    const valueMask = values.length - 1;
    for (let i = from; i < from + count; i++) cache.set(keyOf(entries + i), values[i & valueMask]);
    return count;
  },
  /** 100 gets of built keys, one after the other. */
  get100(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) {
      for (let k = 0; k < 100; k++) sum += use(cache.get(keyOf(order[(i * 100 + k) & mask]!)));
    }
    return sum;
  },
  /** The same keys in one call. */
  getMany100(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    const keys: string[] = new Array(100);
    for (let i = from; i < from + count; i++) {
      for (let k = 0; k < 100; k++) keys[k] = keyOf(order[(i * 100 + k) & mask]!);
      const values = cache.getMany(keys);
      for (let k = 0; k < 100; k++) sum += use(values[k]);
    }
    return sum;
  },
  getOrCreateSync(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) {
      sum += use(cache.getOrCreateSync(keyOf(order[i & mask]!), never));
    }
    return sum;
  },
  async getOrCreate(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) {
      sum += use(await cache.getOrCreate(keyOf(order[i & mask]!), never));
    }
    return sum;
  },
  async fetch(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += use(await cache.fetch(keyOf(order[i & mask]!)));
    return sum;
  },
  async getAsync(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += use(await cache.get(keyOf(order[i & mask]!)));
    return sum;
  },
  async getByObject(cache, { order }, from, count) {
    const mask = order.length - 1;
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += use(await cache.get({ key: keyOf(order[i & mask]!) }));
    return sum;
  },
} satisfies Record<string, Loop>;

export type LoopName = keyof typeof LOOPS;

function never(): never {
  throw new Error('a read that had to hit missed');
}
