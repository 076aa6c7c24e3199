/** A second copy of the package, as two versions of a dependency tree install it: another folder, so other modules. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export type Package = typeof import('../../src/index.ts');

/** Copies the compiled package and loads it. The folder is removed when the process ends. */
export async function loadCopy(): Promise<Package> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-copy-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const built = fileURLToPath(new URL('../../', import.meta.url));
  for (const part of ['src', 'assembly']) cpSync(join(built, part), join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return import(pathToFileURL(join(folder, 'src', 'index.js')).href) as Promise<Package>;
}

/** Node's options under which no thread finds /proc, as on systems that have none: deaths are told by ports alone. */
export const WITHOUT_PROC = [
  '--import',
  "data:text/javascript,Object.defineProperty(process, 'platform', { value: 'none' })",
];
