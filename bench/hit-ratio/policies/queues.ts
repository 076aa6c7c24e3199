// Policies of one or two queues, in entries: LRU, CLOCK, SIEVE (Zhang et al., NSDI 2024) and S3-FIFO (Yang et
// al., SOSP 2023). For the comparison in `goal.ts`.

import type { Contestant } from '../traces.ts';
import { Lists } from './lists.ts';

export class Lru implements Contestant {
  readonly #lists: Lists;
  readonly #capacity: number;

  constructor(keys: number, capacity: number) {
    this.#lists = new Lists(keys, 1);
    this.#capacity = capacity;
  }

  get(id: number): boolean {
    if (!this.#lists.of(id)) return false;
    this.#lists.move(id, 1);
    return true;
  }

  set(id: number): void {
    if (this.#lists.size(1) === this.#capacity) this.#lists.pop(1);
    this.#lists.push(id, 1);
  }
}

/** Second chance; with two bits up to three times. */
export class Clock implements Contestant {
  readonly #lists: Lists;
  readonly #capacity: number;
  readonly #used: Uint8Array;
  readonly #most: number;

  constructor(keys: number, capacity: number, bits: number) {
    this.#most = 2 ** bits - 1;
    this.#lists = new Lists(keys, 1);
    this.#used = new Uint8Array(keys);
    this.#capacity = capacity;
  }

  get(id: number): boolean {
    if (!this.#lists.of(id)) return false;
    if (this.#used[id] < this.#most) this.#used[id]++;
    return true;
  }

  set(id: number): void {
    const lists = this.#lists;
    if (lists.size(1) === this.#capacity) {
      while (this.#used[lists.tail(1)] > 0) {
        this.#used[lists.tail(1)]--;
        lists.move(lists.tail(1), 1);
      }
      lists.pop(1);
    }
    this.#used[id] = 0;
    lists.push(id, 1);
  }
}

/** A hand that goes from old to new and leaves what it spares where it is. */
export class Sieve implements Contestant {
  readonly #lists: Lists;
  readonly #capacity: number;
  readonly #visited: Uint8Array;
  #hand = -1;

  constructor(keys: number, capacity: number) {
    this.#lists = new Lists(keys, 1);
    this.#visited = new Uint8Array(keys);
    this.#capacity = capacity;
  }

  get(id: number): boolean {
    if (!this.#lists.of(id)) return false;
    this.#visited[id] = 1;
    return true;
  }

  set(id: number): void {
    const lists = this.#lists;
    if (lists.size(1) === this.#capacity) {
      let victim = this.#hand < 0 ? lists.tail(1) : this.#hand;
      while (this.#visited[victim]) {
        this.#visited[victim] = 0;
        victim = lists.newer(victim);
        if (victim < 0) victim = lists.tail(1);
      }
      this.#hand = lists.newer(victim);
      lists.remove(victim);
    }
    this.#visited[id] = 0;
    lists.push(id, 1);
  }
}

const SMALL = 1;
const MAIN = 2;
const GHOST = 3;

/** A tenth for new entries; ghosts for nine tenths. `threshold`: hits that a new entry needs to be kept. */
export class S3Fifo implements Contestant {
  readonly #lists: Lists;
  readonly #capacity: number;
  readonly #small: number;
  readonly #threshold: number;
  readonly #used: Uint8Array;

  constructor(keys: number, capacity: number, threshold: number) {
    this.#lists = new Lists(keys, 3);
    this.#used = new Uint8Array(keys);
    this.#capacity = capacity;
    this.#small = Math.max(1, Math.floor(capacity / 10));
    this.#threshold = threshold;
  }

  get(id: number): boolean {
    const list = this.#lists.of(id);
    if (list !== SMALL && list !== MAIN) return false;
    if (this.#used[id] < 3) this.#used[id]++;
    return true;
  }

  set(id: number): void {
    const lists = this.#lists;
    let list = SMALL;
    if (lists.of(id) === GHOST) {
      lists.remove(id);
      list = MAIN;
    }
    while (lists.size(SMALL) + lists.size(MAIN) >= this.#capacity) this.#evict();
    this.#used[id] = 0;
    lists.push(id, list);
  }

  #evict(): void {
    const lists = this.#lists;
    if (lists.size(MAIN) > this.#capacity - this.#small || lists.size(SMALL) === 0) {
      while (this.#used[lists.tail(MAIN)] > 0) {
        this.#used[lists.tail(MAIN)]--;
        lists.move(lists.tail(MAIN), MAIN);
      }
      lists.pop(MAIN);
      return;
    }
    for (let tail = lists.tail(SMALL); tail >= 0; tail = lists.tail(SMALL)) {
      if (this.#used[tail] < this.#threshold) {
        lists.move(tail, GHOST);
        if (lists.size(GHOST) > this.#capacity - this.#small) lists.pop(GHOST);
        return;
      }
      this.#used[tail] = 0;
      lists.move(tail, MAIN);
    }
  }
}
