/** What a suite says about one thing: a row. Every suite's last line, every result file and the report are made of rows. */

/** `ratio`: Cairn's speed as a multiple of the rival's. `times`: worst over best. `points`: of hit ratio in percent. */
export type Unit = 'ratio' | 'share' | 'times' | 'points' | 'B' | 'ms' | 'µs' | 'ns';

export interface Row {
  id: string;
  /** Heading of the table that it belongs to. */
  group: string;
  title: string;
  unit: Unit;
  /** The median. */
  value: number;
  /** Quartiles and extremes, where there are several measurements. */
  low?: number;
  high?: number;
  min?: number;
  max?: number;
  /** Which direction is good. */
  better: 'more' | 'less';
  /** `value` has to be this or better. */
  goal?: number;
  /** Who stands beside, measured in the same run; `version` is filled in by whoever runs the suite. */
  rival?: { title: string; package?: string; version?: string };
  /** What was measured of each, where `value` is made of both or of one of them. */
  sides?: { cairn: number; rival: number; unit: Unit };
}

export interface SuiteOutput {
  suite: string;
  rows: Row[];
  /** What could not be done, in whole sentences. */
  notes?: string[];
}

export type Verdict = 'reached' | 'missed' | 'no goal';

export function verdict({ value, goal, better }: Pick<Row, 'value' | 'goal' | 'better'>): Verdict {
  if (goal === undefined) return 'no goal';
  return (better === 'more' ? value >= goal : value <= goal) ? 'reached' : 'missed';
}

/** With three significant figures, and the unit. */
export function show(value: number, unit: Unit): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = size >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(digits);
  if (unit === 'ratio' || unit === 'times') return `${text} ×`;
  return unit === 'share' ? text : `${text} ${unit}`;
}

/** One line for people who watch. */
export function line(row: Row): string {
  const parts = [show(row.value, row.unit)];
  if (row.low !== undefined && row.high !== undefined)
    parts.push(`(${show(row.low, row.unit)} to ${show(row.high, row.unit)})`);
  if (row.sides)
    parts.push(
      `Cairn ${show(row.sides.cairn, row.sides.unit)}, beside ${show(row.sides.rival, row.sides.unit)}`,
    );
  if (row.goal !== undefined)
    parts.push(`goal ${row.better === 'more' ? '≥' : '≤'} ${show(row.goal, row.unit)}: ${verdict(row)}`);
  return parts.join('  ');
}

/** How each suite ends: its rows for people, then all as JSON in the last line. */
export function finish(output: SuiteOutput): void {
  for (const row of output.rows) console.log(`${row.title.padEnd(48)} ${line(row)}`);
  for (const note of output.notes ?? []) console.log(note);
  console.log(JSON.stringify(output));
}
