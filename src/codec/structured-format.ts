/**
 * The structured encoding: a flags byte, one value, then the bodies of deferred containers in order.
 *
 * ```
 * value   = tag byte, then what the tag asks for
 * 00..3f    integer 0..63                        40..7f   Latin-1 string of 0..63 characters
 * 80..8f    dense array of 0..15 elements        90..     the tags below
 * uint    = 7 bits a byte, least first, high bit "more follows"; at most 2^32 - 1
 * string  = a value that is a string
 * ```
 *
 * | tag | payload |
 * | --- | --- |
 * | POSITIVE, NEGATIVE | uint n: the number n, or -1 - n |
 * | DOUBLE | 8 bytes, least first |
 * | LATIN1 | uint characters, then a byte each |
 * | UTF16 | uint characters, a zero byte if the next byte's place is odd, then two bytes each, least first |
 * | BIGINT | uint bytes, then sign and magnitude |
 * | ARRAY | uint length, the elements |
 * | INTS_1, INTS_2, INTS_4 | uint length, then that many signed integers of 1, 2 or 4 bytes, least first: an array |
 * | DOUBLES | uint length, then 8 bytes each, least first: an array |
 * | SPARSE | uint length, uint count, then count times uint index and value |
 * | SHAPED | u16 length of the shape's text, u16 hash, the text (names joined by NUL), the members' values |
 * | SHAPED_AGAIN | uint number of a shape that this encoding holds already, the members' values |
 * | NAMED | uint count, then count times string and value |
 * | NULL_PROTOTYPE | an object's encoding (SHAPED, SHAPED_AGAIN or NAMED) |
 * | MAP | uint size, then size times key and value |
 * | SET | uint size, the members |
 * | DATE | 8 bytes, the time, least first |
 * | REGEXP | string source, string flags, value of `lastIndex` |
 * | ERROR | u8 kind, u8 count, then count times u8 (name, 8 if enumerable) and value |
 * | ARRAY_BUFFER | uint bytes, the bytes |
 * | BYTES | uint bytes, the bytes: a Buffer on memory of its own |
 * | VIEW | u8 kind (64 if a Buffer), value (its array buffer), uint offset, uint bytes |
 * | REFERENCE | uint number of an object, counted in the order in which the encoding meets them |
 * | DEFERRED | u8 kind, u8 error kind: an empty container, whose encoding follows after the value |
 *
 * Containers nested deeper than {@link MAX_NESTING} are deferred, so neither side needs more stack for a deeper graph.
 */

export const SMALL_STRING = 0x40;
export const SMALL_ARRAY = 0x80;
export const SMALL_END = 0x90;

export const UNDEFINED = 0x90;
export const NULL = 0x91;
export const FALSE = 0x92;
export const TRUE = 0x93;
export const POSITIVE = 0x94;
export const NEGATIVE = 0x95;
export const DOUBLE = 0x96;
export const LATIN1 = 0x97;
export const UTF16 = 0x98;
export const BIGINT = 0x99;
export const ARRAY = 0x9a;
export const SPARSE = 0x9b;
export const SHAPED = 0x9c;
export const SHAPED_AGAIN = 0x9d;
export const NAMED = 0x9e;
export const NULL_PROTOTYPE = 0x9f;
export const MAP = 0xa0;
export const SET = 0xa1;
export const DATE = 0xa2;
export const REGEXP = 0xa3;
export const ERROR = 0xa4;
export const ARRAY_BUFFER = 0xa5;
export const BYTES = 0xa6;
export const VIEW = 0xa7;
export const REFERENCE = 0xa8;
export const DEFERRED = 0xa9;
export const INTS_1 = 0xaa;
export const INTS_2 = 0xab;
export const INTS_4 = 0xac;
export const DOUBLES = 0xad;

/** Arrays of at least this many numbers, and of nothing else, are written as INTS or DOUBLES. */
export const MIN_NUMBERS = 4;

/** Flags byte: the encoding holds a REFERENCE, so the reader must number the objects. */
export const HAS_REFERENCES = 1;

/** Added to a view's kind if it is a Buffer. */
export const BUFFER_VIEW = 64;

/** Containers nested deeper than this are deferred. */
export const MAX_NESTING = 64;

/** Kinds of deferred container. */
export const KIND_OBJECT = 0;
export const KIND_NULL_PROTOTYPE = 1;
export const KIND_ARRAY = 2;
export const KIND_MAP = 3;
export const KIND_SET = 4;
export const KIND_ERROR = 5;

/** The standard errors by their number in the encoding. */
export const ERROR_CONSTRUCTORS = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const;

/** What a standard error may have as own properties, by number. */
export const ERROR_PROPERTIES = ['message', 'stack', 'cause', 'errors', 'name'] as const;
export const ERROR_ENUMERABLE = 8;

/** Objects with at most this many properties, of at most {@link MAX_SHAPE_TEXT} characters in all, have a shape. */
export const MAX_SHAPE_NAMES = 256;
export const MAX_SHAPE_TEXT = 4000;
export const SHAPE_SEPARATOR = '\0';

/** The hash of a shape's text. */
export function shapeHash(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & 0xffff;
}
