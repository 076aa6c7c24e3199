/** The adapters are what their hosts' types ask for, and neither their code nor their published types import a Keyv. */
import { readdirSync, readFileSync } from 'node:fs';
import { expectTypeOf } from 'expect-type';
import type { KeyvStoreAdapter } from 'keyv';
import type { KeyvStorageAdapter } from 'keyv6';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Keyv5Cairn, KeyvCairn } from '../../src/adapters/keyv/index.ts';

test('types: each is its host\u2019s adapter, and KeyvCairn is none for Keyv 5', () => {
  // these lines are checked when the file is compiled
  expectTypeOf<Keyv5Cairn>().toExtend<KeyvStoreAdapter>();
  expectTypeOf<KeyvCairn>().toExtend<KeyvStorageAdapter>();
  expectTypeOf<KeyvCairn>().not.toExtend<KeyvStoreAdapter>();
});

test('what is published imports nothing but itself and Node', () => {
  const folder = new URL('../../src/adapters/keyv/', import.meta.url);
  const files = readdirSync(folder).filter((name) => /\.(js|d\.ts)$/.test(name));
  assert.ok(files.includes('index.js') && files.includes('index.d.ts'), files.join(', '));
  let imports = 0;
  for (const name of files) {
    const text = readFileSync(new URL(name, folder), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, from] of text.matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)) {
      imports++;
      assert.match(from!, /^(\.|node:)/, `${name} imports ${from}`);
    }
  }
  assert.ok(imports >= 10, `${imports} imports were looked at`);
});

test.run();
