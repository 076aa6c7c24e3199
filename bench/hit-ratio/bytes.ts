// Hit ratio of the store with values of many sizes, against what it should reach and against two references in exact bytes.
// Worse than it should be: on average by half a point, or in a cell by a whole one.

import { CELL_LIMIT, CELLS, type Cell, CHECK_SUMS, MEAN_LIMIT } from './cells.ts';
import { LruReference } from './reference-lru.ts';
import { S3lReference } from './reference-s3l.ts';
import { StoreContestant } from './store.ts';
import { loadLog, type Ratio, replay, uniqueBytes, type Workload } from './traces.ts';

interface Result extends Cell {
  /** Mean, lowest and highest over the seeds, and the mean in bytes. */
  store: Spread;
  /** Store's mean less the expected one. */
  difference: number;
  s3l: Spread;
  lru: Ratio;
  seconds: number;
}

interface Spread extends Ratio {
  lowest: number;
  highest: number;
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function spread(ratios: Ratio[]): Spread {
  const objects = ratios.map((ratio) => ratio.objects);
  return {
    objects: mean(objects),
    bytes: mean(ratios.map((ratio) => ratio.bytes)),
    lowest: Math.min(...objects),
    highest: Math.max(...objects),
  };
}

export interface BytesOptions {
  traces: string;
  seeds: number;
  only: string;
  /** The result as JSON and nothing else. */
  json: boolean;
}

/** Reads a log and compares its check sum, if it has one. */
function load(dir: string, cell: Cell): Workload {
  const workload = loadLog(dir, cell.trace, cell.sizes);
  const name = `${cell.trace} ${cell.sizes}`;
  const expected = CHECK_SUMS.get(name);
  const bytes = uniqueBytes(workload);
  if (expected !== undefined && bytes !== expected)
    throw new Error(`${name}: ${bytes} bytes, not ${expected}`);
  return workload;
}

const fixed = (value: number, digits = 2): string => value.toFixed(digits).padStart(digits + 4);

/** Replays all cells whose name has `only` in it and prints them. False: worse than it should be. */
export function compareInBytes({ traces, seeds, only, json }: BytesOptions): boolean {
  const say = (line: string): void => {
    if (!json) console.log(line);
  };
  const cells = CELLS.filter((cell) => `${cell.trace} ${cell.sizes} ${cell.capacity}`.includes(only));
  if (cells.length === 0) throw new Error(`--only: no cell is called ${only}`);
  const all = Array.from({ length: seeds }, (_, seed) => seed);

  say(
    `Hit ratio in percent of ${seeds} hash seeds: mean (lowest to highest) | bytes. Node ${process.version}`,
  );
  say(`${'trace, sizes, capacity'.padEnd(36)} ${'store'.padEnd(26)} expected   diff | bytes exp.`);
  const results: Result[] = [];
  let workload: Workload | undefined;
  let loaded = '';
  for (const cell of cells) {
    const name = `${cell.trace} ${cell.sizes}`;
    if (loaded !== name || workload === undefined) workload = load(traces, cell);
    loaded = name;
    const began = performance.now();
    const log = workload;
    const s3l = spread(all.map((seed) => replay(log, new S3lReference(log, cell.capacity, seed))));
    const lru = replay(log, new LruReference(log, cell.capacity));
    const store = spread(all.map((seed) => runStore(log, cell.capacity, seed)));
    const difference = store.objects - cell.expected;
    const result = { ...cell, store, difference, s3l, lru, seconds: (performance.now() - began) / 1000 };
    results.push(result);
    report(say, result);
  }

  const differences = results.map((result) => result.difference);
  const meanDifference = mean(differences);
  const worstDifference = Math.min(...differences);
  if (json) {
    const summary = { node: process.version, seeds, meanDifference, worstDifference };
    console.log(JSON.stringify({ ...summary, cells: results }, undefined, 2));
  }
  say(
    `mean difference ${meanDifference.toFixed(2)} (limit ${MEAN_LIMIT}), worst ${worstDifference.toFixed(2)} (limit ${CELL_LIMIT})`,
  );
  if (meanDifference < MEAN_LIMIT || worstDifference < CELL_LIMIT) {
    say('FAILED: the store evicts worse than it should');
    return false;
  }
  return true;
}

function runStore(log: Workload, capacity: number, seed: number): Ratio {
  const contestant = new StoreContestant(log, capacity, seed);
  try {
    return replay(log, contestant);
  } finally {
    contestant[Symbol.dispose]();
  }
}

/** Prints a cell. */
function report(say: (line: string) => void, { store, difference, s3l, lru, ...cell }: Result): void {
  const name = `${cell.trace} ${cell.sizes} ${cell.capacity / 2 ** 20} MiB`.padEnd(36);
  const own = `${fixed(store.objects)} (${fixed(store.lowest)} to ${fixed(store.highest)})`;
  const bytes = `${fixed(store.bytes, 1)}${fixed(cell.expectedBytes, 1)}`;
  say(
    `${name} ${own}    ${fixed(cell.expected, 1)} ${fixed(difference)} | ${bytes}  (${cell.seconds.toFixed(1)} s)`,
  );
  const references = `S3L ${fixed(s3l.objects)} | ${fixed(s3l.bytes, 1)}   LRU ${fixed(lru.objects)} | ${fixed(lru.bytes, 1)}`;
  say(`${''.padEnd(36)} ${references}`);
}
