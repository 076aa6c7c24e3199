/**
 * What a codec is to the store: value types, the encoded form, and the option that users give.
 */

/**
 * What an entry's 5-bit type field says (0 to 31). One number per native kind; the order is part of the memory
 * layout. 31 belongs to the engine (a placeholder) and is never given by a codec.
 */
export const ValueType = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  latin1: 5,
  utf16: 6,
  bigint: 7,
  bytes: 8,
  buffer: 9,
  structured: 10,
  jsonLatin1: 11,
  jsonUtf16: 12,
  customLatin1: 13,
  customUtf16: 14,
  customBytes: 15,
} as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/**
 * One encoded value. A codec fills and returns the same object on every call; it holds until that codec's next
 * `encode`.
 *
 * - `isText`: the payload is `text`, and `type` is the Latin-1 member of its pair; whoever stores it looks at the
 *   characters and takes the UTF-16 member (`type + 1`) where they do not fit.
 * - `type === ValueType.number`: the payload is `number`.
 * - otherwise the payload is `bytes`, empty for the types that carry none.
 */
export interface EncodedValue {
  type: number;
  isText: boolean;
  number: number;
  text: string;
  bytes: Uint8Array;
}

/** Turns values into bytes or text and back. Made by {@link createCodec}. */
export interface Codec {
  /** `'structured'`, `'json'`, `'bytes'` or the option object's name: at most 64 bytes, compared at attach. */
  readonly name: string;
  /**
   * Encodes `value`. The result is reused by the next call on this codec, and `bytes` may be the caller's own array or
   * a window on scratch memory: copy it before anything else runs.
   *
   * @throws {CodecError} where the value could not come back exactly as it is; `path` leads to the culprit.
   */
  encode(value: unknown): EncodedValue;
  /**
   * Decodes `buffer[start, end)`, which must be private memory (no other thread writes it). The result shares no
   * memory with `buffer`.
   *
   * @throws {CodecError} on bytes that no `encode` wrote, or of a type that this codec does not write.
   */
  decodeBytes(type: number, buffer: Buffer, start: number, end: number): unknown;
  /** Decodes a payload that was text. Errors as for {@link Codec.decodeBytes}. */
  decodeText(type: number, text: string): unknown;
  /**
   * Whether the value that was decoded last, of this type, may be handed to several callers: a string, or a graph of plain
   * objects and arrays, which `freeze` freezes whole. If not, nothing is frozen.
   */
  share(type: number, value: unknown, freeze: boolean): boolean;
}

/**
 * A codec of the user's own. It is asked only for what is not native (see {@link CodecOption}).
 *
 * - `name`: 1 to 64 bytes as UTF-8, not one of the built-in names; all threads must give the same.
 * - `encode`: a `Uint8Array` or a string; anything else, promises too, throws `CodecError`.
 * - `decode`: gets a private `Uint8Array` if `encode` gave bytes, the string if it gave one.
 *
 * What they throw is wrapped in a `CodecError` with `cause`.
 */
export interface CustomCodec {
  name: string;
  encode(value: unknown): Uint8Array | string;
  // The type of `data` follows from what `encode` returns, which only the user knows.
  decode(data: any): unknown;
}

/**
 * How values are stored. Under every codec `undefined`, `null`, booleans, numbers, strings, bigints, `Uint8Array` and
 * `Buffer` are native: stored as they are.
 *
 * - `'structured'` (the default): plain objects, arrays, `Map`, `Set`, `Date`, `RegExp`, the standard errors, buffers
 *   and typed arrays, with cycles and shared references.
 * - `'json'`: what `JSON.parse(JSON.stringify(value))` gives back unaltered.
 * - `'bytes'`: native values only.
 */
export type CodecOption = 'structured' | 'json' | 'bytes' | CustomCodec;

/** The payload of types that carry none. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A result object for one codec to fill and return. */
export function createEncodedValue(): EncodedValue {
  return { type: 0, isText: false, number: 0, text: '', bytes: NO_BYTES };
}

export function setBytes(out: EncodedValue, type: number, bytes: Uint8Array): EncodedValue {
  out.type = type;
  out.isText = false;
  out.text = '';
  out.bytes = bytes;
  return out;
}

export function setText(out: EncodedValue, type: number, text: string): EncodedValue {
  out.type = type;
  out.isText = true;
  out.text = text;
  out.bytes = NO_BYTES;
  return out;
}
