/** The suites under `node:test` and `node:assert`: run by runners.test.ts, in a process of its own. */
import * as assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalMutex } from '../../src/mutex/local-mutex.ts';
import { backendSuite, mutexSuite, serializerSuite } from '../../src/testing/index.ts';

backendSuite({ test, assert, backend: 'cairn.memory', sync: true, clear: true });
mutexSuite({
  test,
  assert,
  setup: () => new Map<string, LocalMutex>(),
  create(key, mutexes) {
    const mutex = mutexes.get(key) ?? new LocalMutex();
    mutexes.set(key, mutex);
    return mutex;
  },
  releaseUnheld: 'throws',
});
serializerSuite({ test, assert, serializer: JSON.stringify, deserializer: JSON.parse });
