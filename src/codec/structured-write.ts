/**
 * Writes the structured encoding (see structured-format.ts). Runs no code of the value's owner, with one exception:
 * reading an error's stack for the first time may call `Error.prepareStackTrace`.
 */
import { types } from 'node:util';
import { CodecError } from '../errors.ts';
import { isBare } from './array-check.ts';
import { containerKind, describeKind, errorKinds, viewProblem } from './kinds.ts';
import { bufferProblem, DATA_VIEW, partsOf, viewNumber } from './memory.ts';
import { bigintToBytes } from './native.ts';
import { ObjectNumbers } from './object-numbers.ts';
import { joinPath, type Place, stepOf, stepsTo } from './paths.ts';
import { CHANGED, isPlain, propertyProblem } from './plain.ts';
import * as format from './structured-format.ts';
import { addShared } from './windows.ts';
import { WriterMemory } from './writer-memory.ts';
import { WriterShapes } from './writer-shapes.ts';

const describe = Object.getOwnPropertyDescriptor;
const lookupGetter = (Object.prototype as unknown as { __lookupGetter__(key: PropertyKey): unknown })
  .__lookupGetter__;
const getPrototype = Object.getPrototypeOf as (value: object) => unknown;
const getNames = Object.getOwnPropertyNames;
const getSymbols = Object.getOwnPropertySymbols;
const isEnumerable = Object.prototype.propertyIsEnumerable;
const { isProxy } = types;
const stackGetter = describe(new Error(), 'stack')?.get;
const errorProperties = new Map<PropertyKey, number>(format.ERROR_PROPERTIES.map((name, i) => [name, i]));

/** Holds the root. */
const NO_HOLDER = {};

/** From this length on, counting an array's enumerable elements is cheaper than asking each. */
const COUNTED_LENGTH = 3;

/** One encoding at a time; not re-entrant (see {@link createStructuredWriter}). */
class StructuredWriter extends WriterMemory {
  private readonly shapes = new WriterShapes();
  /** No shape has the first. */
  private stamp = 1;
  private shapeCount = 0;
  private root: unknown;
  private flags = 0;
  private readonly numbers = new ObjectNumbers();
  private pending: object[] = [];
  /** Buffers that were written by their own bytes, and array buffers that were written whole, or must be. */
  private windows: Buffer[] = [];
  private readonly wholes = new Set<ArrayBufferLike>();
  /** How often a stack was formatted, which may have run code of the user. */
  private foreignRuns = 0;

  /** The encoding of `root`, on scratch memory that the next call uses again. */
  encode(root: unknown): Uint8Array {
    this.root = root;
    try {
      this.pass();
      while (addShared(this.windows, this.wholes)) {
        this.reset();
        this.pass();
      }
      return this.result();
    } catch (error) {
      this.shrink();
      if (error instanceof RangeError) {
        throw new CodecError('value', 'there is not enough stack or memory to encode it', { cause: error });
      }
      throw error;
    } finally {
      this.reset();
      this.root = undefined;
      if (this.wholes.size !== 0) this.wholes.clear();
    }
  }

  /** Writes all, from the state that {@link reset} leaves. */
  private pass(): void {
    this.position = 1;
    this.value(this.root, NO_HOLDER, '', 0);
    for (let i = 0; i < this.pending.length; i++) {
      const container = this.pending[i];
      this.container(container, getPrototype(container), 0);
    }
    this.scratch[0] = this.flags;
  }

  private reset(): void {
    this.stamp++;
    this.shapeCount = 0;
    this.flags = 0;
    this.numbers.clear();
    if (this.pending.length !== 0) this.pending = [];
    if (this.windows.length !== 0) this.windows = [];
  }

  /** Throws the error for the member of `holder` at `place`. */
  private refuse(problem: string, holder: object, place: Place): never {
    if (holder === NO_HOLDER) throw new CodecError('value', problem);
    throw new CodecError(joinPath([...stepsTo(this.root, holder), stepOf(holder, place)]), problem);
  }

  /** Throws the error for an object that the root holds, or is. */
  private refuseObject(problem: string, culprit: object): never {
    throw new CodecError(joinPath(stepsTo(this.root, culprit)), problem);
  }

  private value(value: unknown, holder: object, place: Place, depth: number): void {
    // Not a `switch`: that asks the runtime for the type's name.
    if (typeof value === 'string') this.string(value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'object') {
      if (value === null) this.byte(format.NULL);
      else this.object(value, holder, place, depth);
    } else if (typeof value === 'boolean') this.byte(value ? format.TRUE : format.FALSE);
    else if (typeof value === 'undefined') this.byte(format.UNDEFINED);
    else if (typeof value === 'bigint') this.blob(format.BIGINT, bigintToBytes(value));
    else this.refuse(`a ${typeof value} cannot be stored`, holder, place);
  }

  private object(value: object, holder: object, place: Place, depth: number): void {
    if (isProxy(value)) this.refuse('a proxy cannot be stored', holder, place);
    const known = this.numbers.of(value);
    if (known >= 0) {
      this.flags |= format.HAS_REFERENCES;
      this.byte(format.REFERENCE);
      this.uint(known);
      return;
    }
    const prototype = getPrototype(value);
    if (depth > format.MAX_NESTING && this.defer(value, prototype)) return;
    if (!this.container(value, prototype, depth)) this.leaf(value, prototype, holder, place, depth);
  }

  /** Writes an empty container in the place of `value` if it is one, to be filled after the root. */
  private defer(value: object, prototype: unknown): boolean {
    const kind = containerKind(value, prototype);
    if (kind < 0) return false;
    this.byte(format.DEFERRED);
    this.byte(kind);
    this.byte(errorKinds.get(prototype) ?? 0);
    this.pending.push(value);
    return true;
  }

  /** Writes a value that holds others. Returns false if it is of no such kind. */
  private container(value: object, prototype: unknown, depth: number): boolean {
    if (prototype === Object.prototype) this.plain(value, prototype, depth);
    else if (Array.isArray(value)) this.array(value, prototype, depth);
    else if (prototype === null) this.plain(value, prototype, depth);
    else if (prototype === Map.prototype && types.isMap(value)) this.map(value, depth);
    else if (prototype === Set.prototype && types.isSet(value)) this.set(value, depth);
    else if (errorKinds.has(prototype) && types.isNativeError(value)) this.error(value, prototype, depth);
    else return false;
    return true;
  }

  private plain(value: object, prototype: unknown, depth: number): void {
    const names = getNames(value);
    const symbols = getSymbols(value);
    // A tag of its own would be read below.
    if (symbols.length !== 0 && symbols.includes(Symbol.toStringTag)) this.noSymbols(value);
    if (!isPlain(value, prototype)) this.refuseObject('an object with internal state of another kind', value);
    if (symbols.length !== 0) this.noSymbols(value);
    if (prototype === null) this.byte(format.NULL_PROTOTYPE);
    const shape = this.shapes.find(names);
    if (shape === undefined) {
      this.byte(format.NAMED);
      this.uint(names.length);
    } else if (shape.stamp === this.stamp) {
      this.byte(format.SHAPED_AGAIN);
      this.uint(shape.index);
    } else {
      shape.stamp = this.stamp;
      shape.index = this.shapeCount++;
      this.prepared(shape.words, shape.length);
    }
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const descriptor = describe(value, name);
      // Accessors have no `writable`.
      if (descriptor === undefined || descriptor.enumerable !== true || descriptor.writable === undefined) {
        this.refuse(propertyProblem(descriptor) as string, value, name);
      }
      if (shape === undefined) this.string(name);
      this.value(descriptor.value, value, name, depth + 1);
    }
  }

  private array(value: unknown[], prototype: unknown, depth: number): void {
    if (prototype !== Array.prototype) this.refuseObject('an array of another class or realm', value);
    const { length } = value;
    if (!isBare(value)) {
      this.sparse(value, depth);
      return;
    }
    // No getter may run, so each element is looked at before it is read.
    let numbers = 0;
    let integers = 0;
    let least = 0;
    let most = 0;
    for (let i = 0; i < length; i++) {
      if (lookupGetter.call(value, i) !== undefined) this.refuse('a getter or setter', value, i);
      const member = value[i];
      if (typeof member === 'number') {
        numbers++;
        const integer = member | 0;
        if (integer === member && (integer !== 0 || 1 / member > 0)) {
          integers++;
          if (integer < least) least = integer;
          else if (integer > most) most = integer;
        }
      } else if (member === undefined && !this.isData(value, i)) {
        this.sparse(value, depth);
        return;
      }
    }
    // Now that there is no getter, nothing runs here.
    if (length >= COUNTED_LENGTH) {
      if (Object.values(value).length !== length) this.hiddenElement(value);
    } else {
      for (let i = 0; i < length; i++) if (!isEnumerable.call(value, i)) this.hiddenElement(value);
    }
    if (numbers === length && length >= format.MIN_NUMBERS) {
      if (integers === length) this.integers(value as number[], length, least, most);
      else this.doubles(value as number[], length);
      return;
    }
    if (length < format.SMALL_END - format.SMALL_ARRAY) this.byte(format.SMALL_ARRAY | length);
    else {
      this.byte(format.ARRAY);
      this.uint(length);
    }
    const { foreignRuns } = this;
    for (let i = 0; i < length; i++) {
      const member = foreignRuns === this.foreignRuns ? value[i] : this.describedElement(value, i);
      this.value(member, value, i, depth + 1);
    }
  }

  /** An array with holes, or one that is refused for what else is on it. */
  private sparse(value: unknown[], depth: number): void {
    const names = getNames(value);
    const count = names.length - 1;
    // Indexes come first, then 'length', then whatever was added.
    if (names[count] !== 'length') this.refuse('a property on an array', value, names[count]);
    this.noSymbols(value);
    this.byte(format.SPARSE);
    this.uint(value.length);
    this.uint(count);
    for (let i = 0; i < count; i++) {
      const index = Number(names[i]);
      this.uint(index);
      this.value(this.describedElement(value, index), value, index, depth + 1);
    }
  }

  /** Whether there is an element with a value. Throws if it has a setter. */
  private isData(value: unknown[], index: number): boolean {
    return describe(value, index) !== undefined && this.describedElement(value, index) === undefined;
  }

  /** Throws for the element that is not enumerable. */
  private hiddenElement(value: unknown[]): never {
    const index = value.findIndex((_, i) => !isEnumerable.call(value, i));
    return this.refuse(index < 0 ? CHANGED : 'a non-enumerable property', value, index);
  }

  private describedElement(value: unknown[], index: number): unknown {
    const descriptor = describe(value, index);
    const problem = propertyProblem(descriptor);
    if (problem !== undefined) this.refuse(problem, value, index);
    return descriptor?.value;
  }

  private map(value: Map<unknown, unknown>, depth: number): void {
    this.noProperties(value);
    this.byte(format.MAP);
    this.uint(value.size);
    let place = 0;
    for (const [key, member] of Map.prototype.entries.call(value)) {
      this.value(key, value, place++, depth + 1);
      this.value(member, value, place++, depth + 1);
    }
    if (place !== value.size * 2) this.refuseObject(CHANGED, value);
  }

  private set(value: Set<unknown>, depth: number): void {
    this.noProperties(value);
    this.byte(format.SET);
    this.uint(value.size);
    let place = 0;
    for (const member of Set.prototype.values.call(value)) this.value(member, value, place++, depth + 1);
    if (place !== value.size) this.refuseObject(CHANGED, value);
  }

  private error(value: Error, prototype: unknown, depth: number): void {
    this.foreignRuns++;
    const keys = Reflect.ownKeys(value);
    this.byte(format.ERROR);
    this.byte(errorKinds.get(prototype) as number);
    this.byte(keys.length);
    // Looked at before the stack, whose formatting reads the others.
    for (const key of keys) {
      if (!errorProperties.has(key)) this.refuse('a property on an error', value, key);
      if (key === 'stack') continue;
      const descriptor = describe(value, key);
      if (descriptor === undefined || !('value' in descriptor)) this.refuse('a getter or setter', value, key);
    }
    for (const key of keys) {
      const descriptor = describe(value, key);
      if (descriptor === undefined) this.refuse(CHANGED, value, key);
      let member: unknown = descriptor.value;
      if (key === 'stack' && stackGetter !== undefined && descriptor.get === stackGetter) {
        member = Reflect.apply(stackGetter, value, []);
      } else if (!('value' in descriptor)) this.refuse('a getter or setter', value, key);
      const number = errorProperties.get(key) as number;
      this.byte(number | (descriptor.enumerable === true ? format.ERROR_ENUMERABLE : 0));
      this.value(member, value, key, depth + 1);
    }
  }

  private leaf(value: object, prototype: unknown, holder: object, place: Place, depth: number): void {
    if (types.isDate(value) && prototype === Date.prototype) {
      this.noProperties(value);
      this.byte(format.DATE);
      this.eightBytes(Date.prototype.getTime.call(value));
    } else if (types.isRegExp(value) && prototype === RegExp.prototype) {
      const keys = Reflect.ownKeys(value);
      if (keys.length !== 1) this.refuse('a property on an instance of RegExp', value, keys[1]);
      this.byte(format.REGEXP);
      this.string(value.source);
      this.string(value.flags);
      this.value(describe(value, 'lastIndex')?.value, value, 'lastIndex', depth + 1);
    } else if (types.isArrayBuffer(value) && prototype === ArrayBuffer.prototype) {
      this.noProperties(value);
      const problem = bufferProblem(value);
      if (problem !== undefined) this.refuse(problem, holder, place);
      this.wholes.add(value);
      this.blob(format.ARRAY_BUFFER, new Uint8Array(value));
    } else if (ArrayBuffer.isView(value)) {
      this.view(value, prototype as object, holder, place, depth);
    } else {
      this.refuse(`${describeKind(value)} cannot be stored`, holder, place);
    }
  }

  private view(value: ArrayBufferView, prototype: object, holder: object, place: Place, depth: number): void {
    const isBuffer = prototype === Buffer.prototype && types.isUint8Array(value);
    const kind = viewNumber(isBuffer ? Uint8Array.prototype : prototype);
    const named =
      kind === DATA_VIEW ? types.isDataView(value) : kind !== undefined && !types.isDataView(value);
    if (kind === undefined || !named) this.refuse(`${describeKind(value)} cannot be stored`, holder, place);
    const problem = viewProblem(value, kind);
    if (problem !== undefined) this.refuse(problem, holder, place);
    const { buffer, byteOffset, byteLength } = partsOf(value);
    if (isBuffer && !this.wholes.has(buffer)) {
      this.windows.push(value as Buffer);
      this.blob(format.BYTES, value as Buffer);
      return;
    }
    this.byte(format.VIEW);
    this.byte(kind | (isBuffer ? format.BUFFER_VIEW : 0));
    this.object(buffer, value, 'buffer', depth + 1);
    this.uint(byteOffset);
    this.uint(byteLength);
  }

  private noSymbols(value: object): void {
    const symbols = Object.getOwnPropertySymbols(value);
    if (symbols.length !== 0) this.refuse('a symbol key', value, symbols[0]);
  }

  private noProperties(value: object): void {
    const keys = Reflect.ownKeys(value);
    if (keys.length !== 0) this.refuse(`a property on ${describeKind(value)}`, value, keys[0]);
  }
}

/** A function that encodes into scratch memory of its own; a call within a call gets memory apart. */
export function createStructuredWriter(): (value: unknown) => Uint8Array {
  const writer = new StructuredWriter();
  let busy = false;
  return (value) => {
    if (busy) return new StructuredWriter().encode(value);
    busy = true;
    try {
      return writer.encode(value);
    } finally {
      busy = false;
    }
  };
}
