/** A test file that runs itself again in a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ChildResult {
  /** `null`: ended by a signal, which is also how a process ends that did not exit by itself in time. */
  code: number | null;
  out: string;
  err: string;
  ms: number;
}

/** Runs `node <execArgv> file <args>` to its end. `hangMs` ends a process that does not end by itself: `code` is null then. */
export function runChild(
  url: string,
  args: string[],
  hangMs = 60_000,
  execArgv: string[] = [],
): Promise<ChildResult> {
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(process.execPath, [...execArgv, fileURLToPath(url), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    const hang = setTimeout(() => child.kill('SIGKILL'), hangMs);
    child.on('close', (code) => {
      clearTimeout(hang);
      resolve({ code, out, err, ms: performance.now() - began });
    });
  });
}
