/**
 * Shapes: the property names of small objects, in order. A name list that was met before is written as one prepared
 * piece and read by one comparison, which is most of what an object costs.
 */
import { MAX_SHAPE_NAMES, MAX_SHAPE_TEXT, SHAPE_SEPARATOR, SHAPED } from './structured-format.ts';

/** Length of a shape's encoding before its text: tag, length, hash. */
export const SHAPE_HEADER = 4;

/** How many shapes share one list (they have the same first name), and how many lists there are. */
const MAX_SIBLINGS = 16;
const MAX_LISTS = 512;

export interface WrittenShape {
  readonly names: readonly string[];
  /** The shape's whole encoding: tag, length, hash, text. */
  readonly bytes: Uint8Array;
  /** The encoding that holds this shape already, and its number there. */
  stamp: number;
  index: number;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/** The shapes that one writer knows: a bounded cache. */
export class WriterShapes {
  private readonly lists = new Map<string, WrittenShape[]>();
  private last: WrittenShape | undefined;

  /** The shape with exactly these names, or `undefined` if such an object is written name by name. */
  find(names: readonly string[]): WrittenShape | undefined {
    const last = this.last;
    if (last !== undefined && sameNames(last.names, names)) return last;
    if (names.length === 0 || names.length > MAX_SHAPE_NAMES) return undefined;
    const list = this.lists.get(names[0]);
    if (list !== undefined) {
      for (let i = 0; i < list.length; i++) {
        if (sameNames(list[i].names, names)) return (this.last = list[i]);
      }
    }
    return this.add(names, list);
  }

  private add(names: readonly string[], list: WrittenShape[] | undefined): WrittenShape | undefined {
    // Names that begin with a digit are mostly data, so that hardly two objects share them.
    const text = names.join(SHAPE_SEPARATOR);
    if (
      text.length > MAX_SHAPE_TEXT ||
      isDigit(text.charCodeAt(0)) ||
      text.split(SHAPE_SEPARATOR).length !== names.length
    ) {
      return undefined;
    }
    const bytes = new Uint8Array(SHAPE_HEADER + text.length);
    let hash = text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) return undefined;
      bytes[SHAPE_HEADER + i] = code;
      hash = Math.imul(hash ^ code, 0x01000193);
    }
    hash ^= hash >>> 16;
    bytes[0] = SHAPED;
    bytes[1] = text.length;
    bytes[2] = hash;
    bytes[3] = hash >>> 8;
    const shape = { names, bytes, stamp: 0, index: 0 };
    if (list === undefined) {
      if (this.lists.size === MAX_LISTS) this.lists.clear();
      this.lists.set(names[0], [shape]);
    } else {
      if (list.length === MAX_SIBLINGS) list.shift();
      list.push(shape);
    }
    return (this.last = shape);
  }
}

export interface ReadShape {
  readonly text: string;
  readonly names: readonly string[];
  /** A name is `__proto__`, which must be defined and not assigned. */
  readonly hasProto: boolean;
}

const TABLE_SIZE = 1024;

/** The shapes that one reader knows, in a table indexed by their hash; a newcomer takes its place. */
export class ReaderShapes {
  private readonly table: (ReadShape | undefined)[] = new Array<ReadShape | undefined>(TABLE_SIZE).fill(
    undefined,
  );

  /** The shape whose text stands in `source[start, start + length)`. */
  find(hash: number, source: string, start: number, length: number): ReadShape {
    const known = this.table[hash % TABLE_SIZE];
    if (known !== undefined && known.text.length === length && source.startsWith(known.text, start))
      return known;
    // Copied, so that the table does not keep the whole source.
    const text = Buffer.from(source.slice(start, start + length), 'latin1').toString('latin1');
    const names = text.split(SHAPE_SEPARATOR);
    return (this.table[hash % TABLE_SIZE] = { text, names, hasProto: names.includes('__proto__') });
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
