/** dogpile.cache, "Locks and utilities": NameRegistry, plugin loading, exceptions. (The lock itself: 2; mutexes: 3.) */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as cairn from '../../src/index.ts';
import { CairnError, createRegion, MemoryBackend, registerBackend } from '../../src/index.ts';
import { LocalMutexes } from '../../src/mutex/local-mutex.ts';
import { errorOf } from './fixtures.ts';

test('N:test_name_registry: one live mutex per key, which is gone when nobody has it', async () => {
  const mutexes = new LocalMutexes();
  const first = mutexes.get('foo');
  assert.is(first.acquire(), true);
  assert.is(mutexes.get('foo'), first);
  assert.is.not(mutexes.get('bar'), first);
  const waiting = mutexes.get('foo').acquire();
  first.release();
  assert.is(await waiting, true);
  assert.is(mutexes.get('foo'), first, 'handed on, so still alive');
  assert.is(mutexes.size, 1);
  first.release();
  assert.is(mutexes.size, 0);
  assert.is.not(mutexes.get('foo'), first);
});

test("a region's own mutex: one holder, waiters in order, a surplus release is an error", async () => {
  const mutex = new LocalMutexes().get('k');
  const order: number[] = [];
  assert.is(mutex.acquire(), true);
  assert.is(mutex.acquire(false), false);
  const waits = [1, 2, 3].map(async (n) => {
    await mutex.acquire();
    order.push(n);
    mutex.release();
  });
  mutex.release();
  await Promise.all(waits);
  assert.equal(order, [1, 2, 3]);
  assert.is((await errorOf(() => mutex.release())).code, 'ERR_CAIRN_MUTEX');
});

test('PluginLoader: a backend is loaded when a region is configured, not before', async () => {
  let loads = 0;
  registerBackend('test.lazy', () => {
    loads++;
    return MemoryBackend;
  });
  assert.is(loads, 0);
  const region = createRegion<number>({ name: 'r' });
  assert.is(loads, 0);
  region.configure('test.lazy');
  assert.is(loads, 1);
  assert.instance(region.backend, MemoryBackend);
});

test('PluginLoader: a module that comes by a promise, as import() gives it', async () => {
  registerBackend('test.imported', async () => ({ default: MemoryBackend }));
  const region = createRegion<number>({ name: 'r', backend: 'test.imported' });
  assert.is(region.isConfigured, true);
  assert.is((await errorOf(() => region.getSync('k'))).code, 'ERR_CAIRN_NOT_READY');
  await region.set('k', 1);
  assert.is(region.getSync('k'), 1);
});

test('PluginLoader: a module that cannot be loaded fails the operations that wait, and later ones', async () => {
  const wrong = new Error('no such module');
  registerBackend('test.broken', () => Promise.reject(wrong));
  const region = createRegion<number>({ name: 'r', backend: 'test.broken' });
  assert.is(await errorOf(() => region.get('k')), wrong);
  assert.is(region.isConfigured, false);
  assert.is(await errorOf(() => region.getSync('k')), wrong);
});

test("the package's own names are not taken over", async () => {
  const error = await errorOf(() => registerBackend('cairn.memory', () => MemoryBackend));
  assert.is(error.code, 'ERR_CAIRN_OPTION');
});

test('exceptions: one base, a class for each of dogpile.cache, stable codes', () => {
  const made = {
    DogpileCacheException: [new CairnError('ERR_CAIRN_X', 'x'), 'ERR_CAIRN_X'],
    RegionAlreadyConfigured: [new cairn.RegionAlreadyConfiguredError('r'), 'ERR_CAIRN_CONFIGURED'],
    RegionNotConfigured: [new cairn.RegionNotConfiguredError('r'), 'ERR_CAIRN_NOT_CONFIGURED'],
    ValidationError: [new cairn.OptionError('f', 1, 'no'), 'ERR_CAIRN_OPTION'],
    PluginNotFound: [new cairn.BackendNotFoundError('b'), 'ERR_CAIRN_BACKEND'],
    CantDeserializeException: [new cairn.CantDeserializeError(), 'ERR_CAIRN_DESERIALIZE'],
    LockError: [new cairn.MutexError('m'), 'ERR_CAIRN_MUTEX'],
  } as const;
  for (const [theirs, [ours, code]] of Object.entries(made)) {
    assert.instance(ours, CairnError, theirs);
    assert.instance(ours, Error, theirs);
    assert.is(ours.code, code, theirs);
    assert.is(ours.name, ours.constructor.name, theirs);
  }
});

test.run();
