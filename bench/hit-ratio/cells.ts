// What is replayed, and what a store that evicts as it should reaches there.

import type { SizeKind } from './sizes.ts';

/** A log with sizes at one capacity. Hit ratios in percent. */
export interface Cell {
  trace: string;
  sizes: SizeKind;
  /** Bytes of the slab pages and the 16-byte record of each. */
  capacity: number;
  /** Objects: mean of five hash seeds, lowest and highest. */
  expected: number;
  lowest: number;
  highest: number;
  /** The same in bytes. */
  expectedBytes: number;
}

function cell(
  trace: string,
  sizes: SizeKind,
  mebibytes: number,
  [expected, lowest, highest]: [number, number, number],
  expectedBytes: number,
): Cell {
  return { trace, sizes, capacity: mebibytes * 2 ** 20, expected, lowest, highest, expectedBytes };
}

/** The table; made by a simulator of the slab store's eviction. */
export const CELLS: Cell[] = [
  cell('arc-OLTP', 'log', 4, [57.4, 57.4, 57.4], 56.5),
  cell('arc-OLTP', 'log', 16, [69.6, 69.6, 69.6], 69.0),
  cell('arc-OLTP', 'bi', 16, [67.8, 67.7, 67.8], 64.7),
  cell('arc-P6-first1m', 'log', 16, [16.8, 16.7, 16.8], 12.1),
  cell('arc-P6-first1m', 'log', 64, [46.9, 46.8, 46.9], 44.4),
  cell('arc-P6-first1m', 'bi', 16, [24.4, 23.9, 24.6], 7.6),
  cell('c2k-orm-busy-first1m', 'log', 4, [87.7, 87.7, 87.8], 87.2),
  cell('c2k-orm-busy-first1m', 'bi', 4, [86.7, 86.7, 86.8], 84.6),
  cell('c2k-web12', 'log', 2, [78.1, 78.0, 78.1], 79.4),
  cell('c2k-web12', 'bi', 4, [80.6, 80.6, 80.7], 77.6),
  cell('lirs-multi2', 'bi', 2, [68.2, 67.9, 68.6], 67.5),
  cell('llm-synthetic', 'log', 4, [33.3, 33.0, 33.9], 29.7),
  cell('llm-synthetic', 'log', 16, [57.9, 57.9, 58.0], 57.0),
  cell('web-apache', 'own', 4, [64.8, 64.5, 65.0], 5.9),
  cell('web-apache', 'own', 16, [74.2, 73.8, 74.5], 12.5),
  cell('cp-cloudPhysicsIO', 'own', 16, [17.8, 17.8, 17.9], 2.4),
  cell('cp-cloudPhysicsIO', 'own', 64, [19.3, 19.3, 19.4], 4.1),
];

/** Sums of the derived sizes of all keys of a log: they tell whether sizes and log are the ones meant. */
export const CHECK_SUMS: ReadonlyMap<string, number> = new Map([
  ['arc-OLTP log', 115_060_701],
  ['arc-OLTP bi', 208_447_960],
  ['c2k-web12 log', 8_315_965],
]);

/** A store whose mean difference is worse than this is wrong. */
export const MEAN_LIMIT = -0.5;
/** So is one with a cell below this. */
export const CELL_LIMIT = -1.0;
