/** The values that codecs are compared on. */
import { objectOf } from '../support/workload.ts';

export interface Case {
  id: string;
  title: string;
  /** Makes the value number `i`. */
  make(i: number): unknown;
  /** How many different values there are. */
  count: number;
  /** The same content in what JSON knows, if that is something else. */
  asJson?(i: number): unknown;
}

const KIB = 1024;

/** A piece of memory of its own, not a rope that whoever reads it first has to flatten. */
const flat = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');

const wide = (i: number) =>
  Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`field${at}`, at % 3 === 0 ? `text ${i + at}` : i + at]),
  );

const record = (i: number) => ({ id: i, name: `user ${i}`, score: i / 7, active: i % 2 === 0 });

/** Orders with customers and lines, until the JSON of all is about so long. */
function nested(bytes: number, i: number): object {
  const order = (at: number) => ({
    id: at,
    customer: {
      name: `Customer ${at}`,
      mail: `c${at}@example.org`,
      address: { city: 'Utrecht', number: at % 200 },
    },
    lines: Array.from({ length: 3 }, (_, line) => ({
      sku: `sku-${at * 3 + line}`,
      count: line + 1,
      price: at * 0.25,
    })),
    paid: at % 2 === 0,
    note: null,
  });
  const length = Math.max(1, Math.round(bytes / (JSON.stringify(order(1000)).length + 1)));
  return { page: i, orders: Array.from({ length }, (_, at) => order(1000 + i + at)) };
}

const dates = (i: number) =>
  Array.from({ length: 20 }, (_, at) => new Date(1_700_000_000_000 + i * 1000 + at));
const tags = (i: number) => Array.from({ length: 20 }, (_, at) => `tag ${i + at}`);
const prices = (i: number) => tags(i).map((tag, at): [string, number] => [tag, at * 1.5]);

export const CASES: readonly Case[] = [
  { id: 'small', title: 'a small object (5 fields)', make: objectOf, count: 1024 },
  { id: 'wide', title: 'an object of 100 fields', make: wide, count: 64 },
  {
    id: 'integers',
    title: 'an array of 1,000 integers',
    make: (i) => Array.from({ length: 1000 }, (_, at) => i + at * 7),
    count: 16,
  },
  {
    id: 'doubles',
    title: 'an array of 1,000 doubles',
    make: (i) => Array.from({ length: 1000 }, (_, at) => (i + at) / 7),
    count: 16,
  },
  {
    id: 'latin1',
    title: 'a Latin-1 string of 10 KiB in an object',
    make: (i) => ({ text: flat(`${i} caf\u00e9 au lait `.padEnd(10 * KIB, 'abcdefgh ')) }),
    count: 16,
  },
  {
    id: 'utf16',
    title: 'a UTF-16 string of 10 KiB in an object',
    make: (i) => ({ text: flat(`${i} \u4e2d\u6587 `.padEnd(5 * KIB, '\u4f60\u597d\u4e16\u754c ')) }),
    count: 16,
  },
  {
    id: 'records',
    title: 'an array of 100 records of one shape',
    make: (i) => Array.from({ length: 100 }, (_, at) => record(i + at)),
    count: 16,
  },
  { id: 'nested-1k', title: 'a nested document of 1 KiB', make: (i) => nested(KIB, i), count: 64 },
  { id: 'nested-16k', title: 'a nested document of 16 KiB', make: (i) => nested(16 * KIB, i), count: 16 },
  { id: 'nested-128k', title: 'a nested document of 128 KiB', make: (i) => nested(128 * KIB, i), count: 4 },
  { id: 'nested-1m', title: 'a nested document of 1 MiB', make: (i) => nested(KIB * KIB, i), count: 1 },
  {
    id: 'mixed',
    title: 'a Map, a Set and dates (for JSON as arrays)',
    make: (i) => ({ prices: new Map(prices(i)), tags: new Set(tags(i)), dates: dates(i) }),
    asJson: (i) => ({ prices: prices(i), tags: tags(i), dates: dates(i) }),
    count: 64,
  },
];
