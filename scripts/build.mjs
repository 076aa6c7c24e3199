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

/** All TypeScript files below a folder of the repository, but for the generated one. */
function sources(folder) {
  return readdirSync(at(folder), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('module.generated.ts'))
    .sort()
    .map((name) => join(folder, name));
}

function hashOf(names) {
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(readFileSync(at(name)));
  return hash.digest('hex');
}

function buildWasm() {
  const stamp = at('dist', 'engine.hash');
  const generated = at('src', 'engine', 'module.generated.ts');
  const engine = [...sources('assembly'), 'asconfig.json', 'package-lock.json'];
  const engineHash = hashOf(engine);
  const wasmFile = at('dist', 'engine.wasm');
  const stands = existsSync(wasmFile) && existsSync(at('dist', 'engine.wat')) && existsSync(stamp);
  if (!stands || readFileSync(stamp, 'utf8') !== engineHash) {
    const asc = join(dirname(require.resolve('assemblyscript/package.json')), 'bin', 'asc.js');
    run(asc, ['--config', 'asconfig.json', '--target', 'release']);
    run(at('scripts', 'check-wat.mjs'), []); // a data segment, an import of abort, a commit that is not straight: no build
    writeFileSync(stamp, engineHash);
  }
  // The build's name covers the shell too: value types and codecs are part of what two builds must agree on.
  const text = [
    '// Made by scripts/build.mjs from assembly/. Not kept in git.',
    '/** Names this build of the package; a handle of another build is refused. */',
    `export const BUILD_ID = '${hashOf([...engine, ...sources('src')]).slice(0, 16)}';`,
    `export const ENGINE_WASM_BASE64 =`,
    `  '${readFileSync(wasmFile).toString('base64')}';`,
    '',
  ].join('\n');
  if (!existsSync(generated) || readFileSync(generated, 'utf8') !== text) writeFileSync(generated, text);
}

if (flags.has('--release')) rmSync(at('dist'), { recursive: true, force: true });
else if (!flags.has('--wasm'))
  for (const name of ['src', 'test', 'bench', 'examples'])
    rmSync(at('dist', name), { recursive: true, force: true });
mkdirSync(at('dist'), { recursive: true });
const began = performance.now();
buildWasm();
if (!flags.has('--wasm'))
  run(join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'), ['-p', 'tsconfig.json']);
if (!flags.has('--quiet')) console.log(`built in ${Math.round(performance.now() - began)} ms`);
