// Checks the compiled engine against what the sources promise: commits are straight-line, and the module brings
// nothing that a second thread's instance would write into the shared memory.
//   node scripts/check-wat.mjs [--wat FILE] [--sources DIR]
// Prints one line per finding (file, line, function, reason) and exits 1, else one line with the counts.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseWat } from './wat/parse.mjs';
import { checkModule, readCommits } from './wat/rules.mjs';
import { checkFunction } from './wat/spans.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function checkWat(path, lines) {
  const report = (findings) => {
    for (const { where, line, reason } of findings) lines.push({ path, line, where, reason });
  };
  const module = parseWat(readFileSync(path, 'utf8'));
  report(module.findings);
  report(checkModule(module));
  let spans = 0;
  for (const fn of module.functions) {
    const { count, findings } = checkFunction(fn);
    spans += count;
    report(findings);
  }
  return spans;
}

function checkSources(dir, lines) {
  const names = new Map();
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  for (const file of files.sort()) {
    const path = join(dir, file);
    const { commits, findings } = readCommits(readFileSync(path, 'utf8'));
    for (const { where, line, reason } of findings) lines.push({ path, line, where, reason });
    for (const { name, line } of commits) {
      const first = names.get(name);
      if (first) lines.push({ path, line, where: name, reason: `this name is taken by ${first}` });
      else names.set(name, `${file}:${line}`);
    }
  }
  return [...names.keys()];
}

function main() {
  const { values } = parseArgs({
    options: {
      wat: { type: 'string', default: join(root, 'dist', 'engine.wat') },
      sources: { type: 'string', default: join(root, 'assembly') },
    },
  });
  const lines = [];
  const spans = checkWat(values.wat, lines);
  const names = checkSources(values.sources, lines);
  if (spans < names.length || (spans > 0 && names.length === 0)) {
    const reason = `${spans} spans for ${names.length} commits (${names.join(', ')})`;
    lines.push({ path: values.wat, line: 1, where: 'module', reason });
  }
  for (const { path, line, where, reason } of lines) {
    console.log(`${relative(process.cwd(), path)}:${line}: ${where}: ${reason}`);
  }
  if (lines.length === 0) console.log(`check-wat: ${spans} spans of ${names.length} commits, straight`);
  return lines.length === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  // An unreadable file, or an option that does not exist.
  console.log(`check-wat: ${error.message}`);
  process.exitCode = 1;
}
