/** Creating, configuring, loading, sharing and closing a region. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { ProxyBackend } from '../../src/backend/proxy-backend.ts';
import { registerBackend, registerBuiltin } from '../../src/backend/registry.ts';
import type { BackendContext } from '../../src/backend/types.ts';
import { CairnError } from '../../src/errors.ts';
import { attachRegion } from '../../src/region/attach.ts';
import {
  FRESH,
  type GenerationSource,
  Invalidation,
  LocalGenerations,
  MISSING,
  STALE,
} from '../../src/region/invalidation.ts';
import { CacheRegion, createRegion } from '../../src/region/region.ts';
import type { RegionHandle } from '../../src/region/types.ts';
import { DoNothingProxy, deferred, errorOf, FakeClock, TimeStrategy, turns } from './region-fixtures.ts';

/** Keeps how it was built; can be attached to. */
class Recorder extends MemoryBackend<any> {
  static last: Recorder;
  readonly args: any;
  readonly context: BackendContext;
  closes = 0;
  readonly generations = new LocalGenerations();
  readonly clock = () => 777;
  constructor(args: object, context: BackendContext) {
    super();
    this.args = args;
    this.context = context;
    Recorder.last = this;
  }
  get handle() {
    return { store: 1 };
  }
  static attach(handle: unknown, context: BackendContext) {
    return new Recorder({ attachedTo: handle }, context);
  }
  override close(): void {
    this.closes++;
  }
}
registerBackend('test.recorder', () => Recorder);

test('a region is usable only once it is configured', async () => {
  const region = createRegion<number>({ name: 'r' });
  assert.instance(region, CacheRegion);
  assert.is(region.isConfigured, false);
  const operations = [
    () => region.get('k'),
    () => region.has('k'),
    () => region.set('k', 1),
    () => region.delete('k'),
    () => region.getOrCreate('k', () => 1),
    () => region.invalidate(),
    () => region.clear(),
  ];
  for (const operation of operations) {
    const promise = operation();
    assert.instance(promise, Promise);
    assert.is((await errorOf(() => promise)).code, 'ERR_CAIRN_NOT_CONFIGURED');
  }
  for (const operation of [
    () => region.getSync('k'),
    () => region.hasSync('k'),
    () => region.setSync('k', 1),
    () => region.deleteSync('k'),
    () => region.getOrCreateSync('k', () => 1),
    () => region.invalidateSync(),
    () => region.clearSync(),
    () => region.backend,
    () => region.actualBackend,
    () => region.handle,
  ]) {
    assert.is((await errorOf(operation)).code, 'ERR_CAIRN_NOT_CONFIGURED');
  }
  assert.is(region.configure('cairn.memory'), region);
  assert.is(region.isConfigured, true);
  assert.is(
    region.getOrCreateSync('k', () => 1),
    1,
  );
  assert.is((await errorOf(() => region.configure('cairn.memory'))).code, 'ERR_CAIRN_CONFIGURED');
});

test('a failed configure leaves the region unconfigured', async () => {
  const region = createRegion<number>({ name: 'r' });
  const code = async (...args: any[]) => (await errorOf(() => (region.configure as any)(...args))).code;
  assert.is(await code('test.unheard'), 'ERR_CAIRN_BACKEND');
  assert.is(await code(undefined), 'ERR_CAIRN_BACKEND');
  assert.is(await code('cairn.memory', { expirationTime: 'one hour' }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', { expirationTime: -1 }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', { wrap: [class {}] }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', { wrap: DoNothingProxy }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', { arguments: 5 }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', { arguments: { map: {} } }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', { expiration: 5 }), 'ERR_CAIRN_OPTION');
  assert.is(await code('cairn.memory', null), 'ERR_CAIRN_OPTION');
  registerBackend('test.odd', () => ({ default: 'no class' }) as any);
  assert.is(await code('test.odd'), 'ERR_CAIRN_OPTION');
  assert.is(region.isConfigured, false);
  const partial = { isInvalidated: () => false } as any;
  const missing = await errorOf(() => region.configure('cairn.memory', { regionInvalidator: partial }));
  assert.match(missing.message, /method invalidate/);
  region.configure('cairn.memory');
  assert.is(region.isConfigured, true);
});

test('options of createRegion are checked and named', async () => {
  const fieldOf = async (options: any) => (await errorOf(() => createRegion(options))).field;
  assert.is(await fieldOf({}), 'name');
  assert.is(await fieldOf({ name: '' }), 'name');
  assert.is(await fieldOf({ name: 'r', clock: 5 }), 'clock');
  assert.is(await fieldOf({ name: 'r', keyMangler: false }), 'keyMangler');
  assert.is(await fieldOf({ name: 'r', freeze: 1 }), 'freeze');
  assert.is(await fieldOf({ name: 'r', onError: {} }), 'onError');
  assert.is(await fieldOf({ name: 'r', expiration: 1 }), 'expiration');
  assert.is(await fieldOf({ name: 'r', expirationTime: 1 }), 'expirationTime');
  const error = await errorOf(() =>
    createRegion({ name: 'r', backend: 'cairn.memory', expirationTime: NaN }),
  );
  assert.instance(error, CairnError);
  assert.match(error.message, /expirationTime: .*NaN/);
  assert.is(createRegion({ name: 'r', backend: 'cairn.memory', expirationTime: 5 }).isConfigured, true);
  assert.is(createRegion({ name: 'r', clock: undefined, backend: undefined }).isConfigured, false);
});

test('the backend is built with the arguments, untouched, and the region', () => {
  const args = Object.freeze({ own: 1, unheard: 2 });
  createRegion({ name: 'r', backend: 'test.recorder', arguments: args });
  assert.is(Recorder.last.args, args);
  assert.equal(Recorder.last.context, { region: 'r' });
  createRegion({ name: 'r', backend: 'test.recorder' });
  assert.equal(Recorder.last.args, {});
  createRegion({ name: 'r', backend: 'cairn.memory', arguments: args });
});

test("the clock is the region's own, else the backend's", async () => {
  const region = createRegion({ name: 'r', backend: 'test.recorder' });
  await region.set('k', 1);
  assert.is((Recorder.last.get('k') as any).metadata.ct, 777);
  const times = [100, NaN, 50, 200, Infinity, undefined as any];
  const injected = createRegion<number>({ name: 'r', backend: 'test.recorder', clock: () => times.shift()! });
  const read: number[] = [];
  for (let i = 0; i < 6; i++) {
    await injected.set('k', 1);
    read.push((Recorder.last.get('k') as any).metadata.ct);
  }
  assert.equal(read, [100, 100, 100, 200, 200, 200]);
  assert.type(Recorder.last.context.clock, 'function');
  const wall = createRegion({ name: 'r', backend: 'cairn.memory' });
  wall.setSync('k', 1);
  const { age } = wall.actualBackend.get('k') as any;
  assert.ok(age >= 0 && age < 60_000);
});

test('wrap: the first is the outermost; classes and instances', async () => {
  const order: string[] = [];
  class A extends ProxyBackend<number> {
    override get(key: string) {
      order.push('A');
      return super.get(key);
    }
  }
  class B extends ProxyBackend<number> {
    override get(key: string) {
      order.push('B');
      return super.get(key);
    }
  }
  const b = new B();
  const region = createRegion<number>({ name: 'r', backend: 'cairn.memory', wrap: [A, b] });
  region.getSync('k');
  assert.equal(order, ['A', 'B']);
  assert.instance(region.backend, A);
  assert.is((region.backend as A).proxied, b);
  assert.instance(region.actualBackend, MemoryBackend);
  assert.is(
    (await errorOf(() => createRegion({ name: 'r', backend: 'cairn.memory', wrap: [b] }))).field,
    'wrap',
  );
});

test("a backend's mangler is used through proxies, and the region's takes its place", async () => {
  class Mangling extends MemoryBackend<number> {
    override keyMangler(key: string): string {
      return `HI!${key}`;
    }
  }
  registerBackend('test.mangling', () => Mangling);
  const region = createRegion<number>({ name: 'r', backend: 'test.mangling', wrap: [DoNothingProxy] });
  region.setSync('some key', 1);
  assert.is((region.actualBackend.get('HI!some key') as any).payload, 1);
  const own = createRegion<number>({
    name: 'r',
    keyMangler: (key) => `own ${key}`,
    backend: 'test.mangling',
  });
  own.setSync('key', 2);
  assert.is((own.actualBackend.get('own key') as any).payload, 2);
  const bad = createRegion<number>({ name: 'r', keyMangler: () => 5 as any, backend: 'cairn.memory' });
  assert.is((await errorOf(() => bad.get('k'))).field, 'keyMangler');
});

test('a loader may answer by a promise, also of a module', async () => {
  const gate = deferred<any>();
  registerBackend('test.late', () => gate.promise);
  const region = createRegion<number>({ name: 'r', backend: 'test.late' });
  assert.is(region.isConfigured, true);
  assert.is((await errorOf(() => region.getSync('k'))).code, 'ERR_CAIRN_NOT_READY');
  assert.is((await errorOf(() => region.backend)).code, 'ERR_CAIRN_NOT_READY');
  assert.is((await errorOf(() => region.configure('cairn.memory'))).code, 'ERR_CAIRN_CONFIGURED');
  const waiting = [
    region.set('k', 1).then(() => region.get('k')),
    region.getOrCreate('l', () => 2),
    region.has('m'),
  ];
  gate.resolve({ default: MemoryBackend });
  assert.equal(await Promise.all(waiting), [1, 2, false]);
  assert.is(region.getSync('k'), 1);
});

test('a loader that fails: operations fail so, and the region can be configured anew', async () => {
  const failure = new Error('no such module');
  registerBackend('test.failing', () => Promise.reject(failure));
  const region = createRegion<number>({ name: 'r', backend: 'test.failing' });
  assert.is(await errorOf(() => region.get('k')), failure);
  await turns();
  assert.is(region.isConfigured, false);
  assert.is(await errorOf(() => region.getOrCreate('k', () => 1)), failure);
  assert.is(await errorOf(() => region.getSync('k')), failure);
  region.configure('cairn.memory');
  assert.is(await region.getOrCreate('k', () => 1), 1);
});

test('a region that is closed while its backend loads closes that too', async () => {
  const gate = deferred<any>();
  registerBackend('test.late', () => gate.promise);
  const region = createRegion<number>({ name: 'r', backend: 'test.late' });
  const get = errorOf(() => region.get('k'));
  region.close();
  gate.resolve(Recorder);
  assert.is((await get).code, 'ERR_CAIRN_CLOSED');
  assert.is(Recorder.last.closes, 1);
});

test('close closes the backend once, through proxies', async () => {
  const region = createRegion({ name: 'r', backend: 'test.recorder', wrap: [DoNothingProxy] });
  region.close();
  region.close();
  assert.is(Recorder.last.closes, 1);
  assert.is((await errorOf(() => region.configure('cairn.memory'))).code, 'ERR_CAIRN_CLOSED');
  const never = createRegion({ name: 'r' });
  never.close();
  never.configure('cairn.memory');
});

test('names of registered backends', async () => {
  const fieldOf = async (...args: any[]) => (await errorOf(() => (registerBackend as any)(...args))).field;
  assert.is(await fieldOf('cairn.slab', () => MemoryBackend), 'name');
  assert.is(await fieldOf('', () => MemoryBackend), 'name');
  assert.is(await fieldOf('test.x', MemoryBackend.name), 'loader');
  registerBuiltin('cairn.test', MemoryBackend);
  assert.is(createRegion({ name: 'r', backend: 'cairn.test' }).isConfigured, true);
});

test('only a backend that can be shared gives a handle', async () => {
  const region = createRegion({ name: 'r', backend: 'cairn.memory' });
  assert.is((await errorOf(() => region.handle)).code, 'ERR_CAIRN_HANDLE');
});

test('attachRegion brings name, expiration time and backend', async () => {
  const clock = new FakeClock();
  const options = { clock: clock.read, keyMangler: (key: string) => `<${key}>`, wrap: [DoNothingProxy] };
  const owner = createRegion<number>({ name: 'r', backend: 'test.recorder', expirationTime: 10, ...options });
  const handle = structuredClone(owner.handle);
  assert.equal(handle, {
    kind: 'cairn.region',
    name: 'r',
    expirationTime: 10,
    functions: ['clock', 'keyMangler', 'wrap'],
    backendName: 'test.recorder',
    backend: { store: 1 },
  });
  const attached = attachRegion<number>(handle, options);
  assert.is(attached.name, 'r');
  assert.equal(Recorder.last.args, { attachedTo: { store: 1 } });
  assert.is(Recorder.last.context.region, 'r');
  assert.instance(attached.backend, DoNothingProxy);
  await attached.set('k', 1);
  clock.advance(11);
  assert.is(await attached.get('k'), undefined);
  assert.equal(attached.handle, handle);
});

test('attachRegion names the function that is missing', async () => {
  const given = {
    clock: () => 1,
    keyMangler: (key: string) => key,
    wrap: [DoNothingProxy],
    regionInvalidator: new TimeStrategy(new FakeClock()),
  };
  const { handle } = createRegion({ name: 'r', backend: 'test.recorder', ...given });
  for (const name of Object.keys(given)) {
    const error = await errorOf(() => attachRegion(handle, { ...given, [name]: undefined }));
    assert.is(error.code, 'ERR_CAIRN_HANDLE');
    assert.match(error.message, new RegExp(`option ${name}:`));
  }
  assert.match((await errorOf(() => attachRegion(handle, { ...given, wrap: [] }))).message, /option wrap:/);
  attachRegion(handle, given);
  const wrong = async (value: any, options?: any) => (await errorOf(() => attachRegion(value, options))).code;
  for (const value of [undefined, null, 5, {}, { kind: 'cairn.cache' }])
    assert.is(await wrong(value), 'ERR_CAIRN_HANDLE');
  assert.is(await wrong(handle, { ...given, name: 'other' }), 'ERR_CAIRN_OPTION');
  const other: RegionHandle = { ...handle, backendName: 'cairn.memory' };
  assert.is(await wrong(other, given), 'ERR_CAIRN_HANDLE');
  assert.is(await wrong({ ...handle, backendName: 'test.unheard' }, given), 'ERR_CAIRN_BACKEND');
});

test('a value of a shared source without a generation is judged by time', () => {
  const clock = new FakeClock();
  const floors = { hard: 4, soft: 6 };
  const source: GenerationSource = {
    current: () => 9,
    cleared: () => 2,
    hard: () => floors.hard,
    soft: () => floors.soft,
    invalidate() {},
    clear() {},
  };
  const invalidation = new Invalidation(source, null, clock.read);
  const states = [undefined, -1, 3, 4, 6].map((generation) =>
    invalidation.judge(clock.time, generation, 'k'),
  );
  assert.equal(states, [FRESH, FRESH, MISSING, STALE, FRESH]);
  invalidation.invalidate(true);
  assert.is(invalidation.judge(clock.time - 1, -1, 'k'), MISSING);
  assert.is(invalidation.judge(clock.time, -1, 'k'), FRESH);
});

test('generations shared by a backend are seen by every region on it', async () => {
  const owner = createRegion<string>({ name: 'r', backend: 'test.recorder' });
  const { generations } = Recorder.last;
  await owner.set('k', 'v');
  generations.invalidate(false);
  assert.is(await owner.get('k'), undefined);
  assert.is(await owner.get('k', { ignoreExpiration: true }), 'v');
  generations.clear();
  assert.is(await owner.get('k', { ignoreExpiration: true }), undefined);
  // An invalidation by another thread keeps out what was being created, and nobody joins that.
  const gate = deferred<string>();
  const late = owner.getOrCreate('k', () => gate.promise);
  generations.invalidate(true);
  const next = owner.getOrCreate('k', () => 'next');
  gate.resolve('late');
  assert.is(await late, 'late');
  assert.is(await next, 'next');
  assert.is(await owner.get('k'), 'next');
});

test.run();
