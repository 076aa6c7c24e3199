/**
 * Paths in messages: where in a value the culprit stands.
 *
 * | holder | form |
 * | --- | --- |
 * | the value itself | `value` |
 * | property | `.born`, or `['first name']` if it is no identifier, or `[Symbol(x)]` |
 * | array element | `[3]` |
 * | `Map` value | `.get('k')`; its key is `.key('k')`; a key that is an object: its place, as `#0` |
 * | `Set` member | `{2}`, its place |
 *
 * A path of more than 40 steps keeps the first and last 20 and counts the rest: `(99960 more)`.
 */
import { types } from 'node:util';

/** Where a member stands in its holder: a name, an index, or for a `Map` twice the entry's place, plus 1 for its value. */
export type Place = string | symbol | number;

const MAX_STEPS = 40;
const MAX_NAME = 60;

/** The step from `holder` to its member at `place`. */
export function stepOf(holder: object, place: Place): string {
  if (typeof place === 'symbol') return `[${String(place)}]`;
  if (typeof place === 'string') return nameStep(place);
  if (types.isMap(holder)) {
    const entry = place >> 1;
    const key = [...Map.prototype.keys.call(holder)][entry];
    return `.${(place & 1) === 1 ? 'get' : 'key'}(${keyText(key, entry)})`;
  }
  return types.isSet(holder) ? `{${place}}` : `[${place}]`;
}

function nameStep(name: string): string {
  if (/^[A-Za-z_$][\w$]*$/.test(name) && name.length <= MAX_NAME) return `.${name}`;
  return `[${quote(name)}]`;
}

function quote(text: string): string {
  const shown = JSON.stringify(text.length > MAX_NAME ? `${text.slice(0, MAX_NAME - 3)}...` : text);
  return `'${shown.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function keyText(key: unknown, entry: number): string {
  if (typeof key === 'string') return quote(key);
  if (typeof key === 'bigint') return `${key}n`;
  if (typeof key === 'object' || typeof key === 'function') return key === null ? 'null' : `#${entry}`;
  return Object.is(key, -0) ? '-0' : String(key);
}

/** Puts the steps after `value`, leaving out the middle of a long way. */
export function joinPath(steps: readonly string[]): string {
  if (steps.length <= MAX_STEPS) return `value${steps.join('')}`;
  const half = MAX_STEPS / 2;
  const left = steps.slice(0, half).join('');
  return `value${left}...(${steps.length - MAX_STEPS} more)...${steps.slice(-half).join('')}`;
}

interface Node {
  holder: object;
  place: Place;
  parent: Node | undefined;
}

/**
 * The steps from `root` to the object `target` inside it. Looks breadth first and without recursion, through what the
 * codecs go through: plain objects, arrays, maps, sets and errors. Calls no getter.
 */
export function stepsTo(root: unknown, target: unknown): string[] {
  if (root === target || typeof root !== 'object' || root === null) return [];
  const seen = new Set<object>([root]);
  let level: [object, Node | undefined][] = [[root, undefined]];
  while (level.length !== 0) {
    const next: [object, Node | undefined][] = [];
    for (const [holder, parent] of level) {
      for (const [place, member] of members(holder)) {
        if (typeof member !== 'object' || member === null || seen.has(member)) continue;
        const node = { holder, place, parent };
        if (member === target) return unwind(node);
        seen.add(member);
        next.push([member, node]);
      }
    }
    level = next;
  }
  return [];
}

function unwind(last: Node): string[] {
  const steps: string[] = [];
  for (let node: Node | undefined = last; node !== undefined; node = node.parent) {
    steps.push(stepOf(node.holder, node.place));
  }
  return steps.reverse();
}

function* members(holder: object): Generator<[Place, unknown]> {
  if (types.isProxy(holder) || ArrayBuffer.isView(holder)) return;
  if (types.isMap(holder)) {
    let place = 0;
    for (const [key, value] of Map.prototype.entries.call(holder)) {
      yield [place++, key];
      yield [place++, value];
    }
  } else if (types.isSet(holder)) {
    let place = 0;
    for (const member of Set.prototype.values.call(holder)) yield [place++, member];
  }
  for (const name of Object.getOwnPropertyNames(holder)) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name);
    if (descriptor === undefined || !('value' in descriptor)) continue;
    yield [Array.isArray(holder) && /^\d/.test(name) ? Number(name) : name, descriptor.value];
  }
}
