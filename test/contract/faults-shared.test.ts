/** Each fault of a backend that several use at once is found by the tests that are about it. */
import { test } from 'uvu';
import { type CachedValue, NO_VALUE, type NoValue } from '../../src/backend/cached-value.ts';
import type { SetOptions } from '../../src/backend/types.ts';
import { LocalMutex } from '../../src/mutex/local-mutex.ts';
import { LockedStore, LockedTokenBackend } from './backends.ts';
import { type Fault, plant } from './faults.ts';

class Correct extends LockedTokenBackend {}

const FAULTS: Record<string, Fault<LockedStore>> = {
  none: { backend: Correct, fails: [] },

  'an instance remembers what it read': {
    backend: class extends Correct {
      readonly #read = new Map<string, CachedValue<any>>();
      override get(key: string): CachedValue<any> | NoValue {
        const found = this.#read.get(key) ?? super.get(key);
        if (found !== NO_VALUE) this.#read.set(key, found);
        return found;
      }
      override set(key: string, value: CachedValue<any>, options?: SetOptions) {
        this.#read.delete(key);
        return super.set(key, value, options);
      }
      override delete(key: string) {
        this.#read.delete(key);
        return super.delete(key);
      }
      override clear() {
        this.#read.clear();
        super.clear();
      }
    },
    fails: ['one creator runs at a time over two regions', 'one instance sees what another changed'],
  },
  'instances have mutexes of their own': {
    backend: class extends Correct {
      readonly #mutexes = new Map<string, LocalMutex>();
      override getMutex(key: string) {
        const mutex = this.#mutexes.get(key) ?? new LocalMutex();
        this.#mutexes.set(key, mutex);
        return mutex;
      }
    },
    fails: ['one creator runs at a time over two regions'],
  },
  'instances have invalidations of their own': {
    backend: Correct,
    options: { sharedGenerations: true },
    fails: ['one region sees the invalidations of another, within the same millisecond'],
  },
};

plant<LockedStore>(
  FAULTS,
  {
    setup: () => new LockedStore(),
    arguments: (store: LockedStore) => ({ store }),
    sync: true,
    clear: true,
    tokens: true,
    tokenStands: true,
    mutexes: true,
    shared: true,
    sharedMutexes: true,
  },
  110,
);

test.run();
