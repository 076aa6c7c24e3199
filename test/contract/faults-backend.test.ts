/**
 * Each fault of a backend is found by the tests that are about it, and by no other; a correct one has no failure. Here:
 * values, metadata, what a backend is made of.
 */
import { test } from 'uvu';
import { CacheBackend } from '../../src/backend/cache-backend.ts';
import { CachedValue, NO_VALUE, type NoValue } from '../../src/backend/cached-value.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { NullBackend } from '../../src/backend/null-backend.ts';
import { type Fault, plant } from './faults.ts';

/** What is broken is this: synchronous, with `clear`. */
class Correct extends MemoryBackend<any> {}

const FAULTS: Record<string, Fault> = {
  none: { backend: Correct, fails: [] },

  'delete throws on an absent key': {
    backend: class extends Correct {
      override delete(key: string) {
        if (!super.delete(key)) throw new Error(`no key ${key}`);
        return true;
      }
    },
    fails: [
      'delete answers whether something stood, and may be repeated',
      'deleteMulti takes any iterable, and answers how many stood',
      'regions do not see each other',
      'region: a value that comes after a delete is not stored',
      'region: a value that comes after a deleteMulti is not stored',
      'region: nobody joins a creation that began before a change',
      'region: set, get, has, delete',
      'region: setMulti, getMulti, deleteMulti',
    ],
  },
  'delete answers nothing': {
    backend: class extends Correct {
      override delete(key: string) {
        super.delete(key);
        return undefined as unknown as boolean;
      }
    },
    fails: [
      'delete answers whether something stood, and may be repeated',
      'deleteMulti takes any iterable, and answers how many stood',
      'region: set, get, has, delete',
      'region: setMulti, getMulti, deleteMulti',
    ],
  },
  'set answers false for what it stores': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>): any {
        super.set(key, value);
        return false;
      }
    },
    fails: [
      'a member of metadata that it does not know is kept, or the value is refused',
      'region: set, get, has, delete',
      'region: setMulti, getMulti, deleteMulti',
      'set stores, get gives a CachedValue, set again replaces it',
      'setMulti takes any iterable, and goes through it once',
    ],
  },
  'get drops the generation': {
    backend: class extends Correct {
      override get(key: string): CachedValue<any> | NoValue {
        const found = super.get(key);
        if (found === NO_VALUE) return found;
        const { ct, v } = found.metadata;
        return new CachedValue(found.payload, { ct, v });
      }
    },
    fails: [
      'a member of metadata that it does not know is kept, or the value is refused',
      'getMulti answers in the order of the keys, duplicates and gaps included',
      'metadata comes back whole',
      'region: hard invalidation: values count as missing, at once',
      'region: soft invalidation: values count as stale, at once',
      'region: what a region stores carries its time and generation',
      'region: while one regenerates, the others get the stale value',
      'setMulti replaces what stands, with its whole metadata',
    ],
  },
  'get rounds the time': {
    backend: class extends Correct {
      override get(key: string): CachedValue<any> | NoValue {
        const found = super.get(key);
        if (found === NO_VALUE) return found;
        return new CachedValue(found.payload, { ...found.metadata, ct: Math.floor(found.metadata.ct) });
      }
    },
    fails: [
      'a value without a generation does not come back with that of another',
      'getMulti answers in the order of the keys, duplicates and gaps included',
      'metadata comes back whole',
      'region: a value expires after its time, not at it',
      'region: an expired value is created again, once',
      'region: expirationTime of a call goes for that call',
      'region: getValueMetadata tells the time of creation',
      'region: what a region stores carries its time and generation',
      'set stores, get gives a CachedValue, set again replaces it',
      'setMulti replaces what stands, with its whole metadata',
    ],
  },
  'get answers undefined for an absent key': {
    backend: class extends Correct {
      override get(key: string): any {
        const found = super.get(key);
        return found === NO_VALUE ? undefined : found;
      }
    },
    wide: true,
    fails: [
      'a region is configured with the class',
      'arguments are not changed, and what it does not know there is ignored',
      'calls that run at once do not mix their keys up',
      'clear removes everything, and the backend goes on',
      'delete answers whether something stood, and may be repeated',
      'deleteMulti takes any iterable, and answers how many stood',
      'get of an absent key is NO_VALUE',
      'getMulti answers in the order of the keys, duplicates and gaps included',
      'no two keys are one: empty, unicode, lone surrogates, __proto__, very long',
      'regions do not see each other',
      'set stores, get gives a CachedValue, set again replaces it',
    ],
  },
  'metadata that it does not know is dropped': {
    backend: class extends Correct {
      override set(key: string, { payload, metadata }: CachedValue<any>) {
        const { ct, v, generation } = metadata;
        const kept = generation === undefined ? { ct, v } : { ct, v, generation };
        super.set(key, new CachedValue(payload, kept));
      }
    },
    fails: ['a member of metadata that it does not know is kept, or the value is refused'],
  },
  'a value without a generation gets one': {
    backend: class extends Correct {
      override set(key: string, { payload, metadata }: CachedValue<any>) {
        super.set(key, new CachedValue(payload, { generation: 1, ...metadata }));
      }
    },
    fails: ['a value without a generation does not come back with that of another'],
  },
  'a stored undefined is lost': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>) {
        if (value.payload !== undefined) super.set(key, value);
      }
    },
    fails: ['holds undefined', 'region: a stored undefined is a value'],
  },
  'payloads go through JSON': {
    backend: class extends Correct {
      override set(key: string, { payload, metadata }: CachedValue<any>) {
        const text = typeof payload === 'bigint' ? `${payload}` : JSON.stringify(payload);
        super.set(key, new CachedValue(text === undefined ? undefined : JSON.parse(text), metadata));
      }
    },
    fails: [
      'holds Infinity',
      'holds NaN',
      'holds a bigint',
      'holds an object with an undefined member',
      'holds bytes',
      'holds minus zero',
      'holds no bytes',
    ],
  },
  'set changes the payload': {
    backend: class extends Correct {
      override set(key: string, value: CachedValue<any>) {
        if (Array.isArray(value.payload?.list) && !Object.isFrozen(value.payload))
          value.payload.list.push('stored');
        super.set(key, value);
      }
    },
    fails: [
      'set changes nothing of the value that it is given',
      'setMulti changes neither its argument nor the values in it',
    ],
  },
  'a clear removes nothing': {
    backend: class extends Correct {
      override clear() {}
    },
    fails: ['clear removes everything, and the backend goes on'],
  },
  'clear is gone': {
    backend: class extends CacheBackend<any> {
      readonly #inner = new Correct();
      get(key: string) {
        return this.#inner.get(key);
      }
      set(key: string, value: CachedValue) {
        this.#inner.set(key, value);
      }
      delete(key: string) {
        return this.#inner.delete(key);
      }
    },
    fails: [
      'clear removes everything, and the backend goes on',
      'it has the optional members that the suite was told of, and no other',
      'regions do not see each other',
    ],
  },
  'close fails the second time': {
    backend: class extends Correct {
      #open = true;
      override close() {
        if (!this.#open) throw new Error('closed already');
        this.#open = false;
      }
    },
    options: { close: true },
    fails: ['close may be called twice'],
  },
  'arguments are emptied': {
    backend: class extends MemoryBackend<any> {
      constructor(args: Record<string, unknown>) {
        super();
        for (const name of Object.keys(args)) delete args[name];
      }
    },
    fails: [
      'a region is configured with the class',
      'arguments are not changed, and what it does not know there is ignored',
    ],
  },
  'unknown arguments are refused': {
    backend: class extends MemoryBackend<any> {
      constructor(args: Record<string, unknown>) {
        super();
        if (Object.keys(args).length > 0) throw new Error('unknown argument');
      }
    },
    fails: [
      'a region is configured with the class',
      'arguments are not changed, and what it does not know there is ignored',
      'fromConfig takes what begins with the prefix',
    ],
  },
  'getMulti answers by a promise': {
    backend: class extends Correct {
      override getMulti(keys: readonly string[]): any {
        return Promise.resolve(super.getMulti(keys));
      }
    },
    wide: true,
    fails: ['every method answers at once'],
  },
  'payloads are not copied, nor frozen': {
    backend: Correct,
    options: { copies: true, frozen: true },
    fails: ['a payload that is changed outside does not change in the store', 'what it hands out is frozen'],
  },
  'its mutexes are always free': {
    backend: class extends Correct {
      override getMutex() {
        return { acquire: () => true, release() {}, locked: () => false };
      }
    },
    options: { mutexes: true },
    fails: [
      'getMutex gives a free mutex, or null',
      'region: keyIsLocked is true while a creator runs',
      'region: many callers, random keys: never two creators of one key at once',
      'region: while one regenerates, the others get the stale value',
    ],
  },
};

const FORGETFUL: Record<string, Fault> = {
  'nothing is kept': { backend: NullBackend, fails: [] },

  'nothing should be kept, but is': {
    backend: class extends MemoryBackend {
      override getMutex() {
        return new NullBackend().getMutex('');
      }
      override clear = undefined as never;
    },
    fails: [
      'a region is configured with the class',
      'fromConfig takes what begins with the prefix',
      'nothing is kept, and no call fails',
      'region: a miss each time',
      'region: each call runs its creator',
    ],
  },
  'nothing is kept, and a delete of nothing throws': {
    backend: class extends NullBackend {
      override delete(): boolean {
        throw new Error('nothing there');
      }
    },
    fails: ['every method answers at once', 'nothing is kept, and no call fails', 'region: a miss each time'],
  },
};

plant(FAULTS, { sync: true, clear: true }, 100);
plant(FORGETFUL, { sync: true, retains: false, mutexes: true, exclusive: false }, 10);

test.run();
