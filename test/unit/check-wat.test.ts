// The check of the compiled engine finds what it is there to find. Faults are planted in AssemblyScript, compiled
// with the engine's own options, and in the text of a module that passes.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const asc = join(
  dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')),
  'bin',
  'asc.js',
);
const temporary = mkdtempSync(join(tmpdir(), 'check-wat-'));
test.after(() => rmSync(temporary, { recursive: true, force: true }));

interface Project {
  sources: string;
  wat: string;
}

/** Compiles `test/support/wat/NAME.ts.txt` as the engine is compiled. */
function compile(name: string): Project {
  const cwd = join(temporary, name);
  const sources = join(cwd, 'assembly');
  mkdirSync(sources, { recursive: true });
  copyFileSync(join(root, 'asconfig.json'), join(cwd, 'asconfig.json'));
  copyFileSync(join(root, 'test/support/wat/commit.ts.txt'), join(sources, 'commit.ts'));
  copyFileSync(join(root, `test/support/wat/${name}.ts.txt`), join(sources, 'index.ts'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [asc, '--config', 'asconfig.json', '--target', 'release'],
    { cwd, encoding: 'utf8' },
  );
  assert.is(status, 0, `${stdout}${stderr}`);
  return { sources, wat: join(cwd, 'dist', 'engine.wat') };
}

interface Finding {
  line: number;
  where: string;
  reason: string;
}

function check({ sources, wat }: Project) {
  const script = join(root, 'scripts', 'check-wat.mjs');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, '--wat', wat, '--sources', sources],
    { encoding: 'utf8' },
  );
  assert.is(stderr, '');
  const findings = stdout.split('\n').flatMap((text): Finding[] => {
    const [, line, where, reason] = /^\S+:(\d+): (.+?): (.+)$/.exec(text) ?? [];
    return line ? [{ line: Number(line), where: where!, reason: reason! }] : [];
  });
  return { status, stdout, findings };
}

/** Checks a text of a module against the good sources. */
function checkText(text: string, sources = good().sources) {
  const wat = join(temporary, 'planted.wat');
  writeFileSync(wat, text);
  return check({ sources, wat });
}

/** Checks source files against the good module. */
function checkSources(...files: string[]) {
  const sources = mkdtempSync(join(temporary, 'sources-'));
  for (const [index, text] of files.entries()) writeFileSync(join(sources, `part${index}.ts`), text);
  return check({ sources, wat: good().wat });
}

let goodProject: Project | undefined;
const good = () => (goodProject ??= compile('good'));
const goodText = () => readFileSync(good().wat, 'utf8');
const commit = (name: string) =>
  `// commit: ${name} {\ncommitBegin(control);\ncommitEnd(control);\n// } commit\n`;

/** A module of functions `$f0`, `$f1` and so on, for control flow that asc does not write. */
const moduleOf = (bodies: string[][]) =>
  [
    '(module',
    ' (import "env" "memory" (memory $0 16 65536 shared))',
    ...bodies.map((body, index) => ` (func $f${index} (param $0 i32)\n  ${body.join('\n  ')}\n )`),
    ')\n',
  ].join('\n');
const OPEN = ['local.get $0', 'i32.const 1', 'i32.atomic.store offset=60'];
const CLOSE = ['local.get $0', 'i32.const 0', 'i32.atomic.store offset=60'];
test('passes branches, switches, copies and early exits inside a span', () => {
  const { status, stdout } = check(good());
  assert.match(stdout, /^check-wat: [3-9] spans of 3 commits, straight\n$/);
  assert.is(status, 0);
  // The fixture does contain what it is there for.
  const text = goodText();
  for (const shape of [
    /\n +else\n/,
    /memory\.copy/,
    /memory\.fill/,
    /br_table/,
    /br_if \$assembly\/index\/unlink\|inlined/,
    /loop/,
  ]) {
    assert.match(text, shape);
  }
});

test('finds each fault planted in AssemblyScript, at its line', () => {
  const project = compile('bad');
  const { status, findings, stdout } = check(project);
  assert.is(status, 1);
  const lines = readFileSync(project.wat, 'utf8').split('\n');
  const expected: [where: string, reason: RegExp, text: RegExp][] = [
    ['loopInside', /: a loop$/, /^loop /],
    ['remainderInside', /: a loop$/, /^loop /],
    ['callInside', /: a call: call \$assembly\/index\/now$/, /^call /],
    ['backward', /: a backward branch: br/, /^br/],
    ['missingClose', /: (a return|the end of the function) before the closing store$/, /^(return|\))$/],
    ['growInside', /: not on the allow-list: memory\.grow$/, /^memory\.grow/],
    ['waitInside', /: a wait: memory\.atomic\.wait32$/, /^memory\.atomic\.wait32/],
    ['trapInside', /: not on the allow-list: unreachable$/, /^unreachable/],
    ['notConstant', /not a constant/, /^i32\.atomic\.store offset=60/],
    ['closeOnly', /no opening store reaches/, /^i32\.atomic\.store offset=60/],
    ['closeToo', /without an opening store/, /^i32\.atomic\.store offset=60/],
    ['foldedAddress', /at offset=92 look like a commit/, /^i32\.atomic\.store offset=92/],
  ];
  for (const [name, reason, text] of expected) {
    const found = findings.filter(({ where }) => where === `assembly/index/${name}`);
    assert.is(found.length, 1, `${name}: one finding\n${stdout}`);
    assert.match(found[0]!.reason, reason);
    assert.match(lines[found[0]!.line - 1]!.trim(), text);
  }
  for (const reason of [/a data segment/, /env\.surprise/, /env\.abort/, /table/]) {
    assert.ok(
      findings.some((finding) => finding.where === 'module' && reason.test(finding.reason)),
      `${reason}\n${stdout}`,
    );
  }
  assert.ok(findings.some(({ where, reason }) => where === '~start' && /start function/.test(reason)));
});

test('refuses each instruction that could be interrupted, alone in a good module', () => {
  const store = 'i32.atomic.store offset=60\n';
  assert.is(checkText(goodText().replace(store, `${store}  nop\n`)).status, 0);
  for (const planted of [
    'loop $planted|0\n  end',
    'call $assembly/index/early',
    'call_indirect (type $0)',
    'return_call $assembly/index/early',
    'memory.grow',
    'memory.atomic.wait32',
    'memory.atomic.wait64',
    'memory.atomic.notify',
    'memory.init $0',
    'i32.trunc_f64_s',
    'table.set $0',
    'unreachable',
    'return',
    'throw $tag',
    'i32.invented',
  ]) {
    const text = goodText().replace(store, `${store}  ${planted}\n`);
    const { status, findings, stdout } = checkText(text);
    assert.is(status, 1, planted);
    assert.ok(
      findings.length >= 1 && findings.every(({ reason }) => reason.includes('in the span opened at')),
    );
    assert.ok(stdout.includes(planted.startsWith('loop') ? 'a loop' : planted.split(' ')[0]!), stdout);
  }
});

test('refuses what a module must not bring, alone in a good module', () => {
  const field = (text: string) => goodText().replace('\n (export', `\n ${text}\n (export`);
  const cases: [text: string, reason: RegExp][] = [
    [field('(data $0 (i32.const 1036) "\\1c;;\\00")'), /a data segment/],
    [field('(import "env" "abort" (func $~lib/builtins/abort (param i32)))'), /not allowed: env\.abort/],
    [field('(import "clock" "now" (global $g i32))'), /not allowed: clock\.now/],
    [field('(start $assembly/index/early)'), /a start function/],
    [field('(table $0 2 2 funcref)'), /a table with entries/],
    [field('(elem $0 (i32.const 1) $assembly/index/early)'), /table entries/],
    [field('(memory $1 1 1)'), /a memory of its own/],
    [goodText().replace('65536 shared', '65536'), /not shared/],
    [goodText().replace(/ \(import "env" "memory".*\n/, ''), /no imported memory/],
    ['', /no module/],
  ];
  for (const [text, reason] of cases) {
    const { status, stdout } = checkText(text);
    assert.is(status, 1, String(reason));
    assert.match(stdout, reason);
  }
  assert.is(checkText(field('(table $0 1 1 funcref)')).status, 0, 'a table that holds nothing');
});

test('accepts spans that close on every path', () => {
  const bodies = [
    [...OPEN, ...CLOSE],
    [...OPEN, 'block $a', 'block $b', 'local.get $0', 'br_table $a $b', 'end', 'nop', 'end', ...CLOSE],
    [...OPEN, 'local.get $0', 'if', ...CLOSE, 'else', ...CLOSE, 'end', 'call $f0', 'return'],
    [...OPEN, 'block $a', 'br $a', 'unreachable', 'loop $dead', 'end', 'end', ...CLOSE],
    ['loop $l', ...OPEN, ...CLOSE, 'local.get $0', 'br_if $l', 'end'],
    ['local.get $0', 'if', ...OPEN, 'else', 'unreachable', 'end', ...CLOSE],
    [...OPEN, 'block $a ;; comment', 'local.get $0', 'br_if 0', 'end', ...CLOSE],
  ];
  assert.match(checkText(moduleOf(bodies)).stdout, /^check-wat: 7 spans of 3 commits, straight\n$/);
});

test('refuses spans that fail on one path', () => {
  const end = /the end of the function/;
  const out = /a branch out of the function/;
  const back = /a backward branch/;
  const unreached = /no opening store reaches/;
  const value = /not a constant 0 or 1/;
  const unbalanced = /block and end do not match/;
  const cases: [reason: RegExp, ...body: string[]][] = [
    [end, ...OPEN],
    [end, ...OPEN, 'local.get $0', 'if', ...CLOSE, 'end'],
    [end, ...OPEN, 'block $a', 'local.get $0', 'br_if $a', ...CLOSE, 'end'],
    [end, ...OPEN, 'block $a', 'block $b', 'local.get $0', 'br_table $a $b', 'end', ...CLOSE, 'end'],
    [out, ...OPEN, 'local.get $0', 'br_if 0', ...CLOSE],
    [out, 'block $a', ...OPEN, 'local.get $0', 'br_table 0 1', 'end', ...CLOSE],
    [back, 'loop $l', ...OPEN, 'local.get $0', 'br_if $l', ...CLOSE, 'end'],
    [back, 'loop $l', ...OPEN, 'block $a', 'br 1', 'end', ...CLOSE, 'end'],
    [/another opening store/, ...OPEN, ...OPEN, ...CLOSE],
    [unreached, ...OPEN, ...CLOSE, ...CLOSE],
    [unreached, ...OPEN, ...CLOSE, 'return', ...CLOSE],
    [/without an opening store/, ...OPEN, ...CLOSE, 'local.get $0', 'if', ...OPEN, 'end', ...CLOSE],
    [value, ...OPEN, 'i32.const 0', 'local.set $0', 'local.get $0', 'local.get $0', CLOSE[2]!, ...CLOSE],
    [value, ...OPEN, ...CLOSE, 'local.get $0', 'i32.const 2', CLOSE[2]!],
    [unbalanced, ...OPEN, ...CLOSE, 'block $a'],
    [unbalanced, ...OPEN, 'br $nowhere', ...CLOSE],
    [/not flat text/, ...OPEN, '(drop (i32.const 1))', ...CLOSE],
  ];
  const { status, findings, stdout } = checkText(moduleOf(cases.map(([, ...body]) => body)));
  assert.is(status, 1);
  for (const [index, [reason]] of cases.entries()) {
    const reasons = findings.filter(({ where }) => where === `f${index}`).map((finding) => finding.reason);
    assert.ok(
      reasons.some((text) => reason.test(text)),
      `f${index}: ${reason}\n${stdout}`,
    );
  }
});

test('refuses a commit that has no span, and a span that has no commit', () => {
  const source = readFileSync(join(good().sources, 'index.ts'), 'utf8');
  assert.is(checkSources(source).status, 0);
  const missing = checkSources(source, commit('never compiled') + commit('nor this') + commit('nor that'));
  assert.is(missing.status, 1);
  assert.match(
    missing.stdout,
    /\d spans for 6 commits \(branches, early, .*never compiled, nor this, nor that\)/,
  );
  const unnamed = checkSources('');
  assert.is(unnamed.status, 1);
  assert.match(unnamed.stdout, /\d spans for 0 commits/);
});

test('refuses commits that the sources do not name properly', () => {
  const cases: [source: string, reason: RegExp][] = [
    [commit('twice') + commit('twice'), /twice: this name is taken by part0\.ts:1/],
    [commit('a').replace('// } commit', ''), /a: has no/],
    [commit('a').replace('// } commit', '') + commit('b'), /a: has no .* before the next commit/],
    [commit('a').replace('// commit: a {', ''), /source: `\/\/ \} commit` without its beginning/],
    [commit('a').replace('commitBegin', '//'), /has 0 and 1/],
    [commit('a').replace('commitEnd(control);', '/* commitEnd(control); */'), /has 1 and 0/],
    [commit('a').replace('commitEnd', 'commitEnd(control);\ncommitEnd'), /has 1 and 2/],
    [commit('a').replace(/(.*Begin.*)\n(.*End.*)/, '$2\n$1'), /commitEnd\( before commitBegin\(/],
    [`${commit('a')}commitBegin(control);\n`, /commitBegin\( outside a named commit/],
    [`${commit('a')}commitEnd(control);\n`, /commitEnd\( outside a named commit/],
    [commit('a').replace('commit: a {', 'commit a {'), /a commit mark that is not/],
  ];
  for (const [source, reason] of cases) {
    const { status, stdout } = checkSources(source);
    assert.is(status, 1, String(reason));
    assert.match(stdout, reason);
  }
});

test('fails on a file that is not there and an option that does not exist', () => {
  assert.is(check({ sources: good().sources, wat: join(temporary, 'none.wat') }).status, 1);
  assert.is(check({ sources: join(temporary, 'none'), wat: good().wat }).status, 1);
  assert.is(spawnSync(process.execPath, [join(root, 'scripts/check-wat.mjs'), '--wet']).status, 1);
});

test.run();
