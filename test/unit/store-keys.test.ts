/** The two writers of keys write the same bytes: what one stores the other finds, at every length and of every width. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyError, SharedCache } from '../../src/index.ts';
import { LONG_TEXT, SHORT_TEXT, stageKey } from '../../src/store/keys.ts';
import { checkHeap } from '../support/engine.ts';

const KINDS: Record<string, (length: number) => string> = {
  ASCII: (length) => 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(27).slice(0, length),
  'Latin-1 at the end': (length) => 'k'.repeat(Math.max(0, length - 1)) + (length ? 'ÿ' : ''),
  'Latin-1 all': (length) => 'é'.repeat(length),
  'UTF-16 at the end': (length) => 'k'.repeat(Math.max(0, length - 1)) + (length ? 'ж' : ''),
  'a lone surrogate': (length) => (length ? '\ud800' : '') + 'k'.repeat(Math.max(0, length - 1)),
  'a pair': (length) => `${'k'.repeat(Math.max(0, length - 2))}😀`.slice(-length || Infinity),
  'a rope': (length) => {
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(97 + (i % 26));
    return text;
  },
};
const LENGTHS = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 39, 40, 41, 63, 64, 100, 479, 480];

function bytesOf(cache: SharedCache<any>, length: number): string {
  const engine = SharedCache.engineOf(cache);
  return Buffer.from(engine.u8.slice(engine.stage, engine.stage + length)).toString('hex');
}

for (const [name, make] of Object.entries(KINDS)) {
  test(`${name}: staged by the shell, staged by the engine, found by both`, () => {
    const cache = SharedCache.create<string>({ maxBytes: 4 * 2 ** 20 });
    const engine = SharedCache.engineOf(cache);
    for (const length of LENGTHS) {
      const key = make(length);
      const wide = /[\u0100-\uffff]/.test(key);
      const staged = stageKey(engine, key);
      assert.is(staged & 1, wide ? 1 : 0, `${length}`);
      assert.is(staged >>> 1, key.length * (wide ? 2 : 1));
      const wanted = Buffer.from(key, wide ? 'utf16le' : 'latin1').toString('hex');
      assert.is(bytesOf(cache, staged >>> 1), wanted, `the shell, ${length}`);
      engine.u8.fill(0x2a, engine.stage, engine.stage + 1024);
      engine.x.store_find(key, 0, 3);
      assert.is(bytesOf(cache, staged >>> 1), wanted, `the engine, ${length}`);
      cache.set(key, `value ${length}`);
      assert.is(engine.x.store_find(key, 0, 0) >= 0, true, 'found by the engine');
      const again = stageKey(engine, key);
      assert.is(engine.x.store_get(again >>> 1, again & 1, 0) >= 0, true, 'found by the shell');
      assert.is(cache.get(key), `value ${length}`);
      assert.is(cache.has(key), true);
    }
    checkHeap(cache);
    cache.close();
  });
}

test('the longest keys, and those that are longer', () => {
  const cache = SharedCache.create<string>({ maxBytes: 4 * 2 ** 20 });
  for (const key of ['k'.repeat(960), 'ÿ'.repeat(960), 'ж'.repeat(480), `${'k'.repeat(479)}ж`]) {
    cache.set(key, 'stands');
    assert.is(cache.get(key), 'stands');
    assert.is(cache.delete(key), true);
  }
  for (const key of ['k'.repeat(961), 'ÿ'.repeat(961), 'ж'.repeat(481), `${'k'.repeat(959)}ж`]) {
    for (const call of [
      () => cache.get(key),
      () => cache.set(key, 'x'),
      () => cache.has(key),
      () => cache.delete(key),
    ]) {
      assert.throws(call, (error: unknown) => error instanceof KeyError);
    }
  }
  assert.is(SharedCache.engineOf(cache).x.store_find('ж'.repeat(481), 0, 0), -12);
  checkHeap(cache);
  cache.close();
});

test('a text that is cut off for want of room is no ASCII', () => {
  const cache = SharedCache.create<string>({ maxBytes: 4 * 2 ** 20 });
  for (const tail of ['é', 'éé', 'éééé', 'ж', '😀', '😀😀']) {
    for (let length = Math.min(LONG_TEXT, SHORT_TEXT); length < 120; length++) {
      const value = 'v'.repeat(length) + tail;
      cache.set('k', value);
      assert.is(cache.get('k'), value);
      cache.set(value, 'as a key');
      assert.is(cache.get(value), 'as a key');
    }
  }
  checkHeap(cache);
  cache.close();
});

test.run();
