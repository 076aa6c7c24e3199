/** Each fault of a backend is found by the tests that are about it. Here: Multi forms, keys, calls that run at once. */
import { test } from 'uvu';
import { CacheBackend } from '../../src/backend/cache-backend.ts';
import { CachedValue, NO_VALUE } from '../../src/backend/cached-value.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { DelayBackend } from './backends.ts';
import { type Fault, plant } from './faults.ts';

type Entries = Iterable<readonly [string, CachedValue<any>]>;

/** What all regions have in one of the faults. */
const COMMON = new Map<string, CachedValue<any>>();

/** What is broken is this: synchronous, with `clear`. */
class Correct extends MemoryBackend<any> {}

const FAULTS: Record<string, Fault> = {
  'deleteMulti answers how many keys it was given': {
    backend: class extends Correct {
      override deleteMulti(keys: Iterable<string>) {
        const list = [...keys];
        for (const key of list) this.delete(key);
        return list.length;
      }
    },
    fails: [
      'deleteMulti takes any iterable, and answers how many stood',
      'region: setMulti, getMulti, deleteMulti',
    ],
  },
  'getMulti answers in sorted order': {
    backend: class extends Correct {
      override getMulti(keys: readonly string[]) {
        return super.getMulti([...keys].sort());
      }
    },
    wide: true,
    fails: [
      'calls that run at once do not mix their keys up',
      'getMulti answers in the order of the keys, duplicates and gaps included',
      'no two keys are one: empty, unicode, lone surrogates, __proto__, very long',
    ],
  },
  'getMulti answers each key once': {
    backend: class extends Correct {
      override getMulti(keys: readonly string[]) {
        return super.getMulti([...new Set(keys)]);
      }
    },
    fails: [
      'getMulti answers in the order of the keys, duplicates and gaps included',
      'region: getOrCreateMulti creates what is missing by one call',
      'region: setMulti, getMulti, deleteMulti',
    ],
  },
  'getMulti leaves out what is absent': {
    backend: class extends Correct {
      override getMulti(keys: readonly string[]) {
        return (super.getMulti(keys) as any[]).filter((found) => found !== NO_VALUE);
      }
    },
    wide: true,
    fails: [
      'clear removes everything, and the backend goes on',
      'deleteMulti takes any iterable, and answers how many stood',
      'getMulti answers in the order of the keys, duplicates and gaps included',
    ],
  },
  'getMulti of nothing throws': {
    backend: class extends Correct {
      override getMulti(keys: readonly string[]) {
        if (keys.length === 0) throw new Error('no keys');
        return super.getMulti(keys);
      }
    },
    fails: ['Multi forms of nothing'],
  },
  'setMulti of nothing answers false': {
    backend: class extends Correct {
      override setMulti(entries: Entries): any {
        const list = [...entries];
        super.setMulti(list);
        return list.length > 0;
      }
    },
    fails: ['Multi forms of nothing'],
  },
  'setMulti takes the entries out of its Map': {
    backend: class extends Correct {
      override setMulti(entries: Entries) {
        const answer = super.setMulti(entries);
        if (entries instanceof Map) entries.clear();
        return answer;
      }
    },
    fails: ['setMulti changes neither its argument nor the values in it'],
  },
  'setMulti serializes in the Map it was given': {
    backend: class extends Correct {
      override setMulti(entries: Entries) {
        if (entries instanceof Map)
          for (const [key, { payload, metadata }] of entries)
            entries.set(key, new CachedValue(structuredClone(payload), metadata));
        return super.setMulti(entries);
      }
    },
    fails: ['setMulti changes neither its argument nor the values in it'],
  },
  'setMulti goes through its entries twice': {
    backend: class extends Correct {
      override setMulti(entries: Entries) {
        for (const [key] of entries) this.delete(key);
        return super.setMulti(entries);
      }
    },
    fails: ['setMulti takes any iterable, and goes through it once'],
  },
  'setMulti keeps what stands': {
    backend: class extends Correct {
      override setMulti(entries: Entries) {
        return super.setMulti([...entries].filter(([key]) => this.get(key) === NO_VALUE));
      }
    },
    fails: ['setMulti replaces what stands, with its whole metadata'],
  },
  'setMulti stores one metadata for all': {
    backend: class extends Correct {
      override setMulti(entries: Entries) {
        const list = [...entries];
        const first = list[0]?.[1].metadata;
        return super.setMulti(
          list.map(([key, { payload }]) => [key, new CachedValue(payload, first!)] as const),
        );
      }
    },
    fails: ['setMulti replaces what stands, with its whole metadata'],
  },
  'keys are members of an object': {
    backend: class extends CacheBackend<any> {
      #values: Record<string, CachedValue> = {};
      get(key: string) {
        return this.#values[key] ?? NO_VALUE;
      }
      set(key: string, value: CachedValue) {
        this.#values[key] = value;
      }
      delete(key: string) {
        return Object.hasOwn(this.#values, key) && delete this.#values[key];
      }
      override clear() {
        this.#values = {};
      }
    },
    fails: [
      'no two keys are one: empty, unicode, lone surrogates, __proto__, very long',
      'region: keys of all lengths and characters',
    ],
  },
  'keys become UTF-8': {
    backend: class extends Correct {
      override get(key: string) {
        return super.get(key.toWellFormed());
      }
      override set(key: string, value: CachedValue<any>) {
        super.set(key.toWellFormed(), value);
      }
      override delete(key: string) {
        return super.delete(key.toWellFormed());
      }
    },
    fails: ['no two keys are one: empty, unicode, lone surrogates, __proto__, very long'],
  },
  'long keys are cut': {
    backend: class extends Correct {
      override keyMangler(key: string) {
        return key.slice(0, 250);
      }
    },
    options: { keyMangler: true },
    fails: [
      'keyMangler makes one key of each, always the same',
      'no two keys are one: empty, unicode, lone surrogates, __proto__, very long',
      'region: keys of all lengths and characters',
    ],
  },
  'an empty key is refused': {
    backend: class extends Correct {
      override get(key: string) {
        if (key === '') throw new Error('no key');
        return super.get(key);
      }
    },
    fails: [
      'no two keys are one: empty, unicode, lone surrogates, __proto__, very long',
      'region: keys of all lengths and characters',
    ],
  },
  'the mangler of each instance is another': {
    backend: class extends Correct {
      readonly #own = Math.random();
      override keyMangler(key: string) {
        return `${this.#own}${key}`;
      }
    },
    options: { keyMangler: true },
    fails: ['keyMangler makes one key of each, always the same'],
  },
  'regions have one Map': {
    backend: class extends MemoryBackend<any> {
      constructor() {
        super({ map: COMMON });
      }
    },
    options: { setup: () => COMMON.clear() as undefined },
    fails: ['region: regions do not see each other', 'regions do not see each other'],
  },
};

/** One call after the other, also for several keys: so the faults are only in what runs at once. */
class Late extends DelayBackend<any> {
  override async getMulti(keys: readonly string[]) {
    const found: Awaited<ReturnType<this['get']>>[] = [];
    for (const key of keys) found.push((await this.get(key)) as never);
    return found;
  }
  override async setMulti(entries: Entries) {
    for (const [key, value] of entries) await this.set(key, value);
  }
}

const LATE: Record<string, Fault> = {
  'answers come late': { backend: Late, fails: [] },

  'calls that run at once share a buffer': {
    backend: class extends Late {
      #key = '';
      override async get(key: string) {
        this.#key = key;
        await new Promise((resolve) => setImmediate(resolve));
        return super.get(this.#key);
      }
    },
    wide: true,
    fails: ['calls that run at once do not mix their keys up'],
  },
  'a set is lost while another runs': {
    backend: class extends Late {
      #busy = false;
      override async set(key: string, value: CachedValue<any>) {
        if (this.#busy) return;
        this.#busy = true;
        await new Promise((resolve) => setImmediate(resolve));
        await super.set(key, value);
        this.#busy = false;
      }
    },
    wide: true,
    fails: ['calls that run at once do not mix their keys up'],
  },
};

plant(FAULTS, { sync: true, clear: true }, 100);
plant(LATE, {}, 80);

test.run();
