// Hit ratio of the store on real request logs.
//   npm run bench:hit-ratio -- --traces DIR [--seeds 5] [--only TEXT] [--json]
//   npm run bench:hit-ratio -- --traces DIR --goal [--quick] [--seeds 2] [--only TEXT]
// In bytes, with values of many sizes, against what it should reach and two references (bytes.ts); with --goal at the same
// number of entries, against the best of other policies (goal.ts), and the last line is the result as JSON. --quick: one
// seed and some of the logs. Exits 1 when a limit is passed.

import { parseArgs } from 'node:util';
import { compareInBytes } from './bytes.ts';
import { compare, reached } from './goal.ts';

const { values } = parseArgs({
  options: {
    traces: { type: 'string' },
    seeds: { type: 'string' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    goal: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const { traces, only, json, goal, quick } = values;
if (traces === undefined) throw new Error('--traces DIR: the directory of the request logs');
if (quick && !goal) throw new Error('--quick goes with --goal');
const usual = goal ? (quick ? 1 : 2) : 5;
const seeds = Number(values.seeds ?? usual);
if (!Number.isInteger(seeds) || seeds < 1) throw new Error(`--seeds: a positive number, not ${values.seeds}`);

if (goal) {
  const report = compare({ traces, seeds, only, quick }, (line) => console.log(line));
  const good = reached(report);
  if (!good) console.log('FAILED: the store evicts worse than it should');
  console.log(JSON.stringify(report));
  if (!good) process.exitCode = 1;
} else if (!compareInBytes({ traces, seeds, only, json })) process.exitCode = 1;
