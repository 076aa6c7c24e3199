/** The benchmark's report: verdicts, tables, charts and README's block from a result that is made up. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { median, quantile } from '../../bench/duels/rounds.ts';
import { filesOf } from '../../bench/report/main.ts';
import type { Result, ResultRow } from '../../bench/run/result.ts';
import { show, verdict } from '../../bench/run/rows.ts';
import { merged, spreadOf } from '../../bench/run/spread.ts';

function row(id: string, value: number, goal?: number): ResultRow {
  return {
    id,
    group: 'get',
    title: `title of ${id}`,
    unit: 'ratio',
    value,
    low: value - 0.1,
    high: value + 0.1,
    better: 'more',
    ...(goal !== undefined && { goal, reached: value >= goal }),
    rival: { title: 'lru-cache, ttl', package: 'lru-cache', version: '1.2.3' },
    suite: 'duels',
    command: `node dist/bench/duels/main.js ${id}`,
  };
}

function result(node: string, rows: ResultRow[]): Result {
  return {
    date: '2026-01-02T03:04:05.000Z',
    kind: 'full',
    node,
    v8: '1.0',
    machine: { cpu: 'A | B', cores: 2, arch: 'x64', memoryGiB: 8, os: 'Linux', kernel: 'Linux 1' },
    cairn: { version: '0.1.0' },
    packages: {},
    rows,
    notes: ['A note.'],
    failed: [{ id: 'broken', error: 'it broke' }],
  };
}

const TEXTS: Record<string, string> = {
  'README.md': 'before\n<!-- benchmarks:begin -->\nold\n<!-- benchmarks:end -->\nafter\n',
  'docs/performance.md': 'first\n<!-- goals:begin -->\n<!-- goals:end -->\nlast\n',
};
const read = (path: string) => TEXTS[path]!;

test('quantiles, medians and spreads', () => {
  assert.is(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.is(quantile([1, 2, 3], 0), 1);
  assert.is(quantile([1, 2, 3], 1), 3);
  assert.is(median([9, 1, 5]), 5);
  assert.equal(spreadOf([5, 1, 3, 2, 4]), { value: 3, low: 2, high: 4, min: 1, max: 5 });
  assert.throws(() => spreadOf([]));
  const one = { value: 2, low: 1.5, high: 2.5, min: 1, max: 3 };
  const two = { value: 4, low: 3, high: 5, min: 2, max: 9 };
  assert.equal(merged([one, two]), { value: 3, low: 1.5, high: 5, min: 1, max: 9 });
});

test('a goal is reached at its very value, in the right direction', () => {
  assert.is(verdict({ value: 2, goal: 2, better: 'more' }), 'reached');
  assert.is(verdict({ value: 1.99, goal: 2, better: 'more' }), 'missed');
  assert.is(verdict({ value: 2, goal: 2, better: 'less' }), 'reached');
  assert.is(verdict({ value: 2.01, goal: 2, better: 'less' }), 'missed');
  assert.is(verdict({ value: 2, better: 'less' }), 'no goal');
  assert.is(show(2.345, 'ratio'), '2.35 ×');
  assert.is(show(12345, 'ns'), '12,345 ns');
});

test('the page, README and charts say what the results say', () => {
  const rows = [row('get-object-built-zipf-100k', 2.5, 2.2), row('get-missing', 1.5, 2)];
  const results = [result('20.0.0', [row('get-object-built-zipf-100k', 7.77)]), result('24.1.0', rows)];
  const files = filesOf(results, read);
  assert.equal([...files.keys()].sort(), [
    'README.md',
    'docs/benchmarks.md',
    'docs/charts/beside-lru-cache.svg',
    'docs/performance.md',
  ]);
  const page = files.get('docs/benchmarks.md')!;
  assert.ok(page.includes('24: 1 of 2 reached'));
  assert.match(
    page,
    /title of get-object-built-zipf-100k \| lru-cache, ttl \(1\.2\.3\) \| 7\.77 × .* \| \*\*2\.50 × \(2\.40 to 2\.60\)\*\* \| ≥ 2\.20 × \| reached \|/,
  );
  assert.match(page, /title of get-missing \| .* \| – \| \*\*1\.50 .* \| missed \|/);
  assert.ok(page.includes('Node 24: A note.') && page.includes('broken failed: it broke'));
  assert.ok(page.includes('`node dist/bench/duels/main.js get-missing`'));
  const readme = files.get('README.md')!;
  assert.ok(readme.startsWith('before\n') && readme.endsWith('after\n') && !readme.includes('old'));
  assert.match(readme, /title of get-missing \| lru-cache, ttl \(1\.2\.3\) \| 1\.50 \(1\.40 to 1\.60\)/);
  assert.is(
    files.get('docs/performance.md'),
    `first
<!-- goals:begin -->
| work | beside | goal | measured | |
| --- | --- | --- | --- | --- |
| title of get-object-built-zipf-100k | lru-cache, ttl | ≥ 2.20 × | 2.50 × | reached |
| title of get-missing | lru-cache, ttl | ≥ 2.00 × | 1.50 × | missed |
<!-- goals:end -->
last
`,
  );
  assert.equal(
    [...filesOf(results, (path) => files.get(path)!)],
    [...files],
    'made again from what it made: the same bytes',
  );
  assert.match(
    files.get('docs/charts/beside-lru-cache.svg')!,
    /^<svg [\s\S]*title of get-missing[\s\S]*<\/svg>\n$/,
  );
  assert.is(filesOf([], read).size, 0);
  assert.throws(() => filesOf(results, () => 'no marks'), /README\.md has no .*benchmarks:begin/);
});

test.run();
