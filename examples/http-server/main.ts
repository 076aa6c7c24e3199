/**
 * An HTTP service on four threads, whose slow upstream is protected by one Cairn region, under load: without a cache,
 * with an `lru-cache` in each thread, and with Cairn. `npm run example:http -- --help` tells the options.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type CacheRegion, createRegion, type RegionStats } from '../../src/index.ts';
import { type LoadOptions, type LoadResult, load } from './load.ts';
import { EXPIRATION_MS, type Item, type ServerData, WAYS, type Way } from './server.ts';
import { CALLS, CAPACITY, COUNTS, LATENCY_MS, MOST, REFUSED, type UpstreamData } from './upstream.ts';

const THREADS = 4;
/** The throttle: well below what the upstream stands. */
const MUTEXES = 16;
const HELP = `npm run example:http -- [options]
  --seconds N      how long each way is loaded (default 6)
  --connections N  open at once, over all threads (default 64)
  --ids N          how many different items there are (default 500)
  --seed N         of the random ids (default 1)`;

interface Outcome extends LoadResult {
  readonly upstreamCalls: number;
  readonly upstreamMost: number;
  readonly upstreamRefused: number;
  readonly stats: RegionStats | null;
}

function readOptions(): LoadOptions | null {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '6' },
      connections: { type: 'string', default: '64' },
      ids: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const number = (name: 'seconds' | 'connections' | 'ids' | 'seed') => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value > 0) return value;
    throw new Error(`--${name}: expected a whole number above 0, got ${values[name]}`);
  };
  return {
    seconds: number('seconds'),
    connections: number('connections'),
    ids: number('ids'),
    seed: number('seed'),
  };
}

/** Starts a thread that tells its port. */
async function start(file: string, workerData: ServerData | UpstreamData) {
  const worker = new Worker(new URL(file, import.meta.url), { workerData });
  const [port] = await once(worker, 'message');
  return { worker, url: `http://127.0.0.1:${port}` };
}

/** Loads a fresh service, with a fresh upstream behind it. */
async function run(way: Way, options: LoadOptions): Promise<Outcome> {
  const counts = new Int32Array(new SharedArrayBuffer(COUNTS * 4));
  let region: CacheRegion<Item> | null = null;
  if (way === 'cairn') {
    region = createRegion<Item>({
      name: 'items',
      backend: 'cairn.slab',
      expirationTime: EXPIRATION_MS,
      arguments: { maxBytes: 16 * 2 ** 20, mutexes: MUTEXES },
    });
  }
  const upstream = await start('./upstream.js', { counts: counts.buffer });
  const data: ServerData = { way, upstream: upstream.url, items: region?.handle ?? null };
  const servers = await Promise.all(Array.from({ length: THREADS }, () => start('./server.js', data)));
  try {
    const result = await load(
      servers.map(({ url }) => url),
      options,
    );
    return {
      ...result,
      upstreamCalls: counts[CALLS],
      upstreamMost: counts[MOST],
      upstreamRefused: counts[REFUSED],
      stats: region?.stats() ?? null,
    };
  } finally {
    await Promise.all([...servers, upstream].map(({ worker }) => worker.terminate()));
    region?.close();
  }
}

const TITLES: Record<Way, string> = {
  none: 'no cache',
  lru: 'an lru-cache per thread',
  cairn: 'one Cairn region',
};

function table(outcomes: readonly Outcome[]): string {
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rows: [string, (outcome: Outcome) => string][] = [
    ['answered requests a second', ({ perSecond }) => count(perSecond)],
    ['latency p50', ({ latencyMs }) => ms(latencyMs.p50)],
    ['latency p97.5', ({ latencyMs }) => ms(latencyMs.p97_5)],
    ['latency p99', ({ latencyMs }) => ms(latencyMs.p99)],
    ['failed requests', ({ failed }) => count(failed)],
    ['wrong answers', ({ wrong }) => count(wrong)],
    ['calls of the upstream', ({ upstreamCalls }) => count(upstreamCalls)],
    ['of those at once', ({ upstreamMost }) => count(upstreamMost)],
    ['refused by the upstream', ({ upstreamRefused }) => count(upstreamRefused)],
    [
      'requests without a call',
      ({ requests, upstreamCalls }) => `${(100 * Math.max(0, 1 - upstreamCalls / requests)).toFixed(1)} %`,
    ],
  ];
  const lines = [
    ['', ...WAYS.map((way) => TITLES[way])],
    ...rows.map(([name, cell]) => [name, ...outcomes.map(cell)]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('   '),
    )
    .join('\n');
}

/** What must hold whatever the machine does. */
function failures(outcomes: Record<Way, Outcome>): string[] {
  const found: string[] = [];
  for (const way of WAYS) {
    const { requests, wrong } = outcomes[way];
    if (requests === 0) found.push(`${TITLES[way]}: no request was answered`);
    if (wrong > 0) found.push(`${TITLES[way]}: ${wrong} answers did not belong to their request`);
  }
  const { upstreamMost, failed } = outcomes.cairn;
  if (upstreamMost > MUTEXES) found.push(`Cairn: ${upstreamMost} calls at once, with mutexes: ${MUTEXES}`);
  if (failed > 0) found.push(`Cairn: ${failed} requests failed`);
  return found;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    console.log(HELP);
    return;
  }
  console.log(
    `${THREADS} threads, ${options.connections} connections, ${options.seconds} s each way, ` +
      `${options.ids} items by Zipf's law (seed ${options.seed}), fresh for ${EXPIRATION_MS} ms.\n` +
      `The upstream takes ${LATENCY_MS} ms and refuses more than ${CAPACITY} calls at once; mutexes: ${MUTEXES}.\n`,
  );
  const outcomes = {} as Record<Way, Outcome>;
  for (const way of WAYS) outcomes[way] = await run(way, options);
  console.log(table(WAYS.map((way) => outcomes[way])));
  const { stats } = outcomes.cairn;
  if (stats !== null) {
    const { hits, misses, staleServed, loads, joined, waits } = stats;
    console.log(`\nregion.stats(): ${JSON.stringify({ hits, misses, staleServed, loads, joined, waits })}`);
  }
  for (const failure of failures(outcomes)) {
    console.error(failure);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
