/** What tests of wrong input share: what must be thrown, and every use of a cache there is. */
import * as assert from 'uvu/assert';
import * as errors from '../../src/errors.ts';
import { show } from '../../src/show.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';

/** That `run` throws exactly this class and code, and that the message holds each of `words`. */
export function fails(
  run: () => unknown,
  thrownClass: new (...args: any[]) => errors.CairnError,
  code: string,
  ...words: string[]
): void {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    const thrown = error as errors.CairnError;
    assert.is(thrown.constructor, thrownClass, `${run}: ${thrown.stack}`);
    assert.instance(thrown, errors.CairnError);
    assert.is(thrown.code, code);
    assert.is(thrown.name, thrownClass.name);
    for (const word of words) assert.ok(thrown.message.includes(word), `"${thrown.message}" says ${word}`);
    return;
  }
  assert.unreachable(`${run} gave ${String(result)}, ${words.join(' ')}`);
}

/** An option error that names the field and shows the value. */
export function refusesOption(run: () => unknown, field: string, value: unknown): void {
  fails(run, errors.OptionError, 'ERR_CAIRN_OPTION', `${field}: `, show(value));
  try {
    run();
  } catch (error) {
    assert.is((error as errors.OptionError).field, field);
    assert.ok(Object.is((error as errors.OptionError).value, value));
  }
}

/** A small cache, with `options`. */
export const smallCache = (options: object = {}): SharedCache<any> =>
  SharedCache.create<any>({ maxBytes: 2 * 2 ** 20, maxThreads: 4, mutexes: 16, ...options });

/** Every use of a cache with a key, none of which may succeed. */
export const uses = (
  cache: SharedCache<any>,
  key: any,
  value: unknown = 1,
): Record<string, () => unknown> => ({
  get: () => cache.get(key),
  peek: () => cache.peek(key),
  has: () => cache.has(key),
  getMany: () => cache.getMany([key]),
  set: () => cache.set(key, value),
  add: () => cache.add(key, value),
  replace: () => cache.replace(key, value),
  setMany: () => cache.setMany([[key, value]]),
  delete: () => cache.delete(key),
  deleteMany: () => cache.deleteMany([key]),
  increment: () => cache.increment(key),
  update: () => cache.update(key, () => value),
  take: () => cache.take(key),
  touch: () => cache.touch(key, 1000),
  info: () => cache.info(key),
  mutex: () => cache.mutex(key),
});

/** Every use without a key. */
export const keyless = (cache: SharedCache<any>): Record<string, () => unknown> => ({
  clear: () => cache.clear(),
  size: () => cache.size,
  bytes: () => cache.bytes,
  stats: () => cache.stats(),
  handle: () => cache.handle,
  keys: () => cache.keys().next(),
  entries: () => cache.entries().next(),
  iterator: () => [...cache],
});
