/** Each fault of a backend with tokens, or of one that several use, is found by the tests that are about it. */
import { test } from 'uvu';
import { CachedValue, NO_VALUE, type NoValue } from '../../src/backend/cached-value.ts';
import { ProxyBackend } from '../../src/backend/proxy-backend.ts';
import type { BegunCreation, SetOptions } from '../../src/backend/types.ts';
import { LockedStore, LockedTokenBackend } from './backends.ts';
import { type Fault, plant } from './faults.ts';

type Entries = Iterable<readonly [string, CachedValue<any>]>;

/** What is broken is this: synchronous, with tokens and mutexes. */
class Correct extends LockedTokenBackend {}

const TRAITS = {
  sync: true,
  clear: true,
  tokens: true,
  tokenStands: true,
  mutexes: true,
  shared: true,
  sharedMutexes: true,
} as const;

const ALL = ['clear', 'delete', 'deleteMulti', 'set', 'setMulti'];

/** Titles of the tests that are there for each of these changes. */
const refusedIfAbsent = (...changes: string[]) =>
  changes.map((how) => `after a ${how} the token is refused, what stands is left (absent key)`);
const refused = (...changes: string[]) => [
  ...refusedIfAbsent(...changes),
  ...changes.map((how) => `after a ${how} the token is refused, what stands is left (standing key)`),
];
const refusedByOther = (...changes: string[]) =>
  changes.map((how) => `a ${how} by another instance: the token is refused`);
const lateInRegion = (...changes: string[]) =>
  changes.map((how) => `a region does not store what it made before a ${how} by another`);

/** What fails where tokens count for nothing. */
const UNFENCED = [
  ...refused(...ALL),
  ...refusedByOther(...ALL),
  ...lateInRegion(...ALL),
  'a change and its undoing do not bring a token back',
  'creations of one key that run at once share the token: the first to store wins',
  'creations of two instances share the token: the first to store wins',
  'endCreation takes the mark away, and nothing else',
  'setMulti with tokens: each key by its own, keys without one are stored',
];

const FAULTS: Record<string, Fault<LockedStore>> = {
  none: { backend: Correct, fails: [] },

  'set ignores tokens': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>) {
        return super.set(key, value);
      }
    },
    fails: UNFENCED,
  },
  'a refused set says that it stored': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>, options?: SetOptions) {
        super.set(key, value, options);
        return true;
      }
    },
    fails: [
      ...refused(...ALL),
      ...refusedByOther(...ALL),
      'a change and its undoing do not bring a token back',
      'creations of one key that run at once share the token: the first to store wins',
      'creations of two instances share the token: the first to store wins',
      'endCreation takes the mark away, and nothing else',
      'setMulti with tokens: each key by its own, keys without one are stored',
    ],
  },
  'a refused set removes what stands': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>, options?: SetOptions) {
        const stored = super.set(key, value, options);
        if (!stored) this.delete(key);
        return stored;
      }
    },
    fails: [
      ...refused('set', 'setMulti'),
      ...refusedByOther('set', 'setMulti'),
      ...lateInRegion('set', 'setMulti'),
      'creations of one key that run at once share the token: the first to store wins',
      'creations of two instances share the token: the first to store wins',
      'setMulti with tokens: each key by its own, keys without one are stored',
    ],
  },
  'the token is what stands': {
    backend: class extends Correct {
      override beginCreation(key: string): BegunCreation<any> {
        const value = this.get(key);
        return { value, token: value };
      }
      override set(key: string, value: CachedValue<any>, options?: SetOptions) {
        if (options !== undefined && options.token !== this.get(key)) return false;
        return this.put(key, value);
      }
      override tokenStands(key: string, token: unknown) {
        return token === this.get(key);
      }
    },
    fails: [
      ...refusedIfAbsent('clear', 'delete', 'deleteMulti'),
      ...refusedByOther('clear', 'delete', 'deleteMulti'),
      ...lateInRegion('clear', 'delete', 'deleteMulti'),
      'a change and its undoing do not bring a token back',
      'endCreation takes the mark away, and nothing else',
      'tokenStands tells whether the key was changed',
    ],
  },
  'a later creation takes the token of an earlier one': {
    backend: class extends Correct {
      override beginCreation(key: string): BegunCreation<any> {
        const value = this.get(key);
        this.store.marks.add(this.at(key));
        this.store.versions.set(this.at(key), ++this.store.drawn);
        return { value, token: this.store.drawn };
      }
      override endCreation(key: string, token: unknown) {
        if (this.get(key) === NO_VALUE) super.endCreation(key, token);
      }
    },
    fails: ['creations of one key that run at once share the token: the first to store wins'],
  },
  'all creations of a key may store': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>, options?: SetOptions) {
        if (options === undefined || !this.tokenStands(key, options.token))
          return super.set(key, value, options);
        this.store.values.set(this.at(key), value);
        return true;
      }
    },
    fails: [
      'creations of one key that run at once share the token: the first to store wins',
      'creations of two instances share the token: the first to store wins',
      'endCreation takes the mark away, and nothing else',
      'one creator runs at a time over two regions',
      'tokenStands tells whether the key was changed',
    ],
  },
  'beginCreation never gives a value': {
    backend: class extends Correct {
      override beginCreation(key: string): BegunCreation<any> {
        return { ...super.beginCreation(key), value: NO_VALUE };
      }
    },
    fails: [
      'beginCreation gives what stands; set with its token stores',
      'one creator runs at a time over two regions',
      'region: a creator that fails leaves the stale value',
      'region: soft invalidation: values count as stale, at once',
    ],
  },
  'beginCreation drops metadata': {
    backend: class extends Correct {
      override beginCreation(key: string): BegunCreation<any> {
        const { value, token } = super.beginCreation(key);
        if (value === NO_VALUE) return { value, token };
        return { value: new CachedValue(value.payload, { ct: value.metadata.ct, v: 1 }), token };
      }
    },
    fails: [
      'beginCreation gives what stands; set with its token stores',
      'region: a value of another version is a miss, and is replaced',
      'region: hard invalidation: values count as missing, at once',
      'region: soft invalidation: values count as stale, at once',
      'region: while one regenerates, the others get the stale value',
    ],
  },
  'a mark reads as a value': {
    backend: class extends Correct {
      override get(key: string): CachedValue<any> | NoValue {
        if (this.store.marks.has(this.at(key))) return new CachedValue(undefined, { ct: 1, v: 1 });
        return super.get(key);
      }
      override beginCreation(key: string): BegunCreation<any> {
        return { ...super.beginCreation(key), value: super.get(key) };
      }
    },
    fails: [
      'a key that is being created reads as a miss',
      'one creator runs at a time over two regions',
      'region: a creator that fails fails those who joined it; the next one creates',
      'region: concurrent callers of a missing key run one creator',
      "region: creators that ask for each other's keys come to an end",
      'region: many callers, random keys: never two creators of one key at once',
      'region: single and multi callers of missing keys create each once',
    ],
  },
  'delete counts a mark': {
    backend: class extends Correct {
      override delete(key: string) {
        const marked = this.store.marks.has(this.at(key));
        return super.delete(key) || marked;
      }
    },
    fails: ['a key that is being created reads as a miss'],
  },
  'delete leaves a mark': {
    backend: class extends Correct {
      override delete(key: string) {
        if (this.store.marks.has(this.at(key))) return false;
        return super.delete(key);
      }
      override endCreation(key: string, token: unknown) {
        if (this.store.marks.has(this.at(key)) && this.tokenStands(key, token)) super.delete(key);
      }
    },
    fails: [
      ...refusedIfAbsent('clear', 'delete', 'deleteMulti'),
      ...refusedByOther('clear', 'delete', 'deleteMulti'),
      ...lateInRegion('clear', 'delete', 'deleteMulti'),
      'endCreation takes the mark away, and nothing else',
      'tokenStands tells whether the key was changed',
    ],
  },
  'clear leaves marks': {
    backend: class extends Correct {
      override clear() {
        const { marks, versions } = this.store;
        const kept = [...marks].map((at) => [at, versions.get(at)!] as const);
        super.clear();
        for (const [at, version] of kept) {
          marks.add(at);
          versions.set(at, version);
        }
      }
    },
    fails: [
      ...refusedIfAbsent('clear'),
      ...refusedByOther('clear'),
      ...lateInRegion('clear'),
      'tokenStands tells whether the key was changed',
    ],
  },
  'endCreation does nothing': {
    backend: class extends Correct {
      override endCreation() {}
    },
    fails: [
      'endCreation takes the mark away, and nothing else',
      'tokenStands tells whether the key was changed',
    ],
  },
  'endCreation removes what stands': {
    backend: class extends Correct {
      override endCreation(key: string) {
        this.delete(key);
      }
    },
    fails: [
      ...lateInRegion('set', 'setMulti'),
      'endCreation takes the mark away, and nothing else',
      'one creator runs at a time over two regions',
      'region: a creator that fails leaves the stale value',
      'region: a value that comes after a set is not stored',
      'region: a value that comes after a setMulti is not stored',
    ],
  },
  'endCreation does not look at its token': {
    backend: class extends Correct {
      override endCreation(key: string) {
        if (this.store.marks.has(this.at(key))) this.delete(key);
      }
    },
    fails: ['endCreation takes the mark away, and nothing else'],
  },
  'setMulti drops tokens': {
    backend: class extends Correct {
      override setMulti(entries: Entries) {
        return super.setMulti(entries);
      }
    },
    fails: ['setMulti with tokens: each key by its own, keys without one are stored'],
  },
  'setMulti stores all or nothing': {
    backend: class extends Correct {
      override setMulti(entries: Entries, options?: { tokens?: ReadonlyMap<string, unknown> }) {
        const list = [...entries];
        for (const [key, token] of options?.tokens ?? []) if (!this.tokenStands(key, token)) return false;
        return super.setMulti(list, options);
      }
    },
    fails: ['setMulti with tokens: each key by its own, keys without one are stored'],
  },
  'setMulti refuses keys without a token': {
    backend: class extends Correct {
      override setMulti(entries: Entries, options?: { tokens?: ReadonlyMap<string, unknown> }) {
        if (options?.tokens === undefined) return super.setMulti(entries);
        return super.setMulti(
          [...entries].filter(([key]) => options.tokens!.has(key)),
          options,
        );
      }
    },
    fails: ['setMulti with tokens: each key by its own, keys without one are stored'],
  },
  'setMulti never answers false': {
    backend: class extends Correct {
      override setMulti(entries: Entries, options?: object): any {
        super.setMulti(entries, options);
      }
    },
    fails: ['setMulti with tokens: each key by its own, keys without one are stored'],
  },
  'tokenStands is always true': {
    backend: class extends Correct {
      override tokenStands() {
        return true;
      }
      override set(key: string, value: CachedValue<any>, options?: SetOptions) {
        if (options !== undefined && !super.tokenStands(key, options.token)) return false;
        return this.put(key, value);
      }
      override endCreation(key: string, token: unknown) {
        if (super.tokenStands(key, token)) super.endCreation(key, token);
      }
    },
    fails: ['tokenStands tells whether the key was changed'],
  },
  'it has no tokens, but tokenStands was declared': {
    backend: class extends Correct {
      override beginCreation = undefined as never;
      override endCreation = undefined as never;
      override tokenStands = undefined as never;
      override set(key: string, value: CachedValue<any>) {
        return this.put(key, value);
      }
      override put(key: string, value: CachedValue<any>) {
        this.store.versions.set(this.at(key), ++this.store.drawn);
        this.store.values.set(this.at(key), value);
        return true;
      }
    },
    options: { tokens: false, shared: false },
    fails: ['it has the optional members that the suite was told of, and no other'],
  },
  'a proxy drops the options of set': {
    backend: Correct,
    options: {
      wrap: [
        class extends ProxyBackend<any> {
          override set(key: string, value: CachedValue<any>) {
            return super.set(key, value);
          }
        },
      ],
    },
    fails: UNFENCED,
  },
};

const SETUP = { setup: () => new LockedStore(), arguments: (store: LockedStore) => ({ store }) };

plant<LockedStore>(FAULTS, { ...SETUP, ...TRAITS }, 110);

test.run();
