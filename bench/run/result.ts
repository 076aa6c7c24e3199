/** A result file: all rows of one run under one Node. Written by `npm run bench`, read by the report. */
import type { CairnState, Machine } from './machine.ts';
import type { Row } from './rows.ts';

/** Where they are, below the repository. */
export const RESULTS = 'bench/results';

export interface ResultRow extends Row {
  suite: string;
  /** Makes just this number again. */
  command: string;
  reached?: boolean;
}

export interface Result {
  date: string;
  /** `full` alone is reported; `quick` and `partial` are for whoever ran them. */
  kind: 'full' | 'quick' | 'partial';
  node: string;
  v8: string;
  machine: Machine;
  cairn: CairnState;
  /** Version of each package that took part. */
  packages: Record<string, string>;
  rows: ResultRow[];
  notes: string[];
  /** Suites and duels without a number. */
  failed: { id: string; error: string }[];
}

export function majorOf({ node }: Pick<Result, 'node'>): number {
  return Number(node.split('.')[0]);
}

export function fileName(result: Pick<Result, 'date' | 'node' | 'kind'>): string {
  const kind = result.kind === 'full' ? '' : `-${result.kind}`;
  return `${result.date.slice(0, 10)}-node-${majorOf(result)}${kind}.json`;
}
