/** What is built by hand where threads must share: a thread that owns a `Map`, asked by `postMessage`. This file is that thread too. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Rival } from './types.ts';

type Request = [id: number, key: string, ...value: unknown[]];

export function makeOtherThread(): Rival {
  const worker = new Worker(new URL(import.meta.url));
  const waiting = new Map<number, (value: unknown) => void>();
  let id = 0;
  worker.on('message', ([answered, value]: [number, unknown]) => {
    waiting.get(answered)!(value);
    waiting.delete(answered);
  });
  const ask = (...request: [key: string, ...value: unknown[]]) =>
    new Promise<unknown>((resolve) => {
      waiting.set(++id, resolve);
      worker.postMessage([id, ...request] satisfies Request);
    });
  return {
    title: 'Map in another thread, by postMessage',
    cache: { get: ask },
    fill: (key, value) => ask(key, value),
    read: (key) => ask(key),
    close: () => worker.terminate(),
  };
}

if (!isMainThread && parentPort) {
  const port = parentPort;
  const map = new Map<string, unknown>();
  port.on('message', ([id, key, ...value]: Request) => {
    if (value.length) map.set(key, value[0]);
    port.postMessage([id, value.length ? undefined : map.get(key)]);
  });
}
