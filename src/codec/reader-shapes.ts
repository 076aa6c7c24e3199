/**
 * Shapes on the reader's side. Where the runtime allows it, a shape that is met often gets a function of its own that
 * reads the members straight into an object literal, which takes a quarter of the time of storing them one by one.
 */
import { MAX_SHAPE_NAMES, SHAPE_SEPARATOR } from './structured-format.ts';

/** What a made function needs of the reader. */
export interface MemberReader {
  value(depth: number): unknown;
}

export interface ReadShape {
  readonly text: string;
  readonly names: readonly string[];
  /** A name is `__proto__`, which in a literal means something else. */
  readonly hasProto: boolean;
  /** A name is one that objects inherit, so that it must be defined: to assign it may run a setter, or be forbidden. */
  readonly inherits: boolean;
  /** Objects that were read, until `make` is tried. */
  uses: number;
  /** Reads the members and returns the object. */
  make: ((reader: MemberReader, depth: number) => object) | undefined;
}

const TABLE_SIZE = 1024;
/** All texts in the table may have so many characters together. */
const MAX_KEPT = 256 * 1024;
/** Making a function costs as much as reading some hundred objects without one. */
const USES_BEFORE_MAKING = 64;
/** A literal of more members is no faster. */
const MAX_MADE = 100;
/** Up to this length `startsWith` is the fastest comparison; a slice costs more at first and then hardly anything. */
const SHORT_TEXT = 32;

/** Whether plain objects have this name from their prototype. */
export function isInherited(name: string): boolean {
  return name in Object.prototype;
}

/** The shapes that one reader knows, in a table indexed by their hash; a newcomer takes its place. */
export class ReaderShapes {
  private table = new Array<ReadShape | undefined>(TABLE_SIZE).fill(undefined);
  private kept = 0;

  /** The shape whose text stands in `source[start, start + length)`. */
  find(hash: number, source: string, start: number, length: number): ReadShape {
    const known = this.table[hash % TABLE_SIZE];
    if (known !== undefined && known.text.length === length) {
      if (length <= SHORT_TEXT) {
        if (source.startsWith(known.text, start)) return known;
      } else if (source.slice(start, start + length) === known.text) return known;
    }
    return this.add(hash % TABLE_SIZE, source.slice(start, start + length));
  }

  private add(place: number, part: string): ReadShape {
    // Copied, so that the table does not keep the whole source.
    const text = Buffer.from(part, 'latin1').toString('latin1');
    const names = text.split(SHAPE_SEPARATOR);
    this.kept += text.length - (this.table[place]?.text.length ?? 0);
    if (this.kept > MAX_KEPT) {
      this.table = new Array<ReadShape | undefined>(TABLE_SIZE).fill(undefined);
      this.kept = text.length;
    }
    const hasProto = names.includes('__proto__');
    const inherits = names.some(isInherited);
    return (this.table[place] = { text, names, hasProto, inherits, uses: 0, make: undefined });
  }
}

let mayMake = true;

/** Counts a use of a shape, and gives it a function when there were enough. */
export function countUse(shape: ReadShape): void {
  shape.uses++;
  if (shape.uses !== USES_BEFORE_MAKING || !mayMake || shape.hasProto) return;
  const { names } = shape;
  if (names.length > Math.min(MAX_MADE, MAX_SHAPE_NAMES) || new Set(names).size !== names.length) return;
  const members = names.map((name) => `${JSON.stringify(name)}: reader.value(depth)`);
  try {
    shape.make = new Function('reader', 'depth', `return { ${members.join(', ')} };`) as ReadShape['make'];
  } catch {
    mayMake = false; // Code from strings is forbidden in this process.
  }
}
