// The store model's memory: one shard, small enough that every state of it can be visited. Field names are those of
// the engine where it has the same field. Words that only the oracles know are called ghosts: no step may decide by one.
//
//   shard      two locks, commit word, index state, lists
//   buckets    BUCKETS of SLOTS slots; a slot names the chunk of an entry, or NONE
//   chunks     version word, key, two words of value, link. Chunks 0 and 1 are one page: together they can be one
//              wide entry, and then every word of chunk 1 is payload
//   threads    the registers of each thread, which no other thread sees
import { fail, record, type Words } from './search.ts';

export const NONE = 0xff;
/** In an entry's link: the value goes on in the next chunk. */
export const WIDE = 0xfe;
export const KEYS = 2;
export const BUCKETS = 4;
export const SLOTS = 2;
/** Chunks 0 and 1, as bits. */
export const PAGE = 0b11;
/** Key 0 stays in bucket 0; key 1 moves when bucket 1 comes, and again when bucket 3 comes. */
const HASH = [0, 3];

const SHARD = record([
  'lock', // owner of the shard's lock, 0: free
  'large', // owner of the large-value lock, 0: free
  'commit', // 1 while a commit is open
  'index', // index state: epoch, `closed`, bucket count, `splitting`
  'free', // set of free chunks, a bit each (the engine keeps a list a page)
  'dead', // first chain to be freed: chains are linked by the `below` of their heads
  'filling', // first piece of the value that is being filled: pieces are linked by `link`
  'version', // the next version
  'alive', // bit n: thread n lives
  'drops', // ghost: how often the shard was dropped
  'closed', // ghost: the owner's close is done
]);
const CHUNK = record([
  'word', // version and, in the lowest bit, frequency
  'key',
  'first', // the value's first word; a number is this word alone
  'last', // the value's last word (of a large value: in its last piece); torn when the two differ
  'link', // next piece, WIDE, or NONE
  'below', // next chain on `dead`
]);
const THREAD = record([
  'at', // the next step
  'op', // operation of the thread's program
  'begun', // the operation did its first step
  'late', // ghost: it began after the close
  'seen', // ghost: what its key held since it began to read, a bit a value; 0: it does not read
  'goOn', // step that follows when the lock is had
  'room', // step that follows when there is room
  'back', // step that follows a freeing commit
  'store', // next store of the open commit
  'owner', // dead owner of the lock that is being taken over
  'dropper', // 1: holds the large-value lock only to drop the shard
  'noted', // a reader's: index state
  'drops', // ghost: drops when it was noted
  'place', // which of the places where the key may stand
  'chunk', // the chunk that is read or published
  'word', // its version word, as noted
  'other', // 1: the chunk is of another key
  'a', // first word of the value
  'middle', // the next piece's first word
  'b', // last word
  'link',
  'fails', // failed reads
  'read', // an update's: the value that it read
  'token', // and its version
  'old', // looked up under the lock: the key's chunk
  'slot', // and the slot that the key has or gets
  'victim', // slot to be evicted
  'to', // slot that a split moves to
  'head', // a filler's: first piece
  'tail', // and last
]);
export type Shard = Words<
  | 'lock'
  | 'large'
  | 'commit'
  | 'index'
  | 'free'
  | 'dead'
  | 'filling'
  | 'version'
  | 'alive'
  | 'drops'
  | 'closed'
>;
export type Chunk = ReturnType<typeof CHUNK.over>;
export type Thread = ReturnType<typeof THREAD.over>;

// ---- Index state: one word.
export const indexState = (epoch: number, closed: number, count: number, splitting: number): number =>
  (epoch << 5) | (closed << 4) | (count << 1) | splitting;
export const SPLITTING = 1;
export const CLOSED = 1 << 4;
export const epochOf = (index: number): number => index >> 5;
export const countOf = (index: number): number => (index >> 1) & 7;
/** The bucket that is split into itself and bucket `count - 1`. */
export const oldBucket = (count: number): number => count - 1 - 2 ** (31 - Math.clz32(count - 1));
/** Linear hashing: the key's bucket among `count`. */
export function bucketOf(key: number, count: number): number {
  let size = 1;
  while (size < count) size *= 2;
  const bucket = HASH[key] & (size - 1);
  return bucket < count ? bucket : bucket & (size / 2 - 1);
}
const slotsOf = (bucket: number): number[] => Array.from({ length: SLOTS }, (_, i) => bucket * SLOTS + i);
/** By count, `splitting` and key: the slots where the key may stand, in the order of a reader. */
const PLACES = Array.from({ length: BUCKETS + 1 }, (_, count) =>
  [0, 1].map((splitting) =>
    Array.from({ length: KEYS }, (_, key) => {
      if (count === 0) return [];
      const bucket = bucketOf(key, count);
      const split = splitting === 1 && bucket === count - 1 && count > 1;
      return (split ? [oldBucket(count), bucket] : [bucket]).flatMap(slotsOf);
    }),
  ),
);
const REVERSED = PLACES.map((bySplit) => bySplit.map((byKey) => byKey.map((places) => places.toReversed())));

export interface Op {
  kind: 'set' | 'wide' | 'large' | 'del' | 'inc' | 'upd' | 'get' | 'grow' | 'close' | 'tidy';
  key: number;
  value: number;
  /** The value is a number: one word. */
  number?: boolean;
  /** A hit raises the frequency. */
  bump?: boolean;
}

export interface StoreOptions {
  programs: readonly (readonly Op[])[];
  chunks: number;
  /** The planted bug, '' for none. */
  bug: string;
  /** Commits are cut at every store; else each is one step. */
  cut: boolean;
  /** Failed reads before a reader takes the lock. */
  tries: number;
}

export class Store {
  readonly state: Uint8Array;
  readonly shard: Shard;
  readonly slots: Uint8Array;
  readonly chunks: readonly Chunk[];
  /** Ghost: what each key holds now, 0: nothing. */
  readonly now: Uint8Array;
  /** Threads from 1 on. Behind them stands a last caller, whose registers are no part of the state. */
  readonly threads: readonly Thread[];
  readonly options: StoreOptions;
  readonly bug: string;

  constructor(options: StoreOptions) {
    this.options = options;
    this.bug = options.bug;
    const count = options.programs.length;
    const fixed = SHARD.size + BUCKETS * SLOTS + KEYS;
    const size = fixed + options.chunks * CHUNK.size + count * THREAD.size;
    this.state = new Uint8Array((size + 3) & ~3);
    this.shard = SHARD.over(this.state, 0);
    this.slots = this.state.subarray(SHARD.size, SHARD.size + BUCKETS * SLOTS).fill(NONE);
    this.now = this.state.subarray(SHARD.size + BUCKETS * SLOTS, fixed);
    this.chunks = Array.from({ length: options.chunks }, (_, i) =>
      CHUNK.over(this.state, fixed + i * CHUNK.size),
    );
    const threadsAt = fixed + options.chunks * CHUNK.size;
    this.threads = Array.from({ length: count + 2 }, (_, i) =>
      i >= 1 && i <= count
        ? THREAD.over(this.state, threadsAt + (i - 1) * THREAD.size)
        : THREAD.over(new Uint8Array(THREAD.size), 0),
    );
    const { shard } = this;
    shard.free = (1 << options.chunks) - 1;
    shard.dead = shard.filling = NONE;
    shard.version = 1;
    shard.alive = (1 << (count + 2)) - 1;
    for (const chunk of this.chunks) chunk.key = chunk.link = chunk.below = NONE;
  }

  op(me: number): Op {
    return this.options.programs[me - 1]?.[this.threads[me].op] ?? { kind: 'tidy', key: 0, value: 0 };
  }

  isAlive(owner: number): boolean {
    return (this.shard.alive & (1 << owner)) !== 0;
  }

  /** The owner of the shard's lock died inside a commit: the shard has to be dropped. */
  isBroken(): boolean {
    return this.shard.commit === 1 && this.shard.lock !== 0 && !this.isAlive(this.shard.lock);
  }

  // ---- Lookup.
  places(index: number, key: number): readonly number[] {
    return (this.bug === 'new-then-old' ? REVERSED : PLACES)[countOf(index)][index & SPLITTING][key];
  }

  /** The slot of the key, NONE if it has none. Under the lock, where no split is open. */
  findSlot(key: number): number {
    for (const slot of PLACES[countOf(this.shard.index)][0][key]) {
      if (this.slots[slot] !== NONE && this.chunks[this.slots[slot]].key === key) return slot;
    }
    return NONE;
  }

  /** Notes the key's chunk, and the slot that it has or gets. Under the lock. */
  look(t: Thread, key: number): void {
    const slot = this.findSlot(key);
    t.old = slot === NONE ? NONE : this.slots[slot];
    const places = PLACES[countOf(this.shard.index)][0][key];
    t.slot = slot === NONE ? (places.find((place) => this.slots[place] === NONE) ?? NONE) : slot;
  }

  // ---- Chunks.
  lowestFree(): number {
    return this.shard.free === 0 ? NONE : 31 - Math.clz32(this.shard.free & -this.shard.free);
  }

  /** The chunks of an entry or of a chain, as bits. */
  chunksOf(head: number): number {
    let set = 0;
    for (let c = head; c !== NONE; ) {
      if (set & (1 << c)) fail('a chain goes in a circle');
      set |= 1 << c;
      const { link } = this.chunks[c];
      if (link === WIDE) return set | (1 << (c + 1));
      c = link;
    }
    return set;
  }

  /** Onto the free list; what was the link of an entry is now one of that list. */
  freeChunk(c: number): void {
    if (this.shard.free & (1 << c)) fail(`chunk ${c} is freed twice`);
    this.chunks[c].link = this.lowestFree();
    this.shard.free |= 1 << c;
  }

  /** An entry's chunks go back: a chain whole onto `dead`, the others to the free ones. */
  giveBack(c: number): void {
    if (this.shard.free & (1 << c)) fail(`chunk ${c} is freed twice`);
    const { link } = this.chunks[c];
    if (link !== NONE && link !== WIDE) this.chainDies(c);
    else this.freeChunk(c);
    if (link === WIDE) this.freeChunk(c + 1);
  }

  chainDies(head: number): void {
    this.chunks[head].below = this.shard.dead;
    this.shard.dead = head;
  }

  /** The first slot whose entry has a chunk among `set`, NONE if none has. */
  victim(set: number): number {
    for (let slot = 0; slot < countOf(this.shard.index) * SLOTS; slot++) {
      if (this.slots[slot] !== NONE && this.chunksOf(this.slots[slot]) & set) return slot;
    }
    return NONE;
  }

  // ---- Oracles.
  /** Ghost: from now on the key holds this; who reads it meanwhile may return it. */
  hold(key: number, value: number): void {
    this.now[key] = value;
    for (let i = 1; i < this.threads.length; i++) {
      const t = this.threads[i];
      if (t.seen !== 0 && this.op(i).key === key) t.seen |= 1 << value;
    }
  }

  /** Every chunk stands exactly once: free, on `dead`, on `filling`, or in an entry. Holds wherever no commit is open. */
  account(): void {
    const { shard } = this;
    let all = shard.free;
    const add = (head: number): void => {
      const set = this.chunksOf(head);
      if (all & set) fail(`a chunk of ${names(set)} stands twice`);
      all |= set;
    };
    for (let head = shard.dead; head !== NONE; head = this.chunks[head].below) add(head);
    if (shard.filling !== NONE) add(shard.filling);
    for (let slot = 0; slot < countOf(shard.index) * SLOTS; slot++) {
      if (this.slots[slot] !== NONE) add(this.slots[slot]);
    }
    const lost = ((1 << this.chunks.length) - 1) & ~all;
    if (lost) fail(`chunk ${names(lost)} is lost`);
  }
}

const names = (set: number): string => [0, 1, 2, 3].filter((c) => set & (1 << c)).join(' and ');
