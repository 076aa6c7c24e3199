/** The scratch memory of a writer, and how numbers, strings and bytes are put there. */
import type { TextBuffer } from './buffer-text.ts';
import * as format from './structured-format.ts';

const INITIAL_BYTES = 8192;
/** Scratch memory that grew past this is let go after the encoding. */
const KEPT_BYTES = 1024 * 1024;
/** Windows on the scratch memory up to this length are kept: making one costs as much as a small encoding. */
const KEPT_WINDOWS = 1024;
/** Strings up to this length are written character by character; calls into the runtime pay off past it. */
const SHORT_STRING = 128;

const doubleBytes = new Uint8Array(8);
const doubleWord = new Float64Array(doubleBytes.buffer);

const allocate = (bytes: number) => Buffer.allocUnsafeSlow(bytes) as unknown as TextBuffer;

export class WriterMemory {
  protected scratch = allocate(INITIAL_BYTES);
  protected position = 0;
  private windowsOf = this.scratch;
  private keptWindows: (Uint8Array | undefined)[] = [];

  /** What was written, as a window on the scratch memory. */
  protected result(): Uint8Array {
    const { scratch, position } = this;
    if (scratch.length > KEPT_BYTES) {
      this.scratch = allocate(INITIAL_BYTES);
      return scratch.subarray(0, position);
    }
    if (position >= KEPT_WINDOWS) return scratch.subarray(0, position);
    if (this.windowsOf !== scratch || this.keptWindows.length === 0) {
      this.windowsOf = scratch;
      this.keptWindows = new Array<Uint8Array | undefined>(KEPT_WINDOWS).fill(undefined);
    }
    const kept = this.keptWindows[position];
    if (kept !== undefined) return kept;
    return (this.keptWindows[position] = new Uint8Array(scratch.buffer, scratch.byteOffset, position));
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.scratch.length) return;
    const larger = allocate(Math.max(needed, this.scratch.length * 2));
    this.scratch.copy(larger, 0, 0, this.position);
    this.scratch = larger;
  }

  protected byte(value: number): void {
    if (this.position === this.scratch.length) this.reserve(1);
    this.scratch[this.position++] = value;
  }

  /** An integer from 0 to 2^32 - 1. */
  protected uint(value: number): void {
    if (value > 0xffffffff) throw new RangeError('too large');
    this.reserve(5);
    const scratch = this.scratch;
    let rest = value >>> 0;
    while (rest > 127) {
      scratch[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    scratch[this.position++] = rest;
  }

  protected eightBytes(value: number): void {
    this.reserve(8);
    doubleWord[0] = value;
    const { scratch, position } = this;
    for (let i = 0; i < 8; i++) scratch[position + i] = doubleBytes[i];
    this.position = position + 8;
  }

  protected number(value: number): void {
    const integer = value | 0;
    if (integer !== value || (value === 0 && 1 / value < 0)) {
      this.byte(format.DOUBLE);
      this.eightBytes(value);
    } else if (integer >= 0 && integer < format.SMALL_STRING) {
      this.byte(integer);
    } else {
      this.byte(integer >= 0 ? format.POSITIVE : format.NEGATIVE);
      this.uint(integer >= 0 ? integer : ~integer);
    }
  }

  protected string(value: string): void {
    const length = value.length;
    this.reserve(6 + length * 2);
    if (length >= SHORT_STRING) {
      this.longString(value);
      return;
    }
    const { scratch, position } = this;
    let at = position;
    if (length < format.SMALL_ARRAY - format.SMALL_STRING) scratch[at++] = format.SMALL_STRING | length;
    else {
      scratch[at++] = format.LATIN1;
      scratch[at++] = length;
    }
    let all = 0;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      all |= code;
      scratch[at + i] = code;
    }
    if (all > 255) this.wideString(value);
    else this.position = at + length;
  }

  private longString(value: string): void {
    const start = this.position;
    this.byte(format.LATIN1);
    this.uint(value.length);
    const { scratch, position } = this;
    const end = position + value.length;
    scratch.latin1Write(value, position, value.length);
    // The runtime cuts characters to a byte; reading back tells, at the speed of memory, whether any was cut.
    if (scratch.latin1Slice(position, end) === value) this.position = end;
    else {
      this.position = start;
      this.wideString(value);
    }
  }

  private wideString(value: string): void {
    this.byte(format.UTF16);
    this.uint(value.length);
    this.scratch.ucs2Write(value, this.position, value.length * 2);
    this.position += value.length * 2;
  }

  protected blob(tag: number, bytes: Uint8Array): void {
    this.byte(tag);
    this.uint(bytes.length);
    this.reserve(bytes.length);
    this.scratch.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A short piece that was made before. */
  protected prepared(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    const { scratch, position } = this;
    for (let i = 0; i < bytes.length; i++) scratch[position + i] = bytes[i];
    this.position = position + bytes.length;
  }
}
