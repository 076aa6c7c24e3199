/** `Buffer`'s direct text methods: what `toString` and `write` call, without their look at arguments. */
export interface TextBuffer extends Buffer {
  latin1Slice(start?: number, end?: number): string;
  ucs2Slice(start?: number, end?: number): string;
  hexSlice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
  ucs2Write(text: string, offset?: number, length?: number): number;
  utf8Write(text: string, offset?: number, length?: number): number;
}
