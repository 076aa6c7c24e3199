/** What counts as a plain object or array, found out without running any code of the value's owner. */
import { types } from 'node:util';

const describe = Object.getOwnPropertyDescriptor;
const toTag = Object.prototype.toString;

/** Only a user's `Error.prepareStackTrace` can do this. */
export const CHANGED = 'the value changed while it was encoded';

/** Why this property cannot be stored, from its descriptor; `undefined` if it is an enumerable data property. */
export function propertyProblem(descriptor: PropertyDescriptor | undefined): string | undefined {
  if (descriptor === undefined) return CHANGED;
  // Accessors have no `writable`; both of their functions may be undefined.
  if (descriptor.writable === undefined) return 'a getter or setter';
  return descriptor.enumerable === true ? undefined : 'a non-enumerable property';
}

/**
 * Whether `prototype` and the engine's own tag make `value` a plain object. A `Date` or an error that was given
 * `Object.prototype` is none.
 */
export function isPlain(value: object, prototype: unknown): boolean {
  if (prototype === Object.prototype) return toTag.call(value) === '[object Object]';
  return prototype === null && !types.isModuleNamespaceObject(value);
}

/**
 * Calls `visit` with each member of a plain object or array; returns false, possibly after some calls, if `value` is
 * anything else or has a member that is not an enumerable data property.
 */
export function visitPlain(value: object, visit: (member: unknown) => void): boolean {
  if (types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  // Before the names: a byte array has one for every byte.
  if (!(isArray ? prototype === Array.prototype : isPlain(value, prototype))) return false;
  const names = Object.getOwnPropertyNames(value);
  if (Object.getOwnPropertySymbols(value).length !== 0) return false;
  // Of an array indexes come first, then 'length', then whatever was added.
  if (isArray && names.pop() !== 'length') return false;
  for (let i = 0; i < names.length; i++) {
    const descriptor = describe(value, names[i]);
    if (propertyProblem(descriptor) !== undefined) return false;
    visit((descriptor as PropertyDescriptor).value);
  }
  return true;
}
