/** The real input: source files of the packages that this project depends on. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomFrom } from './stream.ts';

export interface SourceFile {
  /** Relative to node_modules, with forward slashes. */
  path: string;
  bytes: number;
}

const MIN_BYTES = 1024;
const MAX_BYTES = 64 * 1024;
const WANTED = /\.(d\.ts|md|js)$/;

/** The project's node_modules, from wherever this module was compiled to. */
export function findNodeModules(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let dir = start; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules');
    if (existsSync(candidate)) return candidate;
    if (dir === dirname(dir)) throw new Error('There is no node_modules here: run npm ci first');
  }
}

/** All `.d.ts`, `.md` and `.js` files of 1 to 64 KiB under `root`, sorted by path. */
export function listFiles(root: string): SourceFile[] {
  const found: SourceFile[] = [];
  const visit = (prefix: string): void => {
    for (const entry of readdirSync(join(root, prefix), { withFileTypes: true })) {
      const path = prefix + entry.name;
      if (entry.isDirectory()) visit(`${path}/`);
      if (!entry.isFile() || !WANTED.test(entry.name)) continue;
      const bytes = statSync(join(root, path)).size;
      if (bytes >= MIN_BYTES && bytes <= MAX_BYTES) found.push({ path, bytes });
    }
  };
  visit('');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `count` of the files, in an order that the seed decides: the first is the most popular one. */
export function sampleFiles(all: readonly SourceFile[], count: number, seed: number): SourceFile[] {
  const random = randomFrom(seed);
  const files = [...all];
  const chosen = Math.min(count, files.length);
  for (let i = 0; i < chosen; i++) {
    const j = i + Math.floor(random() * (files.length - i));
    [files[i], files[j]] = [files[j]!, files[i]!];
  }
  return files.slice(0, chosen);
}
