/** What kind of object a value is, and what keeps a view from being stored. */
import { types } from 'node:util';
import { bufferOf, bufferProblem, hasExtras } from './memory.ts';
import { byteArrayProblem } from './native.ts';
import * as format from './structured-format.ts';

/** The number of a standard error's prototype in the encoding. */
export const errorKinds: ReadonlyMap<unknown, number> = new Map(
  format.ERROR_CONSTRUCTORS.map((c, i) => [c.prototype, i]),
);

const describe = Object.getOwnPropertyDescriptor;

/** Why this view cannot be stored as it is, or `undefined` if it can. */
export function viewProblem(value: ArrayBufferView, kind: number): string | undefined {
  if (types.isUint8Array(value)) return byteArrayProblem(value);
  // A view's own length throws when its buffer is out of bounds, so the buffer comes first.
  const problem = bufferProblem(bufferOf(value));
  if (problem !== undefined) return problem;
  return hasExtras(value, kind) ? 'a view with properties of its own' : undefined;
}

/** What kind of object this is, without running code of its own. */
export function describeKind(value: object): string {
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (types.isBoxedPrimitive(value)) return 'a boxed primitive';
  if (types.isSharedArrayBuffer(value)) return 'shared buffers';
  if (prototype === null || types.isProxy(prototype)) return 'such an object';
  const maker: unknown = describe(prototype as object, 'constructor')?.value;
  const name: unknown = typeof maker === 'function' && describe(maker, 'name')?.value;
  if (typeof name !== 'string' || name === '') return 'an instance of a class';
  return name === 'Object' ? 'an object of another realm or prototype' : `an instance of ${name}`;
}

/** The kind under which a container is deferred, by its prototype; -1 for other objects. */
export function containerKind(value: object, prototype: unknown): number {
  if (Array.isArray(value)) return format.KIND_ARRAY;
  switch (prototype) {
    case null:
      return format.KIND_NULL_PROTOTYPE;
    case Object.prototype:
      return format.KIND_OBJECT;
    case Map.prototype:
      return format.KIND_MAP;
    case Set.prototype:
      return format.KIND_SET;
  }
  return errorKinds.has(prototype) ? format.KIND_ERROR : -1;
}
