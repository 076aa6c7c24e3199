/** The rounds of a duel: A and B in turn in one process, in a shuffled order, so that what disturbs one disturbs both. */

export interface Side {
  /** Does `count` operations, beginning with number `from`. */
  run(from: number, count: number): number | Promise<number>;
}

export interface RoundOptions {
  rounds: number;
  /** How long one side of one round takes, about. */
  roundMs: number;
}

export interface DuelResult {
  /** Speed of A as a multiple of B's: median of the rounds' ratios, their quartiles, and the extremes. */
  ratio: number;
  low: number;
  high: number;
  min: number;
  max: number;
  /** Medians of nanoseconds an operation. */
  nsA: number;
  nsB: number;
  rounds: number;
}

/** Keeps what loops return, so that none is optimised away. */
export let sink = 0;

async function time(side: Side, from: number, count: number): Promise<number> {
  const began = performance.now();
  const result = side.run(from, count);
  sink += typeof result === 'number' ? result : await result;
  return ((performance.now() - began) * 1e6) / count;
}

/** Runs for a while so that loops are compiled, and says how many operations take `roundMs`. */
async function warmUp(side: Side, roundMs: number): Promise<number> {
  let count = 16;
  let from = 0;
  for (;;) {
    const ns = await time(side, from, count);
    from += count;
    if (ns * count > roundMs * 0.5e6) {
      await time(side, from, count);
      return Math.max(1, Math.round((roundMs * 1e6) / (await time(side, from, count))));
    }
    count *= 2;
  }
}

export async function duel(a: Side, b: Side, { rounds, roundMs }: RoundOptions): Promise<DuelResult> {
  const countA = await warmUp(a, roundMs);
  const countB = await warmUp(b, roundMs);
  const times: { a: number; b: number }[] = [];
  // far behind what warming up has touched, and the same numbers for both
  let from = 2 ** 24;
  for (let round = 0; round < rounds; round++) {
    const firstA = Math.random() < 0.5;
    const first = await (firstA ? time(a, from, countA) : time(b, from, countB));
    const second = await (firstA ? time(b, from, countB) : time(a, from, countA));
    times.push(firstA ? { a: first, b: second } : { a: second, b: first });
    from += Math.max(countA, countB);
  }
  const ratios = times.map((time) => time.b / time.a).sort((x, y) => x - y);
  return {
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    min: ratios[0]!,
    max: ratios[ratios.length - 1]!,
    nsA: median(times.map((time) => time.a)),
    nsB: median(times.map((time) => time.b)),
    rounds,
  };
}

/** Of numbers in rising order; between two neighbours in proportion. */
export function quantile(sorted: number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
}

export function median(values: number[]): number {
  return quantile(
    [...values].sort((x, y) => x - y),
    0.5,
  );
}
