/**
 * A region that is closed, or whose backend is replaced, ends in order: callers get their values, what would have gone on
 * behind them does not begin, nothing is reported that is no fault, and a replacement that fails is told.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import type { BackendClass } from '../../src/backend/types.ts';
import { attachRegion, type CacheRegion, createRegion, SharedCache, SlabBackend } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { checkHeap } from '../support/engine.ts';
import { deferred, errorOf, FakeClock, SETUPS, TimeStrategy, turns } from '../unit/region-fixtures.ts';

const EXPIRATION = 10;

function checkEngine(region: CacheRegion<any>): void {
  const backend = region.actualBackend;
  if (!(backend instanceof SlabBackend)) return;
  const seen = SharedCache.attach(backend.handle);
  checkHeap(seen);
  seen.close();
}

for (const setup of SETUPS) {
  test(`${setup.title}: closed while creators run`, async () => {
    const reported: unknown[] = [];
    const cache = SharedCache.create<any>({ maxBytes: 2 ** 20 });
    const { region, clock } = setup.make<any>({
      expirationTime: EXPIRATION,
      onError: (error) => reported.push(error),
      ...(setup.title === 'slab' ? { arguments: { cache } } : {}),
    });
    await region.setMulti([
      ['s', 'old'],
      ['t', 'old'],
    ]);
    clock.advance(EXPIRATION + 1);
    const { runs } = coreOf(region);
    const gate = deferred();
    const controller = new AbortController();
    let begun = 0;
    const all = deferred();
    const open = async <T>(value: T): Promise<T> => {
      if (++begun === 4) all.resolve();
      await gate.promise;
      return value;
    };
    const calls = [
      region.getOrCreate('single', () => open('v')),
      region.getOrCreateMulti(['m', 'n'], (keys) => open([...keys])),
      region.getOrCreate('s', () => open('new')),
    ];
    const left = region.getOrCreate('left', () => open('v'), { signal: controller.signal });
    await all.promise;
    // It has the stale value, and begins to create in the next turn.
    let behind = 0;
    const stale = region.getOrCreate('t', () => `${behind++}`, { refresh: 'background' });
    if (setup.sync) assert.is(await stale, 'old');
    region.close();
    if (!setup.sync) await stale;
    controller.abort(new Error('left'));
    gate.resolve();
    assert.equal(await Promise.all(calls), ['v', ['m', 'n'], 'new']);
    assert.match((await errorOf(() => left)).message, 'left');
    await turns(30);
    if (setup.sync) assert.is(behind, 0, 'nothing begins behind a region that is closed');
    assert.equal(reported, []);
    assert.is(runs.size, 0);
    checkHeap(cache);
    cache.close();
  });
}

test('closed with the engine that it owns while a creator runs: the caller gets its value, and nothing is reported', async () => {
  const reported: unknown[] = [];
  const region = createRegion<string>({
    name: 'r',
    backend: 'cairn.slab',
    arguments: { maxBytes: 2 ** 20 },
    onError: (error) => reported.push(error),
  });
  const gate = deferred();
  const begun = deferred();
  const call = region.getOrCreate('k', async () => {
    begun.resolve();
    await gate.promise;
    return 'v';
  });
  await begun.promise;
  region.close();
  gate.resolve();
  assert.is(await call, 'v');
  await turns(10);
  assert.equal(reported, []);
});

for (const backend of ['cairn.memory', 'cairn.slab']) {
  const argumentsOf = backend === 'cairn.slab' ? { maxBytes: 2 ** 20 } : {};

  test(`${backend}: a replacement that cannot be loaded is told, and the old backend goes on`, async () => {
    const told: unknown[] = [];
    const region = createRegion<string>({
      name: 'r',
      backend,
      arguments: argumentsOf,
      onError: (error) => told.push(error),
    });
    await region.set('k', 'v');
    const before = region.actualBackend;
    const loader = deferred<BackendClass>();
    registerBackend(`test.cannot-load ${backend}`, () => loader.promise);
    region.configure(`test.cannot-load ${backend}`, { replaceExistingBackend: true });
    assert.is(await region.getOrCreate('k', () => 'never'), 'v');
    loader.reject(new Error('cannot load'));
    await turns(5);
    assert.equal(
      told.map((error) => (error as Error).message),
      ['cannot load'],
    );
    assert.is(region.actualBackend, before);
    assert.is(await region.getOrCreate('k', () => 'never'), 'v');
    await region.set('k', 'after');
    assert.is(region.getSync('k'), 'after');
    checkEngine(region);
    region.configure('cairn.memory', { replaceExistingBackend: true });
    assert.ok(region.actualBackend instanceof MemoryBackend);
    assert.is(region.getSync('k'), undefined);
    region.close();
  });

  test(`${backend}: a load that another configure overtook is told to nobody`, async () => {
    const told: unknown[] = [];
    const region = createRegion<string>({
      name: 'r',
      backend,
      arguments: argumentsOf,
      onError: (error) => told.push(error),
    });
    const loader = deferred<BackendClass>();
    registerBackend(`test.overtaken ${backend}`, () => loader.promise);
    region.configure(`test.overtaken ${backend}`, { replaceExistingBackend: true });
    region.configure(backend, { replaceExistingBackend: true, arguments: argumentsOf });
    loader.reject(new Error('cannot load'));
    await turns(5);
    assert.equal(told, []);
    assert.is(await region.getOrCreate('k', () => 'v'), 'v');
    checkEngine(region);
    region.close();
  });
}

test('slab: a handle tells of the strategy that stayed when the backend was replaced', () => {
  const clock = new FakeClock();
  const regionInvalidator = new TimeStrategy(clock);
  const region = createRegion<string>({
    name: 'r',
    backend: 'cairn.slab',
    arguments: { maxBytes: 2 ** 20 },
    regionInvalidator,
    clock: clock.read,
  });
  assert.equal(region.handle.functions, ['clock', 'regionInvalidator']);
  region.configure('cairn.slab', { replaceExistingBackend: true, arguments: { maxBytes: 2 ** 20 } });
  assert.equal(region.handle.functions, ['clock', 'regionInvalidator']);
  assert.throws(() => attachRegion(region.handle, { clock: clock.read }), /regionInvalidator/);
  checkEngine(region);
  region.close();
});

for (const settles of ['never', 'late'] as const) {
  test(`a signal ends the wait for a backend that comes ${settles}`, async () => {
    const loader = deferred<BackendClass>();
    registerBackend(`test.loading ${settles}`, () => loader.promise);
    const region: CacheRegion<string> = createRegion<string>({
      name: 'n',
      backend: `test.loading ${settles}`,
    });
    const controller = new AbortController();
    const { signal } = controller;
    let ran = 0;
    const calls = [
      region.getOrCreate('k', () => `${ran++}`, { signal }),
      region.getOrCreateMulti(['k'], () => [`${ran++}`], { signal }),
    ];
    controller.abort(new Error('left'));
    calls.push(region.getOrCreate('k', () => `${ran++}`, { signal }));
    const ended = Promise.allSettled(calls);
    const results = await Promise.race([ended, turns(100).then(() => 'it hangs')]);
    assert.equal(
      results,
      calls.map(() => ({ status: 'rejected', reason: signal.reason })),
    );
    if (settles === 'late') {
      loader.resolve(MemoryBackend as BackendClass);
      assert.is(await region.getOrCreate('k', () => 'v'), 'v');
      assert.is(region.stats().loads, 1);
      assert.is(coreOf(region).runs.size, 0);
    }
    assert.is(ran, 0);
    region.close();
  });
}

test.run();
