// Sizes for logs that have none: derived from the key alone, so every run and every implementation sees the same.
// `log`: log-normal with median 300, 16 bytes to 256 KiB. `bi`: 100 bytes, every tenth key 10 KiB.

/** Where the sizes of a workload come from; `own`: they stand in the log. */
export type SizeKind = 'log' | 'bi' | 'own';

const MASK = (1n << 64n) - 1n;
/** Not FNV's usual start value: the sizes are defined with this one. */
const FNV_START = 1469598103934665603n;
const FNV_PRIME = 1099511628211n;

/** SplitMix64's output for the state `x`. */
export function mix(x: bigint): bigint {
  let z = (x + 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** A number in (0, 1), never 0. */
const unit = (x: bigint): number => (Number(mix(x) >> 11n) + 0.5) / 2 ** 53;

/** 32-bit hash of an unpadded key. */
export function keyHash(key: string): bigint {
  let x = FNV_START;
  for (const byte of Buffer.from(key)) x = ((x ^ BigInt(byte)) * FNV_PRIME) & MASK;
  return mix(x) & 0xffffffffn;
}

/** Log-normal by Box and Muller: exp(1.2 z) around 300 bytes. */
export function logSize(hash: bigint): number {
  const normal =
    Math.sqrt(-2 * Math.log(unit(2n * hash + 1n))) * Math.cos(2 * Math.PI * unit(2n * hash + 777777n));
  return Math.floor(Math.min(262144, Math.max(16, 300 * Math.exp(1.2 * normal))));
}

/** Two sizes, far apart. */
export function biSize(hash: bigint): number {
  return mix(hash ^ 99n) % 10n === 0n ? 10240 : 100;
}

/** Bytes of the value of `key`, which is the key as it stands in the log. */
export function derivedSize(kind: 'log' | 'bi', key: string): number {
  return (kind === 'log' ? logSize : biSize)(keyHash(key));
}
