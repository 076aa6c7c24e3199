// The store model's reads: without a lock, or with it after too many failures.
//
// Note the state, probe, note slot and version, copy; then check slot, version, epoch in this order. Only then is what
// was copied believed, also that the key is another one. A miss counts if the whole state word is what it was.
import { fail } from './search.ts';
import type { Store, Thread } from './store-memory.ts';
import { CLOSED, epochOf, NONE, WIDE } from './store-memory.ts';
import { access, DONE, lockThen, type Next, search, unlock } from './store-steps.ts';
import { versionOf } from './store-writers.ts';

/** After a drop, pages may hold anything: at worst what lets a check pass. */
const anything = (s: Store, t: Thread): boolean => s.shard.drops !== t.drops;
const place = (s: Store, t: Thread, me: number): number => s.places(t.noted, s.op(me).key)[t.place];
const sameSlot = (s: Store, t: Thread, me: number): boolean =>
  s.bug === 'no-slot-check' || anything(s, t) || s.slots[place(s, t, me)] === t.chunk;
const sameVersion = (s: Store, t: Thread): boolean =>
  s.bug === 'no-version-check' || anything(s, t) || versionOf(s.chunks[t.chunk].word) === versionOf(t.word);
const sameEpoch = (s: Store, t: Thread): boolean => epochOf(s.shard.index) === epochOf(t.noted);
/** A payload word, and what it is where it lies on a version word. */
const payload = (word: number): number => word & 0x7f;

/** Forgets what was read. */
function forget(t: Thread): void {
  t.noted = t.drops = t.place = t.chunk = t.word = t.other = t.a = t.middle = t.b = t.link = 0;
}

function again(s: Store, t: Thread): Next {
  forget(t);
  t.fails++;
  return t.fails < s.options.tries ? 'get' : lockThen(t, 'get: locked');
}

/** The answer of a read: a value (0: a miss), and the version that goes with it. */
function answer(s: Store, t: Thread, me: number, version: number): Next {
  const { key, kind, bump } = s.op(me);
  if (t.a !== t.b || t.a !== t.middle) fail(`torn value ${t.a}/${t.middle}/${t.b} of key ${key}`);
  if ((t.seen & (1 << t.a)) === 0) fail(`key ${key} read ${t.a}; during the read it held ${held(t.seen)}`);
  if (t.late) fail(`key ${key} read ${t.a}, after the close was done`);
  t.seen = 0;
  if (kind !== 'upd') return bump && t.word && !(t.word & 1) ? 'get: bump' : DONE;
  const read = t.a;
  forget(t);
  t.read = read;
  t.token = version;
  return lockThen(t, 'upd: locked');
}
const held = (seen: number): number[] => [0, 1, 2, 3, 4, 5, 6, 7].filter((value) => seen & (1 << value));

function miss(s: Store, t: Thread, me: number): Next {
  forget(t);
  return answer(s, t, me, 0);
}

access('get', (s, t) => {
  t.noted = s.shard.index;
  t.drops = s.shard.drops;
  if (!(t.noted & CLOSED) || s.bug === 'reader-ignores-closed') return 'get: probe';
  if (!s.shard.closed) fail('a read says "closed" before the close');
  return DONE;
});
access('get: probe', (s, t, me) => {
  t.chunk = s.slots[place(s, t, me)];
  if (t.chunk === NONE) return nextPlace(s, t, me);
  return s.bug === 'late-version' ? 'get: key' : 'get: version';
});
function nextPlace(s: Store, t: Thread, me: number): Next {
  t.chunk = t.word = t.other = 0;
  return ++t.place < s.places(t.noted, s.op(me).key).length ? 'get: probe' : 'get: miss';
}
access('get: miss', (s, t, me) =>
  s.shard.index === t.noted || s.bug === 'trust-miss' ? miss(s, t, me) : again(s, t),
);
access('get: version', (s, t) => {
  t.word = s.chunks[t.chunk].word;
  return s.bug === 'late-version' ? 'get: check slot' : 'get: key';
});
access('get: key', (s, t, me) => {
  t.other = s.chunks[t.chunk].key === s.op(me).key ? 0 : 1;
  if (!t.other) return 'get: first';
  return s.bug === 'trust-other-key' ? nextPlace(s, t, me) : copied(s);
});
access('get: first', (s, t, me) => {
  t.a = t.middle = t.b = s.chunks[t.chunk].first;
  return s.op(me).number ? copied(s) : 'get: link';
});
access('get: link', (s, t) => {
  // checked for range: it may be payload by now
  const { link } = s.chunks[t.chunk];
  t.link = link === WIDE ? t.chunk + 1 : link;
  if (link === NONE) {
    t.link = t.chunk;
    return 'get: last';
  }
  if (t.link < s.chunks.length) return 'get: middle';
  if (s.bug === 'no-range-check') fail('a link leads out of the memory');
  return again(s, t);
});
access('get: middle', (s, t) => {
  t.middle = payload(s.chunks[t.link].word);
  return 'get: last';
});
access('get: last', (s, t) => {
  t.b = s.chunks[t.link].last;
  return copied(s);
});
/** What comes after the copy: the first check. */
function copied(s: Store): Next {
  if (s.bug === 'late-version') return 'get: version';
  if (s.bug === 'epoch-first') return 'get: early epoch';
  return s.bug === 'version-then-slot' ? 'get: early version' : 'get: check slot';
}
access('get: check slot', (s, t, me) => (sameSlot(s, t, me) ? 'get: check version' : again(s, t)));
access('get: check version', (s, t) => (sameVersion(s, t) ? 'get: check epoch' : again(s, t)));
access('get: check epoch', (s, t, me) => {
  const trusted = s.bug === 'no-epoch-check' || s.bug === 'epoch-first' || sameEpoch(s, t);
  return trusted ? believed(s, t, me) : again(s, t);
});
const believed = (s: Store, t: Thread, me: number): Next =>
  t.other ? nextPlace(s, t, me) : answer(s, t, me, versionOf(t.word));
// In another order, only with a bug.
access('get: early epoch', (s, t) => (sameEpoch(s, t) ? 'get: check slot' : again(s, t)));
access('get: early version', (s, t) => (sameVersion(s, t) ? 'get: late slot' : again(s, t)));
access('get: late slot', (s, t, me) => (sameSlot(s, t, me) ? 'get: check epoch' : again(s, t)));

// A hit raises the frequency by one compare-exchange on the word that it checked, and ignores failure.
access('get: bump', (s, t) => {
  const chunk = s.chunks[t.chunk];
  if (chunk.word === t.word || s.bug === 'plain-bump') chunk.word = t.word | 1;
  return DONE;
});

// ---- With the lock, after too many failures.
search('get: locked', (s, t, me) => {
  s.look(t, s.op(me).key);
  t.chunk = t.old;
  if (t.chunk === NONE) return 'get: unlock';
  const { first, last, link, word } = s.chunks[t.chunk];
  const next = link === WIDE ? t.chunk + 1 : link;
  const one = s.op(me).number || next === NONE;
  t.word = word;
  t.a = first;
  t.middle = one ? first : payload(s.chunks[next].word);
  t.b = s.op(me).number ? first : one ? last : s.chunks[next].last;
  return 'get: unlock';
});
access('get: unlock', (s, t, me) => {
  unlock(s, me);
  return t.chunk === NONE ? miss(s, t, me) : answer(s, t, me, versionOf(t.word));
});
