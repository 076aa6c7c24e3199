/** What tests of all suites use: a clock to turn, gates, values and keys. */

/** Returns epoch milliseconds that stand still until a test moves them. */
export class SuiteClock {
  // Far from 0, with a fraction: times are not integers.
  time = 1_700_000_000_000.25;
  readonly read = (): number => this.time;
  advance(ms: number): void {
    this.time += ms;
  }
}

/** A promise that a test settles. */
export interface Gate<T> {
  readonly opened: Promise<T>;
  open(value: T): void;
  fail(error: unknown): void;
}

export function gate<T = void>(): Gate<T> {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  // A test that failed before it waits for this must not end the process.
  opened.catch(() => {});
  return { opened, open, fail };
}

/** Some turns of the event loop later. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise that a test awaits later: if it never comes to that, a rejection does not end the process. */
export function started<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

const LATE_MS = 1000;

/** Waits for what ought to come by itself; when it does not, the test goes on and finds out what comes instead. */
export async function settledOrLate(promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, LATE_MS);
  });
  await Promise.race([promise.catch(() => {}), late]);
  clearTimeout(timer);
}

/** The same numbers from 0 to 1 at every run (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An iterable that can be gone through once. */
export function* once<T>(items: Iterable<T>): Generator<T, void> {
  yield* items;
}

/** Values that JSON text keeps, by what they are. */
export const JSON_VALUES: Readonly<Record<string, unknown>> = Object.freeze({
  null: null,
  zero: 0,
  'an empty string': '',
  false: false,
  true: true,
  'a fraction': -1.5e-7,
  'a string of any characters': 'ä € 😀 \0 \ud800 "',
  'an empty object': {},
  'an empty array': [],
  'nested objects': { a: [1, { b: [null, 'x', { c: [] }] }], '': { d: false }, e: { f: { g: { h: 1 } } } },
  'a string of 100,000 characters': 'abcdefghij'.repeat(10_000),
  'a wide string of 50,000 characters': 'абвгд'.repeat(10_000),
  'an array of 1,000 numbers': Array.from({ length: 1000 }, (_, n) => n * 3),
});

/** Values of all kinds that a backend may be asked to hold, by what they are. */
export const VALUES: Readonly<Record<string, unknown>> = Object.freeze({
  ...JSON_VALUES,
  undefined: undefined,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  'minus zero': -0,
  'a bigint': 2n ** 80n,
  bytes: Uint8Array.from({ length: 300 }, (_, n) => n & 255),
  'no bytes': new Uint8Array(0),
  'an object with an undefined member': { a: undefined, b: 1 },
});

/** Keys that backends tend to mix up, lose or refuse. No two are the same. */
export const KEYS: readonly string[] = Object.freeze([
  '',
  ' ',
  'with spaces',
  'with  spaces',
  'tab\tand\nline',
  '\0',
  'nul\0inside',
  'a',
  'A',
  '0',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'e\u0301',
  '\u00e9',
  'ключ',
  '鍵',
  '😀',
  '\ud83d',
  '\ude00',
  '\ud83d\ud83d',
  '\ufffd',
  'a:b',
  'a/b',
  'a|b',
  // Around the limits of stores: memcached's, a byte's, this package's, a kilobyte.
  ...[250, 251, 255, 256, 480, 481, 960, 961, 1024, 1025].flatMap((n) => ['x'.repeat(n), 'ж'.repeat(n)]),
  'x'.repeat(10_000),
  `${'x'.repeat(9_999)}y`,
  'ж'.repeat(10_000),
]);
