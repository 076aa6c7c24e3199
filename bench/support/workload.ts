/** Keys, values and orders that all contestants get alike. */

export const ENTRIES = 100_000;

/** About 85 bytes as JSON. */
export function objectOf(i: number): object {
  return { id: i, name: `user ${i}`, mail: `user${i}@example.org`, active: true, tags: ['a', 'b'] };
}

export function stringOf(i: number): string {
  return `value ${i} `.padEnd(85, 'x');
}

export function keyOf(i: number): string {
  return `user:profile:${String(i).padStart(9, '0')}`;
}

/** Random entry numbers, each equally often; the same for every contestant. */
export function uniformOrder(length: number, entries: number): Uint32Array {
  const order = new Uint32Array(length);
  let state = 0x12345678;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    order[i] = Math.floor((state / 2 ** 32) * entries);
  }
  return order;
}
