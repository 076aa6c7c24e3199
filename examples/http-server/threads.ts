/** The threads of one run. One that fails, or ends before it is told to, fails the run: nobody waits for it in vain. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Threads {
  /** Rejects with the first failure of any thread; never resolves. */
  readonly failed: Promise<never>;
  /** Starts the module `file` (a URL, relative to this one) and waits until it tells its port. Returns its address. */
  start(file: string, workerData: unknown): Promise<string>;
  /** Ends all that were started. */
  stop(): Promise<void>;
}

export function newThreads(): Threads {
  const workers: Worker[] = [];
  let fail!: (error: Error) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // it may come when nobody waits, as the exits after `stop` do
  return {
    failed,
    async start(file, workerData) {
      const worker = new Worker(new URL(file, import.meta.url), { workerData });
      workers.push(worker);
      worker.on('error', fail);
      worker.on('exit', (code) => fail(new Error(`${file}: the thread ended by itself, with code ${code}`)));
      const [port] = await Promise.race([once(worker, 'message'), failed]);
      return `http://127.0.0.1:${port}`;
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
