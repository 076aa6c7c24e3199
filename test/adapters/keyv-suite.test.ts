/**
 * The suite that Keyv 5 publishes for its stores, run whole against Keyv5Cairn. Of `@keyv/test-suite` only its compression
 * tests are left out: they make Keyvs over a `Map` of their own, and never see a store.
 */
import { keyvApiTests, keyvIteratorTests, keyvNamespaceTest, keyvValueTests } from '@keyv/test-suite';
import Keyv from 'keyv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyv5Cairn } from '../../src/adapters/keyv/index.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { checkHeap } from '../support/engine.ts';
import { runPart, type SuiteHost } from './suite-host.ts';

const cache = SharedCache.create({ maxBytes: 4 * 2 ** 20 });
const store = () => new Keyv5Cairn(cache);
type Part = (host: any, keyv: any, store: () => any) => void;

const counts = [
  ['api', keyvApiTests],
  ['values', keyvValueTests],
  ['namespace', keyvNamespaceTest],
  ['iterator', keyvIteratorTests],
].map(([name, part]) => runPart(name as string, (host: SuiteHost) => (part as Part)(host, Keyv, store)));

// the suites are queued in this order, so this one comes last
test('every part had its tests, and the heap balances', () => {
  assert.equal(counts, [22, 13, 3, 4]);
  assert.ok(cache.stats().sets > 0, 'the tests went through the cache');
  checkHeap(cache);
  cache.close();
});

test.run();
