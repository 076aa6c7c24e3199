/** The median of some measurements with what they spread over. */
import { quantile } from '../duels/rounds.ts';

export interface Spread {
  value: number;
  low: number;
  high: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = [...values].sort((a, b) => a - b);
  return {
    value: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    min: sorted[0]!,
    max: sorted.at(-1)!,
  };
}

/** Several processes did the same: the median of their medians, within their lowest and highest quartile. */
export function merged(spreads: readonly Spread[]): Spread {
  return {
    value: spreadOf(spreads.map((each) => each.value)).value,
    low: Math.min(...spreads.map((each) => each.low)),
    high: Math.max(...spreads.map((each) => each.high)),
    min: Math.min(...spreads.map((each) => each.min)),
    max: Math.max(...spreads.map((each) => each.max)),
  };
}
