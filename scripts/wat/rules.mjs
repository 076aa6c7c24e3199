// What must hold for the module as a whole, and what the sources say about commits.

/** All that the engine imports. Everything else in it is its own. */
const IMPORTS = new Map([
  ['env.memory', 'memory'],
  ['clock.now', 'func'],
  ['threads.is_dead', 'func'],
  ['wasm:js-string.length', 'func'],
  ['wasm:js-string.charCodeAt', 'func'],
]);

/** No static data, no start function, no table in use, no abort, and one memory: imported and shared. */
export function checkModule({ functions, fields }) {
  const findings = [];
  const find = (line, reason, where = 'module') => findings.push({ where, line, reason });
  let memory = false;
  for (const { kind, text, line } of fields) {
    if (kind === 'data') find(line, 'a data segment: each instance would write it over the shared memory');
    if (kind === 'start' && !text.includes('$~start'))
      find(line, 'a start function: each instance would run it');
    if (kind === 'memory') find(line, 'a memory of its own: it must be imported');
    // asc keeps element 0 of a table empty, so one element is an unused table.
    if (kind === 'table' && Number(/^\(table \S+ (\d+)/.exec(text)?.[1] ?? Infinity) > 1) {
      find(line, 'a table with entries');
    }
    if (kind === 'elem') find(line, 'table entries');
    if (kind !== 'import') continue;
    const [, module, name, type = '?'] = /^\(import "([^"]*)" "([^"]*)" \((\w+)/.exec(text) ?? [];
    const imported = `${module}.${name}`;
    if (IMPORTS.get(imported) !== type) find(line, `an import that is not allowed: ${imported}`);
    if (type !== 'memory') continue;
    memory = true;
    if (!/\bshared\b/.test(text)) find(line, 'the imported memory is not shared');
  }
  if (!memory) find(1, 'no imported memory');
  for (const { name, line } of functions) {
    // asc names it so, also where it is exported rather than declared.
    if (name === '~start') find(line, 'a start function: each instance would run it', name);
    if (name === '~lib/builtins/abort') find(line, 'abort is compiled in', name);
  }
  return findings;
}

/** Blanks comments out, line for line, so that what they mention is not taken for code. */
const withoutComments = (text) =>
  text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, (comment) => comment.replace(/[^\n]/g, ' '));

/** The calls in a line, without the definitions of the two functions. */
const calls = (line, name) =>
  [...line.matchAll(new RegExp(`(?<!\\bfunction\\s+|\\bstatic\\s+)\\b${name}\\s*\\(`, 'g'))].length;

/**
 * Reads the commits that a source file names: from `// commit: NAME {` to `// } commit`, each with one `commitBegin(`
 * and after it one `commitEnd(`.
 *
 * @returns `commits`: `[{ name, line }]`; `findings`.
 */
export function readCommits(text) {
  const commits = [];
  const findings = [];
  const find = (line, reason, where = 'source') => findings.push({ where, line, reason });
  const code = withoutComments(text).split('\n');
  let open = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const name = /^\s*\/\/ commit: (\S.*?) \{\s*$/.exec(raw)?.[1];
    if (name !== undefined) {
      if (open) find(open.line, 'has no `// } commit` before the next commit', open.name);
      open = { name, line, begins: 0, ends: 0 };
      commits.push({ name, line });
      continue;
    }
    if (/^\s*\/\/ \} commit\s*$/.test(raw)) {
      if (!open) find(line, '`// } commit` without its beginning');
      else if (open.begins !== 1 || open.ends !== 1) {
        const found = `${open.begins} and ${open.ends}`;
        find(open.line, `must have one commitBegin( and one commitEnd(, has ${found}`, open.name);
      }
      open = null;
      continue;
    }
    if (/^\s*\/\/\s*(commit\b.*\{|\}\s*commit\b.*)\s*$/.test(raw)) {
      find(line, 'a commit mark that is not `// commit: NAME {` or `// } commit`');
    }
    const begins = calls(code[index], 'commitBegin');
    const ends = calls(code[index], 'commitEnd');
    if (begins + ends === 0) continue;
    if (!open) {
      find(line, `${begins ? 'commitBegin' : 'commitEnd'}( outside a named commit`);
      continue;
    }
    if (ends > 0 && open.begins + begins === 0) find(line, 'commitEnd( before commitBegin(', open.name);
    open.begins += begins;
    open.ends += ends;
  }
  if (open) find(open.line, 'has no `// } commit`', open.name);
  return { commits, findings };
}
