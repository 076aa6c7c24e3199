// The store model's writers: set, wide set, large set, delete, increment, update's second half, close, and the last
// caller who looks after the rest. Which thread runs a step stands in `me`, what it was told to do in `s.op(me)`.
import { fail } from './search.ts';
import type { Store, Thread } from './store-memory.ts';
import { CLOSED, KEYS, NONE, PAGE, WIDE } from './store-memory.ts';
import type { StoreTo } from './store-steps.ts';
import {
  access,
  commit,
  DONE,
  emptySlot,
  inOrder,
  lockThen,
  numberOf,
  roomThen,
  search,
  unlock,
  WAIT,
} from './store-steps.ts';

/** The version in a version word. */
export const versionOf = (word: number): number => word >> 1;
/** What a word of payload holds where a version word may have stood: no version that anybody has noted. */
export const asPayload = (s: Store, value: number): number =>
  s.bug === 'guessable-versions' ? value : 0x80 | value;

const newVersion: StoreTo = (s, t) => {
  if (s.shard.version > 60) throw new Error('this program needs wider versions');
  s.chunks[t.chunk].word = s.shard.version++ << 1;
};
/** Ghost: what a writer's commit does to its key. */
function change(s: Store, t: Thread, key: number, value: number): void {
  if (t.late) fail('a write that began after the close was done');
  s.hold(key, value);
}
const intoSlot: StoreTo = (s, t, me) => {
  const { kind, key, value } = s.op(me);
  const update = kind === 'upd';
  if (update && s.now[key] !== t.read)
    fail(`lost update: made from ${t.read}, while the key holds ${s.now[key]}`);
  s.slots[t.slot] = t.chunk;
  change(s, t, key, update ? t.read + 1 : value);
};
const oldBack: StoreTo = (s, t) => {
  if (t.old !== NONE) s.giveBack(t.old);
};
/** Version, then slot; then the old chunk goes back. */
const publish = [...inOrder('slot-then-version', newVersion, intoSlot), oldBack];

// ---- A small entry: room, then the lookup that decides, then one commit.
search('set: locked', (s, t, me) => {
  if (s.bug === 'find-before-room') s.look(t, s.op(me).key);
  return roomThen(t, 'set: find');
});
search('set: find', (s, t, me) => {
  // after making room, since room may have been made of this very key
  if (s.bug !== 'find-before-room') s.look(t, s.op(me).key);
  if (s.op(me).kind === 'wide') {
    t.chunk = 0;
    return 'wide: publish';
  }
  const inPlace = s.bug === 'in-place' && t.old !== NONE && s.chunks[t.old].link === NONE;
  t.chunk = inPlace ? t.old : s.lowestFree();
  if (inPlace) t.old = NONE;
  return s.bug === 'taken-then-published' ? 'set: take' : 'set: publish';
});
const takeChunk: StoreTo = (s, t) => {
  s.shard.free &= ~(1 << t.chunk);
};
const newValue = (s: Store, t: Thread, me: number): number =>
  s.op(me).kind === 'upd' ? t.read + 1 : s.op(me).value;
commit('set: take', [takeChunk], 'set: publish'); // only with a bug
commit(
  'set: publish',
  [
    (s, t, me) => {
      takeChunk(s, t, me);
      s.chunks[t.chunk].first = newValue(s, t, me);
    },
    (s, t, me) => {
      s.chunks[t.chunk].last = newValue(s, t, me);
    },
    (s, t, me) => {
      s.chunks[t.chunk].key = s.op(me).key;
      s.chunks[t.chunk].link = NONE;
    },
    ...publish,
  ],
  'unlock',
);

// ---- A wide entry: both chunks of the page; every word of the second is payload.
commit(
  'wide: publish',
  [
    (s, _, me) => {
      s.shard.free &= ~PAGE;
      s.chunks[1].word = asPayload(s, s.op(me).value);
    },
    (s, _, me) => {
      s.chunks[1].key = s.chunks[1].link = s.chunks[1].below = asPayload(s, s.op(me).value);
      s.chunks[1].last = s.chunks[1].first = s.op(me).value;
    },
    (s, t, me) => {
      s.chunks[t.chunk].first = s.op(me).value;
    },
    (s, t, me) => {
      s.chunks[t.chunk].key = s.op(me).key;
      s.chunks[t.chunk].link = WIDE;
    },
    ...publish,
  ],
  'unlock',
);

// ---- A large value: the large-value lock, its pieces onto `filling` by one commit each, filled without the shard's
// lock, published by one commit that empties the list. The list is the entry's own chain.
access('large', (s, t, me) => {
  if (s.shard.large !== 0 && s.isAlive(s.shard.large)) return WAIT;
  s.shard.large = me;
  return lockThen(t, 'large: begin');
});
search('large: begin', (s, t) => {
  // both locks are held: a list that stands here is a dead owner's
  t.head = t.tail = NONE;
  t.back = numberOf('large: begin');
  return s.shard.filling !== NONE && s.bug !== 'filling-forgotten' ? 'orphans' : roomThen(t, 'large: take');
});
search('large: next', (_, t) => roomThen(t, 'large: take'));
commit(
  'large: take',
  [
    (s, t) => {
      t.chunk = s.lowestFree();
      s.shard.free &= ~(1 << t.chunk);
      s.chunks[t.chunk].link = NONE;
    },
    (s, t) => {
      if (t.head !== NONE) s.chunks[t.tail].link = t.chunk;
      else if (s.bug !== 'filling-unlisted') s.shard.filling = t.chunk;
      if (t.head === NONE) t.head = t.chunk;
      t.tail = t.chunk;
    },
  ],
  'large: unlock to go on',
);
access('large: unlock to go on', (s, t, me) => {
  unlock(s, me);
  t.chunk = 0;
  return t.head === t.tail ? lockThen(t, 'large: next') : 'large: fill first'; // two pieces
});
access('large: fill first', (s, t, me) => {
  s.chunks[t.head].first = s.op(me).value;
  return 'large: fill key';
});
access('large: fill key', (s, t, me) => {
  s.chunks[t.head].key = s.op(me).key;
  return 'large: fill piece';
});
access('large: fill piece', (s, t, me) => {
  // all but the link is payload
  const piece = s.chunks[t.tail];
  piece.word = piece.key = asPayload(s, s.op(me).value);
  piece.first = piece.last = s.op(me).value;
  if (s.bug === 'large-lock-let-go') s.shard.large = 0;
  return lockThen(t, 'large: find');
});
search('large: find', (s, t, me) => {
  s.look(t, s.op(me).key);
  t.chunk = t.head;
  return 'large: publish';
});
const emptyFilling: StoreTo = (s) => {
  s.shard.filling = NONE;
};
commit(
  'large: publish',
  [
    ...inOrder('slot-then-version', newVersion, intoSlot),
    (s, t, me) => {
      if (s.bug !== 'published-then-unlisted') emptyFilling(s, t, me);
    },
    oldBack,
  ],
  (s) => (s.bug === 'published-then-unlisted' ? 'large: unlist' : 'large: unlock'),
);
commit('large: unlist', [emptyFilling], 'large: unlock'); // only with a bug
access('large: unlock', (s, _, me) => {
  unlock(s, me);
  return 'large: let go';
});
access('large: let go', (s, _, me) => {
  if (s.shard.large === me) s.shard.large = 0;
  return DONE;
});

// ---- Delete. The hole stays: slots move in splits only.
search('del: locked', (s, t, me) => {
  s.look(t, s.op(me).key);
  return t.old === NONE ? 'unlock' : 'del: commit';
});
commit(
  'del: commit',
  [
    (s, t, me) => {
      change(s, t, s.op(me).key, 0);
      emptySlot(s, t.slot);
      if (s.bug !== 'hole-filled' || t.slot % 2 === 1) return;
      s.slots[t.slot] = s.slots[t.slot + 1];
      s.slots[t.slot + 1] = NONE;
    },
    (s, t) => s.giveBack(t.old),
  ],
  'unlock',
);

// ---- Increment: number, then version, in place; where there is no number, a small entry.
search('inc: locked', (s, t, me) => {
  s.look(t, s.op(me).key);
  t.chunk = t.old;
  return t.old === NONE ? 'set: locked' : 'inc: commit';
});
commit(
  'inc: commit',
  inOrder(
    'version-then-number',
    (s, t, me) => {
      const { key } = s.op(me);
      const chunk = s.chunks[t.chunk];
      if (chunk.first !== s.now[key])
        fail(`lost increment: key ${key} holds ${s.now[key]}, not ${chunk.first}`);
      chunk.first++;
      change(s, t, key, chunk.first);
    },
    newVersion,
  ),
  'unlock',
);

// ---- Update: an optimistic read gave a value and its version (store-reader.ts); stored only if that version stands.
search('upd: locked', (_, t) => roomThen(t, 'upd: compare'));
search('upd: compare', (s, t, me) => {
  // after making room, which may have taken the key
  s.look(t, s.op(me).key);
  const version = t.old === NONE ? 0 : versionOf(s.chunks[t.old].word);
  if (version === t.token || s.bug === 'no-compare') return 'set: find';
  t.fails = 0;
  return 'upd: unlock, read again';
});
access('upd: unlock, read again', (s, t, me) => {
  unlock(s, me);
  t.read = t.token = 0;
  return 'get';
});

// ---- The owner's close: one atomic `or` on the state word, without the lock, so that it never waits. A writer that took
// the lock before may still commit; one that takes it later sees the bit.
access('close', (s) => {
  s.shard.index |= CLOSED;
  s.shard.closed = 1;
  return DONE;
});

// ---- A last caller, for the oracles at the end: takes both locks, and with them what dead owners left.
access('tidy', (s, t, me) => {
  if (s.shard.large !== 0 && s.isAlive(s.shard.large)) return WAIT;
  s.shard.large = me;
  return lockThen(t, 'tidy: locked');
});
search('tidy: locked', (s, t) => {
  t.back = numberOf('tidy: locked');
  return s.shard.filling === NONE ? 'large: unlock' : 'orphans';
});

/** Puts an entry into a fresh shard. */
export function putFirst(s: Store, key: number, value: number): void {
  const t = s.threads[0];
  s.look(t, key);
  t.chunk = s.lowestFree();
  s.shard.free &= ~(1 << t.chunk);
  Object.assign(s.chunks[t.chunk], { key: key % KEYS, first: value, last: value, link: NONE });
  newVersion(s, t, 0);
  s.slots[t.slot] = t.chunk;
  s.now[key] = value;
}
