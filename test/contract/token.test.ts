/** Backends with tokens keep the contract, at once or late, alone or as two instances over one store. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backendSuite } from '../../src/testing/index.ts';
import { LateTokenBackend, TokenBackend, TokenStore, WRAPS } from './backends.ts';

for (const [how, wrap] of Object.entries(WRAPS)) {
  backendSuite({
    test,
    assert,
    name: `tokens, ${how}`,
    setup: () => new TokenStore(),
    backend: TokenBackend,
    arguments: (store) => ({ store }),
    wrap,
    sync: true,
    clear: true,
    tokens: true,
    tokenStands: true,
    shared: true,
  });
}

backendSuite({
  test,
  assert,
  name: 'late tokens',
  setup: () => new TokenStore(),
  create: (context, store) => new LateTokenBackend({ store }, context),
  clear: true,
  tokens: true,
  shared: true,
});

test.run();
