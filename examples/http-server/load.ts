/** The load: autocannon on every port of the service, with skewed ids, and a look at each answer. */
import autocannon from 'autocannon';

export interface LoadOptions {
  readonly seconds: number;
  readonly connections: number;
  readonly seed: number;
  readonly ids: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Answered by 200, a second. */
  readonly perSecond: number;
  /** Milliseconds: the half, 97.5 % and 99 % of all requests took no longer. */
  readonly latencyMs: { readonly p50: number; readonly p97_5: number; readonly p99: number };
  /** Answers other than 200, and connections that failed or timed out. */
  readonly failed: number;
  /** Answers that did not belong to their request. */
  readonly wrong: number;
}

/** Draws ids from 0 on, by Zipf's law with the exponent 0.99: id n as often as 1 / (n + 1) ** 0.99 says. */
export function zipf(ids: number, seed: number): () => number {
  const cumulated = new Float64Array(ids);
  let sum = 0;
  for (let id = 0; id < ids; id++) cumulated[id] = sum += 1 / (id + 1) ** 0.99;
  let state = seed | 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const wanted = (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * sum;
    let low = 0;
    let high = ids - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulated[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

interface Context {
  id?: number;
  began?: number;
}

export async function load(urls: readonly string[], options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let wrong = 0;
  let refused = 0;
  const connections = Math.max(1, Math.round(options.connections / urls.length));
  const results = await Promise.all(
    urls.map((url, n) => {
      const next = zipf(options.ids, options.seed + n);
      return autocannon({
        url,
        connections,
        duration: options.seconds,
        requests: [
          {
            method: 'GET',
            setupRequest(request, context: Context) {
              context.id = next();
              context.began = performance.now();
              return { ...request, path: `/items/${context.id}` };
            },
            onResponse(status, body, context: Context) {
              latencies.push(performance.now() - context.began!);
              if (status !== 200) refused++;
              else if (!body.startsWith(`{"id":${context.id},`)) wrong++;
            },
          },
        ],
      });
    }),
  );
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return {
    requests: latencies.length,
    perSecond: (latencies.length - refused) / options.seconds,
    latencyMs: { p50: at(0.5), p97_5: at(0.975), p99: at(0.99) },
    failed: refused + results.reduce((sum, { errors }) => sum + errors, 0),
    wrong,
  };
}
