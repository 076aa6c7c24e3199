/** Reads the structured encoding (see structured-format.ts). Whatever the bytes, it ends in a value or a CodecError. */
import { CodecError } from '../errors.ts';
import type { TextBuffer } from './buffer-text.ts';
import { DATA_VIEW, VIEW_CONSTRUCTORS } from './memory.ts';
import { bytesToBigint } from './native.ts';
import { ReaderShapes, type ReadShape } from './shapes.ts';
import * as format from './structured-format.ts';

type Members = Record<string, unknown>;

/**
 * Encodings up to this length are turned into text at once, and their strings cut out of it. In a longer one a string
 * that its holder keeps would keep the whole text with it.
 */
const WHOLE_TEXT = 4096;

/** Nesting that no writer goes past: containers, a null prototype's inner object, a view's buffer. */
const MAX_DEPTH = format.MAX_NESTING + 8;

const doubleBytes = new Uint8Array(8);
const doubleWord = new Float64Array(doubleBytes.buffer);

function corrupt(what: string): never {
  throw new CodecError('value', `corrupt encoding: ${what}`);
}

function put(target: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable, configurable: true });
}

class StructuredReader {
  private readonly knownShapes = new ReaderShapes();
  private source: TextBuffer = Buffer.alloc(0) as unknown as TextBuffer;
  private position = 0;
  private end = 0;
  /** The text of the whole source and where it begins, for a short source. */
  private text = '';
  private textStart = -1;
  private shapes: ReadShape[] = [];
  private numbered = false;
  private objects: object[] = [];
  private pending: object[] = [];

  decode(buffer: Buffer, start: number, end: number): unknown {
    this.source = buffer as unknown as TextBuffer;
    this.end = end;
    const isShort = end - start <= WHOLE_TEXT;
    this.text = isShort ? this.source.latin1Slice(start, end) : '';
    this.textStart = isShort ? start : -1;
    this.numbered = (buffer[start] & format.HAS_REFERENCES) !== 0;
    this.position = start + 1;
    try {
      const root = this.value(0);
      for (let i = 0; i < this.pending.length; i++) {
        const container = this.pending[i];
        this.container(this.byte(), container, 1);
      }
      if (this.position !== end) corrupt('wrong length');
      return root;
    } catch (error) {
      if (error instanceof CodecError) throw error;
      throw new CodecError('value', 'corrupt encoding', { cause: error });
    } finally {
      this.text = '';
      if (this.shapes.length !== 0) this.shapes = [];
      if (this.objects.length !== 0) this.objects = [];
      if (this.pending.length !== 0) this.pending = [];
    }
  }

  private byte(): number {
    if (this.position >= this.end) corrupt('it ends too early');
    return this.source[this.position++];
  }

  private uint(): number {
    let result = 0;
    for (let factor = 1; factor <= 0x10000000; factor *= 128) {
      const byte = this.byte();
      result += (byte & 127) * factor;
      if (byte < 128) return result;
    }
    corrupt('a number is too long');
  }

  /** A count of things that take at least `size` bytes each. */
  private count(size: number): number {
    const count = this.uint();
    if (count * size > this.end - this.position) corrupt('a count is too large');
    return count;
  }

  private double(): number {
    const { source, position } = this;
    if (position + 8 > this.end) corrupt('it ends too early');
    for (let i = 0; i < 8; i++) doubleBytes[i] = source[position + i];
    this.position = position + 8;
    return doubleWord[0];
  }

  private latin1(length: number): string {
    const start = this.position;
    const end = start + length;
    if (end > this.end) corrupt('it ends too early');
    this.position = end;
    if (this.textStart >= 0) return this.text.slice(start - this.textStart, end - this.textStart);
    return this.source.latin1Slice(start, end);
  }

  private string(tag: number): string {
    if (tag >= format.SMALL_STRING && tag < format.SMALL_ARRAY) return this.latin1(tag - format.SMALL_STRING);
    if (tag === format.LATIN1) return this.latin1(this.uint());
    if (tag !== format.UTF16) corrupt('a string is missing');
    const length = this.count(2);
    const start = this.position;
    this.position += length * 2;
    return this.source.ucs2Slice(start, this.position);
  }

  private bytes(): Uint8Array {
    const length = this.count(1);
    const start = this.position;
    this.position += length;
    return this.source.subarray(start, this.position);
  }

  private value(depth: number): unknown {
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
        return this.note(new Date(this.double()));
      case format.REGEXP:
        return this.regexp(depth);
      case format.ARRAY_BUFFER:
        return this.note(this.arrayBuffer());
      case format.BYTES:
        return this.note(Buffer.from(this.bytes()));
      case format.VIEW:
        return this.view(depth);
      case format.DEFERRED:
        return this.deferred();
      default:
        return this.container(tag, undefined, depth + 1);
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
        return this.shaped(tag, (into ?? this.note({})) as Members, depth);
      case format.NAMED:
        return this.named((into ?? this.note({})) as Members, depth);
      case format.NULL_PROTOTYPE: {
        const target = (into ?? this.note(Object.create(null) as object)) as Members;
        const inner = this.byte();
        if (inner === format.NAMED) return this.named(target, depth);
        if (inner === format.SHAPED || inner === format.SHAPED_AGAIN)
          return this.shaped(inner, target, depth);
        return corrupt('an object is missing');
      }
      case format.ARRAY:
        return this.array(this.count(1), into, depth);
      case format.SPARSE:
        return this.sparse((into ?? this.note([])) as unknown[], depth);
      case format.MAP:
        return this.map((into ?? this.note(new Map())) as Map<unknown, unknown>, depth);
      case format.SET:
        return this.set((into ?? this.note(new Set())) as Set<unknown>, depth);
      case format.ERROR:
        return this.error(into as Error | undefined, depth);
    }
    if (tag < format.SMALL_ARRAY || tag >= format.SMALL_END) corrupt(`unknown tag ${tag}`);
    return this.array(tag - format.SMALL_ARRAY, into, depth);
  }

  private shape(): ReadShape {
    const length = this.byte();
    const hash = this.byte() + this.byte() * 256;
    const start = this.position;
    const text = this.textStart >= 0 ? this.text : this.latin1(length);
    this.position = start + length;
    if (this.position > this.end) corrupt('it ends too early');
    const shape = this.knownShapes.find(hash, text, this.textStart >= 0 ? start - this.textStart : 0, length);
    this.shapes.push(shape);
    return shape;
  }

  private shaped(tag: number, target: Members, depth: number): Members {
    const shape = tag === format.SHAPED ? this.shape() : this.shapes[this.uint()];
    if (shape === undefined) corrupt('an unknown shape');
    const names = shape.names;
    if (shape.hasProto) for (const name of names) put(target, name, this.value(depth), true);
    else for (let i = 0; i < names.length; i++) target[names[i]] = this.value(depth);
    return target;
  }

  private named(target: Members, depth: number): Members {
    const count = this.count(2);
    for (let i = 0; i < count; i++) {
      const name = this.string(this.byte());
      if (name === '__proto__') put(target, name, this.value(depth), true);
      else target[name] = this.value(depth);
    }
    return target;
  }

  private array(length: number, into: object | undefined, depth: number): unknown[] {
    const target = (into ?? this.note([])) as unknown[];
    for (let i = 0; i < length; i++) target.push(this.value(depth));
    return target;
  }

  private sparse(target: unknown[], depth: number): unknown[] {
    const length = this.uint();
    const count = this.count(2);
    target.length = length;
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

/** A function that decodes `buffer[start, end)`. It runs no foreign code, so it is never called within itself. */
export function createStructuredReader(): (buffer: Buffer, start: number, end: number) => unknown {
  const reader = new StructuredReader();
  return (buffer, start, end) => reader.decode(buffer, start, end);
}
