/**
 * The OS thread behind a JavaScript thread, as Linux tells it under /proc. Elsewhere, and where reading is refused (under
 * `--permission`), there is none: 0, and the death notice by port is the only one.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';

/** This thread's id and start time (clock ticks since boot, 0: not known). Read once: a later look may be out of stack. */
export const OS_THREAD = readOwn();

function readOwn(): { tid: number; start: bigint } {
  if (process.platform !== 'linux') return { tid: 0, start: 0n };
  try {
    const tid = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    return { tid, start: startTime(tid) };
  } catch {
    return { tid: 0, start: 0n };
  }
}

function startTime(tid: number): bigint {
  const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
  // the name in parentheses may hold anything; field 22 is the twentieth behind it
  return BigInt(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
}

/** Whether that thread of this process is certainly gone: only "no such file" counts, or an id that started anew. */
export function osThreadGone(tid: number, start: bigint): boolean {
  if (tid === 0) return false;
  try {
    statSync(`/proc/self/task/${tid}`);
    return start !== 0n && startTime(tid) !== start;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
