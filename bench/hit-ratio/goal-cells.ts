// Cells of the comparison in entries: logs at parts of their unique keys, 2,000 entries or more. Where a published table has
// the cell (whole logs only), its figures stand beside it.

/** Hit ratios in percent, one digit behind the point. */
export interface Published {
  /** Best online policy of the table, and its name. */
  best: number;
  policy: string;
  /** S3L, which is the store's policy, in entries and without pages. */
  s3l: number;
}

export interface GoalCell {
  trace: string;
  /** Percent of the unique keys. */
  part: number;
  entries: number;
  published?: Published;
}

function cell(trace: string, part: number, entries: number, published?: [number, string, number]): GoalCell {
  if (published === undefined) return { trace, part, entries };
  const [best, policy, s3l] = published;
  return { trace, part, entries, published: { best, policy, s3l } };
}

export const GOAL_CELLS: GoalCell[] = [
  cell('c2k-web12', 25, 3439, [79.6, 'S3L', 79.6]),
  cell('corda-vault', 5, 4523, [33.3, 'S3L', 33.3]),
  cell('corda-vault', 10, 9047, [33.3, 'S3L', 33.3]),
  cell('corda-vault', 25, 22617, [33.3, 'S3L', 33.3]),
  cell('llm-synthetic', 5, 2196, [16.3, 'S3L', 16.3]),
  cell('llm-synthetic', 10, 4392, [26.9, 'S3-FIFO t1', 26.6]),
  cell('llm-synthetic', 25, 10981, [46.0, 'ARC', 43.8]),
  cell('arc-OLTP', 5, 9344, [62.6, 'S3L', 62.6]),
  cell('arc-OLTP', 10, 18688, [68.3, 'S3L', 68.3]),
  cell('arc-OLTP', 25, 46720, [74.2, 'S3-FIFO t1', 74.0]),
  cell('c2k-orm-busy-first1m', 5, 2208),
  cell('c2k-orm-busy-first1m', 10, 4417),
  cell('c2k-orm-busy-first1m', 25, 11044),
  cell('arc-P6-first1m', 1, 2867),
  cell('arc-P6-first1m', 5, 14339),
  cell('arc-P6-first1m', 10, 28678),
  cell('arc-P6-first1m', 25, 71696),
  cell('cp-cloudPhysicsIO', 5, 2449, [20.7, 'LIRS', 20.2]),
  cell('cp-cloudPhysicsIO', 10, 4897, [25.3, 'S3-FIFO t1', 24.7]),
  cell('cp-cloudPhysicsIO', 25, 12244, [38.8, 'S3-FIFO t1', 36.7]),
  cell('lirs-2_pools', 25, 2485, [61.7, 'W-TinyLFU 1%', 61.5]),
  cell('cpu-gcc', 10, 3507, [92.9, 'S3L', 92.9]),
  cell('cpu-gcc', 25, 8768, [93.1, 'S3-FIFO', 93.0]),
  cell('cpu-swim', 10, 2261, [92.4, 'S3L', 92.4]),
  cell('cpu-swim', 25, 5651, [92.5, 'S3-FIFO', 92.4]),
];

/** Some that are done soon. */
export const QUICK: ReadonlySet<string> = new Set([
  'c2k-web12',
  'corda-vault',
  'llm-synthetic',
  'cp-cloudPhysicsIO',
  'lirs-2_pools',
]);

/** The mean gap to the best policy has to stay below. */
export const GAP_LIMIT = 1.2;
/** A cell may be this much worse than S3L without pages. */
export const WORSE_LIMIT = 1;
