// Reads the flat text that asc emits: one instruction a line, operands before the instruction that takes them,
// structure by `block`/`loop`/`if`/`else`/`end`. Nothing here knows what a commit is.

/** A name (`$a`, `$"a b"`), a string, a parenthesised part such as `(result i32)`, or a bare word. */
const TOKEN = /\$?"(?:[^"\\]|\\.)*"|\((?:[^()]|\([^()]*\))*\)|[^\s()]+/g;
const TOKEN_OF_HEAD = /^\(func \$("(?:[^"\\]|\\.)*"|[^\s()]+)/;
const OPENERS = new Set(['block', 'loop', 'if', 'try', 'try_table']);

const withoutComment = (line) => line.replace(/^((?:[^";]|"(?:[^"\\]|\\.)*"|;(?!;))*);;.*$/, '$1').trim();

/**
 * Splits a module into its functions and its other fields.
 *
 * @returns `functions`: `{ name, line, endLine, code: [{ op, args, line }] }`; `fields`: `{ kind, text, line }` for
 * imports, data segments, tables and so on; `findings` for lines that are not flat text.
 */
export function parseWat(text) {
  const functions = [];
  const fields = [];
  const findings = [];
  let open = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const source = withoutComment(raw);
    const line = index + 1;
    if (source === '') continue;
    if (open === null) {
      const kind = /^\((\w+)/.exec(source)?.[1];
      if (kind === 'func') {
        open = { name: source.match(TOKEN_OF_HEAD)?.[1] ?? '?', line, endLine: line, code: [] };
        functions.push(open);
      } else if (kind && kind !== 'module') fields.push({ kind, text: source, line });
      else if (source !== ')' && kind !== 'module') {
        findings.push({ where: 'module', line, reason: `text outside every function: ${source}` });
      }
    } else if (source === ')') {
      open.endLine = line;
      open = null;
    } else if (source.startsWith('(')) {
      if (source.startsWith('(local ')) continue;
      findings.push({ where: open.name, line, reason: 'not flat text: a folded instruction' });
    } else {
      const [op, ...args] = source.match(TOKEN) ?? [source];
      open.code.push({ op, args, line });
    }
  }
  if (open !== null) findings.push({ where: open.name, line: open.line, reason: 'the function has no end' });
  if (functions.length === 0 && fields.length === 0) {
    findings.push({ where: 'module', line: 1, reason: 'no module in this text' });
  }
  return { functions, fields, findings };
}

/**
 * The control flow of one function: for each instruction the places where it may continue.
 *
 * @returns `steps[i]`: `[{ to, kind }]`, `kind` being `next`, `forward`, `backward` (to a loop's head) or `exit`
 * (a return, a branch out of the function, or falling off its end; `to` is then `code.length`); `balanced` is false
 * where block and end do not match, and then nothing else may be relied on.
 */
export function controlFlow(code) {
  const body = { op: 'func', at: -1, end: code.length };
  const frames = [body];
  const branches = code.map(() => []);
  const frameOf = new Map();
  let balanced = true;
  for (const [at, { op, args }] of code.entries()) {
    if (OPENERS.has(op)) {
      const label = args.find((arg) => arg.startsWith('$'));
      const frame = { op, at, label, end: code.length };
      frameOf.set(at, frame);
      frames.push(frame);
    } else if (op === 'else') {
      const frame = frames.at(-1);
      if (frame.op !== 'if' || frame.else !== undefined) balanced = false;
      frame.else = at;
      frameOf.set(at, frame);
    } else if (op === 'end') {
      if (frames.length === 1) balanced = false;
      else frames.pop().end = at;
    } else if (op.startsWith('br')) {
      for (const arg of args.filter((word) => /^\$|^\d+$/.test(word))) {
        const target = arg.startsWith('$')
          ? frames.findLast(({ label }) => label === arg)
          : frames[frames.length - 1 - Number(arg)];
        if (target === undefined) balanced = false;
        else branches[at].push(target);
      }
    }
  }
  if (frames.length !== 1) balanced = false;
  const next = (at) =>
    at + 1 < code.length ? { to: at + 1, kind: 'next' } : { to: code.length, kind: 'exit' };
  const jump = (frame) => {
    if (frame.op === 'loop') return { to: frame.at, kind: 'backward' };
    return frame === body ? { to: code.length, kind: 'exit' } : { to: frame.end, kind: 'forward' };
  };
  const steps = code.map(({ op }, at) => {
    const jumps = branches[at].map(jump);
    if (op === 'br' || op === 'br_table') return jumps;
    if (op.startsWith('br')) return [next(at), ...jumps];
    if (op === 'if') {
      const frame = frameOf.get(at);
      return [next(at), { to: frame.else === undefined ? frame.end : frame.else + 1, kind: 'forward' }];
    }
    if (op === 'else') return [{ to: frameOf.get(at).end, kind: 'forward' }];
    if (op === 'return' || op.startsWith('return_call')) return [{ to: code.length, kind: 'exit' }];
    if (op === 'unreachable' || op.startsWith('throw')) return [];
    return [next(at)];
  });
  return { steps, balanced };
}
