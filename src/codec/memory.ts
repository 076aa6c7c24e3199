/**
 * Buffers and views: which may be stored, and their exact parts. The getters are the language's own, so that an own
 * property of the same name cannot answer in their place.
 */
import { isDeepStrictEqual, types } from 'node:util';

type TypedArrayConstructor = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT: number;
};

// The order is part of the structured encoding.
const VIEW_NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;

/** The typed array constructors by their number in the structured encoding; `undefined` where a runtime has none. */
export const VIEW_CONSTRUCTORS: readonly (TypedArrayConstructor | undefined)[] = VIEW_NAMES.map(
  (name) => (globalThis as unknown as Record<string, TypedArrayConstructor | undefined>)[name],
);

/** The number of `DataView` beside those of {@link VIEW_CONSTRUCTORS}. */
export const DATA_VIEW = 32;

const viewNumbers = new Map<object, number>([[DataView.prototype, DATA_VIEW]]);
for (const [i, maker] of VIEW_CONSTRUCTORS.entries()) {
  if (maker !== undefined) viewNumbers.set(maker.prototype, i);
}

/** The number of the view kind whose prototype this is; a subclass has none. */
export function viewNumber(prototype: object): number | undefined {
  return viewNumbers.get(prototype);
}

function getter<T>(prototype: object, name: string): (target: object) => T {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new TypeError(`no getter ${name}`);
  return (target) => Reflect.apply(get, target, []) as T;
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
const typedBuffer = getter<ArrayBufferLike>(typedArrayPrototype, 'buffer');
const typedOffset = getter<number>(typedArrayPrototype, 'byteOffset');
const typedByteLength = getter<number>(typedArrayPrototype, 'byteLength');
const dataBuffer = getter<ArrayBufferLike>(DataView.prototype, 'buffer');
const dataOffset = getter<number>(DataView.prototype, 'byteOffset');
const dataByteLength = getter<number>(DataView.prototype, 'byteLength');
const bufferResizable = getter<boolean>(ArrayBuffer.prototype, 'resizable');
export const bufferByteLength: (buffer: ArrayBuffer) => number = getter(ArrayBuffer.prototype, 'byteLength');

/** The parts of a view. Throws a `TypeError` for a `DataView` that is out of bounds, so check its buffer first. */
export interface ViewParts {
  buffer: ArrayBufferLike;
  byteOffset: number;
  byteLength: number;
}

export function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  return types.isDataView(view) ? dataBuffer(view) : typedBuffer(view);
}

export function partsOf(view: ArrayBufferView): ViewParts {
  return types.isDataView(view)
    ? { buffer: dataBuffer(view), byteOffset: dataOffset(view), byteLength: dataByteLength(view) }
    : { buffer: typedBuffer(view), byteOffset: typedOffset(view), byteLength: typedByteLength(view) };
}

/** Why this buffer cannot be stored as it is, or `undefined` if it can. */
export function bufferProblem(buffer: ArrayBufferLike): string | undefined {
  if (types.isSharedArrayBuffer(buffer)) return 'shared buffers cannot be stored';
  if (bufferResizable(buffer)) return 'resizable buffers cannot be stored';
  if (bufferByteLength(buffer) === 0) {
    try {
      new Uint8Array(buffer);
    } catch {
      return 'detached buffers cannot be stored';
    }
  }
  return undefined;
}

/** What this package and the runtime's own functions ask a view for: one with an answer of its own would be stored wrong. */
const ASKED = ['length', 'byteLength', 'byteOffset', 'buffer'];

/** Below this the names of a typed array are listed; above, a comparison that does not name every index is cheaper. */
const LISTED_LENGTH = 4;

/**
 * Whether a typed array has properties beside its elements. Sees enumerable ones, symbols, and those of the hidden ones that
 * would be asked: listing all would cost a string for each element.
 */
export function hasExtras(view: ArrayBufferView, viewNumberOf: number): boolean {
  for (let i = 0; i < ASKED.length; i++) if (Object.hasOwn(view, ASKED[i]!)) return true;
  if (Object.getOwnPropertySymbols(view).length !== 0) return true;
  const maker = VIEW_CONSTRUCTORS[viewNumberOf];
  if (maker === undefined) return Object.getOwnPropertyNames(view).length !== 0;
  const { buffer, byteOffset, byteLength } = partsOf(view);
  const length = byteLength / maker.BYTES_PER_ELEMENT;
  if (length <= LISTED_LENGTH) return Object.getOwnPropertyNames(view).length !== length;
  const memory = buffer as ArrayBuffer;
  const twin = Buffer.isBuffer(view)
    ? Buffer.from(memory, byteOffset, length)
    : new maker(memory, byteOffset, length);
  return !isDeepStrictEqual(view, twin);
}
