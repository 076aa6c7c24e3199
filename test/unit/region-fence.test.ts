/** Second reads, late values, tokens: what a creation reads and stores while the key changes under it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CachedValue, NO_VALUE } from '../../src/backend/cached-value.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { ProxyBackend } from '../../src/backend/proxy-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import { EngineClosedError } from '../../src/errors.ts';
import { type CacheRegion, createRegion } from '../../src/region/region.ts';
import { coreOf } from '../../src/region/region-life.ts';
import type { ConfigureOptions } from '../../src/region/types.ts';
import {
  deferred,
  errorOf,
  FakeClock,
  GateBackend,
  TimeStrategy,
  TokenBackend,
  turns,
} from './region-fixtures.ts';

function make(backend: string, options: ConfigureOptions = {}) {
  const clock = new FakeClock();
  const region = createRegion<string>({ name: 'fence', clock: clock.read, backend, ...options });
  return { region, clock };
}

function gated(options: ConfigureOptions = {}) {
  return { ...make('test.gate', options), backend: GateBackend.last as GateBackend<string> };
}

function tokens(options: ConfigureOptions = {}) {
  return { ...make('test.token', options), backend: TokenBackend.last as TokenBackend<string> };
}

/** Writes past the region, as another thread does. */
function writeElsewhere(region: CacheRegion<string>, key: string, payload: string): void {
  const { clock, invalidation } = coreOf(region);
  const metadata = { ct: clock(), v: 1, generation: invalidation.source.current() };
  void region.actualBackend.set(key, new CachedValue(payload, metadata));
}

async function creating(region: CacheRegion<string>, key: string) {
  const started = deferred();
  const gate = deferred<string>();
  const done = region.getOrCreate(key, () => {
    started.resolve();
    return gate.promise;
  });
  await started.promise;
  return { gate, done };
}

test('one expiry, one regeneration: the stale path reads again under the lock', async () => {
  const { region, clock, backend } = gated({ expirationTime: 10 });
  backend.open = true;
  await region.set('k', 'old');
  clock.advance(11);
  backend.open = false;
  let runs = 0;
  const creator = () => `new${++runs}`;
  const slow = region.getOrCreate('k', creator); // Its first read, of the old value, is under way.
  await turns();
  const [reading] = backend.waiting.splice(0, 1);
  backend.open = true;
  assert.is(await region.getOrCreate('k', creator), 'new1');
  reading.go();
  assert.is(await slow, 'new1');
  assert.is(runs, 1);
});

test('a value that a set in flight overtakes is not stored', async () => {
  const { region, backend } = gated();
  const set = region.set('k', 'set');
  const created = region.getOrCreate('k', () => 'late');
  await backend.release('get');
  await backend.release('get');
  assert.is(await created, 'late');
  await backend.release('set');
  await set;
  assert.is(backend.map.get('k')!.payload, 'set');
  assert.is(backend.waiting.length, 0);
});

test('a change waits for a store of its key that is going on', async () => {
  const { region, backend } = gated();
  const created = region.getOrCreate('k', () => 'made');
  await backend.release('get');
  await backend.release('get');
  await turns();
  assert.equal(
    backend.waiting.map((entry) => entry.call),
    ['set'],
  );
  const deleted = region.delete('k');
  await turns();
  assert.equal(
    backend.waiting.map((entry) => entry.call),
    ['set'],
    'the delete is not before the store',
  );
  await backend.release('set');
  assert.is(await created, 'made');
  await backend.release('delete');
  assert.is(await deleted, true);
  assert.is(backend.map.size, 0);
});

test('a change that fails is no longer going on', async () => {
  const { region, backend } = gated();
  backend.open = true;
  backend.set = () => Promise.reject(new Error('down'));
  assert.is((await errorOf(() => region.set('k', 'v'))).message, 'down');
  assert.is(coreOf(region).runs.isChanging('k'), false);
  assert.is((await errorOf(() => region.getOrCreate('k', () => 'v'))).message, 'down');
});

test('a caller with another expiration time waits for the lock by itself, and finds the value', async () => {
  const { region } = make('cairn.memory');
  const first = await creating(region, 'k');
  let ran = false;
  const other = region.getOrCreate('k', () => `${(ran = true)}`, { expirationTime: 5 });
  first.gate.resolve('v');
  assert.is(await first.done, 'v');
  assert.is(await other, 'v');
  assert.not(ran);
});

test('beginCreation is the second read, and its token goes with the value', async () => {
  const { region, backend } = tokens();
  assert.is(await region.getOrCreate('k', () => 'v'), 'v');
  assert.equal(backend.calls, ['begin k']);
  assert.is(region.getSync('k'), 'v');
  assert.is(
    region.getOrCreateSync('s', () => 'v'),
    'v',
  );
  assert.equal(backend.calls, ['begin k', 'begin s']);
});

test('endCreation follows a creation that stored nothing', async () => {
  const { region, backend } = tokens();
  await errorOf(() => region.getOrCreate('k', () => Promise.reject(new Error('no'))));
  assert.equal(backend.calls.splice(0), ['begin k', 'end k']);
  assert.is(backend.marks.size, 0);
  // Another thread's set meanwhile: the token is refused.
  const run = await creating(region, 'k');
  writeElsewhere(region, 'k', 'theirs');
  run.gate.resolve('late');
  assert.is(await run.done, 'late');
  assert.equal(backend.calls.splice(0), ['begin k', 'refused k', 'end k']);
  assert.is(region.getSync('k'), 'theirs');
  // Another thread's delete.
  region.deleteSync('k');
  const gone = await creating(region, 'k');
  backend.delete('k');
  gone.gate.resolve('late');
  assert.is(await gone.done, 'late');
  assert.is(region.hasSync('k'), false);
});

test('an error of endCreation hides no result', async () => {
  const errors: unknown[] = [];
  const region = createRegion<string>({
    name: 'fence',
    backend: 'test.token',
    onError: (error) => errors.push(error),
  });
  const broken = new Error('broken');
  TokenBackend.last.endCreation = () => {
    throw broken;
  };
  const wrong = new Error('wrong');
  assert.is(
    await errorOf(() =>
      region.getOrCreate('k', () => {
        throw wrong;
      }),
    ),
    wrong,
  );
  assert.equal(errors, [broken]);
});

test('of creations that run at once, the first to finish stores', async () => {
  for (const backend of ['test.token', 'cairn.memory']) {
    const { region } = make(backend);
    const slow = await creating(region, 'k');
    assert.is(
      region.getOrCreateSync('k', () => 'first'),
      'first',
    );
    slow.gate.resolve('second');
    assert.is(await slow.done, 'second');
    assert.is(region.getSync('k'), 'first');
  }
});

test('one that is refused leaves the others their chance', async () => {
  const { region } = tokens();
  const one = await creating(region, 'k');
  assert.is(
    (
      await errorOf(() =>
        region.getOrCreateSync('k', () => {
          throw new Error('no');
        }),
      )
    ).message,
    'no',
  );
  one.gate.resolve('v');
  assert.is(await one.done, 'v');
  // The failed one shared the placeholder and took it away: one extra load, nothing wrong.
  assert.is(region.hasSync('k'), false);
});

class Overriding extends ProxyBackend<string> {
  readonly seen: string[] = [];
  own: CachedValue<string> | null = null;
  override get(key: string) {
    this.seen.push(`get ${key}`);
    return this.own ?? super.get(key);
  }
  override set(key: string, value: CachedValue<string>, options?: { token?: unknown }) {
    this.seen.push(`set ${key} ${options !== undefined}`);
    return super.set(key, value, options);
  }
}

test("an overridden get and set see a creation's values too", async () => {
  const proxy = new Overriding();
  const { region, backend, clock } = tokens({ wrap: [proxy] });
  assert.is(await region.getOrCreate('k', () => 'v'), 'v');
  assert.equal(proxy.seen, ['get k', 'get k', 'set k true']);
  // What the proxy itself has decides; the inner placeholder is taken away.
  region.deleteSync('k');
  backend.calls.length = 0;
  const get = proxy.get;
  let reads = 0;
  proxy.get = function (key) {
    if (++reads === 2) this.own = new CachedValue('own', { ct: clock.time, v: 1 });
    return get.call(this, key);
  };
  assert.is(await region.getOrCreate('k', () => 'made'), 'own');
  assert.equal(backend.calls, ['begin k', 'end k']);
  assert.is(backend.marks.size, 0);
});

test('a proxy that drops the token keeps the fence of its thread', async () => {
  class Dropping extends ProxyBackend<string> {
    override set(key: string, value: CachedValue<string>) {
      return this.proxied.set(key, value);
    }
  }
  const { region } = tokens({ wrap: [Dropping] });
  const run = await creating(region, 'k');
  region.setSync('k', 'set');
  run.gate.resolve('late');
  assert.is(await run.done, 'late');
  assert.is(region.getSync('k'), 'set');
});

test('a strategy is asked with the starting time before a value is stored', async () => {
  const clock = new FakeClock();
  const strategy = new TimeStrategy(clock);
  const region = createRegion<string>({
    name: 'fence',
    clock: clock.read,
    backend: 'cairn.memory',
    regionInvalidator: strategy,
  });
  const began = clock.time;
  const run = await creating(region, 'k');
  strategy.invalidate(true); // Past the region: only the strategy knows.
  clock.advance(100);
  strategy.asked.length = 0;
  run.gate.resolve('late');
  assert.is(await run.done, 'late');
  assert.equal(strategy.asked, [['any', began, 'k']]);
  assert.is(region.hasSync('k'), false);
  assert.is(await region.getOrCreate('k', () => 'v'), 'v');
  strategy.asked.length = 0;
  assert.is(region.getSync('k'), 'v');
  assert.equal(strategy.asked, [['any', clock.time, 'k']]);
});

test('an error of set goes to the caller and to those who joined, and the lock is free', async () => {
  const { region, backend } = tokens();
  const full = new Error('full');
  backend.set = () => {
    throw full;
  };
  const calls = [1, 2].map(() => errorOf(() => region.getOrCreate('k', () => turns().then(() => 'v'))));
  assert.equal(await Promise.all(calls), [full, full]);
  assert.is(coreOf(region).localMutexes.size, 0);
  assert.is(backend.marks.size, 0);
});

test('closing while a creator runs: its value goes to its caller and nowhere else', async () => {
  const map = new Map();
  const { region } = make('cairn.memory', { arguments: { map } });
  const run = await creating(region, 'k');
  region.close();
  run.gate.resolve('v');
  assert.is(await run.done, 'v');
  assert.is(map.size, 0);
  // The owner of the engine closed it in another thread.
  const other = tokens();
  other.backend.set = () => {
    throw new EngineClosedError();
  };
  assert.is(await other.region.getOrCreate('k', () => 'v'), 'v');
});

test('a store that a Sync form issued and cannot wait for comes before the changes after it', async () => {
  const gate = deferred();
  const map = new Map<string, unknown>();
  class LateSet extends MemoryBackend<any> {
    override set(key: string, value: CachedValue<any>): any {
      return gate.promise.then(() => void map.set(key, value));
    }
    override get(key: string): any {
      return map.get(key) ?? NO_VALUE;
    }
    override delete(key: string): boolean {
      return map.delete(key);
    }
  }
  registerBackend('test.late-set', () => LateSet);
  const region = createRegion<string>({ name: 'late', backend: 'test.late-set' });
  assert.is((await errorOf(() => region.getOrCreateSync('k', () => 'late'))).code, 'ERR_CAIRN_SYNC');
  const deleted = region.delete('k');
  await turns(3);
  gate.resolve();
  assert.is(await deleted, true);
  assert.is(await region.get('k'), undefined);
});

test.run();
