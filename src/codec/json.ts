/** Checks that JSON gives a value back unaltered. */
import { types } from 'node:util';
import { CodecError } from '../errors.ts';
import { joinPath, type Place, stepOf, stepsTo } from './paths.ts';
import { isPlain, propertyProblem } from './plain.ts';

/** Deeper nesting is refused: `JSON.stringify` recurses. */
export const MAX_JSON_DEPTH = 1000;

const describe = Object.getOwnPropertyDescriptor;

interface Level {
  holder: object;
  keys: readonly (string | symbol)[];
  next: number;
}

/** Returns the JSON text of an object. Runs no code of the value's owner. */
export function toJson(root: unknown): string {
  check(root);
  try {
    return JSON.stringify(root);
  } catch (error) {
    throw new CodecError('value', 'JSON cannot hold it', { cause: error });
  }
}

/** Throws a {@link CodecError} for the first member that JSON would alter. */
function check(root: unknown): void {
  if (typeof root !== 'object' || root === null)
    throw new CodecError('value', problemOf(root) ?? 'no JSON value');
  if ('toJSON' in Array.prototype) throw new CodecError('value', 'a built-in prototype has a toJSON method');
  const seen = new Set<object>();
  const stack: Level[] = [];
  const enter = (holder: object, parent: object | undefined, place: Place): void => {
    const problem = seen.has(holder)
      ? 'JSON has no shared references or cycles'
      : stack.length === MAX_JSON_DEPTH
        ? `nested deeper than ${MAX_JSON_DEPTH} levels`
        : holderProblem(holder);
    if (problem !== undefined) refuse(root, problem, parent, place);
    seen.add(holder);
    stack.push({ holder, keys: keysOf(root, holder), next: 0 });
  };
  enter(root, undefined, '');
  while (stack.length !== 0) {
    const level = stack[stack.length - 1];
    if (level.next === level.keys.length) {
      stack.pop();
      continue;
    }
    const { holder } = level;
    const key = level.keys[level.next++];
    const place: Place = Array.isArray(holder) && typeof key === 'string' ? Number(key) : key;
    const descriptor = describe(holder, key);
    const member: unknown = descriptor?.value;
    const problem =
      typeof key === 'symbol' ? 'a symbol key' : (propertyProblem(descriptor) ?? problemOf(member));
    if (problem !== undefined) refuse(root, problem, holder, place);
    if (typeof member === 'object' && member !== null) enter(member, holder, place);
  }
}

function refuse(root: unknown, problem: string, holder: object | undefined, place: Place): never {
  const steps = holder === undefined ? [] : [...stepsTo(root, holder), stepOf(holder, place)];
  throw new CodecError(joinPath(steps), problem);
}

/** Why JSON cannot hold this primitive, or `undefined`. */
function problemOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) return `JSON has no ${value}`;
      return Object.is(value, -0) ? 'JSON has no -0' : undefined;
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return `JSON has no ${typeof value}`;
  }
  return undefined;
}

function holderProblem(holder: object): string | undefined {
  if (types.isProxy(holder)) return 'a proxy cannot be stored';
  const prototype: unknown = Object.getPrototypeOf(holder);
  if (Array.isArray(holder))
    return prototype === Array.prototype ? undefined : 'an array of another class or realm';
  if (prototype === null) return 'JSON has no null prototypes';
  return isPlain(holder, prototype) ? undefined : 'JSON has only plain objects and arrays';
}

/** The keys to look at. An array's are checked here, as holes and additions show in the list only. */
function keysOf(root: unknown, holder: object): readonly (string | symbol)[] {
  const keys = Reflect.ownKeys(holder);
  if (!Array.isArray(holder)) return keys;
  const last = keys.length - 1;
  if (keys[last] !== 'length') refuse(root, 'a property on an array', holder, keys[last]);
  keys.pop();
  if (last !== holder.length) {
    const hole = keys.findIndex((key, i) => key !== String(i));
    refuse(root, 'JSON has no sparse arrays', holder, hole < 0 ? last : hole);
  }
  return keys;
}
