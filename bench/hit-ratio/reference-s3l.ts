// S3L in exact bytes: the store's eviction policy without pages, classes or index growth. What the store would reach
// if it wasted nothing; it is no upper bound, since any rule that evicts large values sooner gains objects.
//
// Two queues, S (new) and M (proven), and ghosts of what was evicted. Every size is in bytes, and one tick of a clock
// is a 32nd of the capacity. A hit only raises the frequency, to 3 at most.

import { METADATA_BYTES } from './reference-lru.ts';
import { type Contestant, entryBytes, LARGEST_PART, type Workload } from './traces.ts';

const S = 0;
const M = 1;
type Queue = typeof S | typeof M;

const TICKS = 32;
const TIME_MASK = 0x7ff;
const CLOCK_MASK = 0xff;
const MAX_STEPS = 16;
const GHOST_WORDS = 8;
const ENTRIES_A_BUCKET = 5;
const FIRST_BUCKETS = 64;

/** Scrambles 32 bits (MurmurHash3's finish). */
export function scramble(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

// ╒═══ Ghost word, 32 bits: fingerprint 12 (0: empty) │ origin 1 │ time of the last stamp 11 │ eviction clock 8 ═══╕
/** Ghost buckets by linear hashing, a bucket for each five entries; a split copies the bucket to both halves. */
class Ghosts {
  #words = new Uint32Array(FIRST_BUCKETS * GHOST_WORDS * 2);
  #buckets = FIRST_BUCKETS;
  #low = FIRST_BUCKETS;

  /** Index of the first word of the hash's bucket. */
  bucket(hash: number): number {
    const wide = (hash & (2 * this.#low - 1)) >>> 0;
    return (wide < this.#buckets ? wide : hash & (this.#low - 1)) * GHOST_WORDS;
  }

  growFor(entries: number): void {
    while (entries > ENTRIES_A_BUCKET * this.#buckets) {
      const from = (this.#buckets - this.#low) * GHOST_WORDS;
      const to = this.#buckets * GHOST_WORDS;
      if (to === this.#words.length) {
        const larger = new Uint32Array(2 * to);
        larger.set(this.#words);
        this.#words = larger;
      }
      this.#words.copyWithin(to, from, from + GHOST_WORDS);
      this.#buckets++;
      if (this.#buckets === 2 * this.#low) this.#low = this.#buckets;
    }
  }

  /** Takes the word with this fingerprint out of the bucket; 0: there is none. */
  take(bucket: number, fingerprint: number): number {
    for (let i = bucket; i < bucket + GHOST_WORDS; i++) {
      const word = this.#words[i];
      if (word >>> 20 !== fingerprint) continue;
      this.#words[i] = 0;
      return word;
    }
    return 0;
  }

  /** Puts a word into an empty place or over the one that `age` says is oldest. */
  put(bucket: number, word: number, age: (word: number) => number): void {
    let place = bucket;
    let oldest = -1;
    for (let i = bucket; i < bucket + GHOST_WORDS; i++) {
      const old = this.#words[i];
      const its = old === 0 ? Number.POSITIVE_INFINITY : age(old);
      if (its > oldest) {
        oldest = its;
        place = i;
      }
    }
    this.#words[place] = word;
  }
}

/** Replays on key numbers. */
export class S3lReference implements Contestant {
  readonly #capacity: number;
  readonly #tick: number;
  readonly #weight: Float64Array;
  readonly #largest: number;
  readonly #seed: number;
  readonly #ghosts = new Ghosts();
  readonly #age = (word: number): number => this.#ticksSince(word);

  readonly #present: Uint8Array;
  readonly #frequency: Uint8Array;
  readonly #queue: Uint8Array;
  readonly #stamp: Uint16Array;
  readonly #prev: Int32Array;
  readonly #next: Int32Array;

  /** First of the two lists' heads, which stand behind the entries. */
  readonly #heads: number;
  readonly #bytes = [0, 0];
  readonly #count = [0, 0];
  readonly #evicted = [0, 0];
  #missed = 0;
  #target: number;

  constructor(workload: Workload, capacity: number, seed: number) {
    const keys = workload.keys.length;
    this.#capacity = capacity;
    this.#tick = capacity / TICKS;
    this.#target = capacity * 0.05;
    this.#weight = entryBytes(workload).map((bytes) => bytes + METADATA_BYTES);
    this.#largest = capacity / LARGEST_PART + METADATA_BYTES;
    this.#seed = scramble(seed + 1);
    this.#present = new Uint8Array(keys);
    this.#frequency = new Uint8Array(keys);
    this.#queue = new Uint8Array(keys);
    this.#stamp = new Uint16Array(keys);
    this.#prev = new Int32Array(keys + 2);
    this.#next = new Int32Array(keys + 2);
    this.#heads = keys;
    for (const head of [keys + S, keys + M]) this.#prev[head] = this.#next[head] = head;
  }

  get(id: number): boolean {
    if (this.#present[id] === 0) return false;
    if (this.#frequency[id] < 3) this.#frequency[id]++;
    return true;
  }

  set(id: number): void {
    const weight = this.#weight[id];
    if (weight > this.#largest) return;
    this.#missed += weight;
    this.#ghosts.growFor(this.#count[S] + this.#count[M] + 1);
    const queue = this.#queueFor(id);
    while (this.#bytes[S] + this.#bytes[M] + weight > this.#capacity)
      this.#evict(this.#nextOut(queue, weight));
    this.#present[id] = 1;
    this.#frequency[id] = 0;
    this.#enter(id, queue);
    this.#fillM();
  }

  get #mCapacity(): number {
    return this.#capacity - this.#target;
  }

  get #now(): number {
    return Math.floor(this.#missed / this.#tick) & TIME_MASK;
  }

  #clock(queue: Queue): number {
    return Math.floor(this.#evicted[queue] / this.#tick) & CLOCK_MASK;
  }

  /** Ticks of its own queue's eviction clock since the ghost was written. */
  #ticksSince(word: number): number {
    return (this.#clock(((word >>> 19) & 1) as Queue) - word) & CLOCK_MASK;
  }

  #hash(id: number): number {
    return scramble(scramble(id + 1) ^ this.#seed);
  }

  #fingerprint(hash: number): number {
    return scramble(hash ^ this.#seed) >>> 20 || 1;
  }

  /** Asks the ghosts: a key that comes back sooner than M's victim was last of use goes to M. */
  #queueFor(id: number): Queue {
    const hash = this.#hash(id);
    const word = this.#ghosts.take(this.#ghosts.bucket(hash), this.#fingerprint(hash));
    if (word === 0) return S;
    const depth = this.#ticksSince(word) * this.#tick;
    if (depth > 2 * this.#capacity) return S;
    const used = this.#bytes[S] + this.#bytes[M];
    if (depth <= this.#capacity / 10) {
      const entries = this.#count[S] + this.#count[M];
      const step = entries === 0 ? 0 : (2 * used) / entries;
      const target = ((word >>> 19) & 1) === S ? this.#target + step : this.#target - step;
      this.#target = Math.min(this.#capacity * 0.8, Math.max(this.#capacity * 0.01, target));
    }
    const weight = this.#weight[id];
    if (used + weight <= this.#capacity || this.#bytes[M] + weight <= this.#mCapacity) return M;
    const reuse = (this.#now - (word >>> 8)) & TIME_MASK;
    const victim = this.#victim();
    return victim < 0 || ((this.#now - this.#stamp[victim]) & TIME_MASK) > reuse ? M : S;
  }

  /** M's clock hand: the entry it stops at, which stays where it is; -1: M is empty. */
  #victim(): number {
    for (let steps = 0; ; steps++) {
      const id = this.#tail(M);
      if (id < 0) return -1;
      if (this.#frequency[id] === 0 || steps === MAX_STEPS) return id;
      this.#frequency[id]--;
      this.#move(id, M);
    }
  }

  /** The entry that has to go next, after those before it had their second chance. */
  #nextOut(queue: Queue, weight: number): number {
    for (let rounds = 0; ; ) {
      const over = this.#bytes[M] + (queue === M ? weight : 0) > this.#mCapacity;
      if (this.#count[S] === 0 || (over && this.#count[M] > 0)) {
        const victim = this.#victim();
        return victim < 0 ? this.#tail(S) : victim;
      }
      const id = this.#tail(S);
      const frequency = this.#frequency[id];
      if (frequency === 0 || (frequency === 1 && rounds++ === MAX_STEPS)) return id;
      this.#frequency[id] = 0;
      this.#move(id, frequency === 1 ? S : M);
    }
  }

  #evict(id: number): void {
    const queue = this.#queue[id] as Queue;
    const hash = this.#hash(id);
    this.#evicted[queue] += this.#weight[id];
    const origin = (this.#fingerprint(hash) << 20) | (queue << 19);
    const word = origin | (this.#stamp[id] << 8) | this.#clock(queue);
    this.#ghosts.put(this.#ghosts.bucket(hash), word >>> 0, this.#age);
    this.#unlink(id);
    this.#present[id] = 0;
  }

  /** While M is below its share, what S has too much of goes there, not out. */
  #fillM(): void {
    while (this.#bytes[S] > this.#target && this.#count[S] > 1) {
      const id = this.#tail(S);
      if (this.#bytes[M] + this.#weight[id] > this.#mCapacity) break;
      this.#frequency[id] = Math.min(1, this.#frequency[id]);
      this.#unlink(id);
      this.#link(id, M);
    }
  }

  #tail(queue: Queue): number {
    const id = this.#prev[this.#heads + queue];
    return id < this.#heads ? id : -1;
  }

  #enter(id: number, queue: Queue): void {
    this.#stamp[id] = this.#now;
    this.#link(id, queue);
  }

  #move(id: number, queue: Queue): void {
    this.#unlink(id);
    this.#enter(id, queue);
  }

  #link(id: number, queue: Queue): void {
    const head = this.#heads + queue;
    const first = this.#next[head];
    this.#prev[id] = head;
    this.#next[id] = first;
    this.#prev[first] = id;
    this.#next[head] = id;
    this.#queue[id] = queue;
    this.#bytes[queue] += this.#weight[id];
    this.#count[queue]++;
  }

  #unlink(id: number): void {
    const queue = this.#queue[id];
    this.#next[this.#prev[id]] = this.#next[id];
    this.#prev[this.#next[id]] = this.#prev[id];
    this.#bytes[queue] -= this.#weight[id];
    this.#count[queue]--;
  }
}
