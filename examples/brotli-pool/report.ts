/** What the runs showed: as data, as text, and what should have been otherwise. */
import { styleText } from 'node:util';
import { barChart, count, mebibytes, milliseconds, percent, seconds, table, times } from './format.ts';
import type { RunResult } from './run.ts';

/** A run of the first part of the stream with a given number of mutexes. */
export interface ThrottleResult extends RunResult {
  mutexes: number;
}

/** All that the demo measured; what `--json` prints. */
export interface Report {
  requests: number;
  files: number;
  fileBytes: number;
  /** Of the files, those that the stream asks for. */
  distinctFiles: number;
  threads: number;
  /** Requests in hand at once, over all threads. */
  concurrency: number;
  seed: number;
  node: string;
  processors: number;
  seconds: number;
  /** `none` answered a sample: the first requests of the stream. */
  ways: { none: RunResult; lru: RunResult; cairn: RunResult };
  throttle: ThrottleResult[];
  /** What should not be; empty when all is well. */
  failures: string[];
}

/** What must hold with Cairn, whatever the number of threads; a sentence for each claim that does not. */
export function findFailures({ ways, throttle }: Pick<Report, 'ways' | 'throttle'>): string[] {
  const failures: string[] = [];
  const named: [string, RunResult][] = [
    ['no cache', ways.none],
    ['lru-cache', ways.lru],
    ['Cairn', ways.cairn],
    ...throttle.map((run): [string, RunResult] => [`Cairn with mutexes: ${run.mutexes}`, run]),
  ];
  for (const [name, run] of named) {
    if (run.wrongAnswers > 0) failures.push(`${name}: wrong answers: ${count(run.wrongAnswers)}.`);
    if (run.stats && run.loads !== run.distinctFiles) {
      failures.push(
        `${name}: ${count(run.loads)} loads for ${count(run.distinctFiles)} different files; each should be loaded once.`,
      );
    }
  }
  for (const { mutexes, mostLoadsAtOnce } of throttle) {
    if (mostLoadsAtOnce > mutexes) {
      failures.push(`Cairn with mutexes: ${mutexes}: ${mostLoadsAtOnce} loads ran at once.`);
    }
  }
  return failures;
}

/** The report for people. */
export function renderReport(report: Report, terminal: boolean): string {
  const bold = (text: string) => (terminal ? styleText('bold', text) : text);
  const bar = terminal ? '█' : '#';
  const { ways, throttle, failures } = report;
  const [head, ...rows] = table(comparison(report));
  const part = throttle[0]!;
  const lines = [
    '',
    bold(head!),
    ...rows,
    '',
    '  Hit: an answer without a load of its own. Latency: from sending a request to its answer.',
    '  Resident memory: growth of the process, mostly heaps of threads and compressor, little of answers.',
    '',
    bold(`  Loads of the origin for all ${count(report.requests)} requests (fewer is better)`),
    ...barChart(
      [
        {
          label: 'no cache',
          value: report.requests,
          note: `${count(report.requests)} (one for each request)`,
        },
        { label: 'lru-cache per thread', value: ways.lru.loads, note: count(ways.lru.loads) },
        {
          label: 'one Cairn region',
          value: ways.cairn.loads,
          note: `${count(ways.cairn.loads)} (one for each file)`,
        },
      ],
      bar,
    ),
    '',
    bold(`  The throttle: most loads at once under Cairn (first ${count(part.requests)} requests)`),
    ...barChart(
      throttle.map((run) => ({
        label: `mutexes: ${count(run.mutexes)}${run === throttle.at(-1) ? ' (default)' : ''}`,
        value: run.mostLoadsAtOnce,
        note: `${run.mostLoadsAtOnce}, in ${seconds(run.seconds)}`,
      })),
      bar,
    ),
    '',
    ...(failures.length > 0
      ? failures.map((text) => bold(`  FAILED. ${text}`))
      : [bold(`  ${conclusion(report)}`)]),
    '  Read on: README.md, and examples/quick-start for the few lines that it takes.',
    '',
  ];
  return lines.join('\n');
}

function comparison({ ways, requests }: Report): string[][] {
  const { none, lru, cairn } = ways;
  const row = (label: string, show: (run: RunResult) => string) => [
    label,
    show(none),
    show(lru),
    show(cairn),
  ];
  return [
    ['', 'no cache', 'lru-cache per thread', 'one Cairn region'],
    row('requests', (run) =>
      run.requests < requests ? `sample of ${count(run.requests)}` : count(run.requests),
    ),
    row('loads of the origin', (run) => count(run.loads)),
    row('hit ratio', (run) => percent(run.hitRatio)),
    row('requests a second', (run) => count(run.requestsPerSecond)),
    row('latency p50', (run) => milliseconds(run.latencyMs.p50)),
    row('latency p99', (run) => milliseconds(run.latencyMs.p99)),
    row('cached answers', (run) => (run.keptBytes === 0 ? '-' : mebibytes(run.keptBytes))),
    row(
      'resident memory',
      (run) => `${run.residentGrowthBytes < 0 ? '-' : '+'}${mebibytes(Math.abs(run.residentGrowthBytes))}`,
    ),
    row('waits for another thread', (run) => (run.stats ? count(run.stats.mutexWaits) : '-')),
  ];
}

function conclusion({ ways }: Report): string {
  const { lru, cairn } = ways;
  const once = `Cairn loaded each of ${count(cairn.distinctFiles)} files once`;
  if (lru.loads <= cairn.loads) return `${once}, as often as an lru-cache per thread did.`;
  return `${once} for all threads; lru-cache per thread took ${times(lru.loads / cairn.loads)} the loads.`;
}
