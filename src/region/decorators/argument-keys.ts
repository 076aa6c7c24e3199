/**
 * The default keys of decorated functions.
 *
 *   key       = prefix { "|" argument }
 *   prefix    = [ namespace "." ] name         "|" and "\" in both, and "." in the name, follow a "\"
 *   argument  = primitive | "[" list "]" | "{" properties "}"
 *
 * Strings stand as in JSON, in quotes, so nothing within them ends one; a bigint ends in `n`, which no number does.
 * Properties are sorted by code unit. So a key can be read back into one list of arguments only: different arguments
 * have different keys. Equal are: `0` and `-0`, objects whose properties stand in another order, and plain objects with
 * and without a prototype. No code of the arguments' owners runs.
 */
import { types } from 'node:util';
import { isPlain, propertyProblem } from '../../codec/plain.ts';
import { OptionError } from '../../errors.ts';

/**
 * Makes the keys of a decorated function: called once, when the function is decorated, for a function from its arguments
 * to their key. `cacheMultiOnArguments` calls that for one argument at a time. Equal keys are one value in the region,
 * whichever function they come from, so they should name the function.
 * Source: dogpile.cache `function_key_generator`.
 */
export type KeyGenerator = (
  namespace: string | undefined,
  fn: (...args: any[]) => unknown,
) => (...args: any[]) => string;

/**
 * The key generator of functions that are given none: `namespace.name|"argument"|2`, different for different arguments.
 * It takes primitives but symbols, and plain objects and arrays of them at any depth; others throw {@link OptionError}
 * (`ERR_CAIRN_OPTION`), whose `field` is the position, as in `arguments[1].user`. For generators that leave arguments
 * out: `(namespace, fn) => { const key = functionKeyGenerator(namespace, fn); return (id, connection) => key(id); }`.
 */
export const functionKeyGenerator: KeyGenerator = (namespace, fn) => {
  const keyOf = argumentKeys(functionPrefix(namespace, fn.name));
  return (...args) => keyOf(args);
};

/** What keys of a function begin with, different for different names and namespaces. */
export function functionPrefix(namespace: string | undefined, name: string): string {
  const own = name.replace(/[\\|.]/g, '\\$&');
  return namespace === undefined ? own : `${namespace.replace(/[\\|]/g, '\\$&')}.${own}`;
}

/** Makes the key of a list of arguments; for messages, the first of them stands at `at` (0 unless given). */
export type KeyOf = (args: readonly unknown[], at?: number) => string;

/** From lists of arguments to keys that begin with `prefix`. */
export function argumentKeys(prefix: string): KeyOf {
  return (args, at = 0) => {
    let key = prefix;
    for (let n = 0; n < args.length; n++) key += `|${encode(args[n], null, at + n)}`;
    return key;
  };
}

// Visible ASCII but `"` and "\": JSON has it as it is, only slower.
const PLAIN = /^[ !#-[\]-~]*$/;

/** `value` stands at `step` of `within`, or is an argument of that number. */
function encode(value: unknown, within: Container | null, step: string | number): string {
  switch (typeof value) {
    case 'string':
      // Lone surrogates are escaped: the key is well-formed.
      return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
    case 'number': // -0 reads 0
    case 'boolean':
    case 'undefined':
      return `${value}`;
    case 'bigint':
      return `${value}n`;
    case 'object':
      return value === null ? 'null' : encodeContainer(value, step);
    default:
      throw refusal(within, step, value);
  }
}

/** A plain object or array that is being written. */
interface Container {
  readonly object: object;
  /** The container around it; `null`: it is an argument. */
  readonly within: Container | null;
  /** Its index or name there. */
  readonly step: string | number;
  /** Of an object: its properties, in order. */
  readonly names: readonly string[] | null;
  readonly size: number;
  /** How many members are written. */
  written: number;
}

/** Without recursion, since depth has no limit. `argument`: which one `root` is. */
function encodeContainer(root: object, argument: string | number): string {
  const around = new Set<object>([root]);
  let container = open(root, null, argument);
  let text = container.names === null ? '[' : '{';
  for (;;) {
    const { names, size, written, object } = container;
    if (written === size) {
      text += names === null ? ']' : '}';
      if (container.within === null) return text;
      around.delete(object);
      container = container.within;
      continue;
    }
    container.written++;
    const step = names === null ? written : names[written];
    if (written > 0) text += ',';
    if (names !== null) text += isIdentifier(step) ? `${step}:` : `${JSON.stringify(step)}:`;
    const member = memberOf(container, step);
    if (typeof member !== 'object' || member === null) text += encode(member, container, step);
    else {
      if (around.has(member)) throw refusal(container, step, member, 'must not contain itself');
      around.add(member);
      container = open(member, container, step);
      text += container.names === null ? '[' : '{';
    }
  }
}

/** Checks that `object` is a plain object or array. */
function open(object: object, within: Container | null, step: string | number): Container {
  if (types.isProxy(object)) throw refusal(within, step, object);
  const prototype: unknown = Object.getPrototypeOf(object);
  const isArray = Array.isArray(object);
  if (prototype !== (isArray ? Array.prototype : Object.prototype) && (isArray || prototype !== null)) {
    throw refusal(within, step, object);
  }
  // Before `isPlain`, which would call a getter under `Symbol.toStringTag`.
  const symbols = Object.getOwnPropertySymbols(object);
  if (symbols.length > 0) throw refusal(within, step, symbols[0], 'must not have a symbol as a key');
  if (!isArray) {
    if (!isPlain(object, prototype)) throw refusal(within, step, object);
    const names = Object.getOwnPropertyNames(object).sort();
    return { object, within, step, names, size: names.length, written: 0 };
  }
  const array: Container = { object, within, step, names: null, size: object.length, written: 0 };
  // Indexes come first, then 'length', then whatever was added.
  const names = Object.getOwnPropertyNames(object);
  const added = names.at(-1)!;
  if (added !== 'length') {
    const { value } = Object.getOwnPropertyDescriptor(object, added)!;
    throw refusal(array, added, value, 'must not stand in an array');
  }
  return array;
}

function memberOf(container: Container, step: string | number): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(container.object, step);
  if (descriptor === undefined) throw refusal(container, step, undefined, 'must not be a hole');
  const problem = propertyProblem(descriptor);
  if (problem === undefined) return descriptor.value;
  const value: unknown = descriptor.get ?? descriptor.set ?? descriptor.value;
  throw refusal(container, step, value, `must not be ${problem}`);
}

const EXPECTED = 'must be a primitive, a plain object or an array; for others, give a keyGenerator';

function refusal(
  within: Container | null,
  step: string | number,
  value: unknown,
  expected = EXPECTED,
): OptionError {
  return new OptionError(positionOf(within, step), value, expected);
}

/** As in `arguments[1].user`. */
function positionOf(within: Container | null, step: string | number): string {
  const steps = [];
  let last: string | number = step;
  for (let place = within; place !== null; place = place.within) {
    steps.push(
      isIdentifier(last) ? `.${last}` : `[${typeof last === 'string' ? JSON.stringify(last) : last}]`,
    );
    last = place.step;
  }
  return `arguments[${last}]${steps.reverse().join('')}`;
}

function isIdentifier(name: string | number): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(`${name}`);
}
