/** Pairs of serializers keep the contract: over every backend of the package, and over one that answers late. */
import { deserialize, serialize } from 'node:v8';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { registerBackend } from '../../src/backend/registry.ts';
import { CantDeserializeError } from '../../src/errors.ts';
import { JSON_VALUES, serializerSuite, VALUES } from '../../src/testing/index.ts';
import { DelayBackend } from './backends.ts';

/** JSON text under a version. */
const json = {
  serializer: (value: unknown) => `1:${JSON.stringify(value)}`,
  deserializer(text: unknown) {
    if (typeof text !== 'string' || !text.startsWith('1:'))
      throw new CantDeserializeError('not of this version');
    try {
      return JSON.parse(text.slice(2));
    } catch (cause) {
      throw new CantDeserializeError('not JSON', { cause });
    }
  },
};

for (const backend of ['cairn.memory', 'cairn.slab']) {
  serializerSuite({
    test,
    assert,
    name: `JSON in ${backend}`,
    ...json,
    damaged: { 'another version': '2:{}', 'a text that was cut': '1:{"a"', 'no text': 7 },
    backend,
    arguments: backend === 'cairn.slab' ? { maxBytes: 16 * 2 ** 20 } : {},
  });
}

serializerSuite({
  test,
  assert,
  name: 'v8 in cairn.slab',
  serializer: (value) => new Uint8Array(serialize(value)),
  deserializer: (bytes) => deserialize(bytes),
  values: { ...VALUES, 'a Map': new Map([['a', new Set([1, 2])]]), 'a Date': new Date(1e12) },
  backend: 'cairn.slab',
  arguments: { maxBytes: 16 * 2 ** 20 },
});

registerBackend('contract.delay', () => DelayBackend);
serializerSuite({
  test,
  assert,
  name: 'JSON, late',
  ...json,
  values: JSON_VALUES,
  backend: 'contract.delay',
  sync: false,
});

// It may be that nothing has to be done: then there is no copy either.
serializerSuite({
  test,
  assert,
  name: 'identity',
  serializer: (value) => value,
  deserializer: (value) => value,
  values: VALUES,
  copies: false,
});

test.run();
