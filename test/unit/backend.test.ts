/** Backends by themselves: values, Multi forms, proxies, and the local mutex. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CacheBackend } from '../../src/backend/cache-backend.ts';
import { CachedValue, NO_VALUE, VALUE_VERSION } from '../../src/backend/cached-value.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { NullBackend } from '../../src/backend/null-backend.ts';
import { ProxyBackend } from '../../src/backend/proxy-backend.ts';
import type { BackendContext, SetOptions } from '../../src/backend/types.ts';
import { LocalMutex, LocalMutexes } from '../../src/mutex/local-mutex.ts';
import { isSharedMutex } from '../../src/mutex/types.ts';
import { DelayBackend, errorOf, FakeSharedMutex, FakeTable, TokenBackend } from './region-fixtures.ts';

const value = (payload: unknown, ct = 5) => new CachedValue(payload, { ct, v: VALUE_VERSION });

test('CachedValue and NO_VALUE', () => {
  const made = value('p', performance.timeOrigin + performance.now() - 1000);
  assert.is(made.cachedTime, made.metadata.ct);
  assert.ok(made.age >= 1000 && made.age < 60_000);
  assert.is(NO_VALUE, Symbol.for('cairn.NO_VALUE'));
});

for (const make of [
  () => new MemoryBackend<unknown>(),
  () => new DelayBackend<unknown>(),
  () => new TokenBackend<unknown>(),
]) {
  const title = make().constructor.name;

  test(`${title}: single and Multi forms agree`, async () => {
    const backend = make();
    const [a, b] = [value('a'), value('b')];
    const entries = new Map([
      ['a', a],
      ['b', b],
    ]);
    assert.is(await backend.setMulti(entries), true);
    assert.is(entries.size, 2);
    assert.is(await backend.get('a'), a);
    assert.equal(await backend.getMulti(['b', 'x', 'a', 'b']), [b, NO_VALUE, a, b]);
    assert.is(await backend.deleteMulti(['a', 'x']), 1);
    assert.is(await backend.get('a'), NO_VALUE);
    assert.equal(await backend.getMulti([]), []);
    assert.is(await backend.setMulti([]), true);
    assert.is(await backend.deleteMulti([]), 0);
    assert.is(backend.getMutex('a'), null);
  });
}

test('synchronous backends answer Multi forms at once', () => {
  const backend = new MemoryBackend<string>();
  backend.setMulti([['a', value('a') as CachedValue<string>]]);
  assert.is((backend.getMulti(['a']) as CachedValue<string>[])[0].payload, 'a');
  assert.is(backend.deleteMulti(['a']), 1);
});

test('setMulti passes tokens by key, and says if one was refused', () => {
  const backend = new TokenBackend<unknown>();
  const { token } = backend.beginCreation('a');
  const stale = backend.beginCreation('b').token;
  backend.set('b', value('theirs'));
  const tokens = new Map([
    ['a', token],
    ['b', stale],
  ]);
  assert.is(
    backend.setMulti(
      [
        ['a', value('a')],
        ['b', value('late')],
        ['c', value('c')],
      ],
      { tokens },
    ),
    false,
  );
  const payloads = (backend.getMulti(['a', 'b', 'c']) as CachedValue[]).map((entry) => entry.payload);
  assert.equal(payloads, ['a', 'theirs', 'c']);
});

test('the memory backend keeps the very object, in a map that may be given', () => {
  const map = new Map<string, CachedValue>();
  const backend = new MemoryBackend({ map });
  const stored = value({});
  backend.set('k', stored);
  assert.is(map.get('k'), stored);
  backend.clear();
  assert.is(map.size, 0);
});

test('the null backend keeps nothing, and its mutex is always free', () => {
  const backend = new NullBackend();
  backend.set();
  assert.is(backend.get('k'), NO_VALUE);
  assert.is(backend.delete('k'), false);
  const mutex = backend.getMutex('k');
  assert.equal([mutex.acquire(), mutex.acquire(false), mutex.locked!()], [true, true, false]);
  mutex.release();
});

test('fromConfig strips the prefix', () => {
  class Configured extends MemoryBackend {
    readonly args: object;
    readonly context: BackendContext;
    constructor(args: object, context: BackendContext) {
      super(args);
      this.args = args;
      this.context = context;
    }
  }
  const config = Object.freeze({ 'cache.url': 'u', 'cache.': 1, other: 2 });
  const made = Configured.fromConfig(config, 'cache.', { region: 'r' });
  assert.instance(made, Configured);
  assert.equal(made.args, { url: 'u', '': 1 });
  assert.is(made.context.region, 'r');
  assert.instance(MemoryBackend.fromConfig({}, 'x'), MemoryBackend);
});

class Counting extends ProxyBackend<unknown> {
  gets = 0;
  sets: (SetOptions | undefined)[] = [];
  deletes = 0;
  override get(key: string) {
    this.gets++;
    return super.get(key);
  }
  override set(key: string, entry: CachedValue, options?: SetOptions) {
    this.sets.push(options);
    return super.set(key, entry, options);
  }
  override delete(key: string) {
    this.deletes++;
    return super.delete(key);
  }
}

test('Multi forms of a proxy go through its own single ones', () => {
  const inner = new TokenBackend<unknown>();
  const proxy = new Counting().wrap(inner);
  const { token } = inner.beginCreation('a');
  proxy.setMulti(
    [
      ['a', value(1)],
      ['b', value(2)],
    ],
    { tokens: new Map([['a', token]]) },
  );
  assert.equal(proxy.sets, [{ token }, undefined]);
  assert.is((proxy.getMulti(['a', 'b', 'c']) as CachedValue[]).length, 3);
  assert.is(proxy.gets, 3);
  assert.is(proxy.deleteMulti(['a', 'c']), 1);
  assert.is(proxy.deletes, 2);
});

test('a proxy that overrides nothing passes Multi forms on as they are', async () => {
  const calls: string[] = [];
  class Multi extends MemoryBackend<unknown> {
    override getMulti(keys: readonly string[]) {
      calls.push('getMulti');
      return super.getMulti(keys);
    }
    override setMulti(entries: Iterable<readonly [string, CachedValue]>, options?: object) {
      calls.push(`setMulti ${options !== undefined}`);
      return super.setMulti(entries, options);
    }
    override deleteMulti(keys: Iterable<string>) {
      calls.push('deleteMulti');
      return super.deleteMulti(keys);
    }
  }
  const proxy = new ProxyBackend<unknown>().wrap(new ProxyBackend<unknown>().wrap(new Multi()));
  proxy.setMulti([['a', value(1)]]);
  proxy.setMulti([], { tokens: new Map() });
  proxy.getMulti(['a']);
  proxy.deleteMulti(['a']);
  assert.equal(calls, ['setMulti false', 'setMulti true', 'getMulti', 'deleteMulti']);
});

test('a proxy has the optional members that its backend has', async () => {
  const bare = new ProxyBackend().wrap(new NullBackend());
  for (const name of ['keyMangler', 'beginCreation', 'endCreation', 'clear', 'close'] as const) {
    assert.is(bare[name], undefined, name);
  }
  class Full extends TokenBackend<unknown> {
    closed = false;
    override keyMangler = (key: string) => `${key}!`;
    override close() {
      this.closed = true;
    }
  }
  const full = new Full();
  const proxy = new ProxyBackend<unknown>().wrap(new ProxyBackend<unknown>().wrap(full));
  assert.is(proxy.keyMangler!('k'), 'k!');
  const { value: found, token } = (await proxy.beginCreation!('k'))!;
  assert.is(found, NO_VALUE);
  assert.is(full.marks.size, 1);
  proxy.endCreation!('k', token);
  assert.is(full.marks.size, 0);
  full.set('k', value(1));
  proxy.clear!();
  assert.is(full.get('k'), NO_VALUE);
  proxy.close!();
  assert.ok(full.closed);
});

test('beginCreation of a proxy: the inner token, its own get; a get that fails gives the token back', async () => {
  const inner = new TokenBackend<unknown>();
  class Own extends ProxyBackend<unknown> {
    override get(): any {
      return Promise.resolve(value('own'));
    }
  }
  const own = new Own().wrap(inner);
  const begun = await own.beginCreation!('k');
  assert.is((begun.value as CachedValue).payload, 'own');
  own.endCreation!('k', begun.token);
  assert.is(inner.marks.size, 0);
  const broken = new Error('broken');
  for (const get of [
    () => Promise.reject(broken),
    () => {
      throw broken;
    },
  ]) {
    class Broken extends ProxyBackend<unknown> {
      override get(): any {
        return get();
      }
    }
    assert.is(await errorOf(() => new Broken().wrap(inner).beginCreation!('k')), broken);
    assert.is(inner.marks.size, 0);
  }
});

test('a proxy wraps one backend', async () => {
  const proxy = new ProxyBackend();
  assert.is((await errorOf(() => proxy.get('k'))).code, 'ERR_CAIRN_OPTION');
  proxy.wrap(new NullBackend());
  assert.is((await errorOf(() => proxy.wrap(new NullBackend()))).code, 'ERR_CAIRN_OPTION');
  assert.instance(proxy, CacheBackend);
});

test('LocalMutex hands itself on, in order', async () => {
  const mutex = new LocalMutex();
  assert.is(mutex.locked(), false);
  assert.is(mutex.acquire(), true);
  assert.is(mutex.acquire(false), false);
  assert.is(mutex.locked(), true);
  const order: number[] = [];
  const waits = [1, 2].map(async (n) => {
    assert.is(await mutex.acquire(), true);
    order.push(n);
    assert.is(mutex.acquire(false), false);
    mutex.release();
  });
  mutex.release();
  await Promise.all(waits);
  assert.equal(order, [1, 2]);
  assert.is(mutex.locked(), false);
  assert.is((await errorOf(() => mutex.release())).code, 'ERR_CAIRN_MUTEX');
  assert.is(mutex.acquire(), true);
});

test('LocalMutexes keeps what is held', () => {
  const mutexes = new LocalMutexes();
  const mutex = mutexes.get('k');
  assert.is(mutexes.size, 0);
  mutex.acquire();
  assert.is(mutexes.get('k'), mutex);
  assert.is(mutexes.get('k').acquire(false), false);
  mutex.release();
  assert.is(mutexes.size, 0);
});

test('shared mutexes are told from others', () => {
  assert.is(isSharedMutex(new FakeSharedMutex(new FakeTable(), 1)), true);
  assert.is(isSharedMutex(new LocalMutex()), false);
});

test.run();
