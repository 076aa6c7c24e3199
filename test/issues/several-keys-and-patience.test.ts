/** What went wrong once where calls for several keys, callers that leave, and mutexes of other makes meet. */
import { channel } from 'node:diagnostics_channel';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import type { BegunCreation, CreationToken } from '../../src/backend/types.ts';
import { type CacheRegion, createRegion } from '../../src/index.ts';
import { LocalMutex } from '../../src/mutex/local-mutex.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { deferred, errorOf, FakeClock, GateBackend, turns } from '../unit/region-fixtures.ts';

function memory(more: object = {}) {
  const clock = new FakeClock();
  const region = createRegion<any>({
    name: 'm',
    backend: 'cairn.memory',
    expirationTime: 10,
    clock: clock.read,
    ...more,
  });
  return { region, clock };
}

function idle(region: CacheRegion<any>): void {
  assert.is(coreOf(region).runs.size + coreOf(region).localMutexes.size, 0);
}

/** A creator that ends when told, with its key in capitals, and tells that it began. */
function parked() {
  const started = deferred();
  const gate = deferred();
  const creator = async (keys?: unknown) => {
    started.resolve();
    await gate.promise;
    return Array.isArray(keys) ? keys.map((key) => key.toUpperCase()) : 'made';
  };
  return { started: started.promise, end: gate.resolve as () => void, creator };
}

test('a creator that returns a lazy thenable is asked for its value once', async () => {
  const { region, clock } = memory();
  let queries = 0;
  const lazily = <T>(value: T): any => ({
    // biome-ignore lint/suspicious/noThenProperty: query builders have one.
    then(resolve: (value: T) => void) {
      queries++;
      resolve(value);
    },
  });
  assert.is(await region.getOrCreate('k', () => lazily('row')), 'row');
  assert.equal(await region.getOrCreateMulti(['m'], () => lazily(['row'])), ['row']);
  assert.is(queries, 2);
  clock.advance(11);
  const asyncCreationRunner = async (
    own: any,
    key: string,
    creator: any,
    _mutex: any,
    token: CreationToken,
  ) => own.set(key, await creator(), { token });
  assert.is(await region.getOrCreate('k', () => lazily('new'), { asyncCreationRunner }), 'row');
  await turns(5);
  assert.is(await region.get('k'), 'new');
  assert.is(queries, 3);
});

test("while a call for several keys queues, another's lock of a later key is not overlooked", async () => {
  const { region, clock } = memory();
  await region.set('b', 'old');
  clock.advance(11);
  const a = parked();
  const first = region.getOrCreate('a', a.creator);
  await a.started;
  await region.delete('a'); // nobody joins that run any more
  let running = 0;
  let most = 0;
  const makeB = async () => {
    most = Math.max(most, ++running);
    await turns(5);
    running--;
    return 'b';
  };
  const multi = region.getOrCreateMulti(['a', 'b'], async (keys) => {
    if (keys.includes('b')) await makeB();
    return [...keys];
  });
  await turns(1); // it has decided by now, and queues for a
  const single = region.getOrCreate('b', makeB);
  await turns(1);
  a.end();
  await Promise.all([first, multi, single]);
  assert.is(most, 1);
  idle(region);
});

test('a waitTimeout goes on for joined keys when the own ones turned out fresh', async () => {
  const { region } = memory();
  const b = parked();
  const slow = region.getOrCreate('b', b.creator);
  const a = parked();
  const other = region.getOrCreate('a', a.creator, { expirationTime: 100_000 }); // not to be joined
  await Promise.all([a.started, b.started]);
  const call = region.getOrCreateMulti(['a', 'b'], (keys) => [...keys], { waitTimeout: 50 });
  a.end();
  await other;
  assert.is((await errorOf(() => call)).code, 'ERR_CAIRN_WAIT_TIMEOUT');
  b.end();
  await slow;
  idle(region);
});

test('mutexes that two regions share are taken in one order', async () => {
  const mutexes = new Map<string, LocalMutex>();
  class Striped extends MemoryBackend<string> {
    override getMutex(key: string): LocalMutex {
      const stripe = key[0];
      if (!mutexes.has(stripe)) mutexes.set(stripe, new LocalMutex());
      return mutexes.get(stripe)!;
    }
  }
  registerBackend('test.striped', () => Striped);
  const [A, C] = ['A', 'C'].map((name) => createRegion<string>({ name, backend: 'test.striped' }));
  const both = deferred();
  let entered = 0;
  const inside = async (next: () => Promise<string>) => {
    if (++entered === 2) both.resolve();
    await both.promise;
    return next();
  };
  // One holds m and wants n, the other holds n and wants m, by the other region.
  const values = await Promise.all([
    A.getOrCreate('m1', () => inside(() => A.getOrCreate('n1', () => 'n'))),
    A.getOrCreate('n2', () => inside(() => C.getOrCreate('m2', () => 'm'))),
  ]);
  assert.equal(values, ['n', 'm']);
});

test('a runner is for one key: calls for several never get it', async () => {
  let ran = 0;
  const { region, clock } = memory({ asyncCreationRunner: () => ran++ });
  await region.setMulti([
    ['a', 'old'],
    ['b', 'old'],
  ]);
  clock.advance(11);
  assert.equal(await region.getOrCreateMulti(['a', 'b'], (keys) => [...keys]), ['a', 'b']);
  clock.advance(11);
  assert.equal(
    region.getOrCreateMultiSync(['a', 'b'], (keys) => [...keys]),
    ['a', 'b'],
  );
  assert.is(ran, 0);
});

test('a token that stored once does not say so again', async () => {
  const answers: boolean[] = [];
  const { region, clock } = memory({
    asyncCreationRunner: async (
      own: CacheRegion<any>,
      key: string,
      _c: unknown,
      _m: unknown,
      token: unknown,
    ) => {
      answers.push(await own.set(key, 'first', { token }));
      await own.set(key, 'by somebody else');
      answers.push(await own.set(key, 'second', { token }));
    },
  });
  await region.set('k', 'old');
  clock.advance(11);
  await region.getOrCreate('k', () => 'x');
  await turns(5);
  assert.equal(answers, [true, false]);
  assert.is(await region.get('k'), 'by somebody else');
});

test('a runner belongs to no creator, also where a creator made the call', async () => {
  const seen: unknown[] = [];
  const { region, clock } = memory();
  await region.set('y', 'old');
  clock.advance(11);
  const asyncCreationRunner = async (
    own: any,
    key: string,
    creator: any,
    _mutex: any,
    token: CreationToken,
  ) => {
    seen.push(await own.getOrCreate('x', () => 'never').catch((error: any) => error.code));
    await own.set(key, await creator(), { token });
  };
  const value = await region.getOrCreate('x', async () => {
    assert.is(await region.getOrCreate('y', () => 'new', { asyncCreationRunner }), 'old');
    return 'x';
  });
  assert.is(value, 'x');
  await turns(5);
  assert.equal(seen, ['x']);
  assert.is(await region.get('y'), 'new');
});

test('everybody left during the second read: the creator does not run', async () => {
  const region = createRegion<string>({ name: 'gated', backend: 'test.gate' });
  const backend = GateBackend.last;
  const controller = new AbortController();
  let ran = 0;
  const call = region.getOrCreate('k', () => `${ran++}`, { signal: controller.signal });
  await backend.release('get');
  controller.abort(new Error('left'));
  assert.match((await errorOf(() => call)).message, 'left');
  await backend.release('get');
  await turns(3);
  assert.is(ran, 0);
  idle(region);
});

test('a caller that has its value does not keep the creator of others going', async () => {
  const { region } = memory();
  const a = parked();
  const other = region.getOrCreate('a', a.creator, { expirationTime: 100_000 });
  await a.started;
  const controller = new AbortController();
  const heard = deferred<AbortSignal>();
  const gate = deferred();
  const multi = region.getOrCreateMulti(
    ['a', 'b'],
    async (keys, { signal }) => {
      heard.resolve(signal);
      await gate.promise;
      return [...keys];
    },
    { signal: controller.signal },
  );
  await turns(1); // it has decided by now, and queues for a
  const joined = region.getOrCreate('a', () => 'never');
  a.end();
  await other;
  assert.is(await joined, 'made');
  const signal = await heard.promise;
  controller.abort(new Error('left'));
  await errorOf(() => multi);
  assert.is(signal.aborted, true);
  gate.resolve();
  await turns(5);
  idle(region);
});

test('what was removed or invalidated hard while the creator ran is not served as stale', async () => {
  for (const removal of ['delete', 'invalidate', 'clear'] as const) {
    const { region, clock } = memory();
    await region.set('k', 'old');
    clock.advance(11);
    const gate = deferred<string>();
    const started = deferred();
    const creator = () => {
      started.resolve();
      return gate.promise;
    };
    const soft = region.getOrCreate('k', creator, { softTimeout: 5, staleOnError: true });
    await started.promise;
    if (removal === 'delete') await region.delete('k');
    else await region[removal]();
    await new Promise((resolve) => setTimeout(resolve, 20));
    gate.reject(new Error('origin'));
    assert.match((await errorOf(() => soft)).message, 'origin', removal);
    idle(region);
  }
});

test('a failure behind a caller is counted and told once, a closed region reports none', async () => {
  const reported: unknown[] = [];
  const told: unknown[] = [];
  const listener = (event: unknown) => told.push(event);
  channel('cairn:error').subscribe(listener);
  const onError = (error: unknown) => reported.push(error);
  const { region, clock } = memory({ onError });
  await region.set('k', 'old');
  clock.advance(11);
  await region.getOrCreate('k', () => Promise.reject(new Error('once')), { refresh: 'background' });
  await turns(5);
  assert.is(reported.length, 1);
  assert.is(told.length, 1);
  assert.is(region.stats().loadErrors, 1);
  const slab = createRegion<string>({
    name: 's',
    backend: 'cairn.slab',
    arguments: { maxBytes: 2 ** 20 },
    onError,
  });
  const gate = deferred<string>();
  const call = slab.getOrCreate('n', () => gate.promise);
  slab.close();
  gate.resolve('value');
  assert.is(await call, 'value');
  assert.is(reported.length, 1);
  assert.is(told.length, 1);
  channel('cairn:error').unsubscribe(listener);
});

test('an asynchronous onError that rejects, and a tokenStands that does, end nothing', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const { region, clock } = memory({ onError: () => Promise.reject(new Error('onError')) });
  await region.set('k', 'old');
  clock.advance(11);
  await region.getOrCreate('k', () => Promise.reject(new Error('behind')), { refresh: 'background' });
  await turns(5);
  class Late extends MemoryBackend<any> {
    override beginCreation = (key: string): BegunCreation<any> => ({ value: this.get(key), token: 1 });
    override endCreation = () => {};
    override tokenStands = () => Promise.reject(new Error('tokenStands'));
  }
  registerBackend('test.late-token', () => Late);
  const other = createRegion<string>({ name: 'o', backend: 'test.late-token' });
  const a = parked();
  const calls = [other.getOrCreate('k', a.creator as any)];
  await a.started;
  calls.push(other.getOrCreate('k', () => 'never'));
  a.end();
  assert.equal(await Promise.all(calls), ['made', 'made']);
  await turns(5);
  process.off('unhandledRejection', note);
  assert.equal(unhandled, []);
});

test('a signal ends the wait for a backend that is still loading', async () => {
  registerBackend('test.never', () => new Promise(() => {}));
  const region = createRegion<string>({ name: 'n', backend: 'test.never' });
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [
    region.getOrCreate('k', () => 'v', { signal }),
    region.getOrCreateMulti(['k'], () => ['v'], { signal }),
  ];
  controller.abort(new Error('left'));
  for (const call of calls) assert.match((await errorOf(() => call)).message, 'left');
  assert.match((await errorOf(() => region.getOrCreate('k', () => 'v', { signal }))).message, 'left');
});

test.run();
