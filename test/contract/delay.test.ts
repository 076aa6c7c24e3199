/** Asynchronous backends keep the contract: one that answers after random delays, and one over text. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { registerBackend } from '../../src/backend/registry.ts';
import { backendSuite, JSON_VALUES } from '../../src/testing/index.ts';
import { DelayBackend, TextBackend, WRAPS } from './backends.ts';

for (const [how, wrap] of Object.entries(WRAPS)) {
  backendSuite({ test, assert, name: `delays, ${how}`, backend: DelayBackend, wrap });
}

// Its class comes by a promise, as that of a package that is imported late.
registerBackend('contract.text', () => Promise.resolve({ default: TextBackend }));
backendSuite({
  test,
  assert,
  backend: 'contract.text',
  values: JSON_VALUES,
  copies: true,
  keyMangler: true,
});

test.run();
