// ARC (Megiddo and Modha, FAST 2003) and CAR (Bansal and Modha, FAST 2004), in entries. For the comparison in `goal.ts`.

import type { Contestant } from '../traces.ts';
import { Lists } from './lists.ts';

/** Seen once, seen more often, and the ghosts of both. */
const T1 = 1;
const T2 = 2;
const B1 = 3;
const B2 = 4;

abstract class Adaptive implements Contestant {
  protected readonly lists: Lists;
  protected readonly capacity: number;
  /** Size wanted for T1. */
  protected wanted = 0;

  constructor(keys: number, capacity: number) {
    this.lists = new Lists(keys, 4);
    this.capacity = capacity;
  }

  abstract get(id: number): boolean;
  abstract set(id: number): void;

  protected adapt(list: number): void {
    const ones = this.lists.size(B1);
    const more = this.lists.size(B2);
    if (list === B1) this.wanted = Math.min(this.capacity, this.wanted + Math.max(1, more / ones));
    else this.wanted = Math.max(0, this.wanted - Math.max(1, ones / more));
  }
}

export class Arc extends Adaptive {
  get(id: number): boolean {
    const list = this.lists.of(id);
    if (list !== T1 && list !== T2) return false;
    this.lists.move(id, T2);
    return true;
  }

  set(id: number): void {
    const { lists, capacity } = this;
    const list = lists.of(id);
    if (list === B1 || list === B2) {
      this.adapt(list);
      this.#replace(list === B2);
      lists.move(id, T2);
      return;
    }
    const once = lists.size(T1) + lists.size(B1);
    const all = once + lists.size(T2) + lists.size(B2);
    if (once === capacity) {
      if (lists.size(T1) < capacity) {
        lists.pop(B1);
        this.#replace(false);
      } else lists.pop(T1);
    } else if (all >= capacity) {
      if (all === 2 * capacity) lists.pop(B2);
      this.#replace(false);
    }
    lists.push(id, T1);
  }

  #replace(ghostOfMore: boolean): void {
    const { lists, wanted } = this;
    const ones = lists.size(T1);
    if (ones > 0 && (ones > wanted || (ghostOfMore && ones === Math.floor(wanted))))
      lists.move(lists.tail(T1), B1);
    else if (lists.size(T2) > 0) lists.move(lists.tail(T2), B2);
    else lists.move(lists.tail(T1), B1);
  }
}

/** ARC with clocks in place of its two LRU lists. */
export class Car extends Adaptive {
  readonly #referenced: Uint8Array;

  constructor(keys: number, capacity: number) {
    super(keys, capacity);
    this.#referenced = new Uint8Array(keys);
  }

  get(id: number): boolean {
    const list = this.lists.of(id);
    if (list !== T1 && list !== T2) return false;
    this.#referenced[id] = 1;
    return true;
  }

  set(id: number): void {
    const { lists, capacity } = this;
    const list = lists.of(id);
    if (lists.size(T1) + lists.size(T2) === capacity) {
      this.#replace();
      if (list === 0) {
        if (lists.size(T1) + lists.size(B1) === capacity) lists.pop(B1);
        else if (lists.size(T1) + lists.size(T2) + lists.size(B1) + lists.size(B2) === 2 * capacity)
          lists.pop(B2);
      }
    }
    this.#referenced[id] = 0;
    if (list === 0) {
      lists.push(id, T1);
      return;
    }
    this.adapt(list);
    lists.move(id, T2);
  }

  #replace(): void {
    const { lists } = this;
    while (true) {
      const list = lists.size(T1) >= Math.max(1, this.wanted) || lists.size(T2) === 0 ? T1 : T2;
      const tail = lists.tail(list);
      if (!this.#referenced[tail]) {
        lists.move(tail, list === T1 ? B1 : B2);
        return;
      }
      this.#referenced[tail] = 0;
      lists.move(tail, T2);
    }
  }
}
