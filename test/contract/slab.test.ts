/** `cairn.slab` keeps the contract of backends: with an engine of its own, and with others on one engine. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SlabBackend } from '../../src/backend/slab-backend.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { backendSuite } from '../../src/testing/index.ts';
import { checkHeap } from '../support/engine.ts';
import { WRAPS } from './backends.ts';

const MAX_BYTES = 16 * 2 ** 20;

const TRAITS = {
  sync: true,
  frozen: true,
  copies: true,
  keyMangler: true,
  clear: true,
  close: true,
  tokens: true,
  tokenStands: true,
  mutexes: true,
} as const;

backendSuite({
  test,
  assert,
  name: 'cairn.slab by name',
  backend: 'cairn.slab',
  arguments: { maxBytes: MAX_BYTES, mutexes: 64 },
  ...TRAITS,
});

for (const [how, wrap] of Object.entries(WRAPS)) {
  backendSuite({
    test,
    assert,
    name: `cairn.slab on one engine, ${how}`,
    setup: () => SharedCache.create({ maxBytes: MAX_BYTES }),
    create: (context, cache) => new SlabBackend({ cache }, context),
    dispose(cache) {
      checkHeap(cache);
      cache.close();
    },
    wrap,
    ...TRAITS,
    shared: true,
    sharedMutexes: true,
    sharedGenerations: true,
  });
}

// One mutex for all keys, nothing kept decoded: the other ends of the two tables.
backendSuite({
  test,
  assert,
  name: 'cairn.slab with one mutex and without decoded values',
  setup: () => SharedCache.create({ maxBytes: MAX_BYTES, mutexes: 1 }),
  create: (context, cache) => new SlabBackend({ cache, decoded: { mode: 'off' } }, context),
  dispose(cache) {
    checkHeap(cache);
    cache.close();
  },
  ...TRAITS,
  frozen: false,
  shared: true,
  sharedMutexes: true,
  sharedGenerations: true,
});

test.run();
