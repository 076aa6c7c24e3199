/** The package's mutexes, and one that has only what it must have, keep the contract of mutexes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalMutex } from '../../src/mutex/local-mutex.ts';
import type { CacheMutex } from '../../src/mutex/types.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { mutexSuite } from '../../src/testing/index.ts';
import { checkHeap } from '../support/engine.ts';
import { plainMutex } from './mutexes.ts';

for (const mutexes of [1024, 1]) {
  mutexSuite({
    test,
    assert,
    name: `SlabMutex, a table of ${mutexes}`,
    setup: () => SharedCache.create({ maxBytes: 2 ** 20, mutexes }),
    create: (key, cache) => cache.mutex(key),
    dispose(cache) {
      checkHeap(cache);
      cache.close();
    },
    signal: true,
    shared: true,
    independent: mutexes > 1,
  });
}

/** One object for each key, made when it is first asked for. */
class OneEach extends Map<string, CacheMutex> {
  of(key: string, make: () => CacheMutex): CacheMutex {
    const mutex = this.get(key) ?? make();
    this.set(key, mutex);
    return mutex;
  }
}

mutexSuite({
  test,
  assert,
  name: 'LocalMutex',
  setup: () => new OneEach(),
  create: (key, mutexes) => mutexes.of(key, () => new LocalMutex()),
  signal: true,
});

mutexSuite({
  test,
  assert,
  name: 'one LocalMutex for all keys',
  setup: () => new LocalMutex(),
  create: (_key, mutex) => mutex,
  signal: true,
  independent: false,
});

mutexSuite({
  test,
  assert,
  name: 'a plain object',
  setup: () => new OneEach(),
  create: (key, mutexes) => mutexes.of(key, plainMutex),
  locked: false,
  releaseUnheld: 'ignored',
});

test.run();
