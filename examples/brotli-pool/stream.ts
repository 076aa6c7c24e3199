/** The stream of requests: skewed as real ones are, and the same for the same seed. */

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `requests` numbers of files. By Zipf's law, file `n` (from 0) is asked for `n + 1` times less often than file 0. */
export function zipfStream(requests: number, files: number, seed: number): Uint16Array {
  const upTo = new Float64Array(files);
  let sum = 0;
  for (let i = 0; i < files; i++) upTo[i] = sum += 1 / (i + 1);
  // Another sequence than the one that chose the files.
  const random = randomFrom(seed ^ 0x5eed);
  return Uint16Array.from({ length: requests }, () => firstAbove(upTo, random() * sum));
}

/** How many different files a stream asks for. */
export function countDistinct(stream: Uint16Array): number {
  return new Set(stream).size;
}

function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
