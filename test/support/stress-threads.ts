/** Worker threads of a test: started, talked to, waited for with a limit that only a hang reaches. */
import { Worker } from 'node:worker_threads';

/** Milliseconds on a clock that all threads share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Rejects with `what` after `ms`: a hang, never a proof. */
export function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`hung: ${what} took longer than ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Waits until `done()` is true, letting the event loop turn. */
export async function until(ms: number, what: string, done: () => boolean): Promise<void> {
  const end = nowMs() + ms;
  while (!done()) {
    if (nowMs() > end) throw new Error(`hung: ${what} took longer than ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export interface Message {
  kind: string;
  [name: string]: unknown;
}

const running = new Set<Thread>();

/** Ends what a failed test left running, so that its process can end. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((thread) => thread.kill()));
}

/** One worker thread. Messages are kept until somebody waits for them. */
export class Thread {
  readonly worker: Worker;
  /** Exit code once it has ended. */
  readonly exited: Promise<number>;
  /** What ended it, if an error did. */
  error: unknown;
  readonly #messages: Message[] = [];
  readonly #waiting: { kind: string; take(message: Message): void; fail(error: Error): void }[] = [];
  #ended = false;

  /** `url`: the module's own; it runs again in the worker with `role` and `data` as its `workerData`. */
  constructor(url: string, role: string, data: object, limits?: { maxOldGenerationSizeMb?: number }) {
    this.worker = new Worker(new URL(url), {
      workerData: { ...data, role },
      stderr: true, // an uncaught error is reported by the test that expects none
      ...(limits && { resourceLimits: limits }),
    });
    this.exited = new Promise((resolve) => this.worker.once('exit', resolve));
    this.worker.on('error', (error) => (this.error = error));
    this.worker.on('message', (message: Message) => {
      const at = this.#waiting.findIndex((waiting) => waiting.kind === message.kind);
      if (at < 0) this.#messages.push(message);
      else this.#waiting.splice(at, 1)[0]!.take(message);
    });
    running.add(this);
    this.worker.once('exit', () => {
      running.delete(this);
      this.#ended = true;
      for (const { kind, fail } of this.#waiting.splice(0)) fail(this.#gone(kind));
    });
  }

  #gone(kind: string): Error {
    return new Error(
      `the thread ended without saying ${kind}: ${String((this.error as Error)?.stack ?? this.error)}`,
    );
  }

  /** The next message of that kind. */
  next(kind: string, ms = 60_000): Promise<Message> {
    const at = this.#messages.findIndex((message) => message.kind === kind);
    if (at >= 0) return Promise.resolve(this.#messages.splice(at, 1)[0]!);
    if (this.#ended) return Promise.reject(this.#gone(kind));
    return within(
      ms,
      `message ${kind}`,
      new Promise<Message>((take, fail) => this.#waiting.push({ kind, take, fail })),
    );
  }

  send(message: Message): void {
    this.worker.postMessage(message);
  }

  /** Ends it as `terminate` does, wherever it is. */
  async kill(): Promise<void> {
    await this.worker.terminate();
  }
}

/** p50, p99 and the largest, for a `# ` line. */
export function distribution(values: number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `n ${sorted.length}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
