// Doubly linked lists over key numbers, for policies that count entries. A key stands in one list at most.

/** Lists are numbered from 1; 0 means: in none. */
export class Lists {
  readonly #keys: number;
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #list: Uint8Array;
  readonly #sizes: number[];

  constructor(keys: number, lists: number) {
    this.#keys = keys;
    this.#newer = new Int32Array(keys + lists + 1);
    this.#older = new Int32Array(keys + lists + 1);
    this.#list = new Uint8Array(keys);
    this.#sizes = new Array<number>(lists + 1).fill(0);
    for (let list = 1; list <= lists; list++)
      this.#newer[keys + list] = this.#older[keys + list] = keys + list;
  }

  of(id: number): number {
    return this.#list[id];
  }

  size(list: number): number {
    return this.#sizes[list];
  }

  /** Oldest of a list, -1: it is empty. */
  tail(list: number): number {
    return this.#key(this.#newer[this.#keys + list]);
  }

  /** The next newer key of the same list, -1: there is none. */
  newer(id: number): number {
    return this.#key(this.#newer[id]);
  }

  /** As the newest of `list`; the key is in none. */
  push(id: number, list: number): void {
    const head = this.#keys + list;
    const newest = this.#older[head];
    this.#older[id] = newest;
    this.#newer[id] = head;
    this.#newer[newest] = id;
    this.#older[head] = id;
    this.#list[id] = list;
    this.#sizes[list]++;
  }

  remove(id: number): void {
    this.#newer[this.#older[id]] = this.#newer[id];
    this.#older[this.#newer[id]] = this.#older[id];
    this.#sizes[this.#list[id]]--;
    this.#list[id] = 0;
  }

  /** As the newest of `list`; the key is in one. */
  move(id: number, list: number): void {
    this.remove(id);
    this.push(id, list);
  }

  /** Takes the oldest out; -1: the list is empty. */
  pop(list: number): number {
    const id = this.tail(list);
    if (id >= 0) this.remove(id);
    return id;
  }

  #key(id: number): number {
    return id < this.#keys ? id : -1;
  }
}
