// The store against the best online policy at the same number of entries: is what a page store costs in hits small? Gaps
// are in points of hit ratio; the mean is taken over a log's sizes first, then over logs.

import { GAP_LIMIT, GOAL_CELLS, type GoalCell, QUICK, WORSE_LIMIT } from './goal-cells.ts';
import { replayFitted, unitWorkload } from './goal-store.ts';
import { POLICIES } from './policies/all.ts';
import { METADATA_BYTES } from './reference-lru.ts';
import { S3lReference } from './reference-s3l.ts';
import { entryBytes, loadLog, replay, type Workload } from './traces.ts';

export interface GoalRow extends GoalCell {
  /** Live entries at the end, and the hit ratio: means over the seeds. */
  live: number;
  store: number;
  /** S3L in entries, without pages. */
  ideal: number;
  /** The best of all policies, S3L among them, here and published. */
  best: number;
  policy: string;
  gap: number;
  idealGap: number;
  /** Hit ratio of each policy as replayed here. */
  policies: Record<string, number>;
}

export interface GoalReport {
  suite: 'hit-ratio';
  node: string;
  seeds: number;
  rows: GoalRow[];
  meanGap: number;
  worst: GoalRow;
  /** The cell that loses most against S3L without pages. */
  worstAgainstIdeal: GoalRow;
}

export interface GoalOptions {
  traces: string;
  seeds: number;
  only: string;
  quick: boolean;
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Mean over each log's cells, then over the logs. */
export function meanOverLogs(rows: GoalRow[], value: (row: GoalRow) => number): number {
  const logs = new Map<string, number[]>();
  for (const row of rows) logs.set(row.trace, [...(logs.get(row.trace) ?? []), value(row)]);
  return mean([...logs.values()].map(mean));
}

/** Runs the cells and prints a row as each is done. */
export function compare(options: GoalOptions, say: (line: string) => void): GoalReport {
  const named = ({ trace, part }: GoalCell): string => `${trace} ${part}%`;
  const cells = GOAL_CELLS.filter((cell) => named(cell).includes(options.only)).filter(
    (cell) => !options.quick || QUICK.has(cell.trace),
  );
  if (cells.length === 0) throw new Error(`--only: no cell is called ${options.only}`);
  const seeds = Array.from({ length: options.seeds }, (_, seed) => seed);
  say(
    `Hit ratio in percent at the same number of entries, ${options.seeds} hash seeds. Node ${process.version}`,
  );
  say(
    `${'log, part of its keys'.padEnd(28)} entries   live  store    S3L   best                      gap S3L's    s`,
  );
  const rows: GoalRow[] = [];
  let workload: Workload | undefined;
  for (const cell of cells) {
    if (workload?.name !== cell.trace) workload = load(options.traces, cell.trace);
    const began = performance.now();
    const row = run(cell, workload, seeds);
    rows.push(row);
    const best = `${fixed(row.best)} ${row.policy.padEnd(20)}`;
    const figures = `${fixed(row.store)} ${fixed(row.ideal)} ${best} ${fixed(row.gap, 5)} ${fixed(row.idealGap, 5)}`;
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
    say(`${named(cell).padEnd(28)} ${pad(cell.entries)} ${pad(Math.round(row.live))} ${figures} ${seconds}`);
  }
  const worst = rows.reduce((a, b) => (b.gap > a.gap ? b : a));
  const worstAgainstIdeal = rows.reduce((a, b) => (b.gap - b.idealGap > a.gap - a.idealGap ? b : a));
  const meanGap = meanOverLogs(rows, (row) => row.gap);
  const against = worstAgainstIdeal.gap - worstAgainstIdeal.idealGap;
  say(
    `mean gap ${meanGap.toFixed(2)} (limit ${GAP_LIMIT}); S3L without pages ${meanOverLogs(rows, (row) => row.idealGap).toFixed(2)}`,
  );
  say(`worst ${worst.gap.toFixed(2)} (${named(worst)}; S3L without pages ${worst.idealGap.toFixed(2)})`);
  say(
    `most below S3L without pages ${against.toFixed(2)} (${named(worstAgainstIdeal)}; limit ${WORSE_LIMIT})`,
  );
  const report = { seeds: options.seeds, rows, meanGap, worst, worstAgainstIdeal };
  return { suite: 'hit-ratio', node: process.version, ...report };
}

/** False: a limit is passed. */
export function reached({ meanGap, worstAgainstIdeal: { gap, idealGap } }: GoalReport): boolean {
  return meanGap < GAP_LIMIT && gap - idealGap <= WORSE_LIMIT;
}

/** Sizes do not matter here; a log that has its own has another name. */
function load(dir: string, trace: string): Workload {
  return unitWorkload(loadLog(dir, trace, trace.startsWith('cp-') ? 'own' : 'log'));
}

function run(cell: GoalCell, log: Workload, seeds: number[]): GoalRow {
  const { entries, published } = cell;
  const fitted = seeds.map((seed) => replayFitted(log, entries, seed));
  const capacity = entries * (entryBytes(log)[0] + METADATA_BYTES);
  const ideal = mean(seeds.map((seed) => replay(log, new S3lReference(log, capacity, seed)).objects));
  const store = mean(fitted.map((each) => each.objects));
  const policies: Record<string, number> = {};
  let best = ideal;
  let policy = 'S3L';
  for (const [name, make] of POLICIES) {
    const ratio = replay(log, make(log.keys.length, entries)).objects;
    policies[name] = ratio;
    if (ratio <= best) continue;
    best = ratio;
    policy = name;
  }
  if (published !== undefined && published.best > best) {
    best = published.best;
    policy = `${published.policy}, published`;
  }
  const live = mean(fitted.map((each) => each.live));
  return { ...cell, live, store, ideal, best, policy, gap: best - store, idealGap: best - ideal, policies };
}

const fixed = (value: number, width = 6): string => value.toFixed(2).padStart(width);
const pad = (value: number): string => String(value).padStart(7);
