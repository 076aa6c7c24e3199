/** The bytes that a reader reads, and how numbers, strings and bytes are taken from there. */
import { CodecError } from '../errors.ts';
import type { TextBuffer } from './buffer-text.ts';
import * as format from './structured-format.ts';

/**
 * So many bytes are turned into text at once, and the short strings among them cut out of it: a call into the runtime
 * costs as much as ten cuts. A string that its holder keeps may keep that text with it, but no more.
 */
const TEXT_BYTES = 4096;
/** The first text is shorter, since one long string may be all that follows. */
const FIRST_TEXT_BYTES = 512;
/** Longer strings are worth a call of their own. */
const CUT_LENGTH = 512;

const NOTHING = Buffer.alloc(0) as unknown as TextBuffer;

const doubleBytes = new Uint8Array(8);
const doubleWord = new DataView(doubleBytes.buffer);

export function corrupt(what: string): never {
  throw new CodecError('value', `corrupt encoding: ${what}`);
}

const tooShort = (): never => corrupt('it ends too early');

export class ReaderMemory {
  protected source = NOTHING;
  protected position = 0;
  private start = 0;
  private end = 0;
  /** The text of `source[textStart, textEnd)`, and the same of two-byte characters. */
  protected text = '';
  private textStart = 0;
  private textEnd = 0;
  private textBytes = FIRST_TEXT_BYTES;
  private wideText = '';
  private wideStart = 0;
  private wideEnd = 0;

  protected open(source: Buffer, start: number, end: number): void {
    this.source = source as unknown as TextBuffer;
    this.start = start;
    this.position = start;
    this.end = end;
    this.textBytes = FIRST_TEXT_BYTES;
    this.textStart = this.textEnd = this.wideStart = this.wideEnd = start;
  }

  /** Called when all was read. */
  protected close(): void {
    if (this.position !== this.end) corrupt('wrong length');
  }

  protected forget(): void {
    this.text = '';
    this.wideText = '';
  }

  protected byte(): number {
    if (this.position >= this.end) tooShort();
    return this.source[this.position++];
  }

  protected uint(): number {
    let result = this.byte();
    if (result < 128) return result;
    result &= 127;
    for (let factor = 128; factor <= 0x10000000; factor *= 128) {
      const byte = this.byte();
      result += (byte & 127) * factor;
      if (byte < 128) return result;
    }
    return corrupt('a number is too long');
  }

  /** A count of things that take at least `size` bytes each. */
  protected count(size: number): number {
    const count = this.uint();
    if (count * size > this.end - this.position) corrupt('a count is too large');
    return count;
  }

  protected double(): number {
    const { source, position } = this;
    if (position + 8 > this.end) tooShort();
    for (let i = 0; i < 8; i++) doubleBytes[i] = source[position + i];
    this.position = position + 8;
    return doubleWord.getFloat64(0, true);
  }

  protected integers(tag: number, target: number[]): number[] {
    const width = tag === format.INTS_1 ? 1 : tag === format.INTS_2 ? 2 : 4;
    const length = this.count(width);
    const { source } = this;
    let at = this.position;
    const end = at + length * width;
    if (width === 1) while (at < end) target.push((source[at++] << 24) >> 24);
    else if (width === 2) for (; at < end; at += 2) target.push(source[at] | ((source[at + 1] << 24) >> 16));
    else {
      for (; at < end; at += 4) {
        target.push(source[at] | (source[at + 1] << 8) | (source[at + 2] << 16) | (source[at + 3] << 24));
      }
    }
    this.position = end;
    return target;
  }

  protected doubles(target: number[]): number[] {
    const length = this.count(8);
    const { source, position } = this;
    const view = new DataView(source.buffer, source.byteOffset + position, length * 8);
    for (let at = 0; at < length * 8; at += 8) target.push(view.getFloat64(at, true));
    this.position = position + length * 8;
    return target;
  }

  /** Steps over Latin-1 text that `this.text` holds afterwards, from the place that is returned. */
  protected take(length: number): number {
    const { position } = this;
    const end = position + length;
    if (end > this.end) tooShort();
    if (end > this.textEnd || position < this.textStart) {
      this.load(position, Math.max(end, position + this.textBytes));
      this.textBytes = TEXT_BYTES;
    }
    this.position = end;
    return position - this.textStart;
  }

  private load(start: number, end: number): void {
    this.textStart = start;
    this.textEnd = Math.min(end, this.end);
    this.text = this.source.latin1Slice(start, this.textEnd);
  }

  protected latin1(length: number): string {
    if (length > CUT_LENGTH) {
      const start = this.position;
      const end = start + length;
      if (end > this.end) tooShort();
      this.position = end;
      return this.source.latin1Slice(start, end);
    }
    const from = this.take(length);
    return this.text.slice(from, from + length);
  }

  /** Two-byte characters begin at even places, counted from the start. */
  private utf16(): string {
    const length = this.uint();
    if (((this.position - this.start) & 1) !== 0) this.byte();
    const { source, position } = this;
    const end = position + length * 2;
    if (end > this.end) tooShort();
    this.position = end;
    if (length > CUT_LENGTH) return source.ucs2Slice(position, end);
    if (end > this.wideEnd || position < this.wideStart) {
      this.wideStart = position;
      this.wideEnd = Math.min(position + TEXT_BYTES, this.end - ((this.end - position) & 1));
      this.wideText = source.ucs2Slice(position, this.wideEnd);
    }
    const from = (position - this.wideStart) >> 1;
    return this.wideText.slice(from, from + length);
  }

  protected string(tag: number): string {
    if (tag >= format.SMALL_STRING && tag < format.SMALL_ARRAY) return this.latin1(tag - format.SMALL_STRING);
    if (tag === format.LATIN1) return this.latin1(this.uint());
    if (tag !== format.UTF16) corrupt('a string is missing');
    return this.utf16();
  }

  protected bytes(): Uint8Array {
    const length = this.count(1);
    const start = this.position;
    this.position += length;
    return this.source.subarray(start, this.position);
  }
}
