// Checks the package as a user gets it: what is in the tarball and what is not, publint's rules, and that a scratch project
// which installs the tarball runs the README's quick start.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const scratch = mkdtempSync(join(tmpdir(), 'cairn-package-'));
const npm = (args, cwd = root) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
let passed = 0;
let failed = 0;
function check(name, holds, detail = '') {
  if (holds) passed++;
  else failed++;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${name}${holds ? '' : ` ${detail}`}`);
}

try {
  const [pack] = JSON.parse(npm(['pack', '--json', '--pack-destination', scratch]));
  const files = pack.files.map((file) => file.path);
  const allowed =
    /^(dist\/src\/.*\.(js|d\.ts)|dist\/assembly\/layout\.(js|d\.ts)|dist\/engine\.wasm|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
  const strangers = files.filter((path) => !allowed.test(path));
  check('nothing else is in the package', strangers.length === 0, strangers.join(', '));
  for (const path of [
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/engine.wasm',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  ]) {
    check(`${path} is in it`, files.includes(path));
  }
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  check('no runtime dependency', Object.keys(manifest.dependencies ?? {}).length === 0);
  check(
    'no install script',
    !['preinstall', 'install', 'postinstall', 'prepare'].some((name) => manifest.scripts?.[name]),
  );

  const { messages } = await publint({ pkgDir: root, level: 'warning', strict: true });
  check('publint', messages.length === 0, JSON.stringify(messages));

  writeFileSync(join(scratch, 'package.json'), '{ "name": "scratch", "private": true, "type": "module" }');
  npm(['install', '--silent', '--no-audit', '--no-fund', join(scratch, pack.filename)], scratch);
  check('it installs alone', !existsSync(join(scratch, 'node_modules', 'lru-cache')));
  check('and without its optional peer', !existsSync(join(scratch, 'node_modules', 'keyv')));
  npm(['install', '--silent', '--no-audit', '--no-fund', `keyv@${manifest.devDependencies.keyv}`], scratch);
  for (const [number, example] of quickStarts(readFileSync(join(root, 'README.md'), 'utf8')).entries()) {
    for (const [name, text] of example) writeFileSync(join(scratch, name), text);
    const main = [...example.keys()][0];
    const output = execFileSync(process.execPath, [main], {
      cwd: scratch,
      encoding: 'utf8',
      timeout: 60_000,
    });
    check(`README example ${number + 1} (${main}) runs`, output.trim() !== '', 'it printed nothing');
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

/** Code blocks of the README whose first line is `// NAME.mjs`; blocks that follow each other without a heading belong together. */
function quickStarts(readme) {
  const examples = [];
  for (const section of readme.split(/^#+ /m)) {
    const example = new Map();
    for (const [, text] of section.matchAll(/```js\n([\s\S]*?)```/g)) {
      const name = /^\/\/ ([\w-]+\.mjs)/.exec(text)?.[1];
      if (name) example.set(name, text);
    }
    if (example.size > 0) examples.push(example);
  }
  return examples;
}
