/** Where a result comes from: the machine, Node, Cairn's state and its rivals' versions. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Machine {
  cpu: string;
  cores: number;
  arch: string;
  memoryGiB: number;
  os: string;
  kernel: string;
}

export function machine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    arch: arch(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    os: distribution(),
    kernel: `${type()} ${release().split('.', 2).join('.')}`,
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? type();
  } catch {
    return type();
  }
}

/** Of the binary that runs the suites, which need not be the one that runs this. */
export function versionsOf(node: string): { node: string; v8: string } {
  const script = 'const { node, v8 } = process.versions; console.log(JSON.stringify({ node, v8 }))';
  return JSON.parse(execFileSync(node, ['-e', script], { encoding: 'utf8' }));
}

/** Of an installed package, or undefined. */
export function packageVersion(name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(`${ROOT}node_modules/${name}/package.json`, 'utf8')).version;
  } catch {
    return undefined;
  }
}

export interface CairnState {
  version: string;
  /** Commit of the tree, `-changed` behind it where files differ from it; none outside a repository. */
  commit?: string;
}

export function cairnState(): CairnState {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    const code = ['src', 'assembly', 'bench', 'package-lock.json'];
    const changed = git('status', '--porcelain', '--', ...code, ':!bench/results') !== '';
    return { version, commit: changed ? `${commit}-changed` : commit };
  } catch {
    return { version };
  }
}
