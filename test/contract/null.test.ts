/** `cairn.null` keeps the contract of backends that keep nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backendSuite } from '../../src/testing/index.ts';
import { WRAPS } from './backends.ts';

for (const [how, wrap] of Object.entries(WRAPS)) {
  backendSuite({
    test,
    assert,
    name: `cairn.null, ${how}`,
    backend: 'cairn.null',
    wrap,
    sync: true,
    retains: false,
    mutexes: true,
    exclusive: false,
  });
}

test.run();
