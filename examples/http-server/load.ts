/** The load: autocannon on every port of the service, with skewed ids, and a look at each answer. */
import autocannon from 'autocannon';
import { bodyOf } from './upstream.ts';

export interface LoadOptions {
  readonly seconds: number;
  /** Over all ports, at least one for each. */
  readonly connections: number;
  readonly seed: number;
  readonly ids: number;
}

export interface LoadResult {
  /** Answered, by whatever status. */
  readonly requests: number;
  /** Of those, by 200. */
  readonly answered: number;
  /** Answered by 200, a second. */
  readonly perSecond: number;
  /** Milliseconds: the half, 97.5 % and 99 % of what was answered by 200 took no longer; `NaN` where nothing was. */
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

/** Asks all ports at the same time; each has its share of the connections and a sequence of ids of its own. */
export async function load(urls: readonly string[], options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let refused = 0;
  let wrong = 0;
  let errors = 0;
  let perSecond = 0;
  async function loadPort(url: string, port: number): Promise<void> {
    const next = zipf(options.ids, options.seed + port);
    let answered = 0;
    const result = await autocannon({
      url,
      // these add up to all connections, whether or not they can be divided evenly
      connections: Math.floor((options.connections + port) / urls.length),
      duration: options.seconds,
      // it ends at the end of a sample: by the default of a second, some ports would end a second after the others
      sampleInt: 100,
      requests: [
        {
          method: 'GET',
          setupRequest(request, context: Context) {
            context.id = next();
            context.began = performance.now();
            return { ...request, path: `/items/${context.id}` };
          },
          onResponse(status, body, context: Context) {
            if (status !== 200) {
              refused++;
              return;
            }
            // a refusal is quick, so that it would look like a good answer among the latencies
            latencies.push(performance.now() - context.began!);
            answered++;
            if (body !== bodyOf(context.id!)) wrong++;
          },
        },
      ],
    });
    errors += result.errors; // timeouts are among them
    perSecond += answered / result.duration;
  }
  await Promise.all(urls.map(loadPort));
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return {
    requests: latencies.length + refused,
    answered: latencies.length,
    perSecond,
    latencyMs: { p50: at(0.5), p97_5: at(0.975), p99: at(0.99) },
    failed: refused + errors,
    wrong,
  };
}
