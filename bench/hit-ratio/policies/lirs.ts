// LIRS (Jiang and Zhang, SIGMETRICS 2002), in entries. For the comparison in `goal.ts`.

import type { Contestant } from '../traces.ts';
import { Lists } from './lists.ts';

/** Short reuse: kept. Long reuse, kept for now; long reuse, only known. */
const OUT = 0;
const SHORT = 1;
const LONG = 2;
const KNOWN = 3;

const STACK = 1;

/** `longPart`: the share of entries with a long reuse; `known`: how many that are not here are known, times the capacity. */
export class Lirs implements Contestant {
  readonly #capacity: number;
  readonly #shortMost: number;
  readonly #knownMost: number;
  readonly #state: Uint8Array;
  /** By last use: short ones and whatever was used later than the oldest of them. */
  readonly #stack: Lists;
  /** LONG and KNOWN in lists of their own, in the order in which they came. */
  readonly #queue: Lists;
  #short = 0;

  constructor(keys: number, capacity: number, longPart = 0.01, known = 2) {
    this.#capacity = capacity;
    this.#shortMost = Math.min(capacity - 1, Math.floor(capacity * (1 - longPart)));
    this.#knownMost = Math.floor(capacity * known);
    this.#state = new Uint8Array(keys);
    this.#stack = new Lists(keys, 1);
    this.#queue = new Lists(keys, KNOWN);
  }

  get(id: number): boolean {
    const state = this.#state[id];
    if (state === SHORT) {
      const oldest = this.#stack.tail(STACK) === id;
      this.#stack.move(id, STACK);
      if (oldest) this.#prune();
      return true;
    }
    if (state !== LONG) return false;
    if (this.#stack.of(id)) {
      this.#stack.move(id, STACK);
      this.#queue.remove(id);
      this.#becomeShort(id);
    } else {
      this.#stack.push(id, STACK);
      this.#queue.move(id, LONG);
    }
    return true;
  }

  set(id: number): void {
    if (this.#short < this.#shortMost && this.#state[id] === OUT) {
      this.#stack.push(id, STACK);
      this.#state[id] = SHORT;
      this.#short++;
      return;
    }
    if (this.#short + this.#queue.size(LONG) >= this.#capacity) this.#evict();
    if (this.#state[id] === KNOWN) {
      this.#queue.remove(id);
      this.#stack.move(id, STACK);
      this.#becomeShort(id);
      return;
    }
    this.#stack.push(id, STACK);
    this.#queue.push(id, LONG);
    this.#state[id] = LONG;
  }

  #evict(): void {
    const id = this.#queue.pop(LONG);
    if (!this.#stack.of(id)) {
      this.#state[id] = OUT;
      return;
    }
    this.#state[id] = KNOWN;
    this.#queue.push(id, KNOWN);
    if (this.#queue.size(KNOWN) > this.#knownMost) this.#forget(this.#queue.tail(KNOWN));
  }

  /** The oldest of the short ones makes place for it. */
  #becomeShort(id: number): void {
    this.#state[id] = SHORT;
    this.#short++;
    if (this.#short <= this.#shortMost) return;
    const oldest = this.#stack.pop(STACK);
    this.#state[oldest] = LONG;
    this.#queue.push(oldest, LONG);
    this.#short--;
    this.#prune();
  }

  /** The oldest of the stack is a short one, always. */
  #prune(): void {
    for (
      let id = this.#stack.tail(STACK);
      id >= 0 && this.#state[id] !== SHORT;
      id = this.#stack.tail(STACK)
    ) {
      if (this.#state[id] === KNOWN) this.#forget(id);
      else this.#stack.remove(id);
    }
  }

  #forget(id: number): void {
    this.#queue.remove(id);
    this.#stack.remove(id);
    this.#state[id] = OUT;
  }
}
