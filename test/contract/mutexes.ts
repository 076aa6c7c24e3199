/** Mutexes of the contract tests: the least that a `CacheMutex` has, and objects that live in worker threads. */
import type { Worker } from 'node:worker_threads';
import { parentPort } from 'node:worker_threads';
import type { CacheHandle } from '../../src/engine/handle.ts';
import type { SlabMutex } from '../../src/mutex/slab-mutex.ts';
import type { CacheMutex } from '../../src/mutex/types.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';

/** A queue of promises and nothing else: always late, no `locked`, no errors, no interest in signals. */
export function plainMutex(): CacheMutex {
  let held = false;
  const waiters: (() => void)[] = [];
  return {
    async acquire(wait = true) {
      if (!held) {
        held = true;
        return true;
      }
      if (!wait) return false;
      await new Promise<void>((resolve) => waiters.push(resolve));
      return true;
    },
    release() {
      const next = waiters.shift();
      if (next) next();
      else held = false;
    },
  };
}

type Question =
  | { op: 'attach'; call: number; handle: CacheHandle }
  | { op: 'detach'; call: number }
  | { op: 'create'; object: number; key: string }
  | { op: 'acquire'; call: number; object: number; wait: boolean; signal: boolean }
  | { op: 'abort'; call: number }
  | { op: 'release'; call: number; object: number };

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The side of the thread that asks. */
export class MutexThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, { resolve(value: any): void; reject(error: Error): void }>();
  #last = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', ({ call, value, error }: Answer) => {
      const waiting = this.#calls.get(call)!;
      this.#calls.delete(call);
      if (error === undefined) waiting.resolve(value);
      else waiting.reject(new Error(error));
    });
    worker.on('error', (error) => {
      for (const { reject } of this.#calls.values()) reject(error as Error);
    });
    worker.unref(); // behind the listener, which refs it
  }

  #ask<T>(make: (call: number) => Question): { call: number; answer: Promise<T> } {
    const call = ++this.#last;
    const answer = new Promise<T>((resolve, reject) => this.#calls.set(call, { resolve, reject }));
    this.#worker.postMessage(make(call));
    return { call, answer };
  }

  attach(handle: CacheHandle): Promise<void> {
    return this.#ask<void>((call) => ({ op: 'attach', call, handle })).answer;
  }

  detach(): Promise<void> {
    return this.#ask<void>((call) => ({ op: 'detach', call })).answer;
  }

  /** A mutex object of that thread. Everything is asked by messages, so it cannot have `locked`. */
  mutex(key: string): CacheMutex {
    const object = ++this.#last;
    this.#worker.postMessage({ op: 'create', object, key } satisfies Question);
    return {
      acquire: (wait = true, signal) => {
        if (signal?.aborted) return false;
        const asked = { op: 'acquire', object, wait, signal: signal !== undefined } as const;
        const { call, answer } = this.#ask<boolean>((id) => ({ ...asked, call: id }));
        signal?.addEventListener('abort', () => this.#worker.postMessage({ op: 'abort', call }), {
          once: true,
        });
        return answer;
      },
      release: () => this.#ask<void>((call) => ({ op: 'release', call, object })).answer,
    };
  }
}

/** The side of the thread in which the mutex objects live. */
export function serveMutexes(): void {
  const port = parentPort!;
  let cache: SharedCache | undefined;
  const objects = new Map<number, SlabMutex>();
  const signals = new Map<number, AbortController>();

  async function answer(question: Question): Promise<unknown> {
    switch (question.op) {
      case 'attach':
        cache = SharedCache.attach(question.handle);
        return;
      case 'detach':
        objects.clear();
        cache!.close();
        return;
      case 'create':
        objects.set(question.object, cache!.mutex(question.key));
        return;
      case 'acquire': {
        const leave = new AbortController();
        signals.set(question.call, leave);
        const mutex = objects.get(question.object)!;
        return question.signal ? mutex.acquire(question.wait, leave.signal) : mutex.acquire(question.wait);
      }
      case 'abort':
        signals.get(question.call)!.abort();
        return;
      case 'release':
        objects.get(question.object)!.release();
    }
  }

  port.on('message', (question: Question) => {
    const call = 'call' in question && question.op !== 'abort' ? question.call : undefined;
    void answer(question).then(
      (value) => call !== undefined && port.postMessage({ call, value } satisfies Answer),
      (error) => call !== undefined && port.postMessage({ call, error: String(error) } satisfies Answer),
    );
  });
}
