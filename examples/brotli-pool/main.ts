/**
 * The demo: a pool of threads answers one stream of requests for compressed files three ways, and shows Cairn's throttle
 * with three settings. `npm run demo -- --help` tells more.
 */
import { availableParallelism } from 'node:os';
import { DEFAULTS } from '../../src/index.ts';
import { findNodeModules, listFiles, type SourceFile, sampleFiles } from './files.ts';
import { count, mebibytes } from './format.ts';
import { type DemoOptions, HELP, parseOptions, UsageError } from './options.ts';
import { createProgress, type Progress } from './progress.ts';
import { findFailures, type Report, renderReport, type ThrottleResult } from './report.ts';
import { PIPELINE, type RunPlan, type RunResult, run } from './run.ts';
import { countDistinct, zipfStream } from './stream.ts';

/** Settings that the throttle is shown with. */
const MUTEXES = [2, 8, DEFAULTS.mutexes];
/** Processor time of one compression, by experience. */
const LOAD_SECONDS = 0.02;

/** What all runs have in common. */
interface Setting {
  options: DemoOptions;
  root: string;
  files: SourceFile[];
  fileBytes: number;
  stream: Uint16Array;
  /** How much of the stream goes without a cache. */
  sampleLength: number;
  /** How much of the stream the throttle is shown with. */
  throttleLength: number;
}

function prepare(options: DemoOptions): Setting {
  const { requests, seed } = options;
  const root = findNodeModules();
  const files = sampleFiles(listFiles(root), options.files, seed);
  if (files.length === 0) throw new Error(`There are no files to compress under ${root}: run npm ci first`);
  return {
    options,
    root,
    files,
    fileBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    stream: zipfStream(requests, files.length, seed),
    sampleLength: Math.min(requests, Math.max(20, Math.min(500, Math.round(requests / 40)))),
    throttleLength: Math.min(requests, 1000),
  };
}

/** Loads of all runs together: what the demo's time goes into. */
function expectedLoads({ options, stream, sampleLength, throttleLength }: Setting): number {
  const { threads } = options;
  let loads =
    sampleLength + countDistinct(stream) + MUTEXES.length * countDistinct(stream.slice(0, throttleLength));
  for (let thread = 0; thread < threads; thread++) {
    loads += countDistinct(stream.filter((_, request) => request % threads === thread));
  }
  return loads;
}

function introduce(setting: Setting): string {
  const { options, files, fileBytes, stream } = setting;
  const loads = expectedLoads(setting);
  const time = Math.max(1, Math.round((loads * LOAD_SECONDS) / Math.min(4, availableParallelism())));
  return `
A pool of ${count(options.threads)} worker threads will answer ${count(options.requests)} requests for compressed files, in three ways.

  Each request  a file, compressed by brotli at quality 11, with its ETag (SHA-256)
  Files         ${count(files.length)} of this project's node_modules, of 1 to 64 KiB, ${mebibytes(fileBytes)} in all
  Stream        skewed by Zipf's law, asks for ${count(countDistinct(stream))} of them (seed ${options.seed}), ${PIPELINE} requests
                at a time to each thread; the same each time, in a fresh process
  Takes         about ${time} s if nothing else runs here, for ${count(loads)} compressions in all

`;
}

async function runAll(setting: Setting, progress: Progress): Promise<Pick<Report, 'ways' | 'throttle'>> {
  const { root, stream } = setting;
  const { threads, requests } = setting.options;
  const paths = setting.files.map(({ path }) => path);

  async function step(
    label: string,
    length: number,
    how: Pick<RunPlan, 'way' | 'mutexes'>,
  ): Promise<RunResult> {
    progress.start(label, length);
    let took: number | undefined;
    try {
      const part = stream.slice(0, length);
      const result = await run({ ...how, threads, root, paths, stream: part }, progress.update);
      took = result.seconds;
      return result;
    } finally {
      progress.stop(took);
    }
  }

  const none = await step('no cache (a sample)', setting.sampleLength, { way: 'none' });
  const lru = await step('lru-cache per thread', requests, { way: 'lru' });
  const cairn = await step('one Cairn region', requests, { way: 'cairn' });
  const throttle: ThrottleResult[] = [];
  for (const mutexes of MUTEXES) {
    const label = `Cairn, mutexes: ${count(mutexes)}`;
    throttle.push({ mutexes, ...(await step(label, setting.throttleLength, { way: 'cairn', mutexes })) });
  }
  return { ways: { none, lru, cairn }, throttle };
}

async function main(options: DemoOptions): Promise<number> {
  const { json, requests, threads, seed } = options;
  const began = performance.now();
  const setting = prepare(options);
  if (!json) process.stdout.write(introduce(setting));

  const progress = createProgress(json ? process.stderr : process.stdout, json);
  process.once('SIGINT', () => {
    // Gives the cursor back.
    progress.stop();
    process.exit(130);
  });
  const results = await runAll(setting, progress);
  const report: Report = {
    requests,
    files: setting.files.length,
    fileBytes: setting.fileBytes,
    distinctFiles: results.ways.cairn.distinctFiles,
    threads,
    concurrency: threads * PIPELINE,
    seed,
    node: process.version,
    processors: availableParallelism(),
    seconds: (performance.now() - began) / 1000,
    ...results,
    failures: findFailures(results),
  };
  process.stdout.write(
    json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report, process.stdout.isTTY),
  );
  if (json) for (const failure of report.failures) process.stderr.write(`${failure}\n`);
  return report.failures.length > 0 ? 1 : 0;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(HELP);
  else process.exitCode = await main(options);
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`${(error as Error).message}\n${isUsage ? 'Try: npm run demo -- --help\n' : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}
