/** dogpile.cache, "Backend API": CacheBackend, CachedValue, CacheMutex, and what every backend does with them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CacheBackend,
  CachedValue,
  createRegion,
  MemoryBackend,
  NO_VALUE,
  type NoValue,
  NullBackend,
  registerBackend,
  SharedCache,
  SlabBackend,
  VALUE_VERSION,
} from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';
import { DelayBackend } from '../unit/region-fixtures.ts';
import { errorOf, SLAB_ARGUMENTS } from './fixtures.ts';

const CONTEXT = { region: 'some region' };
const value = (payload: unknown, ct = 5) => new CachedValue(payload, { ct, v: VALUE_VERSION });

const MAKERS: Record<string, () => CacheBackend<any>> = {
  slab: () => new SlabBackend(SLAB_ARGUMENTS, CONTEXT),
  memory: () => new MemoryBackend(),
  delay: () => new DelayBackend(),
};

for (const [title, make] of Object.entries(MAKERS)) {
  const it = (name: string, body: (backend: CacheBackend<any>) => Promise<void>) =>
    test(`${title}: ${name}`, async () => {
      const backend = make();
      await body(backend);
      if (!(backend instanceof SlabBackend)) return;
      const cache = SharedCache.attach(backend.handle);
      checkHeap(cache);
      cache.close();
      backend.close();
    });

  it('F:test_backend_get_nothing', async (backend) => {
    assert.is(await backend.get('some key'), NO_VALUE);
    assert.equal(await backend.getMulti(['a', 'b']), [NO_VALUE, NO_VALUE]);
  });

  it('F:test_backend_delete_nothing: delete is idempotent', async (backend) => {
    assert.is(await backend.delete('some key'), false);
    assert.is(await backend.deleteMulti(['a', 'b']), 0);
  });

  it('F:test_backend_set_get_value: the value comes back with its whole metadata', async (backend) => {
    await backend.set('some key', value('some value', 7));
    const found = (await backend.get('some key')) as CachedValue;
    assert.instance(found, CachedValue);
    assert.is(found.payload, 'some value');
    assert.is(found.metadata.ct, 7);
    assert.is(found.metadata.v, VALUE_VERSION);
  });

  it('F:test_backend_delete', async (backend) => {
    await backend.set('some key', value('some value'));
    assert.is(await backend.delete('some key'), true);
    assert.is(await backend.get('some key'), NO_VALUE);
  });

  it('setMulti changes neither the mapping nor its values', async (backend) => {
    const entries = new Map([
      ['a', value(1)],
      ['b', value({ n: [2] })],
    ]);
    const before = [...entries];
    await backend.setMulti(entries);
    assert.equal([...entries], before);
    assert.is(entries.get('b')!.payload, before[1][1].payload);
    const found = (await backend.getMulti(['b', 'x', 'a'])) as CachedValue[];
    assert.equal(found[0].payload, { n: [2] });
    assert.is(found[1] as unknown as NoValue, NO_VALUE);
    assert.is(found[2].payload, 1);
    assert.is(await backend.deleteMulti(['a', 'b', 'x']), 2);
  });
}

test('CacheBackend.fromConfig strips the prefix off the names that have it', () => {
  class Configured extends MemoryBackend {
    readonly given: [object, object];
    constructor(args: object, context: object) {
      super();
      this.given = [args, context];
    }
  }
  const config = { 'c.url': '127.0.0.1', 'c.port': 5, other: 1, 'd.url': 'no' };
  const backend = (Configured as any).fromConfig(config, 'c.', CONTEXT) as Configured;
  assert.equal(backend.given, [{ url: '127.0.0.1', port: 5 }, CONTEXT]);
});

test('a backend gives get, set and delete; all else has defaults', async () => {
  class Least extends CacheBackend<any> {
    readonly map = new Map<string, CachedValue<any>>();
    get(key: string) {
      return this.map.get(key) ?? NO_VALUE;
    }
    set(key: string, cached: CachedValue<any>) {
      this.map.set(key, cached);
    }
    delete(key: string) {
      return this.map.delete(key);
    }
  }
  registerBackend('test.least', () => Least);
  const region = createRegion<any>({ name: 'r', backend: 'test.least' });
  assert.is(region.backend.getMutex('k'), null, 'the region locks by itself');
  assert.equal(
    region.getOrCreateMultiSync(['a', 'b'], (keys) => keys.map((key) => `${key}!`)),
    ['a!', 'b!'],
  );
  assert.equal(region.getMultiSync(['b', 'a', 'x']), ['b!', 'a!', undefined]);
  assert.is(region.deleteMultiSync(['a', 'x']), 1);
  region.clearSync();
  assert.is(region.getSync('b'), undefined);
});

test('R:MutexAPITest: anything with acquire and release is a mutex; locked is not needed', async () => {
  const log: string[] = [];
  class OddMutex extends MemoryBackend<any> {
    override getMutex(key: string) {
      return {
        acquire: (wait?: boolean) => {
          log.push(`acquire ${key} ${wait}`);
          return true;
        },
        release: () => void log.push(`release ${key}`),
      };
    }
  }
  registerBackend('test.odd-mutex', () => OddMutex);
  const region = createRegion<any>({ name: 'r', backend: 'test.odd-mutex' });
  assert.is(
    region.getOrCreateSync('k', () => 1),
    1,
  );
  assert.is(await region.getOrCreate('l', () => 2), 2);
  assert.equal(log, ['acquire k true', 'release k', 'acquire l true', 'release l']);
});

for (const [what, mutex] of Object.entries({ acquire: { release() {} }, release: { acquire: () => true } })) {
  test(`R:MutexAPITest.test_mutex_non_match: a mutex without ${what} is an error, and nothing hangs`, async () => {
    class HalfMutex extends MemoryBackend<any> {
      override getMutex() {
        return mutex as never;
      }
    }
    registerBackend('test.half-mutex', () => HalfMutex);
    const errors: any[] = [];
    const region = createRegion<any>({
      name: 'r',
      backend: 'test.half-mutex',
      onError: (error) => errors.push(error),
    });
    if (what === 'acquire') {
      assert.instance(await errorOf(() => region.getOrCreate('k', () => 1)), TypeError);
      assert.is(await region.has('k'), false);
    } else {
      assert.is(await region.getOrCreate('k', () => 1), 1, 'a failing release hides no value');
      assert.instance(errors[0], TypeError);
    }
  });
}

test('CachedValue is a payload and its metadata, with cachedTime and age', () => {
  const begin = performance.timeOrigin + performance.now();
  const cached = new CachedValue('p', { ct: begin, v: VALUE_VERSION, generation: 3 });
  assert.is(cached.payload, 'p');
  assert.equal(cached.metadata, { ct: begin, v: VALUE_VERSION, generation: 3 });
  assert.is(cached.cachedTime, begin);
  assert.ok(cached.age >= 0 && cached.age < 60_000);
});

test('getMutex: null where the region is to lock, a mutex of the shared table, one that is always free', () => {
  assert.is(new MemoryBackend().getMutex('k'), null);
  const slab = new SlabBackend({ ...SLAB_ARGUMENTS, mutexes: 8 }, CONTEXT);
  const { index } = slab.getMutex('k');
  assert.ok(index >= 0 && index < 8);
  assert.is(slab.getMutex('k').index, index);
  assert.is.not(slab.getMutex('k'), slab.getMutex('k'));
  slab.close();
  assert.is(new NullBackend().getMutex('k').acquire(), true);
});

test.run();
