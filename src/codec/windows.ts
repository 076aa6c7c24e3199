/**
 * Buffers and the memory that they share. Node's Buffers lie side by side in a pool that is none of the value's
 * business, so each is written by its own bytes. Where the value itself shares the memory (Buffers that overlap, a
 * Buffer and another view), that must be kept: such an array buffer is written whole, with views on it.
 */
import { partsOf } from './memory.ts';

/**
 * Adds to `wholes` the array buffers of `windows` that overlap, or that are there already: the value must then be
 * written once more. Returns whether there are any.
 */
export function addShared(windows: readonly Buffer[], wholes: Set<ArrayBufferLike>): boolean {
  if (windows.length === 0) return false;
  const parts = windows.map(partsOf).sort((a, b) => a.byteOffset - b.byteOffset);
  const ends = new Map<ArrayBufferLike, number>();
  const shared: ArrayBufferLike[] = [];
  for (const { buffer, byteOffset, byteLength } of parts) {
    const end = ends.get(buffer) ?? 0;
    if (wholes.has(buffer) || (byteOffset < end && byteLength !== 0)) shared.push(buffer);
    ends.set(buffer, Math.max(end, byteOffset + byteLength));
  }
  for (const buffer of shared) wholes.add(buffer);
  return shared.length !== 0;
}
