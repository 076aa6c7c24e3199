/** Deciding which decoded values may be handed to several callers, and freezing them. */
import { visitPlain } from './plain.ts';

// Containers whose whole graph is known to be frozen.
const frozen = new WeakSet<object>();

/** Up to this many containers are searched one by one, which is cheaper than a set. */
const LISTED = 12;

/** The containers reachable from `root`, or `undefined` if anything but plain objects and arrays is among them. */
function collect(root: object): object[] | undefined {
  const found = [root];
  let set: Set<object> | undefined;
  const visit = (member: unknown) => {
    if (typeof member !== 'object') {
      if (typeof member === 'function') plain = false;
      return;
    }
    if (member === null) return;
    if (set !== undefined) {
      if (set.has(member)) return;
      set.add(member);
    } else {
      if (found.includes(member)) return;
      if (found.length === LISTED) set = new Set(found).add(member);
    }
    if (!frozen.has(member)) found.push(member);
  };
  let plain = true;
  for (let i = 0; i < found.length; i++) {
    if (!visitPlain(found[i], visit) || !plain) return undefined;
  }
  return found;
}

/**
 * Whether a decoded value may be kept and handed to several callers: a string, or a graph made only of plain objects
 * (null prototypes too), arrays and primitives. A bare primitive other than a string is not worth keeping: false.
 * Own accessors, hidden properties and symbol keys make a graph unshareable. Runs no code of the value's owner.
 */
export function isShareable(value: unknown): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  return frozen.has(value) || collect(value) !== undefined;
}

/**
 * Freezes every object of a graph that {@link isShareable} allows, whatever its depth, cycles included. Returns false
 * and freezes nothing if anything else is in it. Primitives are frozen by nature: true.
 *
 * A part that this function froze before costs one look-up.
 */
export function freezePlain(value: unknown): boolean {
  if (typeof value === 'function') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (frozen.has(value)) return true;
  const found = collect(value);
  if (found === undefined) return false;
  for (const container of found) {
    Object.freeze(container);
    frozen.add(container);
  }
  return true;
}

/** Of more containers than this, or of fewer in a cycle, `collect` finds out what they are. */
const DECODED_MAX = 1000;

/** Arrays of up to this length are read place by place, holes too. */
const LOOPED = 64;

/** The containers of a graph that a codec of this package has just made, some of them perhaps twice; as `collect`. */
function collectDecoded(root: object): object[] | undefined {
  const found = [root];
  for (let i = 0; i < found.length; i++) {
    if (found.length > DECODED_MAX) return collect(root);
    const container = found[i];
    if (Array.isArray(container)) {
      // a long one may have four thousand million places and one element
      const members: unknown[] = container.length > LOOPED ? Object.values(container) : container;
      for (let at = 0; at < members.length; at++) {
        const member = members[at];
        if (typeof member === 'object' && member !== null) found.push(member);
      }
      continue;
    }
    const prototype: unknown = Object.getPrototypeOf(container);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    const names = Object.keys(container);
    for (let at = 0; at < names.length; at++) {
      const member = (container as Record<string, unknown>)[names[at]];
      if (typeof member === 'object' && member !== null) found.push(member);
    }
  }
  return found;
}

/**
 * {@link isShareable}, or with `freeze` {@link freezePlain}, for a value that a codec of this package has just decoded: there
 * is no proxy, accessor, symbol or hidden property in it, so names and prototypes tell all.
 */
export function shareDecoded(value: unknown, freeze: boolean): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  const found = collectDecoded(value);
  if (found === undefined) return false;
  if (freeze) for (let i = 0; i < found.length; i++) Object.freeze(found[i]);
  return true;
}
