/** `cairn.memory` keeps the contract of backends. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backendSuite } from '../../src/testing/index.ts';
import { WRAPS } from './backends.ts';

for (const [how, wrap] of Object.entries(WRAPS)) {
  backendSuite({
    test,
    assert,
    name: `cairn.memory, ${how}`,
    backend: 'cairn.memory',
    wrap,
    sync: true,
    clear: true,
  });
}

test.run();
