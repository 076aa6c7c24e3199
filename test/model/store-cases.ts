// The cases of the store model: small programs, each the smallest that meets one situation, and some larger mixtures.
import {
  close,
  count,
  del,
  get,
  grow,
  hit,
  inc,
  large,
  type StoreCase,
  set,
  upd,
  wide,
} from './store-model.ts';

export interface SizedCase extends StoreCase {
  /** Runs with MODEL=all only. */
  long?: boolean;
}

const one = [[0, 1]] as const;
const two = [
  [0, 1],
  [1, 2],
] as const;

export const CASES: readonly SizedCase[] = [
  // -- Reads and small writes.
  {
    name: 'a key is set twice and read',
    programs: [
      [set(0, 3), set(0, 4)],
      [get(0), get(0)],
    ],
    init: one,
  },
  {
    name: 'a key is deleted and set again in the same chunk',
    programs: [[del(0), set(0, 3)], [get(0)], [get(0)]],
    chunks: 1,
    init: one,
  },
  {
    name: "another key takes a key's old chunk",
    programs: [
      [set(0, 3), set(1, 4)],
      [get(0), get(1)],
    ],
    init: one,
  },
  {
    name: 'a key is evicted and set again',
    programs: [
      [set(1, 4), set(0, 3)],
      [get(0), get(1)],
    ],
    chunks: 1,
    init: one,
  },
  { name: 'two writers and a reader', programs: [[set(0, 3)], [set(0, 4), del(0)], [get(0)]], init: one },
  { name: 'a neighbour is deleted', programs: [[del(0), set(0, 3)], [get(1)]], init: two },
  { name: 'four threads, one key', programs: [[set(0, 3)], [del(0)], [get(0)], [get(0)]], init: one },
  {
    name: 'two writers make room',
    programs: [[set(0, 3), set(1, 4)], [set(1, 5), set(0, 6)], [get(0)]],
    init: one,
  },
  // -- Numbers and updates.
  { name: 'increments and updates', programs: [[inc(0), inc(0)], [upd(0)], [upd(0)]], chunks: 3, init: one },
  {
    name: 'increments, an update and a reader',
    programs: [[inc(0)], [upd(0)], [count(0), count(0)]],
    chunks: 3,
    init: one,
  },
  {
    name: 'an update, a delete and an increment',
    programs: [[upd(0)], [del(0)], [inc(0)]],
    chunks: 3,
    init: one,
  },
  {
    name: 'an update, and its key is evicted',
    programs: [[upd(0)], [set(1, 4)], [inc(0)]],
    chunks: 1,
    init: one,
  },
  // -- Splits.
  { name: 'three splits and readers', programs: [[grow, grow, grow], [get(1), get(1)], [get(0)]], init: two },
  {
    name: 'a split, a writer and a reader',
    programs: [[grow], [set(1, 4), del(1)], [get(1)]],
    chunks: 3,
    init: two,
  },
  { name: 'two split at once', programs: [[grow], [grow], [get(1)]], init: two },
  // -- Large values.
  {
    name: 'a large value comes and goes',
    programs: [[large(0, 3), set(0, 4), large(0, 5)], [get(0)]],
    chunks: 4,
    init: one,
  },
  { name: 'two large values of one key', programs: [[large(0, 3)], [large(0, 4)], [get(0)]], chunks: 4 },
  {
    name: 'large and small values, little room',
    programs: [[large(0, 3)], [set(1, 4), set(0, 5)], [get(0)]],
    chunks: 3,
    init: one,
  },
  {
    name: 'a large value needs all the room',
    programs: [
      [large(0, 3), large(1, 4)],
      [get(0), get(1)],
    ],
    init: one,
  },
  // -- Pages that change class.
  { name: 'two small chunks become a wide one', programs: [[wide(0, 4)], [hit(1)], [get(0)]], init: two },
  {
    name: 'a wide chunk becomes two small ones',
    programs: [
      [set(1, 5), set(0, 6), wide(1, 7)],
      [hit(1), get(0)],
    ],
    init: one,
  },
  {
    name: 'small, wide and large in one page',
    programs: [[wide(0, 4), large(1, 5)], [hit(1), get(0)], [set(0, 6)]],
    init: two,
  },
  {
    name: 'a chunk is taken by a second key, and read with bumps',
    programs: [[set(1, 4), upd(1)], [hit(0)], [upd(1)]],
    chunks: 1,
    init: one,
  },
  {
    name: 'a writer of a wide value dies',
    programs: [[wide(0, 4)], [set(1, 5), get(0)], [hit(1)]],
    mortal: [1],
    init: two,
  },
  // -- Deaths.
  {
    name: 'a writer dies',
    programs: [[set(0, 3), set(1, 4)], [set(0, 5), get(0)], [get(0)]],
    mortal: [1],
    init: one,
  },
  {
    name: 'a writer who evicts dies',
    programs: [[set(1, 4)], [set(0, 3), get(0)]],
    chunks: 1,
    mortal: [1],
    init: one,
  },
  {
    name: 'a thread dies in an increment',
    programs: [[inc(0)], [upd(0)], [inc(0)]],
    chunks: 3,
    mortal: [1],
    init: one,
  },
  { name: 'a reader dies', programs: [[get(0)], [set(0, 3), set(0, 4)]], mortal: [1], init: one },
  {
    name: 'a thread dies in a split',
    programs: [[grow], [set(1, 4), get(1)], [get(1)]],
    chunks: 3,
    mortal: [1],
    init: two,
  },
  {
    name: 'a filler dies, and its pieces are needed',
    programs: [[large(0, 3)], [set(1, 4), get(1)]],
    mortal: [1],
    init: one,
  },
  {
    name: 'a filler dies, and another comes',
    programs: [[large(0, 3)], [large(0, 4), get(0)], [get(0)]],
    chunks: 4,
    mortal: [1],
    init: one,
  },
  {
    name: 'two fillers die',
    programs: [[large(0, 3)], [large(0, 4)], [set(1, 5)]],
    chunks: 3,
    mortal: [1, 2],
    init: one,
  },
  // -- Drops.
  {
    name: 'a drop while a filler lives',
    programs: [[set(1, 4)], [large(0, 3)], [set(0, 5), get(0)]],
    chunks: 3,
    mortal: [1],
    init: one,
  },
  {
    name: 'a drop while a filler lives and dies',
    programs: [[set(1, 4)], [set(0, 5)], [large(0, 3)]],
    mortal: [1, 3],
    init: one,
  },
  {
    name: 'the dropper dies',
    programs: [[set(0, 3)], [set(0, 4)], [set(0, 5), get(0)]],
    mortal: [1, 2],
    init: one,
  },
  {
    name: 'a drop, and a reader of a bucket that is no more',
    programs: [[set(0, 3)], [set(0, 4)], [get(1)]],
    mortal: [1],
    buckets: 2,
    init: two,
  },
  {
    name: 'a drop, then the index grows again',
    programs: [[set(0, 3)], [set(0, 4), grow], [get(1)]],
    mortal: [1],
    buckets: 2,
    init: two,
  },
  {
    name: 'a drop, and an update from before it',
    programs: [[set(0, 3)], [upd(0)], [set(0, 5)]],
    mortal: [1],
    init: one,
  },
  // -- Larger mixtures.
  {
    name: 'three threads make room',
    programs: [
      [set(0, 3), del(1)],
      [set(1, 4), set(0, 5)],
      [get(0), get(1)],
    ],
    init: one,
  },
  {
    name: 'a split, a large value, and a death',
    programs: [[grow, grow], [large(1, 3)], [get(1)]],
    chunks: 4,
    mortal: [1],
    init: two,
  },
  {
    name: 'a wide value, a large one, two deaths',
    programs: [[large(0, 3)], [wide(1, 4)], [hit(0)]],
    chunks: 3,
    mortal: [1, 2],
    init: one,
  },
  {
    name: 'numbers, and two deaths',
    programs: [[inc(0), inc(0)], [upd(0)], [inc(0)]],
    chunks: 3,
    mortal: [1, 3],
    init: one,
  },
  {
    name: 'everybody may die',
    programs: [[set(0, 3)], [large(0, 4)], [del(0), set(0, 5)]],
    chunks: 3,
    mortal: [1, 2, 3],
    init: one,
  },
  {
    name: 'four threads and a death',
    programs: [[set(0, 3)], [set(0, 4)], [get(0)], [get(1)]],
    mortal: [1],
    init: two,
    long: true,
  },
  {
    name: 'four threads, two splits',
    programs: [[grow, grow], [set(1, 4)], [get(1)], [get(1)]],
    chunks: 3,
    init: two,
    long: true,
  },
  {
    name: 'four threads, large, small, and a death',
    programs: [[set(0, 3)], [large(0, 4)], [get(0)], [hit(1)]],
    chunks: 4,
    mortal: [1],
    init: two,
    long: true,
  },
  {
    name: 'two fillers, a writer, all may die, and a reader',
    programs: [[large(0, 3)], [large(1, 4)], [set(0, 5)], [get(0)]],
    chunks: 3,
    mortal: [1, 2, 3],
    init: one,
    long: true,
  },
  {
    name: 'a split in a drop in a split',
    programs: [
      [grow, grow],
      [set(1, 4), grow],
      [get(1), get(0)],
    ],
    chunks: 3,
    mortal: [1, 2],
    init: two,
    long: true,
  },
  // -- The close.
  {
    name: 'a close, a writer and a reader',
    programs: [[close], [set(0, 3), get(0)], [get(0), get(0)]],
    init: one,
  },
  { name: 'a close during a split', programs: [[close], [grow], [get(1), get(1)]], init: two },
  {
    name: 'a close while a large value is filled',
    programs: [[close], [large(0, 3)], [set(1, 4), get(0)]],
    chunks: 3,
    init: one,
  },
  {
    name: 'a close, and an update and an increment',
    programs: [[close], [upd(0)], [inc(0)]],
    chunks: 3,
    init: one,
  },
  {
    name: 'a close and a drop',
    programs: [[set(0, 3)], [close, get(0)], [set(0, 4), get(0)]],
    mortal: [1],
    init: one,
  },
  {
    name: 'a close, and a writer and a filler die',
    programs: [[close], [set(0, 3), get(0)], [large(1, 4)]],
    chunks: 3,
    mortal: [2, 3],
    init: one,
  },
];
