// The key hash: SipHash-1-3 (Aumasson and Bernstein, 2012: https://www.aumasson.jp/siphash/siphash.pdf; one round a
// block and three at the end, as Rust's and Ruby's tables use it), keyed by the engine's random seeds. A stranger who
// cannot read the seeds cannot choose keys that share a bucket (I8).
//
// The 64 bits are split: the low half names the bucket (and the mutex), the high half is the tag in the index slot,
// its lowest 12 bits the ghost's fingerprint and its highest bits the shard.
import { H_SEED0, H_SEED1 } from './layout';

@inline function read64(at: usize): u64 {
  return load<u64>(at);
}

/**
 * Hash of `length` bytes at `at`; `meta` (region and character width) is part of the identity. The rest of a key of eight bytes
 * and more is cut from its last eight, which are written as one word: a load that spans two stores waits for both. May read
 * past the end of a shorter one.
 */
export function hashKey(at: usize, length: u32, meta: u32): u64 {
  const k0 = load<u64>(0, H_SEED0);
  const k1 = load<u64>(0, H_SEED1) ^ <u64>meta;
  let v0: u64 = k0 ^ 0x736f6d6570736575;
  let v1: u64 = k1 ^ 0x646f72616e646f6d;
  let v2: u64 = k0 ^ 0x6c7967656e657261;
  let v3: u64 = k1 ^ 0x7465646279746573;
  const last = at + <usize>length - 8;
  const end = at + <usize>(length & ~7);
  let m: u64 = 0;
  while (at < end) {
    m = read64(at);
    v3 ^= m;
    v0 += v1; v1 = rotl<u64>(v1, 13); v1 ^= v0; v0 = rotl<u64>(v0, 32);
    v2 += v3; v3 = rotl<u64>(v3, 16); v3 ^= v2;
    v0 += v3; v3 = rotl<u64>(v3, 21); v3 ^= v0;
    v2 += v1; v1 = rotl<u64>(v1, 17); v1 ^= v2; v2 = rotl<u64>(v2, 32);
    v0 ^= m;
    at += 8;
  }
  const rest = length & 7;
  m = 0;
  if (rest) m = length > 8 ? read64(last) >> <u64>((8 - rest) << 3) : read64(at) & ((<u64>1 << <u64>(rest << 3)) - 1);
  m |= <u64>length << 56;
  v3 ^= m;
  v0 += v1; v1 = rotl<u64>(v1, 13); v1 ^= v0; v0 = rotl<u64>(v0, 32);
  v2 += v3; v3 = rotl<u64>(v3, 16); v3 ^= v2;
  v0 += v3; v3 = rotl<u64>(v3, 21); v3 ^= v0;
  v2 += v1; v1 = rotl<u64>(v1, 17); v1 ^= v2; v2 = rotl<u64>(v2, 32);
  v0 ^= m;
  v2 ^= 0xff;
  for (let i = 0; i < 3; i++) {
    v0 += v1; v1 = rotl<u64>(v1, 13); v1 ^= v0; v0 = rotl<u64>(v0, 32);
    v2 += v3; v3 = rotl<u64>(v3, 16); v3 ^= v2;
    v0 += v3; v3 = rotl<u64>(v3, 21); v3 ^= v0;
    v2 += v1; v1 = rotl<u64>(v1, 17); v1 ^= v2; v2 = rotl<u64>(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
