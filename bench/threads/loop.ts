/**
 * The timed loop. Each store gets a copy of this file of its own (imported under a query), so that V8 compiles it for that
 * store alone. Keys are built as programs build them, and what is read is used.
 */
import { keyOf } from '../support/workload.ts';

interface Store {
  get(key: string): string | undefined;
  set(key: string, value: string): unknown;
}

export interface Load {
  order: Uint32Array;
  values: string[];
  /** Of ten operations. */
  writes: number;
}

/** Works for about `ms`, and returns operations a millisecond. */
export function operate(store: Store, { order, values, writes }: Load, ms: number): number {
  const mask = order.length - 1;
  const valueMask = values.length - 1;
  let n = 0;
  let length = 0;
  const began = performance.now();
  let now = began;
  while (now < began + ms) {
    for (let i = 0; i < 500; i++, n++) {
      const key = keyOf(order[n & mask]!);
      if (n % 10 < writes) store.set(key, values[n & valueMask]!);
      else length += store.get(key)!.length;
    }
    now = performance.now();
  }
  if (writes < 10 && length === 0) throw new Error('nothing was read');
  return n / (now - began);
}
