/** Runs a script of the benchmark in a fresh process, and reads the JSON of its last line. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  /** Default: the Node that runs this. */
  node?: string;
  /** Options of Node itself. */
  execArgv?: string[];
  /** Gets every line but the last, as it comes. */
  onLine?: (line: string) => void;
}

/** No suite needs a third of it: one that has not ended by then hangs. */
const LIMIT_MS = 20 * 60_000;

/** `path`: of the script, from `dist/bench/`. @throws {Error} with what the child wrote, when it fails or its last line is not JSON. */
export function runScript(path: string, args: string[], options: ChildOptions = {}): Promise<unknown> {
  const { node = process.execPath, execArgv = [], onLine = () => undefined } = options;
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(node, [...execArgv, file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let last = '';
    let rest = '';
    let problems = '';
    const take = (line: string) => {
      if (last) onLine(last);
      last = line;
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      lines.filter(Boolean).forEach(take);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      problems = (problems + chunk).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (rest) take(rest);
      let output: unknown;
      try {
        output = JSON.parse(last);
      } catch {
        output = undefined;
      }
      if (code === 0 && typeof output === 'object' && output !== null) resolve(output);
      else reject(new Error(`${path} ended with ${code ?? signal}\n${problems || last}`.trim()));
    });
  });
}
