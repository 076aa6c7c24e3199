/**
 * Whether anything but its elements is on an array: other properties, symbols, hidden ones too. Found out without running
 * code of the array's owner.
 */
import { inspect } from 'node:util';

const hasOwn = Object.hasOwn;
const { ownKeys } = Reflect;

/** Up to this length an array's keys are listed, which makes a string for each element. */
const LISTED_LENGTH = 40;

/**
 * The runtime's inspection lists the properties of a longer one apart from the elements, at a cost that does not grow.
 * It must touch no element (`maxArrayLength`) and nothing that a property holds: before it looks into any object it
 * compares with `depth`, which ends it at the first object after the array.
 */
const END = new Error('there is an object among the properties');
const LOOKS_AT_ARRAY = 2;
let looks = 0;
const depth = {
  valueOf() {
    if (++looks > LOOKS_AT_ARRAY) throw END;
    return 0;
  },
};
const OPTIONS = {
  showHidden: true,
  depth: depth as unknown as number,
  colors: false,
  customInspect: false,
  showProxy: false,
  maxArrayLength: 0,
  maxStringLength: 0,
  breakLength: Number.POSITIVE_INFINITY,
  compact: true,
  sorted: false,
  getters: false,
  numericSeparator: false,
} as const;

function inspected(value: readonly unknown[]): string {
  looks = 0;
  try {
    return inspect(value, OPTIONS);
  } catch (error) {
    if (error === END) return '';
    throw error;
  }
}

/** How a clean array is shown, cut at its length. */
const CLEAN = inspected(new Array(4321)).split('4321');

function isClean(value: readonly unknown[]): boolean {
  // Those that are read to say what kind of object it is.
  if (hasOwn(value, 'constructor') || Object.getOwnPropertySymbols(value).length !== 0) return false;
  return inspected(value) === CLEAN.join(String(value.length));
}

/** Whether this runtime's inspection is as described above. */
const isTrusted = ((): boolean => {
  try {
    let touched = false;
    const touch = () => {
      touched = true;
    };
    const trap = { get: touch, enumerable: true };
    const withGetters = () => Object.defineProperty([7, 7, 7], 1, trap);
    const tagged = Object.defineProperty({}, Symbol.toStringTag, trap);
    const dirty = [tagged, new Proxy(tagged, {}), touch, undefined, 1, 'x'].flatMap((value) =>
      [true, false].map((enumerable) => Object.defineProperty(withGetters(), 'added', { value, enumerable })),
    );
    dirty.push(Object.defineProperty(withGetters(), 'added', trap));
    return isClean(withGetters()) && !dirty.some(isClean) && !touched;
  } catch {
    return false;
  }
})();

/**
 * False if an array of the intrinsic prototype has a property beside its elements and `length`, and in some cases if it
 * has holes. Elements may be hidden ones or have getters.
 */
export function isBare(value: readonly unknown[]): boolean {
  const { length } = value;
  if (length > LISTED_LENGTH && isTrusted) return isClean(value);
  // Indexes come first, then 'length', then whatever was added.
  const keys = ownKeys(value);
  return keys.length === length + 1 && keys[length] === 'length';
}
