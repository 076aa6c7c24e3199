/** The command line of the demo. */
import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Length of the stream. */
  requests: number;
  /** Different files that may be asked for. */
  files: number;
  /** Worker threads that answer. */
  threads: number;
  /** Chooses the files and draws the stream. */
  seed: number;
  /** Print one JSON document instead of text. */
  json: boolean;
}

const NUMBERS = {
  requests: { fallback: 8000, min: 1, max: 1_000_000 },
  files: { fallback: 400, min: 1, max: 600 },
  threads: { fallback: 4, min: 1, max: 32 },
  seed: { fallback: 1, min: 0, max: 2 ** 32 - 1 },
} as const;

export const HELP = `Usage: npm run demo -- [options]

Answers a stream of requests for brotli-compressed files from a pool of worker threads, three ways:
without a cache, with one lru-cache in each thread, and with one Cairn region shared by all threads.

Options:
  --requests N   length of the stream (default ${NUMBERS.requests.fallback})
  --files N      different files, at most ${NUMBERS.files.max} (default ${NUMBERS.files.fallback})
  --threads N    worker threads (default ${NUMBERS.threads.fallback})
  --seed N       chooses the files and draws the stream (default ${NUMBERS.seed.fallback})
  --json         print one JSON document, nothing else
  --help         print this

Exits 1 when Cairn loads a file more than once or an answer is wrong, 2 when an option is wrong.
`;

/** A command line that cannot be understood. */
export class UsageError extends Error {}

/** Reads the command line; `null` when help was asked for. @throws {UsageError} */
export function parseOptions(argv: string[]): DemoOptions | null {
  const values = parse(argv);
  if (values.help) return null;
  return {
    requests: readNumber('requests', values.requests),
    files: readNumber('files', values.files),
    threads: readNumber('threads', values.threads),
    seed: readNumber('seed', values.seed),
    json: values.json ?? false,
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        requests: { type: 'string' },
        files: { type: 'string' },
        threads: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    // Node adds advice on positional arguments after the first sentence.
    throw new UsageError((error as Error).message.split('. ')[0]!.split('\n')[0]!);
  }
}

function readNumber(name: keyof typeof NUMBERS, text: string | undefined): number {
  const { fallback, min, max } = NUMBERS[name];
  if (text === undefined) return fallback;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not '${text}'`);
}
