// Builds the package: assembly/ by asc into dist/engine.wasm, that inlined as src/engine/module.generated.ts,
// and all TypeScript by tsc into dist/.
//   node scripts/build.mjs [--wasm] [--release] [--quiet]
// --wasm: only the Wasm part. --release: removes dist/ first, so that a package holds nothing old.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const flags = new Set(process.argv.slice(2));
const at = (...parts) => join(root, ...parts);
const require = createRequire(import.meta.url);

function run(script, args) {
  try {
    execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    process.exit(1);
  }
}

/** Hash of all that the Wasm is made of; the build is skipped while it stands in dist/engine.hash. */
function sourcesHash() {
  const hash = createHash('sha256');
  for (const name of readdirSync(at('assembly')).sort())
    hash.update(name).update(readFileSync(at('assembly', name)));
  hash.update(readFileSync(at('asconfig.json'))).update(readFileSync(at('package-lock.json')));
  return hash.digest('hex');
}

function buildWasm() {
  const stamp = at('dist', 'engine.hash');
  const generated = at('src', 'engine', 'module.generated.ts');
  const hash = sourcesHash();
  if (existsSync(generated) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  const asc = join(dirname(require.resolve('assemblyscript/package.json')), 'bin', 'asc.js');
  run(asc, ['--config', 'asconfig.json', '--target', 'release']);
  const wasm = readFileSync(at('dist', 'engine.wasm'));
  const lines = [
    '// Made by scripts/build.mjs from assembly/. Not kept in git.',
    `/** Names this build of the engine; a handle of another build is refused. */`,
    `export const BUILD_ID = '${hash.slice(0, 16)}';`,
    `export const ENGINE_WASM_BASE64 =`,
    `  '${wasm.toString('base64')}';`,
    '',
  ];
  writeFileSync(generated, lines.join('\n'));
  writeFileSync(stamp, hash);
}

if (flags.has('--release')) rmSync(at('dist'), { recursive: true, force: true });
mkdirSync(at('dist'), { recursive: true });
const began = performance.now();
buildWasm();
if (!flags.has('--wasm'))
  run(join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'), ['-p', 'tsconfig.json']);
if (!flags.has('--quiet')) console.log(`built in ${Math.round(performance.now() - began)} ms`);
