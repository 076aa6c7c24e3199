/** What is printed of the runs, and what must hold of them. */
import type { RegionStats } from '../../src/index.ts';
import type { LoadResult } from './load.ts';
import { WAYS, type Way } from './server.ts';

export interface Outcome extends LoadResult {
  readonly upstreamCalls: number;
  readonly upstreamMost: number;
  readonly upstreamRefused: number;
  /** Of Cairn's region. */
  readonly stats: RegionStats | null;
}

const TITLES: Record<Way, string> = {
  none: 'no cache',
  lru: 'an lru-cache per thread',
  cairn: 'one Cairn region',
};

export function table(outcomes: Record<Way, Outcome>): string {
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const ms = (value: number) => (Number.isNaN(value) ? '-' : `${value.toFixed(1)} ms`);
  const share = ({ requests, upstreamCalls }: Outcome) =>
    requests === 0 ? '-' : `${(100 * Math.max(0, 1 - upstreamCalls / requests)).toFixed(1)} %`;
  const rows: [string, (outcome: Outcome) => string][] = [
    ['answered requests a second', ({ perSecond }) => count(perSecond)],
    ['latency of those p50', ({ latencyMs }) => ms(latencyMs.p50)],
    ['latency of those p97.5', ({ latencyMs }) => ms(latencyMs.p97_5)],
    ['latency of those p99', ({ latencyMs }) => ms(latencyMs.p99)],
    ['failed requests', ({ failed }) => count(failed)],
    ['wrong answers', ({ wrong }) => count(wrong)],
    ['calls of the upstream', ({ upstreamCalls }) => count(upstreamCalls)],
    ['of those at once', ({ upstreamMost }) => count(upstreamMost)],
    ['refused by the upstream', ({ upstreamRefused }) => count(upstreamRefused)],
    ['requests without a call', share],
  ];
  const lines = [
    ['', ...WAYS.map((way) => TITLES[way])],
    ...rows.map(([name, cell]) => [name, ...WAYS.map((way) => cell(outcomes[way]))]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('   '),
    )
    .join('\n');
}

/** The counters of a region, without the load times, on two lines. */
export function statsLines({ loadTimes: _, ...counters }: RegionStats): string {
  const parts = Object.entries(counters).map(([name, value]) => `${name} ${value}`);
  return `region.stats(): ${parts.slice(0, 5).join(', ')},\n  ${parts.slice(5).join(', ')}`;
}

/** What must hold whatever the machine does. */
export function failures(outcomes: Record<Way, Outcome>, mutexes: number): string[] {
  const found: string[] = [];
  for (const way of WAYS) {
    const { answered, wrong } = outcomes[way];
    if (answered === 0) found.push(`${TITLES[way]}: no request was answered`);
    if (wrong > 0) found.push(`${TITLES[way]}: ${wrong} answers did not belong to their request`);
  }
  const { upstreamMost, failed } = outcomes.cairn;
  if (upstreamMost > mutexes) found.push(`Cairn: ${upstreamMost} calls at once, with mutexes: ${mutexes}`);
  if (failed > 0) found.push(`Cairn: ${failed} requests failed`);
  return found;
}
