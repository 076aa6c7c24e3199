// The explorer: visits every state that a model can reach, breadth first, so that the steps it prints for a failure are
// a shortest way there.
//
// A model keeps its whole state in one small array of bytes and acts on it in place; the explorer copies states in and
// out, and keeps each once, in one growing arena with a hash table of indices beside it. Named words of a state are
// declared by `record`, so that steps read `t.word = chunk.word`, not offsets.
//
// Besides what a model itself checks, one property is checked here: from every state an end can be reached without
// another death. So a deadlock, a lost wake-up and a loop without an exit all count as failures.

/** A promise of the protocol is broken in the state at hand. */
export class Violation extends Error {}

export function fail(message: string): never {
  throw new Violation(message);
}

export interface Model {
  /** The state that the steps work on, a multiple of four bytes. The explorer starts from what it holds. */
  readonly state: Uint8Array;
  /** Threads are 1 to `threads`. */
  readonly threads: number;
  /** Whether the thread lives and has steps left. */
  isOpen(thread: number): boolean;
  mayDie(thread: number): boolean;
  die(thread: number): void;
  /** Does one step; false when the thread has to wait (the state is not used then). Throws on a violation. */
  step(thread: number): boolean;
  /** What the thread's next step is called. */
  label(thread: number): string;
  /** Called where no thread is open. Throws on a violation. */
  checkEnd(): void;
}

export interface Outcome {
  states: number;
  ends: number;
  failure: string | null;
  /** The steps that lead to the failure. */
  steps: string[];
}

export type Words<N extends string> = { [K in N]: number };

export interface RecordType<N extends string> {
  readonly size: number;
  /** The record that stands at `offset` of `state`: each word is one byte there. */
  over(state: Uint8Array, offset: number): Words<N>;
}

/** A record of one-byte words, in this order. */
export function record<const N extends string>(names: readonly N[]): RecordType<N> {
  class View {
    readonly $bytes: Uint8Array; // the sign keeps them apart from a record's words
    readonly $start: number;
    constructor(bytes: Uint8Array, start: number) {
      this.$bytes = bytes;
      this.$start = start;
    }
  }
  names.forEach((name, index) => {
    Object.defineProperty(View.prototype, name, {
      get(this: View) {
        return this.$bytes[this.$start + index];
      },
      set(this: View, value: number) {
        this.$bytes[this.$start + index] = value;
      },
    });
  });
  return { size: names.length, over: (state, offset) => new View(state, offset) as unknown as Words<N> };
}

/** An array of numbers that grows. */
class Numbers {
  items = new Int32Array(4096);
  length = 0;
  push(value: number): void {
    if (this.length === this.items.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.items);
      this.items = larger;
    }
    this.items[this.length++] = value;
  }
}

/** Every state seen, by number. */
class States {
  count = 0;
  readonly #width: number;
  #arena: Int32Array;
  #hashes = new Numbers();
  #table = new Int32Array(1 << 14).fill(-1);

  constructor(width: number) {
    this.#width = width;
    this.#arena = new Int32Array(width * 4096);
  }

  read(id: number, into: Int32Array): void {
    const from = id * this.#width;
    for (let i = 0; i < this.#width; i++) into[i] = this.#arena[from + i];
  }

  /** The number of the state; it is `count` before the call if the state is new. */
  add(state: Int32Array): number {
    const width = this.#width;
    let hash = 0x2545f491;
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ state[i], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let place = hash & (this.#table.length - 1);
    for (let id = this.#table[place]; id >= 0; id = this.#table[place]) {
      if (this.#hashes.items[id] === hash && this.#equals(id, state)) return id;
      place = (place + 1) & (this.#table.length - 1);
    }
    if ((this.count + 1) * width > this.#arena.length) {
      const larger = new Int32Array(this.#arena.length * 2);
      larger.set(this.#arena);
      this.#arena = larger;
    }
    this.#arena.set(state, this.count * width);
    this.#hashes.push(hash);
    this.#table[place] = this.count++;
    if (this.count * 2 > this.#table.length) this.#rehash();
    return this.count - 1;
  }

  #equals(id: number, state: Int32Array): boolean {
    const from = id * this.#width;
    for (let i = 0; i < this.#width; i++) if (this.#arena[from + i] !== state[i]) return false;
    return true;
  }

  #rehash(): void {
    this.#table = new Int32Array(this.#table.length * 2).fill(-1);
    const mask = this.#table.length - 1;
    for (let id = 0; id < this.count; id++) {
      let place = this.#hashes.items[id] & mask;
      while (this.#table[place] >= 0) place = (place + 1) & mask;
      this.#table[place] = id;
    }
  }
}

/** A move is the thread's number times two, plus one when it dies. */
const isDeath = (move: number): boolean => (move & 1) === 1;

/** Visits all states that can be reached from the model's present one; stops at the first violation. */
export function explore(model: Model): Outcome {
  const now = new Int32Array(model.state.buffer, model.state.byteOffset, model.state.byteLength / 4);
  const states = new States(now.length);
  const cameFrom = new Numbers();
  const cameBy = new Numbers();
  const edges = { from: new Numbers(), to: new Numbers() };
  const ends: number[] = [];

  const labelOf = (move: number): string =>
    `${move >> 1}: ${isDeath(move) ? 'dies before ' : ''}${model.label(move >> 1)}`;
  const stepsTo = (id: number): string[] => {
    const steps: string[] = [];
    for (let at = id; cameFrom.items[at] >= 0; at = cameFrom.items[at]) {
      states.read(cameFrom.items[at], now);
      steps.unshift(labelOf(cameBy.items[at]));
    }
    return steps;
  };
  const failed = (error: unknown, id: number, last: string): Outcome => ({
    states: states.count,
    ends: ends.length,
    failure: error instanceof Violation ? error.message : String((error as Error).stack),
    steps: [...stepsTo(id), last],
  });
  const visit = (parent: number, move: number): void => {
    const before = states.count;
    const id = states.add(now);
    if (id === before) {
      cameFrom.push(parent);
      cameBy.push(move);
    }
    if (parent >= 0 && !isDeath(move)) {
      edges.from.push(parent);
      edges.to.push(id);
    }
  };

  visit(-1, 0);
  for (let id = 0; id < states.count; id++) {
    let open = false;
    for (let thread = 1; thread <= model.threads; thread++) {
      states.read(id, now);
      if (!model.isOpen(thread)) continue;
      open = true;
      try {
        if (model.step(thread)) visit(id, thread * 2);
      } catch (error) {
        states.read(id, now);
        return failed(error, id, labelOf(thread * 2));
      }
      if (!model.mayDie(thread)) continue;
      states.read(id, now);
      model.die(thread);
      visit(id, thread * 2 + 1);
    }
    if (open) continue;
    ends.push(id);
    try {
      model.checkEnd();
    } catch (error) {
      return failed(error, id, 'the end');
    }
  }
  const stuck = firstWithoutEnd(states.count, edges, ends);
  if (stuck < 0) return { states: states.count, ends: ends.length, failure: null, steps: [] };
  return failed(new Violation('somebody is stuck: no end can be reached'), stuck, 'and so on, for ever');
}

/** The first state from which no end can be reached, -1 if there is none. */
function firstWithoutEnd(count: number, edges: { from: Numbers; to: Numbers }, ends: number[]): number {
  const last = new Int32Array(count).fill(-1); // of the edges into a state; `before` chains them
  const before = new Int32Array(edges.to.length);
  for (let i = 0; i < edges.to.length; i++) {
    before[i] = last[edges.to.items[i]];
    last[edges.to.items[i]] = i;
  }
  const ending = new Uint8Array(count);
  const queue = [...ends];
  for (const id of queue) ending[id] = 1;
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (let i = last[id]; i >= 0; i = before[i]) {
      const from = edges.from.items[i];
      if (ending[from]) continue;
      ending[from] = 1;
      queue.push(from);
    }
  }
  return ending.indexOf(0);
}

/** The steps of a failure, one a line. */
export function trace(outcome: Outcome): string {
  return [`${outcome.failure}, after`, ...outcome.steps.map((step, i) => `  ${i + 1}. thread ${step}`)].join(
    '\n',
  );
}
