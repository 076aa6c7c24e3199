/**
 * Types of the package's surface, the decorators aside. The compiler is the test: what does not hold fails the build,
 * and so does a `@ts-expect-error` above a line that compiles. The run only counts.
 */
import { expectTypeOf } from 'expect-type';
import { test } from 'uvu';
import {
  type Awaitable,
  attachRegion,
  CacheBackend,
  type CachedValue,
  CacheRegion,
  type CacheStats,
  type Creator,
  createRegion,
  type KeyMangler,
  lengthConditionalMangler,
  MemoryBackend,
  type NO_VALUE,
  type NoValue,
  ProxyBackend,
  type RegionHandle,
  type RegionStats,
  SharedCache,
  type SlabMutex,
  sha1Mangler,
} from '../../src/index.ts';
import { compiles } from './compiles.ts';

interface User {
  readonly id: number;
  readonly name: string;
}

declare const user: User;
declare const handle: RegionHandle;

test('SharedCache: values of one type', () => {
  compiles(async () => {
    const cache = SharedCache.create<User>({ maxBytes: 2 ** 20 });
    expectTypeOf(cache).toEqualTypeOf<SharedCache<User>>();
    expectTypeOf(cache.get('k')).toEqualTypeOf<User | undefined>();
    expectTypeOf(cache.getMany(['k'])).toEqualTypeOf<(User | undefined)[]>();
    expectTypeOf(cache.set('k', user)).toEqualTypeOf<boolean>();
    expectTypeOf(cache.take('k')).toEqualTypeOf<User | undefined>();
    expectTypeOf(cache.update('k', (old) => old ?? user)).toEqualTypeOf<User>();
    expectTypeOf(cache.increment('n')).toEqualTypeOf<number>();
    expectTypeOf(cache.getOrCreate('k', async () => user)).toEqualTypeOf<Promise<User>>();
    expectTypeOf(cache.getOrCreateSync('k', () => user)).toEqualTypeOf<User>();
    expectTypeOf(cache.mutex('k')).toEqualTypeOf<SlabMutex>();
    expectTypeOf(cache.stats()).toEqualTypeOf<CacheStats>();
    expectTypeOf([...cache]).toEqualTypeOf<[string, User][]>();
    expectTypeOf(SharedCache.attach<User>(cache.handle)).toEqualTypeOf<SharedCache<User>>();
    expectTypeOf(SharedCache.create().get('k')).toEqualTypeOf<unknown>();
    // @ts-expect-error
    cache.set('k', 'no user');
    // @ts-expect-error
    cache.get(5);
    // @ts-expect-error
    SharedCache.create({ max: 100 });
    // @ts-expect-error
    cache.set('k', user, { ttl: '5 minutes' });
  });
});

test('a region: reads, writes and creations are of its type', () => {
  compiles(async () => {
    const region = createRegion<User>({ name: 'users', backend: 'cairn.slab', expirationTime: null });
    expectTypeOf(region).toEqualTypeOf<CacheRegion<User>>();
    expectTypeOf(region.configure('cairn.memory')).toEqualTypeOf<CacheRegion<User>>();
    expectTypeOf(region.configureFromConfig({}, '')).toEqualTypeOf<CacheRegion<User>>();
    expectTypeOf(region.get('k')).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(region.getSync('k')).toEqualTypeOf<User | undefined>();
    expectTypeOf(region.getMulti(['k'])).toEqualTypeOf<Promise<(User | undefined)[]>>();
    expectTypeOf(region.getMultiSync(new Set(['k']))).toEqualTypeOf<(User | undefined)[]>();
    expectTypeOf(region.getValueMetadata('k')).toEqualTypeOf<Promise<CachedValue<User> | undefined>>();
    expectTypeOf(region.has('k')).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(region.set('k', user)).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(region.setSync('k', user)).toEqualTypeOf<boolean>();
    expectTypeOf(region.setMulti(new Map([['k', user]]))).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(region.deleteMultiSync(['k'])).toEqualTypeOf<number>();
    expectTypeOf(region.keyIsLocked('k')).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(region.stats()).toEqualTypeOf<RegionStats>();
    expectTypeOf(region.handle).toEqualTypeOf<RegionHandle>();
    expectTypeOf(attachRegion<User>(handle)).toEqualTypeOf<CacheRegion<User>>();
    expectTypeOf(new CacheRegion({ name: 'x' }).getSync('k')).toEqualTypeOf<unknown>();
    // @ts-expect-error
    region.set('k', { id: 'seven' });
    // @ts-expect-error
    region.setMulti([['k', 7]]);
    // @ts-expect-error
    createRegion({ backend: 'cairn.slab' });
    // @ts-expect-error
    createRegion({ name: 'x', expiration: 5 });
    // @ts-expect-error
    region.get('k', { expirationTime: 'one hour' });
  });
});

test('creators: their signal, their result, and no promise in Sync forms', () => {
  compiles(async () => {
    const region = createRegion<User>({ name: 'users' });
    const anything = createRegion({ name: 'anything' });
    expectTypeOf<Creator<User>>().returns.toEqualTypeOf<Awaitable<User>>();
    expectTypeOf(
      region.getOrCreate('k', async ({ signal }) => (signal.aborted ? Promise.reject(signal.reason) : user)),
    ).toEqualTypeOf<Promise<User>>();
    region.getOrCreate('k', (context) => {
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
      return user;
    });
    expectTypeOf(region.getOrCreateSync('k', () => user)).toEqualTypeOf<User>();
    expectTypeOf(
      region.getOrCreateMulti(['k'], (keys, { signal }) => {
        expectTypeOf(keys).toEqualTypeOf<readonly string[]>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return keys.map(() => user);
      }),
    ).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(region.getOrCreateMultiSync(['k'], (keys) => keys.map(() => user))).toEqualTypeOf<User[]>();
    region.getOrCreateSync('k', () => {
      throw new Error('allowed');
    });
    region.getOrCreate('k', () => user, { shouldCache: ({ id }) => id > 0, refresh: 'background' });
    region.getOrCreate('k', () => user, {
      asyncCreationRunner: async (own, key, creator, mutex, token) => {
        expectTypeOf(own).toEqualTypeOf<CacheRegion<User>>();
        expectTypeOf(key).toEqualTypeOf<string>();
        expectTypeOf(await creator()).toEqualTypeOf<User>();
        expectTypeOf(await own.set(key, user, { token })).toEqualTypeOf<boolean>();
        mutex.release();
      },
    });
    // @ts-expect-error
    region.getOrCreate('k', () => 'no user');
    // @ts-expect-error
    region.getOrCreateSync('k', async () => user);
    // @ts-expect-error: also where a promise would be a value like any other
    anything.getOrCreateSync('k', async () => user);
    // @ts-expect-error
    anything.getOrCreateMultiSync(['k'], async (keys) => keys);
    // @ts-expect-error
    region.getOrCreateMulti(['k'], () => user);
    // @ts-expect-error
    region.getOrCreate('k', () => user, { refresh: 'behind' });
    // @ts-expect-error: there is no runner for several keys
    region.getOrCreateMulti(['k'], () => [user], { asyncCreationRunner: () => {} });
  });
});

test('backends, proxies and manglers', () => {
  compiles(() => {
    class Own extends CacheBackend<User> {
      override get(_key: string): CachedValue<User> | NoValue {
        throw new Error();
      }
      override async set(_key: string, _value: CachedValue<User>): Promise<void> {}
      override delete(_key: string): boolean {
        return false;
      }
    }
    class Counting extends ProxyBackend<User> {
      override get(key: string): Awaitable<CachedValue<User> | NoValue> {
        return super.get(key);
      }
    }
    expectTypeOf(new Own()).toExtend<CacheBackend<User>>();
    expectTypeOf(new Counting().wrap(new MemoryBackend<User>())).toEqualTypeOf<Counting>();
    expectTypeOf<NoValue>().toEqualTypeOf<typeof NO_VALUE>();
    expectTypeOf(sha1Mangler).toExtend<KeyMangler>();
    expectTypeOf(lengthConditionalMangler(250, sha1Mangler)).toEqualTypeOf<KeyMangler>();
    createRegion<User>({ name: 'x', backend: 'cairn.memory', wrap: [Counting, new Counting()] });
    // @ts-expect-error
    createRegion({ name: 'x', backend: 'cairn.memory', wrap: [Own] });
    // @ts-expect-error
    createRegion({ name: 'x', keyMangler: (key: number) => String(key) });
  });
});

test.run();
