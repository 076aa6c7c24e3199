/**
 * Writes the structured encoding (see structured-format.ts). Runs no code of the value's owner, with one exception:
 * reading an error's stack for the first time may call `Error.prepareStackTrace`.
 */
import { types } from 'node:util';
import { CodecError } from '../errors.ts';
import { containerKind, describeKind, errorKinds, viewProblem } from './kinds.ts';
import { bufferProblem, DATA_VIEW, partsOf, viewNumber } from './memory.ts';
import { bigintToBytes } from './native.ts';
import { joinPath, type Place, stepOf, stepsTo } from './paths.ts';
import { CHANGED, isPlain, propertyProblem } from './plain.ts';
import { WriterShapes } from './shapes.ts';
import * as format from './structured-format.ts';
import { addShared } from './windows.ts';
import { WriterMemory } from './writer-memory.ts';

const describe = Object.getOwnPropertyDescriptor;
const lookupGetter = (Object.prototype as unknown as { __lookupGetter__(key: PropertyKey): unknown })
  .__lookupGetter__;
const getPrototype = Object.getPrototypeOf as (value: object) => unknown;
const stackGetter = describe(new Error(), 'stack')?.get;
const errorProperties = new Map<PropertyKey, number>(format.ERROR_PROPERTIES.map((name, i) => [name, i]));

/** Holds the root. */
const NO_HOLDER = {};

/** Up to this many objects are searched one by one for repeats, which is cheaper than a map. */
const LISTED = 16;

/** One encoding at a time; not re-entrant (see {@link createStructuredWriter}). */
class StructuredWriter extends WriterMemory {
  private readonly shapes = new WriterShapes();
  private stamp = 0;
  private shapeCount = 0;
  private root: unknown;
  private flags = 0;
  private readonly listed: (object | undefined)[] = new Array<object | undefined>(LISTED).fill(undefined);
  private numbers: Map<object, number> | undefined;
  private objectCount = 0;
  private pending: object[] = [];
  /** Buffers that were written by their own bytes, and array buffers that were written whole, or must be. */
  private windows: Buffer[] = [];
  private readonly wholes = new Set<ArrayBufferLike>();

  /** The encoding of `root`, on scratch memory that the next call uses again. */
  encode(root: unknown): Uint8Array {
    this.root = root;
    try {
      do this.pass();
      while (addShared(this.windows, this.wholes));
      return this.result();
    } catch (error) {
      if (error instanceof RangeError) {
        throw new CodecError('value', 'there is not enough stack or memory to encode it', { cause: error });
      }
      throw error;
    } finally {
      this.reset();
      this.root = undefined;
      this.wholes.clear();
    }
  }

  private pass(): void {
    this.reset();
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
    for (let i = Math.min(this.objectCount, LISTED) - 1; i >= 0; i--) this.listed[i] = undefined;
    this.objectCount = 0;
    this.numbers = undefined;
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
    switch (typeof value) {
      case 'string':
        this.string(value);
        break;
      case 'number':
        this.number(value);
        break;
      case 'boolean':
        this.byte(value ? format.TRUE : format.FALSE);
        break;
      case 'undefined':
        this.byte(format.UNDEFINED);
        break;
      case 'bigint':
        this.blob(format.BIGINT, bigintToBytes(value));
        break;
      case 'object':
        if (value === null) this.byte(format.NULL);
        else this.object(value, holder, place, depth);
        break;
      default:
        this.refuse(`a ${typeof value} cannot be stored`, holder, place);
    }
  }

  private object(value: object, holder: object, place: Place, depth: number): void {
    if (types.isProxy(value)) this.refuse('a proxy cannot be stored', holder, place);
    const known = this.numberOf(value);
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

  /** The number of an object that was met before; else gives it the next number and returns -1. */
  private numberOf(value: object): number {
    const count = this.objectCount;
    if (this.numbers !== undefined) {
      const known = this.numbers.get(value);
      if (known !== undefined) return known;
      this.numbers.set(value, count);
    } else {
      for (let i = 0; i < count; i++) if (this.listed[i] === value) return i;
      if (count < LISTED) this.listed[count] = value;
      else {
        this.numbers = new Map();
        for (let i = 0; i < LISTED; i++) this.numbers.set(this.listed[i] as object, i);
        this.numbers.set(value, count);
      }
    }
    this.objectCount = count + 1;
    return -1;
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
    if (!isPlain(value, prototype)) this.refuseObject('an object with internal state of another kind', value);
    const names = Object.getOwnPropertyNames(value);
    this.noSymbols(value);
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
      this.prepared(shape.bytes);
    }
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const descriptor = describe(value, name);
      if (
        descriptor === undefined ||
        descriptor.enumerable !== true ||
        descriptor.get !== undefined ||
        descriptor.set !== undefined
      ) {
        this.refuse(propertyProblem(descriptor) as string, value, name);
      }
      if (shape === undefined) this.string(name);
      this.value(descriptor.value, value, name, depth + 1);
    }
  }

  private array(value: unknown[], prototype: unknown, depth: number): void {
    if (prototype !== Array.prototype) this.refuseObject('an array of another class or realm', value);
    const names = Object.getOwnPropertyNames(value);
    const count = names.length - 1;
    // Indexes come first, then 'length', then whatever was added.
    if (names[count] !== 'length') this.refuse('a property on an array', value, names[count]);
    this.noSymbols(value);
    const length = value.length;
    if (count !== length || Object.keys(value).length !== length) {
      this.sparse(value, names, depth);
      return;
    }
    if (length < format.SMALL_END - format.SMALL_ARRAY) this.byte(format.SMALL_ARRAY | length);
    else {
      this.byte(format.ARRAY);
      this.uint(length);
    }
    // All elements are there and enumerable, so a getter is all that can be wrong; looking for one costs a third of
    // what a descriptor does.
    for (let i = 0; i < length; i++) {
      if (lookupGetter.call(value, i) !== undefined) this.refuse('a getter or setter', value, i);
      const member = value[i];
      if (member === undefined) this.describedElement(value, i);
      this.value(member, value, i, depth + 1);
    }
  }

  /** An array with holes (or one that is refused for a hidden element). */
  private sparse(value: unknown[], names: readonly string[], depth: number): void {
    const count = names.length - 1;
    this.byte(format.SPARSE);
    this.uint(value.length);
    this.uint(count);
    for (let i = 0; i < count; i++) {
      const index = Number(names[i]);
      this.uint(index);
      this.value(this.describedElement(value, index), value, index, depth + 1);
    }
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
