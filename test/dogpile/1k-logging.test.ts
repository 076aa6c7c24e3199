/**
 * dogpile.cache, "Logging": the four lines of R:LoggingTest with NODE_DEBUG=cairn, and the order of the tests for a
 * miss: absent, then version, then hard invalidation. This file is its own child process. (The harness for backends
 * is `cairn-cache/testing`.)
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CachedValue, createRegion, VALUE_VERSION } from '../../src/index.ts';
import { runChild } from '../support/child.ts';
import { FakeClock, TimeStrategy } from './fixtures.ts';

/** Each case prints its name first, so that the parent knows which lines are whose. */
const CASES: Record<string, () => unknown> = {
  absent() {
    createRegion<number>({ name: 'logged', backend: 'cairn.memory' }).getOrCreateSync('some key', () => 1);
  },
  async version() {
    const region = createRegion<number>({ name: 'logged', backend: 'cairn.memory' });
    await region.backend.set('some key', new CachedValue(1, { ct: 500, v: VALUE_VERSION + 5 }));
    // Invalid as well: the version is looked at before.
    region.invalidateSync();
    await region.getOrCreate('some key', () => 1);
  },
  hard() {
    const region = createRegion<number>({ name: 'logged', backend: 'cairn.memory' });
    region.setSync('some key', 1);
    region.invalidateSync();
    region.getOrCreateSync('some key', () => 1);
  },
  strategy() {
    const clock = new FakeClock();
    const regionInvalidator = new TimeStrategy(clock);
    const region = createRegion<number>({
      name: 'logged',
      backend: 'cairn.memory',
      clock: clock.read,
      regionInvalidator,
    });
    region.setSync('some key', 1);
    region.invalidateSync();
    region.getOrCreateSync('some key', () => 1);
  },
  multi() {
    createRegion<number>({ name: 'logged', backend: 'cairn.memory' }).getOrCreateMultiSync(
      ['foo', 'bar', 'bat'],
      () => [1, 2, 3],
    );
  },
  long() {
    const keys = Array.from({ length: 200 }, (_, n) => `some_big_long_name_${n}`);
    createRegion<string>({ name: 'logged', backend: 'cairn.memory' }).getOrCreateMultiSync(
      keys,
      (all) => all,
    );
  },
  hit() {
    const region = createRegion<number>({ name: 'logged', backend: 'cairn.memory' });
    region.setSync('some key', 1);
    region.getSync('some key');
    region.getOrCreateSync('some key', () => 2);
    region.getSync('absent');
  },
};

if (process.argv[2] === 'child') {
  const name = process.argv[3];
  await CASES[name]();
} else {
  const lines = async (name: string, debug: string): Promise<string[]> => {
    const before = process.env.NODE_DEBUG;
    process.env.NODE_DEBUG = debug;
    const child = await runChild(import.meta.url, ['child', name]);
    if (before === undefined) delete process.env.NODE_DEBUG;
    else process.env.NODE_DEBUG = before;
    assert.is(child.code, 0, child.err);
    const found = child.err.split('\n').filter((line) => line.startsWith('CAIRN '));
    return found.map((line) => line.replace(/^CAIRN \d+: /, ''));
  };
  const GENERATED = /^region logged: cache value generated in \d+\.\d{3} seconds for key\(s\): (.*)$/;
  const missing = (found: string[]) => found.filter((line) => !GENERATED.test(line));
  const generated = (found: string[]) => found.flatMap((line) => GENERATED.exec(line)?.[1] ?? []);

  test('R:LoggingTest.test_log_is_cache_miss, test_log_time', async () => {
    const found = await lines('absent', 'cairn');
    assert.equal(new Set(missing(found)), new Set(['region logged: no value present for key: some key']));
    assert.equal(generated(found), ['some key']);
    assert.match(found.at(-1)!, GENERATED);
  });

  test('R:LoggingTest.test_log_is_value_version_miss: before the invalidation is looked at', async () => {
    const found = await lines('version', 'cairn');
    assert.equal(
      new Set(missing(found)),
      new Set(['region logged: dogpile version update for key: some key']),
    );
  });

  test('R:LoggingTest.test_log_is_hard_invalidated', async () => {
    for (const name of ['hard', 'strategy']) {
      const found = await lines(name, 'cairn');
      assert.equal(
        new Set(missing(found)),
        new Set(['region logged: hard invalidation detected for key: some key']),
        name,
      );
    }
  });

  test('R:LoggingTest.test_log_time: one line for the keys of a multi creator', async () => {
    assert.equal(generated(await lines('multi', 'cairn')), ['bar, bat, foo']);
  });

  test('R:LoggingTest.test_repr_obj_truncated: keys are shortened to 300 characters', async () => {
    const [keys] = generated(await lines('long', 'cairn'));
    assert.is(keys.length, 303);
    assert.ok(keys.endsWith('...'));
    assert.ok(keys.startsWith('some_big_long_name_0, some_big_long_name_1, '));
  });

  test('no line for hits and plain reads, none at all without NODE_DEBUG=cairn', async () => {
    assert.equal(await lines('hit', 'cairn'), []);
    assert.equal(await lines('absent', 'other'), []);
  });

  test.run();
}
