/**
 * `node dist/bench/codec/main.js [--quick]`: the structured codec against JSON, by turns in one process. JSON's side ends and begins
 * with a string, structured's with bytes; to store that string would cost JSON a copy more, which is not counted. JSON gives
 * back dates as strings.
 *
 * Ratios are JSON's time by structured's: above 1, structured is faster. In brackets the quartiles of the rounds. The last line
 * is all of it as JSON.
 */
import { createCodec } from '../../src/codec/index.ts';
import { type DuelResult, duel, type Side } from '../duels/rounds.ts';
import { CASES, type Case } from './values.ts';

const quick = process.argv.includes('--quick');
const options = quick ? { rounds: 11, roundMs: 8 } : { rounds: 25, roundMs: 40 };
const WARM_MS = 25;
const codec = createCodec('structured');

/** Does one operation for each number, on the values by turns, and adds up what `work` returns. */
function side<T>(values: readonly T[], work: (value: T) => number): Side {
  return {
    run(from, count) {
      let sum = 0;
      for (let i = from; i < from + count; i++) sum += work(values[i % values.length]!);
      return sum;
    },
  };
}

const seen = (value: unknown): number => (value === undefined ? 0 : 1);

/** Both sides of encoding, then of decoding. */
function sidesOf({ make, asJson = make, count }: Case): [Side, Side, Side, Side] {
  const values = Array.from({ length: count }, (_, i) => make(i));
  const jsonValues = Array.from({ length: count }, (_, i) => asJson(i));
  const encodings = values.map((value) => Buffer.from(codec.encode(value).bytes));
  const texts = jsonValues.map((value) => JSON.stringify(value));
  const { type } = codec.encode(values[0]);
  return [
    side(values, (value) => codec.encode(value).bytes.length),
    side(jsonValues, (value) => JSON.stringify(value).length),
    side(encodings, (bytes) => seen(codec.decodeBytes(type, bytes, 0, bytes.length))),
    side(texts, (text) => seen(JSON.parse(text))),
  ];
}

/** Runs everything for a while: else the first rows would be measured on code that is not compiled, or only for them. */
function warmUp(all: readonly (readonly Side[])[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (const one of all.flat()) {
      for (const end = performance.now() + WARM_MS; performance.now() < end; ) one.run(0, 1);
    }
  }
}

const rounded = (value: number): number => Number(value.toFixed(3));
const brief = ({ ratio, low, high }: DuelResult) => ({
  ratio: rounded(ratio),
  low: rounded(low),
  high: rounded(high),
});
const shown = ({ ratio, low, high, nsA }: DuelResult): string =>
  `${ratio.toFixed(2)} [${low.toFixed(2)} ${high.toFixed(2)}] ${nsA.toFixed(0)} ns`.padEnd(32);

console.log(
  `Node ${process.versions.node}; ${options.rounds} rounds; JSON's time / structured's, structured's time`,
);
console.log(`${''.padEnd(46)}${'encode'.padEnd(32)}decode`);
const rows: object[] = [];
const sides = CASES.map(sidesOf);
warmUp(sides);
for (const [i, row] of CASES.entries()) {
  const [encodeA, encodeB, decodeA, decodeB] = sides[i]!;
  const encode = await duel(encodeA, encodeB, options);
  const decode = await duel(decodeA, decodeB, options);
  console.log(`${row.title.padEnd(46)}${shown(encode)}${shown(decode)}`);
  rows.push({ id: row.id, title: row.title, rival: 'JSON', encode: brief(encode), decode: brief(decode) });
}
console.log(JSON.stringify({ suite: 'codec', rows }));
