/** Reads the structured encoding (see structured-format.ts). Whatever the bytes, it ends in a value or a CodecError. */
import { CodecError } from '../errors.ts';
import { shareDecoded } from './freeze.ts';
import { DATA_VIEW, VIEW_CONSTRUCTORS } from './memory.ts';
import { bytesToBigint } from './native.ts';
import { corrupt, ReaderMemory } from './reader-memory.ts';
import { countUse, isInherited, ReaderShapes, type ReadShape } from './reader-shapes.ts';
import * as format from './structured-format.ts';

type Members = Record<string, unknown>;

/** Nesting that no writer goes past: containers, a null prototype's inner object, a view's buffer. */
const MAX_DEPTH = format.MAX_NESTING + 8;

/** Beyond eight places for each element, arrays with holes get memory for so many: a few corrupt bytes may ask for more. */
const MAX_RESERVED = 4096;

/** So many plain containers of a value are noted as they are made. Of one with more, or of more bytes, they are searched for. */
const PARTS_MAX = 64;
const PARTS_BYTES = 65536;

/** The list of a value's shapes is kept for the next value up to this length. */
const SHAPES_KEPT = 64;

function put(target: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable, configurable: true });
}

export class StructuredReader extends ReaderMemory {
  private readonly knownShapes = new ReaderShapes();
  private shapes: ReadShape[] = [];
  private shapeCount = 0;
  private numbered = false;
  private objects: object[] = [];
  private pending: object[] = [];
  /** The first containers of the last value, and whether all are plain. If the root is the last here, these are all. */
  private readonly parts: (object | undefined)[] = new Array(PARTS_MAX).fill(undefined);
  private partCount = 0;
  private partsKnown = false;
  /** Whether anybody asks for parts: else a value would be kept by them. */
  private shares = false;

  /** Decodes `buffer[start, end)`. Runs no foreign code, so it is never called within itself. */
  decode(buffer: Buffer, start: number, end: number): unknown {
    this.open(buffer, start, end);
    this.forgetParts();
    try {
      this.numbered = (this.byte() & format.HAS_REFERENCES) !== 0;
      this.partsKnown = this.shares && end - start <= PARTS_BYTES;
      const root = this.value(0);
      for (let i = 0; i < this.pending.length; i++) {
        const container = this.pending[i];
        this.container(this.byte(), container, 1);
      }
      this.close();
      return root;
    } catch (error) {
      this.forgetParts();
      if (error instanceof CodecError) throw error;
      throw new CodecError('value', 'corrupt encoding', { cause: error });
    } finally {
      this.forget();
      this.shapeCount = 0;
      if (this.shapes.length > SHAPES_KEPT) this.shapes = [];
      if (this.objects.length !== 0) this.objects = [];
      if (this.pending.length !== 0) this.pending = [];
    }
  }

  /** `shareDecoded` for what `decode` gave last. */
  share(value: unknown, freeze: boolean): boolean {
    const { parts, partCount } = this;
    this.shares = true;
    if (!this.partsKnown || partCount === 0 || parts[partCount - 1] !== value)
      return shareDecoded(value, freeze);
    if (freeze) for (let i = 0; i < partCount; i++) Object.freeze(parts[i]);
    this.forgetParts();
    return true;
  }

  private forgetParts(): void {
    for (let i = 0; i < this.partCount; i++) this.parts[i] = undefined;
    this.partCount = 0;
    this.partsKnown = false;
  }

  /** Notes a plain container whose members are read. */
  private part<T extends object>(value: T): T {
    if (this.partsKnown && this.partCount < PARTS_MAX) this.parts[this.partCount++] = value;
    return value;
  }

  value(depth: number): unknown {
    const tag = this.byte();
    if (tag < format.SMALL_STRING) return tag;
    if (tag < format.SMALL_ARRAY) return this.latin1(tag - format.SMALL_STRING);
    switch (tag) {
      case format.UNDEFINED:
        return undefined;
      case format.NULL:
        return null;
      case format.FALSE:
        return false;
      case format.TRUE:
        return true;
      case format.POSITIVE:
        return this.uint();
      case format.NEGATIVE:
        return -1 - this.uint();
      case format.DOUBLE:
        return this.double();
      case format.LATIN1:
      case format.UTF16:
        return this.string(tag);
      case format.BIGINT: {
        const length = this.count(1);
        this.position += length;
        return bytesToBigint(this.source, this.position - length, this.position);
      }
      case format.REFERENCE:
        return this.objects[this.uint()] ?? corrupt('a reference to nothing');
      case format.DATE:
      case format.REGEXP:
      case format.ARRAY_BUFFER:
      case format.BYTES:
      case format.VIEW:
      case format.DEFERRED:
        return this.other(tag, depth);
      default:
        return this.container(tag, undefined, depth + 1);
    }
  }

  /** An object that is no plain container, or a container that is filled later. */
  private other(tag: number, depth: number): object {
    this.partsKnown = false;
    switch (tag) {
      case format.DATE:
        return this.note(new Date(this.double()));
      case format.REGEXP:
        return this.regexp(depth);
      case format.ARRAY_BUFFER:
        return this.note(this.arrayBuffer());
      case format.BYTES:
        return this.note(Buffer.from(this.bytes()));
      case format.VIEW:
        return this.view(depth);
      default:
        return this.deferred();
    }
  }

  /** Gives an object its number, for references to it. */
  private note<T extends object>(value: T): T {
    if (this.numbered) this.objects.push(value);
    return value;
  }

  /** Reads a container whose tag was read, into `into` if it was deferred (it has its number then). */
  private container(tag: number, into: object | undefined, depth: number): object {
    if (depth > MAX_DEPTH) corrupt('nested too deeply');
    switch (tag) {
      case format.SHAPED:
      case format.SHAPED_AGAIN:
        return this.part(this.shaped(this.shape(tag), into, depth));
      case format.NAMED:
        return this.part(this.named((into ?? this.note({})) as Members, depth));
      case format.NULL_PROTOTYPE: {
        const target = (into ?? this.note(Object.create(null) as object)) as Members;
        const inner = this.byte();
        if (inner === format.NAMED) return this.part(this.named(target, depth));
        if (inner === format.SHAPED || inner === format.SHAPED_AGAIN)
          return this.part(this.members(this.shape(inner), target, depth));
        return corrupt('an object is missing');
      }
      case format.ARRAY:
        return this.part(this.array(this.count(1), into, depth));
      case format.INTS_1:
      case format.INTS_2:
      case format.INTS_4:
        return this.part(this.integers(tag, (into ?? this.note([])) as number[]));
      case format.DOUBLES:
        return this.part(this.doubles((into ?? this.note([])) as number[]));
      case format.SPARSE:
        return this.part(this.sparse((into ?? this.note([])) as unknown[], depth));
      case format.MAP:
        this.partsKnown = false;
        return this.map((into ?? this.note(new Map())) as Map<unknown, unknown>, depth);
      case format.SET:
        this.partsKnown = false;
        return this.set((into ?? this.note(new Set())) as Set<unknown>, depth);
      case format.ERROR:
        this.partsKnown = false;
        return this.error(into as Error | undefined, depth);
    }
    if (tag < format.SMALL_ARRAY || tag >= format.SMALL_END) corrupt(`unknown tag ${tag}`);
    return this.part(this.array(tag - format.SMALL_ARRAY, into, depth));
  }

  private shape(tag: number): ReadShape {
    if (tag === format.SHAPED_AGAIN) {
      const number = this.uint();
      return number < this.shapeCount ? this.shapes[number] : corrupt('an unknown shape');
    }
    const length = this.byte() + this.byte() * 256;
    const hash = this.byte() + this.byte() * 256;
    const start = this.take(length);
    const shape = this.knownShapes.find(hash, this.text, start, length);
    this.shapes[this.shapeCount++] = shape;
    return shape;
  }

  private shaped(shape: ReadShape, into: object | undefined, depth: number): object {
    // An object that others refer to must be there before its members are read.
    if (into === undefined && !this.numbered) {
      if (shape.make !== undefined) return shape.make(this, depth);
      countUse(shape);
    }
    return this.members(shape, (into ?? this.note({})) as Members, depth);
  }

  private members(shape: ReadShape, target: Members, depth: number): Members {
    const names = shape.names;
    if (shape.inherits) for (const name of names) put(target, name, this.value(depth), true);
    else for (let i = 0; i < names.length; i++) target[names[i]] = this.value(depth);
    return target;
  }

  private named(target: Members, depth: number): Members {
    const count = this.count(2);
    for (let i = 0; i < count; i++) {
      const name = this.string(this.byte());
      if (isInherited(name)) put(target, name, this.value(depth), true);
      else target[name] = this.value(depth);
    }
    return target;
  }

  private array(length: number, into: object | undefined, depth: number): unknown[] {
    // A literal takes no more memory than it needs.
    if (into === undefined && !this.numbered) {
      if (length === 1) return [this.value(depth)];
      if (length === 2) return [this.value(depth), this.value(depth)];
      if (length === 3) return [this.value(depth), this.value(depth), this.value(depth)];
    }
    const target = (into ?? this.note([])) as unknown[];
    for (let i = 0; i < length; i++) target.push(this.value(depth));
    return target;
  }

  private sparse(target: unknown[], depth: number): unknown[] {
    const length = this.uint();
    const count = this.count(2);
    // An array that is made longer gets memory for all its places. One that gets an element far away keeps a table instead.
    if (length > MAX_RESERVED + count * 8) {
      target[length - 1] = undefined;
      delete target[length - 1];
    } else target.length = length;
    for (let i = 0; i < count; i++) {
      const index = this.uint();
      if (index >= length) corrupt('an index is too large');
      target[index] = this.value(depth);
    }
    return target;
  }

  private map(target: Map<unknown, unknown>, depth: number): object {
    const size = this.count(2);
    for (let i = 0; i < size; i++) {
      const key = this.value(depth);
      target.set(key, this.value(depth));
    }
    return target;
  }

  private set(target: Set<unknown>, depth: number): object {
    const size = this.count(1);
    for (let i = 0; i < size; i++) target.add(this.value(depth));
    return target;
  }

  private error(into: Error | undefined, depth: number): Error {
    const kind = this.byte();
    const target = into ?? this.note(bareError(kind));
    const count = this.byte();
    for (let i = 0; i < count; i++) {
      const number = this.byte();
      const name = format.ERROR_PROPERTIES[number & (format.ERROR_ENUMERABLE - 1)];
      if (name === undefined) corrupt('an unknown property of an error');
      put(target, name, this.value(depth), (number & format.ERROR_ENUMERABLE) !== 0);
    }
    return target;
  }

  private regexp(depth: number): RegExp {
    // The number comes before those of a `lastIndex` that is itself an object.
    const number = this.numbered ? this.objects.push(this.objects) - 1 : -1;
    const source = this.string(this.byte());
    const result = new RegExp(source, this.string(this.byte()));
    if (number >= 0) this.objects[number] = result;
    // Any value may have been assigned to it.
    (result as { lastIndex: unknown }).lastIndex = this.value(depth + 1);
    return result;
  }

  private arrayBuffer(): ArrayBuffer {
    const bytes = this.bytes();
    const buffer = new ArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  private view(depth: number): object {
    const number = this.numbered ? this.objects.push(this.objects) - 1 : -1;
    const kind = this.byte();
    const tag = this.source[this.position];
    const buffer =
      tag === format.ARRAY_BUFFER || tag === format.REFERENCE ? this.value(depth + 1) : undefined;
    if (!(buffer instanceof ArrayBuffer)) corrupt('a view of nothing');
    const byteOffset = this.uint();
    const view = makeView(kind, buffer, byteOffset, this.uint());
    if (number >= 0) this.objects[number] = view;
    return view;
  }

  private deferred(): object {
    const kind = this.byte();
    const errorKind = this.byte();
    const container = this.note(bareContainer(kind, errorKind));
    this.pending.push(container);
    return container;
  }
}

function makeView(kind: number, buffer: ArrayBuffer, byteOffset: number, byteLength: number): object {
  if (kind >= format.BUFFER_VIEW) return Buffer.from(buffer, byteOffset, byteLength);
  if (kind === DATA_VIEW) return new DataView(buffer, byteOffset, byteLength);
  const maker = VIEW_CONSTRUCTORS[kind];
  if (maker === undefined) corrupt('this runtime has no such typed array');
  return new maker(buffer, byteOffset, byteLength / maker.BYTES_PER_ELEMENT);
}

/** An error without any own property. */
function bareError(kind: number): Error {
  const maker = format.ERROR_CONSTRUCTORS[kind];
  if (maker === undefined) corrupt('an unknown error');
  const error = maker === AggregateError ? new AggregateError([]) : new (maker as ErrorConstructor)();
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
  return error;
}

function bareContainer(kind: number, errorKind: number): object {
  switch (kind) {
    case format.KIND_OBJECT:
      return {};
    case format.KIND_NULL_PROTOTYPE:
      return Object.create(null) as object;
    case format.KIND_ARRAY:
      return [];
    case format.KIND_MAP:
      return new Map();
    case format.KIND_SET:
      return new Set();
    case format.KIND_ERROR:
      return bareError(errorKind);
  }
  return corrupt('an unknown container');
}
