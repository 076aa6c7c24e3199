/**
 * Who waits for an `AbortSignal`. Hundreds of calls may have one signal, of a request or of a server that shuts down;
 * Node.js warns of a leak at the eleventh listener. So each signal has one listener, for all that wait.
 */
class Waiting {
  readonly #signal: AbortSignal;
  readonly #calls = new Set<() => void>();
  readonly #fire = () => {
    waiting.delete(this.#signal);
    for (const call of this.#calls) call();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#fire, { once: true });
  }

  add(call: () => void): void {
    this.#calls.add(call);
  }

  remove(call: () => void): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0 || waiting.get(this.#signal) !== this) return;
    waiting.delete(this.#signal);
    this.#signal.removeEventListener('abort', this.#fire);
  }
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/** Calls `abort` when `signal` fires, which it must not have done yet. The function that it answers ends that. */
export function whenAborted(signal: AbortSignal, abort: () => void): () => void {
  let all = waiting.get(signal);
  if (all === undefined) waiting.set(signal, (all = new Waiting(signal)));
  all.add(abort);
  return () => all.remove(abort);
}
