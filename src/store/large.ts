/**
 * Large values: over 1,024 bytes with header and key, in pieces. Whole 4 KiB pages first, then 1,024-byte pieces, then one
 * chunk that fits; each piece gives its last 8 bytes to a link (docs/memory-layout.md). The engine lists their addresses;
 * the bytes are moved here, since they come from and go to private memory.
 */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../engine/engine.ts';

/** Takes ranges of both sides, so no view is made for each piece: what a `set` leaves to collect, it waits for some time. */
const { copy } = Buffer.prototype;

/** Payload bytes of piece number `piece` of an entry of `total` bytes. */
function payloadOf(piece: number, total: number): number {
  const whole = Math.floor(total / L.WHOLE_PAYLOAD);
  if (piece < whole) return L.WHOLE_PAYLOAD;
  return Math.min(L.PIECE_PAYLOAD, total - whole * L.WHOLE_PAYLOAD - (piece - whole) * L.PIECE_PAYLOAD);
}

/** Calls `visit(address, offset in the entry, bytes)` for each piece; false where a link led nowhere. */
function eachPiece(
  engine: Engine,
  first: number,
  total: number,
  visit: (address: number, offset: number, bytes: number) => void,
): boolean {
  let piece = 0;
  let offset = 0;
  let address = first;
  while (offset < total) {
    const found = engine.x.store_pieces(address, total, piece);
    if (found === 0) return false;
    const list = engine.copy >>> 2;
    for (let i = 0; i < found; i++) {
      address = engine.u32[list + i]!;
      const bytes = payloadOf(piece, total);
      visit(address, offset, bytes);
      offset += bytes;
      piece++;
    }
    if (offset < total) {
      const size = payloadOf(piece - 1, total) === L.WHOLE_PAYLOAD ? L.PAGE_SIZE : L.PIECE_SIZE;
      address = engine.u32[(address + size - L.PIECE_LINK) >>> 2]!;
    }
  }
  return true;
}

/** Fills the pieces that `large_begin` took with key (from the staging area) and value. Nobody else sees them yet. */
export function fillLarge(engine: Engine, keyLength: number, value: Uint8Array): void {
  const total = L.E_SIZE + keyLength + value.length;
  const first = engine.u32[engine.r32 + (L.R_ADDRESS >> 2)]!;
  const before = L.E_SIZE + keyLength;
  engine.u8.copyWithin(first + L.E_SIZE, engine.stage, engine.stage + keyLength);
  const whole = eachPiece(engine, first, total, (address, offset, bytes) => {
    const from = Math.max(before, offset);
    copy.call(value, engine.buffer, address + from - offset, from - before, offset + bytes - before);
  });
  if (!whole) throw new Error('a piece of a large value is missing');
}

/** Copies up to this long go to memory that this thread keeps; results of a decode share nothing with it. */
const SCRATCH_MAX = 262_144;
let scratch = Buffer.alloc(0);

/** Private memory for a copy of `length` bytes, good until the next call. */
export function privateBytes(length: number): Buffer {
  if (length > SCRATCH_MAX) return Buffer.allocUnsafeSlow(length);
  if (scratch.length < length) scratch = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
  return scratch.subarray(0, length);
}

/**
 * Copies the large value that a read has just named, into `into` (it has the value's length). The caller checks
 * afterwards that what was read is what stood there. `undefined`: what was read cannot be an entry any more.
 */
export function copyLarge(engine: Engine, keyLength: number, into: Buffer): Buffer | undefined {
  const address = engine.u32[engine.r32 + (L.R_ADDRESS >> 2)]!;
  const length = engine.u32[engine.r32 + (L.R_LENGTH >> 2)]!;
  if (length !== into.length) return undefined;
  const before = L.E_SIZE + keyLength;
  const whole = eachPiece(engine, address, before + length, (at, offset, count) => {
    const from = Math.max(before, offset);
    copy.call(engine.buffer, into, from - before, at + from - offset, at + count);
  });
  return whole ? into : undefined;
}
