// W-TinyLFU (Einziger, Friedman and Manes, 2017) with a fixed or a climbing window (Einziger, Eytan, Friedman and Manes,
// 2018), in entries. For the comparison in `goal.ts`.

import { scramble } from '../reference-s3l.ts';
import type { Contestant } from '../traces.ts';
import { Lists } from './lists.ts';

const WINDOW = 1;
const PROBATION = 2;
const PROTECTED = 3;

const HIGHEST = 15;
/** A tie is broken for a candidate that was seen this often, once in so many times. */
const WARM = 6;
const LUCK = 128;

/** Count-min sketch of 4-bit counters, halved every ten capacities. */
class Sketch {
  readonly #counters: Uint8Array;
  readonly #mask: number;
  readonly #period: number;
  #added = 0;

  constructor(capacity: number) {
    const size = 16 * 2 ** Math.ceil(Math.log2(Math.max(8, capacity)));
    this.#counters = new Uint8Array(size);
    this.#mask = size - 1;
    this.#period = 10 * capacity;
  }

  frequency(id: number): number {
    const first = scramble(id + 1);
    const step = scramble(first) | 1;
    let lowest = HIGHEST;
    for (let i = 0; i < 4; i++) lowest = Math.min(lowest, this.#counters[(first + i * step) & this.#mask]);
    return lowest;
  }

  add(id: number): void {
    const first = scramble(id + 1);
    const step = scramble(first) | 1;
    let added = false;
    for (let i = 0; i < 4; i++) {
      const at = (first + i * step) & this.#mask;
      if (this.#counters[at] === HIGHEST) continue;
      this.#counters[at]++;
      added = true;
    }
    if (!added || ++this.#added < this.#period) return;
    for (let i = 0; i < this.#counters.length; i++) this.#counters[i] >>>= 1;
    this.#added >>>= 1;
  }
}

/** `windowPart`: share of new entries, at the start if it climbs. */
export class WTinyLfu implements Contestant {
  readonly #lists: Lists;
  readonly #sketch: Sketch;
  readonly #capacity: number;
  readonly #climbs: boolean;
  #window: number;
  #protected: number;
  #luck = 1;
  // the climb
  #hits = 0;
  #misses = 0;
  #previous = 0;
  #step: number;

  constructor(keys: number, capacity: number, windowPart: number, climbs: boolean) {
    this.#lists = new Lists(keys, 3);
    this.#sketch = new Sketch(capacity);
    this.#capacity = capacity;
    this.#climbs = climbs;
    this.#window = Math.max(1, Math.floor(capacity * windowPart));
    this.#protected = Math.floor((capacity - this.#window) * 0.8);
    this.#step = capacity * 0.0625;
  }

  get(id: number): boolean {
    const lists = this.#lists;
    const list = lists.of(id);
    if (list === 0) return false;
    this.#sketch.add(id);
    if (list === WINDOW) lists.move(id, WINDOW);
    else {
      lists.move(id, PROTECTED);
      this.#demote();
    }
    this.#hits++;
    this.#climb();
    return true;
  }

  set(id: number): void {
    const lists = this.#lists;
    this.#sketch.add(id);
    lists.push(id, WINDOW);
    this.#shrink();
    this.#misses++;
    this.#climb();
  }

  /** What the window has too much of competes with the least used of the rest. */
  #shrink(): void {
    const lists = this.#lists;
    while (lists.size(WINDOW) > this.#window) {
      const candidate = lists.tail(WINDOW);
      const full = lists.size(WINDOW) + lists.size(PROBATION) + lists.size(PROTECTED) > this.#capacity;
      const victim = lists.size(PROBATION) > 0 ? lists.tail(PROBATION) : lists.tail(PROTECTED);
      if (full && victim >= 0 && !this.#wins(candidate, victim)) {
        lists.remove(candidate);
        continue;
      }
      if (full) lists.remove(victim < 0 ? candidate : victim);
      if (victim >= 0 || !full) lists.move(candidate, PROBATION);
    }
  }

  #wins(candidate: number, victim: number): boolean {
    const frequency = this.#sketch.frequency(candidate);
    if (frequency > this.#sketch.frequency(victim)) return true;
    if (frequency < WARM) return false;
    this.#luck = scramble(this.#luck + 1);
    return this.#luck % LUCK === 0;
  }

  #demote(): void {
    const lists = this.#lists;
    while (lists.size(PROTECTED) > this.#protected) lists.move(lists.tail(PROTECTED), PROBATION);
  }

  /** After each ten capacities of requests: on if the hit ratio rose, back if it fell; by smaller steps until it changes much. */
  #climb(): void {
    const requests = this.#hits + this.#misses;
    if (!this.#climbs || requests < 10 * this.#capacity) return;
    const ratio = this.#hits / requests;
    const change = ratio - this.#previous;
    const amount = change >= 0 ? this.#step : -this.#step;
    this.#step = Math.abs(change) >= 0.05 ? 0.0625 * this.#capacity * (amount >= 0 ? 1 : -1) : 0.98 * amount;
    this.#previous = ratio;
    this.#hits = this.#misses = 0;
    const window = Math.round(Math.min(this.#capacity * 0.8, Math.max(1, this.#window + amount)));
    this.#resize(window);
  }

  #resize(window: number): void {
    const lists = this.#lists;
    this.#window = window;
    this.#protected = Math.floor((this.#capacity - window) * 0.8);
    this.#demote();
    while (lists.size(WINDOW) < window) {
      const from = lists.size(PROBATION) > 0 ? PROBATION : PROTECTED;
      if (lists.size(from) === 0) break;
      lists.move(lists.tail(from), WINDOW);
    }
    while (lists.size(WINDOW) > window) lists.move(lists.tail(WINDOW), PROBATION);
  }
}
