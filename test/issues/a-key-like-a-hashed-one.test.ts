/**
 * `SlabBackend.keyMangler` hashes keys that do not fit. A short key that looks like the hash of a long one is another key, and
 * so is the hash of that one, and so on.
 */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRegion, SharedCache, type SlabBackend } from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';

const LONG = [
  'L'.repeat(961),
  'L'.repeat(1000),
  'ж'.repeat(481),
  `${'\ud800'.repeat(500)}`,
  `${'\ud801'.repeat(500)}`,
];
const SHORT = ['', 'k', 'L'.repeat(960), 'ж'.repeat(480), 'sha256', 'sha1:abc', 'Sha256:x', ' sha256:x'];

/** What the mangler makes of a key, as an attacker would compute it. */
const hashOf = (key: string) =>
  `sha256:${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex')}`;

function make() {
  const cache = SharedCache.create<string>({ maxBytes: 2 ** 21, maxThreads: 2, mutexes: 8 });
  const region = createRegion<string>({ name: 'keys', backend: 'cairn.slab', arguments: { cache } });
  return { cache, region, backend: region.actualBackend as SlabBackend<string> };
}

test('a key of the form of a hash reads nothing of the long key', async () => {
  const { cache, region } = make();
  for (const long of LONG) {
    const short = hashOf(long);
    await region.set(long, 'secret');
    assert.is(await region.get(long), 'secret');
    assert.is(await region.get(short), undefined);
    assert.is(await region.has(short), false);
    assert.is(await region.delete(short), false);
    await region.set(short, 'other');
    assert.is(await region.get(long), 'secret');
    assert.is(await region.get(short), 'other');
    assert.is(await region.get(hashOf(short)), undefined);
    assert.is(await region.getOrCreate(hashOf(short), () => 'third'), 'third');
    assert.is(await region.get(short), 'other');
    await region.delete(long);
    assert.is(await region.get(long), undefined);
    assert.is(await region.get(short), 'other');
  }
  checkHeap(cache);
  region.close();
  cache.close();
});

test('no two keys are one', () => {
  const { cache, region, backend } = make();
  const keys = [...SHORT, ...LONG];
  for (let n = 0; n < 3; n++) keys.push(...keys.map(hashOf));
  keys.push(
    'sha256:',
    'sha256:x',
    `sha256:${'0'.repeat(64)}`,
    `sha256:${'L'.repeat(1000)}`,
    'sha256:\ud800',
    'sha256:\ud801',
  );
  const different = [...new Set(keys)];
  const mangled = different.map((key) => backend.keyMangler(key));
  assert.is(new Set(mangled).size, different.length);
  for (const [n, key] of different.entries()) region.setSync(key, `value ${n}`);
  for (const [n, key] of different.entries()) assert.is(region.getSync(key), `value ${n}`, key.slice(0, 40));
  // what fits and does not look like a hash stays as it is; what is hashed fits
  for (const key of SHORT) assert.is(backend.keyMangler(key), key);
  for (const key of mangled) cache.set(key, 'fits');
  checkHeap(cache);
  region.close();
  cache.close();
});

test.run();
