/** Worker threads that a test drives: one question, one answer, in order. And the slots that they hold. */
import { parentPort, Worker } from 'node:worker_threads';
import * as L from '../../assembly/layout.ts';
import { CairnError, CodecError } from '../../src/errors.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';

/** Only a hang limit: nothing is proved by it. */
export const HANG_MS = 60_000;

/** What a question that threw in another thread threw there. */
export class RemoteError extends Error {
  readonly className: string;
  readonly code: string | undefined;
  readonly path: string | undefined;
  constructor(told: { className: string; code?: string; path?: string; message: string; stack?: string }) {
    super(told.message);
    this.className = told.className;
    this.code = told.code;
    this.path = told.path;
    if (told.stack !== undefined) this.stack = told.stack;
  }
}

type Answer =
  | { ok: true; value: unknown }
  | { ok: false; error: ConstructorParameters<typeof RemoteError>[0] };

/** A worker that runs a test file's own `serve`. It keeps the process alive only while it is asked, so that a test that failed ends. */
export class Thread {
  readonly worker: Worker;
  readonly #waiting: { resolve(value: any): void; reject(error: Error): void }[] = [];
  readonly #ended: Promise<number>;

  constructor(url: string, data: object) {
    this.worker = new Worker(new URL(url), { workerData: data });
    this.worker.on('message', (answer: Answer) => {
      const asked = this.#waiting.shift()!;
      if (answer.ok) asked.resolve(answer.value);
      else asked.reject(new RemoteError(answer.error));
    });
    this.worker.unref(); // behind the listener, which refs it
    this.worker.on('error', (error) => this.#fail(error as Error));
    this.#ended = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.#fail(new Error(`the thread ended with code ${code}`));
        resolve(code);
      });
    });
  }

  /** Runs a handler of the worker's `serve`. Rejects with {@link RemoteError} where it threw. */
  ask<T = unknown>(name: string, ...args: unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const hang = setTimeout(() => reject(new Error(`no answer to ${name} in ${HANG_MS} ms`)), HANG_MS);
      this.#waiting.push({
        resolve(value) {
          clearTimeout(hang);
          resolve(value);
        },
        reject(error) {
          clearTimeout(hang);
          reject(error);
        },
      });
      this.worker.postMessage([name, ...args]);
    });
  }

  /** The worker lets its port go, with nothing closed, and ends when nothing else keeps it. Its exit code. */
  leave(): Promise<number> {
    this.worker.ref();
    this.worker.postMessage(['leave']);
    return this.#ended;
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  #fail(error: Error): void {
    for (const asked of this.#waiting.splice(0)) asked.reject(error);
  }
}

/** The worker's side of {@link Thread}. */
export function serve(handlers: Record<string, (...args: any[]) => unknown>): void {
  const port = parentPort!;
  port.on('message', async ([name, ...args]: [string, ...unknown[]]) => {
    if (name === 'leave') return port.close();
    try {
      const handler = handlers[name];
      if (!handler) throw new Error(`no handler ${name}`);
      port.postMessage({ ok: true, value: await handler(...args) });
    } catch (error) {
      port.postMessage({ ok: false, error: told(error as Error) });
    }
  });
}

function told(error: Error) {
  return {
    className: error.constructor.name,
    message: error.message,
    stack: error.stack,
    code: error instanceof CairnError ? error.code : undefined,
    path: error instanceof CodecError ? error.path : undefined,
  };
}

/** Waits until `count` threads have come here with the same gate, so that they begin together. */
export function meet(gate: Int32Array, count: number): void {
  if (Atomics.add(gate, 0, 1) + 1 === count) {
    Atomics.notify(gate, 0);
    return;
  }
  for (let come = Atomics.load(gate, 0); come < count; come = Atomics.load(gate, 0))
    Atomics.wait(gate, 0, come, HANG_MS);
}

export function newGate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** How many thread slots of the engine are in state live, dead, free. */
export function slots(cache: SharedCache<any>): { live: number; dead: number; free: number } {
  const engine = SharedCache.engineOf(cache);
  const counts = { live: 0, dead: 0, free: 0 };
  for (let number = 0; number < engine.maxThreads; number++) {
    const at = engine.u32[L.H_SLOTS >> 2]! + number * L.SLOT_SIZE;
    const state = Number(Atomics.load(engine.u64, at >> 3) & 255n);
    if (state === L.STATE_LIVE) counts.live++;
    else if (state === L.STATE_DEAD) counts.dead++;
    else counts.free++;
  }
  return counts;
}

/** Turns of the event loop until `done` says so; false only after the hang limit. */
export async function until(done: () => boolean): Promise<boolean> {
  const end = performance.now() + HANG_MS;
  while (!done()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}
