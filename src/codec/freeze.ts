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
