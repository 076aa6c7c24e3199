/** Keys, values and orders that all contestants get alike. */

export const ENTRIES = 100_000;

/** About 85 bytes as JSON. */
export function objectOf(i: number): object {
  return { id: i, name: `user ${i}`, mail: `user${i}@example.org`, active: true, tags: ['a', 'b'] };
}

/** 85 characters, one piece of memory: not a rope of pieces that whoever reads it first has to flatten. */
export function stringOf(i: number): string {
  return Buffer.from(`value ${i} `.padEnd(85, 'x'), 'latin1').toString('latin1');
}

export type ValueKind = 'string' | 'object' | 'number';

export const VALUES: Record<ValueKind, (i: number) => unknown> = {
  string: stringOf,
  object: objectOf,
  number: (i) => i + 0.5,
};

/** 23 characters. Built in the call as programs do, so the string is new and its hash unknown. */
export function keyOf(i: number): string {
  return `user:profile:${1_000_000_000 + i}`;
}

/** Numbers in [0, 1) that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Random entry numbers, each equally often; the same for every contestant. */
export function uniformOrder(length: number, entries: number): Uint32Array {
  const next = random(0x12345678);
  return Uint32Array.from({ length }, () => Math.floor(next() * entries));
}

/** Entry numbers by Zipf's law: the one of rank r comes 1 / r^exponent as often as the first. Ranks are spread over the entries. */
export function zipfOrder(length: number, entries: number, exponent = 0.99): Uint32Array {
  const next = random(0x23456789);
  const sums = new Float64Array(entries);
  let sum = 0;
  for (let rank = 0; rank < entries; rank++) sums[rank] = sum += (rank + 1) ** -exponent;
  const entryOf = Uint32Array.from({ length: entries }, (_, i) => i);
  for (let i = entries - 1; i > 0; i--) {
    const other = Math.floor(next() * (i + 1));
    [entryOf[i], entryOf[other]] = [entryOf[other]!, entryOf[i]!];
  }
  return Uint32Array.from({ length }, () => {
    const wanted = next() * sum;
    let low = 0;
    let high = entries - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return entryOf[low]!;
  });
}
