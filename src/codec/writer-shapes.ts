/**
 * Shapes on the writer's side: the property names of an object, in order. A list of names that was met before is written
 * as one prepared piece.
 */
import { MAX_SHAPE_NAMES, MAX_SHAPE_TEXT, SHAPE_SEPARATOR, SHAPED, shapeHash } from './structured-format.ts';

/** Length of a shape's encoding before its text: tag, length, hash. */
const HEADER = 5;

/** How many shapes share one list (they have the same first name). */
const MAX_SIBLINGS = 16;
/** How many bytes all may count for, and what each counts for beside its encoding. */
const MAX_KEPT = 256 * 1024;
const SHAPE_COST = 64;

/** Longer lists of names may be data (as in an object indexed by user), so they become shapes at their second sight. */
const ALWAYS_SHAPED = 24;
const CANDIDATES = 8;

/** Objects mostly come in the same order, so the shape that followed this one last time is tried first. */
const GUESSES = 64;

export interface WrittenShape {
  readonly names: readonly string[];
  /** The shape's whole encoding (tag, length, hash, text), the least byte of each word first. */
  readonly words: Int32Array;
  /** Its length in bytes; what is left of the last word is zero. */
  readonly length: number;
  /** The encoding that holds this shape already, and its number there. */
  stamp: number;
  index: number;
  /** Where the guess at what comes after this shape stands. */
  readonly place: number;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/** The shapes that one writer knows: a bounded cache. */
export class WriterShapes {
  private readonly lists = new Map<string, WrittenShape[]>();
  private readonly candidates: (readonly string[])[] = new Array<readonly string[]>(CANDIDATES).fill([]);
  private readonly guesses: (WrittenShape | undefined)[] = new Array<WrittenShape | undefined>(GUESSES).fill(
    undefined,
  );
  private kept = 0;
  private made = 0;
  /** The place of the shape that was found last. */
  private place = 0;

  /** The shape with exactly these names, or `undefined` if such an object is written name by name. */
  find(names: readonly string[]): WrittenShape | undefined {
    const guess = this.guesses[this.place];
    if (guess !== undefined && sameNames(guess.names, names)) {
      this.place = guess.place;
      return guess;
    }
    const found = this.search(names);
    if (found !== undefined) {
      this.guesses[this.place] = found;
      this.place = found.place;
    }
    return found;
  }

  private search(names: readonly string[]): WrittenShape | undefined {
    if (names.length === 0 || names.length > MAX_SHAPE_NAMES) return undefined;
    const list = this.lists.get(names[0]);
    if (list !== undefined) {
      for (let i = 0; i < list.length; i++) if (sameNames(list[i].names, names)) return list[i];
    }
    if (names.length > ALWAYS_SHAPED) {
      const place = names.length % CANDIDATES;
      if (!sameNames(this.candidates[place], names)) {
        this.candidates[place] = names;
        return undefined;
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
    const length = HEADER + text.length;
    const words = new Int32Array((length + 3) >> 2);
    const put = (at: number, byte: number) => {
      words[at >> 2] |= (byte & 255) << ((at & 3) * 8);
    };
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) return undefined;
      put(HEADER + i, code);
    }
    const hash = shapeHash(text);
    put(0, SHAPED);
    put(1, text.length);
    put(2, text.length >>> 8);
    put(3, hash);
    put(4, hash >>> 8);
    const shape = { names, words, length, stamp: 0, index: 0, place: this.made++ % GUESSES };
    this.kept += length + SHAPE_COST;
    if (this.kept > MAX_KEPT) {
      this.kept = length + SHAPE_COST;
      this.lists.clear();
      this.lists.set(names[0], [shape]);
    } else if (list === undefined) this.lists.set(names[0], [shape]);
    else {
      if (list.length === MAX_SIBLINGS) this.kept -= (list.shift() as WrittenShape).length + SHAPE_COST;
      list.push(shape);
    }
    return shape;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
