// The steps of the store model, by name, and those that every writer shares: the lock, its take-over, the drop, splits,
// making room.
//
// A step is one access to memory that others may read or write at that moment. Three kinds:
//   access   one such access, no commit.
//   search   reads only what the lock guards, so it goes along with the step before it (as a step of its own it adds
//            states and no outcome; `apart` in store-model.ts makes it one, to check just that).
//   commit   stores under the lock between `commit = 1` and `commit = 0`. One step, or cut: then each store is a step,
//            and so are the opening and the closing. Stores that nobody can see yet are joined with the next one.

import { fail } from './search.ts';
import type { Store, Thread } from './store-memory.ts';
import {
  bucketOf,
  CLOSED,
  countOf,
  epochOf,
  indexState,
  NONE,
  oldBucket,
  PAGE,
  SLOTS,
  SPLITTING,
} from './store-memory.ts';

/** In place of a next step: the thread has to wait. */
export const WAIT = null;
export const DONE = 'done';
export type Next = string | typeof WAIT;
/** `me` is the thread's number, `t` its registers. Returns the name of the next step. */
export type Step = (s: Store, t: Thread, me: number) => Next;
export type StoreTo = (s: Store, t: Thread, me: number) => void;

interface NamedStep {
  name: string;
  number: number;
  run: Step;
  isSearch: boolean;
  /** Stores of a cut commit that is open, 0 elsewhere. */
  stores: number;
}
const steps: NamedStep[] = [];
const byName = new Map<string, NamedStep>();

function define(name: string, run: Step, isSearch = false, stores = 0): void {
  const step = { name, number: steps.length, run, isSearch, stores };
  if (byName.has(name)) throw new Error(`two steps are called ${name}`);
  steps.push(step);
  byName.set(name, step);
}
export function stepNamed(name: string): NamedStep {
  const step = byName.get(name);
  if (!step) throw new Error(`no step is called ${name}`);
  return step;
}
export const stepNumbered = (number: number): NamedStep => steps[number];
export const numberOf = (name: string): number => stepNamed(name).number;
export const nameOf = (number: number): string => steps[number].name;

define(DONE, () => WAIT);
export const access = (name: string, run: Step): void => define(name, run);
export const search = (name: string, run: Step): void => define(name, run, true);
export function commit(name: string, stores: readonly StoreTo[], next: string | Step): void {
  const after: Step = typeof next === 'string' ? () => next : next;
  define(name, (s, t, me) => {
    if (s.options.cut) {
      s.shard.commit = 1;
      return `${name}, open`;
    }
    for (const store of stores) store(s, t, me);
    return after(s, t, me);
  });
  const body: Step = (s, t, me) => {
    if (t.store < stores.length) {
      stores[t.store++](s, t, me);
      return `${name}, open`;
    }
    t.store = 0;
    s.shard.commit = 0;
    return after(s, t, me);
  };
  define(`${name}, open`, body, false, stores.length);
}
/** Two stores whose order is a rule; the bug of that name turns it round. */
export const inOrder = (bug: string, first: StoreTo, second: StoreTo): StoreTo[] => [
  (s, t, me) => (s.bug === bug ? second : first)(s, t, me),
  (s, t, me) => (s.bug === bug ? first : second)(s, t, me),
];

/** Takes the shard's lock, and goes on at `then` with no split open. */
export function lockThen(t: Thread, then: string): string {
  t.goOn = numberOf(then);
  return 'lock';
}
export function unlock(s: Store, me: number): void {
  if (s.shard.lock !== me) fail('a thread lets go a lock that it does not hold');
  s.shard.lock = 0;
}

// ---- The shard's lock. A dead owner's lock is taken over by whoever meets it.
access('lock', (s, t, me) => {
  const owner = s.shard.lock;
  if (owner === 0) {
    s.shard.lock = me;
    return 'locked';
  }
  if (s.isAlive(owner) || s.bug === 'no-takeover') return WAIT;
  t.owner = owner;
  return 'lock: owner is dead';
});
access('lock: owner is dead', (s) => {
  if (s.shard.commit === 0 || s.bug === 'ignore-commit') return 'lock: take over';
  return s.bug === 'shard-before-large' ? 'drop: lock' : 'drop: large lock';
});
access('lock: take over', (s, t, me) => {
  const stands = s.shard.lock === t.owner;
  t.owner = 0;
  if (!stands) return 'lock';
  s.shard.lock = me; // between two commits the shard is whole: just go on
  if (s.bug === 'ignore-commit') s.shard.commit = 0;
  return 'locked';
});
search('locked', (s, t, me) => {
  const { index } = s.shard;
  if (index & CLOSED && s.op(me).kind !== 'tidy' && s.bug !== 'writer-ignores-closed')
    return 'closed: unlock';
  return index & SPLITTING && s.bug !== 'split-left-open' ? 'split' : nameOf(t.goOn);
});
access('closed: unlock', (s, _, me) => {
  unlock(s, me);
  return s.shard.large === me ? 'closed: let go large' : DONE;
});
access('closed: let go large', (s) => {
  // what stands on `filling` belongs to nobody from here on
  s.shard.large = 0;
  return DONE;
});
access('unlock', (s, _, me) => {
  unlock(s, me);
  return DONE;
});
access('unlock, lock again', (s, t, me) => {
  unlock(s, me);
  return lockThen(t, nameOf(t.goOn));
});

// ---- The drop: the owner died inside a commit. The large-value lock first, so that nobody is filling.
access('drop: large lock', (s, t, me) => {
  const { large } = s.shard;
  if (large !== me && s.bug !== 'drop-without-large') {
    if (large !== 0 && s.isAlive(large)) return WAIT; // that filler meets it too, or lets go
    s.shard.large = me;
    t.dropper = 1;
  }
  return s.bug === 'shard-before-large' ? 'drop' : 'drop: lock';
});
access('drop: lock', (s, t, me) => {
  t.owner = 0;
  if (!s.isBroken()) return t.dropper ? 'drop: let go large' : 'lock'; // somebody else dropped it meanwhile
  s.shard.lock = me;
  t.noted = s.shard.index;
  return s.bug === 'shard-before-large' ? 'drop: large lock' : 'drop';
});
/**
 * The state word becomes `to`, under the lock, by one atomic addition of what differs from the word that was noted: the
 * closer sets its bit without the lock, and a store of the whole word would take it away.
 */
function changeState(s: Store, t: Thread, to: number): void {
  s.shard.index = s.bug === 'state-stored-whole' ? to : s.shard.index + to - t.noted;
}
/** Ghost: what has no slot that a reader would probe is gone. */
const forgetUnreachable = (s: Store): void => {
  s.now.forEach((value, key) => {
    if (value !== 0 && s.findSlot(key) === NONE) s.hold(key, 0);
  });
};
const resetState: StoreTo = (s, t) => {
  const { shard } = s;
  if (s.bug === 'drop-closed-first') shard.commit = 0;
  const epoch = epochOf(t.noted) + (s.bug === 'same-epoch' ? 0 : 1);
  if (s.bug === 'drop-opens') shard.index = indexState(epoch, 0, 1, 0);
  else changeState(s, t, indexState(epoch, t.noted & CLOSED ? 1 : 0, 1, 0));
  shard.drops++;
  if (s.bug === 'versions-restart') shard.version = 1;
  forgetUnreachable(s);
};
const resetSlot =
  (slot: number): StoreTo =>
  (s) => {
    s.slots[slot] = NONE;
    forgetUnreachable(s);
  };
const resetLists: StoreTo = (s) => {
  // the buckets beyond the first keep their words: their pages are free now
  s.shard.free = (1 << s.chunks.length) - 1;
  s.shard.dead = s.shard.filling = NONE;
};
commit('drop', [resetState, resetSlot(0), resetSlot(1), resetLists], 'drop: unlock');
access('drop: unlock', (s, t, me) => {
  t.noted = 0;
  unlock(s, me);
  if (t.dropper) return 'drop: let go large';
  // a filler: its pieces are gone, so it starts anew
  return s.op(me).kind !== 'large' || s.bug === 'filler-goes-on' ? 'lock' : lockThen(t, 'large: begin');
});
access('drop: let go large', (s, t) => {
  // a dead filler's list may stand here still
  t.dropper = 0;
  s.shard.large = 0;
  return 'lock';
});

// ---- Splits. Whoever takes the lock finishes an open one: a slot a commit, and here the lock is let go after each.
search('split', (s, t) => {
  t.noted = s.shard.index;
  const count = countOf(t.noted);
  const old = oldBucket(count) * SLOTS;
  for (let slot = old; slot < old + SLOTS && s.bug !== 'bit-cleared-first'; slot++) {
    if (s.slots[slot] === NONE || bucketOf(s.chunks[s.slots[slot]].key, count) !== count - 1) continue;
    t.slot = slot;
    t.chunk = s.slots[slot];
    t.to = s.slots.indexOf(NONE, (count - 1) * SLOTS);
    return 'split: move';
  }
  return 'split: end';
});
commit(
  'split: move',
  inOrder(
    'clear-then-copy',
    (s, t) => {
      s.slots[t.to] = t.chunk;
    },
    (s, t) => {
      s.slots[t.slot] = NONE;
    },
  ),
  'split: moved',
);
access('split: moved', (s, t, me) => {
  unlock(s, me);
  t.noted = t.slot = t.to = t.chunk = 0;
  return 'lock';
});
access('split: end', (s, t) => {
  changeState(s, t, t.noted & ~SPLITTING);
  t.noted = 0;
  return nameOf(t.goOn);
});
/** The bucket that the next count adds; its page may hold slots from before a drop. */
const emptyBucket: StoreTo = (s, t) => {
  const from = countOf(t.noted) * SLOTS;
  s.slots.fill(NONE, from, from + SLOTS);
};
const newCount: StoreTo = (s, t) => {
  changeState(s, t, (t.noted + indexState(0, 0, 1, 0)) | SPLITTING);
};
search('grow: locked', (s, t) => {
  t.noted = s.shard.index;
  if (s.bug === 'count-then-bucket') return 'grow: count, then bucket';
  return s.bug === 'moved-then-count' ? 'grow: moved, then count' : 'grow: bucket';
});
commit('grow: bucket', [emptyBucket], 'grow: count');
commit('grow: count', [newCount], 'unlock');
// Only with a bug.
commit('grow: count, then bucket', [newCount, emptyBucket], 'unlock');
commit(
  'grow: moved, then count',
  [
    emptyBucket,
    (s, t) => {
      const count = countOf(t.noted);
      const old = oldBucket(count + 1) * SLOTS;
      for (let i = 0; i < SLOTS; i++) {
        if (s.slots[old + i] === NONE || bucketOf(s.chunks[s.slots[old + i]].key, count + 1) !== count)
          continue;
        s.slots[count * SLOTS + i] = s.slots[old + i];
        s.slots[old + i] = NONE;
      }
    },
    newCount,
  ],
  'unlock',
);

// ---- Making room, under the lock: one free chunk, or the page for a wide entry. Each turn is a commit.
export function roomThen(t: Thread, room: string): string {
  t.room = numberOf(room);
  return 'room';
}
search('room', (s, t, me) => {
  const { shard } = s;
  const wide = s.op(me).kind === 'wide';
  if (wide ? (shard.free & PAGE) === PAGE : shard.free !== 0) return nameOf(t.room);
  t.back = numberOf('room');
  if (shard.dead !== NONE) return 'free one';
  // `filling` belongs to nobody when the large-value lock is free or its owner is dead
  const orphans = shard.large === 0 ? s.bug !== 'orphan-only-if-dead' : !s.isAlive(shard.large);
  if (shard.filling !== NONE && orphans) return 'orphans';
  t.victim = s.victim(wide ? PAGE : 0xff);
  if (t.victim !== NONE) return 'evict';
  if (shard.large === 0 || !s.isAlive(shard.large)) fail('there is no room, and nothing to evict');
  t.victim = 0;
  return 'unlock, lock again'; // a living filler has all there is (only in a model this small)
});
commit(
  'free one',
  [
    (s) => {
      const head = s.shard.dead;
      const { link, below } = s.chunks[head];
      if (link !== NONE) s.chunks[link].below = below; // the rest of the chain stays first
      s.shard.dead = link === NONE ? below : link;
      s.freeChunk(head);
    },
  ],
  (_, t) => nameOf(t.back),
);
commit(
  'orphans',
  [
    (s) => {
      s.chainDies(s.shard.filling);
      s.shard.filling = NONE;
    },
  ],
  (_, t) => nameOf(t.back),
);
/** Empties a slot: the key is gone. */
export function emptySlot(s: Store, slot: number): void {
  const { key } = s.chunks[s.slots[slot]];
  s.slots[slot] = NONE;
  s.hold(key, 0);
}
commit(
  'evict',
  [
    (s, t) => {
      t.chunk = s.slots[t.victim];
      emptySlot(s, t.victim);
    },
    (s, t) => s.giveBack(t.chunk),
  ],
  (_, t) => {
    t.victim = t.chunk = 0;
    return 'room';
  },
);
