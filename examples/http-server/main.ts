/**
 * An HTTP service on four threads, whose slow upstream is protected by one Cairn region, under load: without a cache,
 * with an `lru-cache` in each thread, and with Cairn. `npm run example:http -- --help` tells the options.
 */
import { parseArgs } from 'node:util';
import { type CacheRegion, createRegion } from '../../src/index.ts';
import { type LoadOptions, load } from './load.ts';
import { failures, type Outcome, statsLines, table } from './report.ts';
import { EXPIRATION_MS, type Item, type ServerData, WAYS, type Way } from './server.ts';
import { newThreads } from './threads.ts';
import { CALLS, CAPACITY, COUNTS, LATENCY_MS, MOST, REFUSED, type UpstreamData } from './upstream.ts';

const THREADS = 4;
/** The throttle: well below what the upstream stands. */
const MUTEXES = 16;
const NUMBERS = {
  seconds: { fallback: 6, min: 1, max: 3600 },
  connections: { fallback: 64, min: THREADS, max: 10_000 },
  ids: { fallback: 500, min: 1, max: 1_000_000 },
  seed: { fallback: 1, min: 0, max: 2 ** 31 },
} as const;
const HELP = `npm run example:http -- [options]
  --seconds N      how long each way is loaded (default ${NUMBERS.seconds.fallback})
  --connections N  open at once, over all threads (default ${NUMBERS.connections.fallback}, at least ${NUMBERS.connections.min})
  --ids N          how many different items there are (default ${NUMBERS.ids.fallback})
  --seed N         of the random ids (default ${NUMBERS.seed.fallback})`;

function readOptions(): LoadOptions | null {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      connections: { type: 'string' },
      ids: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const number = (name: keyof typeof NUMBERS) => {
    const { fallback, min, max } = NUMBERS[name];
    const text = values[name];
    if (text === undefined) return fallback;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Error(`--${name} must be a whole number from ${min} to ${max}, not '${text}'`);
  };
  return {
    seconds: number('seconds'),
    connections: number('connections'),
    ids: number('ids'),
    seed: number('seed'),
  };
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
  const threads = newThreads();
  try {
    const upstream = await threads.start('./upstream.js', { counts: counts.buffer } satisfies UpstreamData);
    const data: ServerData = { way, upstream, items: region?.handle ?? null };
    const urls = await Promise.all(Array.from({ length: THREADS }, () => threads.start('./server.js', data)));
    const result = await Promise.race([load(urls, options), threads.failed]);
    return {
      ...result,
      upstreamCalls: counts[CALLS],
      upstreamMost: counts[MOST],
      upstreamRefused: counts[REFUSED],
      stats: region?.stats() ?? null,
    };
  } finally {
    await threads.stop();
    region?.close();
  }
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
  console.log(table(outcomes));
  const { stats } = outcomes.cairn;
  if (stats !== null) console.log(`\n${statsLines(stats)}`);
  for (const failure of failures(outcomes, MUTEXES)) {
    console.error(failure);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  // not by exitCode: where a thread failed, autocannon would go on at its port until the time is over
  process.exit(1);
}
