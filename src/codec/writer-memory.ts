/** The scratch memory of a writer, and how numbers, strings and bytes are put there. */
import type { TextBuffer } from './buffer-text.ts';
import * as format from './structured-format.ts';

const INITIAL_BYTES = 8192;
/** Scratch memory that grew past this is let go after the encoding. */
const KEPT_BYTES = 1024 * 1024;
/** Windows on the scratch memory up to this length are kept: making one costs as much as a small encoding. */
const KEPT_WINDOWS = 1024;
/** Strings up to this length are written character by character; calls into the runtime pay off past it. */
const SHORT_STRING = 40;
const SHORT_WIDE = 12;
/** Up to this length a failed try at UTF-8 costs little. */
const MIDDLE_STRING = 2048;

const { charCodeAt } = String.prototype;
const allocate = (bytes: number) => Buffer.allocUnsafeSlow(bytes) as unknown as TextBuffer;
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class WriterMemory {
  protected scratch = allocate(INITIAL_BYTES);
  protected position = 0;
  private words = viewOf(this.scratch);
  private windowsOf = this.scratch;
  private keptWindows: (Uint8Array | undefined)[] = [];

  /** What was written, as a window on the scratch memory. */
  protected result(): Uint8Array {
    const { scratch, position } = this;
    this.shrink();
    if (position >= KEPT_WINDOWS || scratch !== this.scratch) return scratch.subarray(0, position);
    if (this.windowsOf !== scratch || this.keptWindows.length === 0) {
      this.windowsOf = scratch;
      this.keptWindows = new Array<Uint8Array | undefined>(KEPT_WINDOWS).fill(undefined);
    }
    const kept = this.keptWindows[position];
    if (kept !== undefined) return kept;
    return (this.keptWindows[position] = new Uint8Array(scratch.buffer, scratch.byteOffset, position));
  }

  /** Lets large memory go. */
  protected shrink(): void {
    if (this.scratch.length <= KEPT_BYTES) return;
    this.scratch = allocate(INITIAL_BYTES);
    this.words = viewOf(this.scratch);
  }

  private reserve(bytes: number): void {
    if (this.position + bytes > this.scratch.length) this.grow(this.position + bytes);
  }

  private grow(needed: number): void {
    const larger = allocate(Math.max(needed, this.scratch.length * 2));
    this.scratch.copy(larger, 0, 0, this.position);
    this.scratch = larger;
    this.words = viewOf(larger);
  }

  protected byte(value: number): void {
    if (this.position === this.scratch.length) this.grow(this.position + 1);
    this.scratch[this.position++] = value;
  }

  /** An integer from 0 to 2^32 - 1. */
  protected uint(value: number): void {
    if (value < 128) {
      this.byte(value);
      return;
    }
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
    this.words.setFloat64(this.position, value, true);
    this.position += 8;
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

  /** An array of integers, none of which is -0 or leaves 32 bits: all lie in `least` to `most`. */
  protected integers(values: readonly number[], length: number, least: number, most: number): void {
    const width = least >= -128 && most <= 127 ? 1 : least >= -32768 && most <= 32767 ? 2 : 4;
    this.byte(width === 1 ? format.INTS_1 : width === 2 ? format.INTS_2 : format.INTS_4);
    this.uint(length);
    this.reserve(length * width);
    const { scratch, words } = this;
    let at = this.position;
    if (width === 1) for (let i = 0; i < length; i++) scratch[at++] = values[i];
    else if (width === 2) for (let i = 0; i < length; i++, at += 2) words.setInt16(at, values[i], true);
    else for (let i = 0; i < length; i++, at += 4) words.setInt32(at, values[i], true);
    this.position = at;
  }

  protected doubles(values: readonly number[], length: number): void {
    this.byte(format.DOUBLES);
    this.uint(length);
    this.reserve(length * 8);
    const { words } = this;
    let at = this.position;
    for (let i = 0; i < length; i++, at += 8) words.setFloat64(at, values[i], true);
    this.position = at;
  }

  protected string(text: string): void {
    // Strings come in many internal forms, and a property of "a string of any form" is looked up slowly. Of what was
    // concatenated the compiler knows that it is a string, and `charCodeAt` is called without looking it up.
    const value = `${text}`;
    const { length } = value;
    if (length > SHORT_STRING) {
      this.longString(value);
      return;
    }
    this.reserve(2 + length);
    const { scratch } = this;
    let at = this.position;
    if (length < format.SMALL_ARRAY - format.SMALL_STRING) scratch[at++] = format.SMALL_STRING | length;
    else {
      scratch[at++] = format.LATIN1;
      scratch[at++] = length;
    }
    for (let i = 0; i < length; i++) {
      const code = charCodeAt.call(value, i);
      if (code > 255) {
        this.wideString(value);
        return;
      }
      scratch[at++] = code;
    }
    this.position = at;
  }

  private longString(value: string): void {
    const { length } = value;
    const start = this.position;
    this.byte(format.LATIN1);
    this.uint(length);
    this.reserve(length);
    const { scratch, position } = this;
    const end = position + length;
    // As UTF-8 only ASCII takes a byte for each character.
    const room = scratch.length - position;
    if (
      length <= MIDDLE_STRING &&
      room >= length * 3 &&
      scratch.utf8Write(value, position, room) === length
    ) {
      this.position = end;
      return;
    }
    scratch.latin1Write(value, position, length);
    // The runtime cuts characters to a byte; reading back tells, at the speed of memory, whether any was cut.
    if (scratch.latin1Slice(position, end) === value) {
      this.position = end;
      return;
    }
    this.position = start;
    this.wideString(value);
  }

  /** Two bytes for each character, from an even place on. */
  private wideString(value: string): void {
    const { length } = value;
    this.byte(format.UTF16);
    this.uint(length);
    if ((this.position & 1) !== 0) this.byte(0);
    this.reserve(length * 2);
    const { scratch } = this;
    let at = this.position;
    if (length > SHORT_WIDE) at += scratch.ucs2Write(value, at, length * 2);
    else {
      for (let i = 0; i < length; i++) {
        const code = charCodeAt.call(value, i);
        scratch[at++] = code;
        scratch[at++] = code >> 8;
      }
    }
    this.position = at;
  }

  protected blob(tag: number, bytes: Uint8Array): void {
    this.byte(tag);
    this.uint(bytes.length);
    this.reserve(bytes.length);
    this.scratch.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A piece that was made before: `length` bytes, in words whose least byte comes first. */
  protected prepared(piece: Int32Array, length: number): void {
    const count = piece.length;
    this.reserve(count * 4);
    const { words, position } = this;
    // The last word may be written too far; what comes next is written over that.
    for (let i = 0; i < count; i++) words.setInt32(position + i * 4, piece[i], true);
    this.position = position + length;
  }
}
