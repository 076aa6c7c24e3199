// Commit spans: from an atomic store of 1 to the commit word to the atomic store of 0, over every path.
import { refusal } from './allowed.mjs';
import { controlFlow } from './parse.mjs';

/** Offset of a shard's commit word in its control block. No other `i32.atomic.store` uses this offset. */
export const COMMIT_OFFSET = 60;
/** binaryen folds a constant added to an address into the store's offset where the sum stays below this. */
const FOLD_LIMIT = 1024;

const offsetOf = ({ args }) => Number(args.find((arg) => arg.startsWith('offset='))?.slice(7) ?? 0);

/** All `i32.atomic.store`s of a function. The stored value is pushed last, so it stands on the line before. */
function atomicStores(code) {
  return code.flatMap((instruction, at) => {
    if (instruction.op !== 'i32.atomic.store') return [];
    const before = code[at - 1];
    const value = before?.op === 'i32.const' ? Number(before.args[0]) : undefined;
    return [{ at, line: instruction.line, offset: offsetOf(instruction), value }];
  });
}

/**
 * Follows every forward path from an opening store.
 *
 * @returns `closed`: the closing stores that it reaches; `faults`: `[{ line, reason }]`.
 */
function walkSpan(fn, steps, opening, marks) {
  const closed = new Set();
  const faults = [];
  const seen = new Set();
  const todo = [];
  const fault = (line, reason) => faults.push({ line, reason });
  const follow = (at) => {
    for (const { to, kind } of steps[at]) {
      const { line, op } = fn.code[at];
      if (kind === 'backward') fault(line, `a backward branch: ${op}`);
      else if (kind === 'exit' && op.startsWith('br')) fault(line, 'a branch out of the function');
      else if (kind === 'exit') fault(fn.endLine, 'the end of the function before the closing store');
      else if (!seen.has(to)) {
        seen.add(to);
        todo.push(to);
      }
    }
  };
  follow(opening.at);
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const mark = marks.get(at);
    const reason = refusal(fn.code[at]);
    if (mark?.value === 0) closed.add(at);
    else if (mark?.value === 1) fault(mark.line, 'another opening store');
    else if (reason) fault(fn.code[at].line, reason);
    else follow(at);
  }
  return { closed, faults };
}

/** The closing stores that some path from the function's entry reaches outside every span. */
function closesOutside(code, steps, marks) {
  const found = new Set();
  const seen = new Set([0]);
  const todo = code.length > 0 ? [0] : [];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const value = marks.get(at)?.value;
    if (value === 0) found.add(at);
    // Past an opening store the path goes on where that span closes.
    const from = value === 1 ? marks.get(at).closed : [at];
    const targets = from.flatMap((place) => steps[place]);
    for (const { to } of targets) {
      if (to >= code.length || seen.has(to)) continue;
      seen.add(to);
      todo.push(to);
    }
  }
  return found;
}

/** A pair of stores of 1 and 0 under one larger offset: most likely a commit whose address was folded into it. */
function foldedSpans(stores) {
  const isFar = ({ offset }) => offset > COMMIT_OFFSET && offset < FOLD_LIMIT;
  return stores.filter(
    (store) =>
      store.value === 1 &&
      isFar(store) &&
      stores.some((other) => other.offset === store.offset && other.value === 0),
  );
}

/** @returns `count`: the opening stores of the function; `findings`: `[{ where, line, reason }]`. */
export function checkFunction(fn) {
  const findings = [];
  const find = (line, reason) => findings.push({ where: fn.name, line, reason });
  const stores = atomicStores(fn.code);
  for (const { line, offset } of foldedSpans(stores)) {
    find(line, `stores of 1 and 0 at offset=${offset} look like a commit on a computed address`);
  }
  const marked = stores.filter(({ offset }) => offset === COMMIT_OFFSET);
  if (marked.length === 0) return { count: 0, findings };
  const marks = new Map(marked.map((store) => [store.at, store]));
  const { steps, balanced } = controlFlow(fn.code);
  if (!balanced) {
    find(fn.line, 'block and end do not match, so the spans cannot be followed');
    return { count: 0, findings };
  }
  for (const { line, value } of marked) {
    if (value !== 0 && value !== 1) find(line, 'commit word: the stored value is not a constant 0 or 1');
  }
  const openings = marked.filter(({ value }) => value === 1);
  const reached = new Set();
  let straight = true;
  for (const opening of openings) {
    const { closed, faults } = walkSpan(fn, steps, opening, marks);
    opening.closed = [...closed];
    for (const at of closed) reached.add(at);
    for (const { line, reason } of faults)
      find(line, `in the span opened at line ${opening.line}: ${reason}`);
    straight &&= faults.length === 0;
  }
  const outside = closesOutside(fn.code, steps, marks);
  for (const { at, line, value } of marked) {
    if (value !== 0) continue;
    // Behind a span that was cut short, closing stores are unreached for that reason alone.
    if (!reached.has(at)) {
      if (straight) find(line, 'a closing store that no opening store reaches');
    } else if (outside.has(at)) find(line, 'a path reaches this closing store without an opening store');
  }
  return { count: openings.length, findings };
}
