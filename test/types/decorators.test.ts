/**
 * Types of the decorators. The compiler is the test: what does not hold fails the build, and so does a `@ts-expect-error`
 * above a line that compiles. The run only counts.
 */
import { expectTypeOf } from 'expect-type';
import { test } from 'uvu';
import { createRegion } from '../../src/index.ts';
import { functionKeyGenerator, type KeyGenerator } from '../../src/region/decorators/argument-keys.ts';
import { cached, cachedMulti } from '../../src/region/decorators/cached.ts';
import { cacheMultiOnArguments, cacheMultiOnArgumentsSync } from '../../src/region/decorators/multi.ts';
import { cacheOnArguments, cacheOnArgumentsSync } from '../../src/region/decorators/single.ts';
import type { Cached, CachedMulti, CachedMultiSync, CachedSync } from '../../src/region/decorators/types.ts';
import { compiles } from './compiles.ts';

interface User {
  readonly id: string;
  readonly name: string;
}
interface Admin extends User {
  readonly rights: readonly string[];
}

const region = createRegion({ name: 'anything' });
const users = createRegion<User>({ name: 'users' });

declare const user: User;
declare const admin: Admin;

test('an async function keeps its parameters and its result', () => {
  compiles(() => {
    const load = cacheOnArguments(region)(async (_id: string, _language?: 'en' | 'fr') => user);
    type Load = (id: string, language?: 'en' | 'fr') => Promise<User>;
    expectTypeOf(load).toEqualTypeOf<Cached<Load>>();
    expectTypeOf(load).parameters.toEqualTypeOf<[id: string, language?: 'en' | 'fr' | undefined]>();
    expectTypeOf(load).returns.toEqualTypeOf<Promise<User>>();
    expectTypeOf(load).toExtend<Load>();
    expectTypeOf(load.original).toEqualTypeOf<Load>();
    // @ts-expect-error
    load(7);
    // @ts-expect-error
    load();
    // @ts-expect-error
    load('7', 'de');
  });
});

test('type parameters and overloads are kept', () => {
  compiles(() => {
    const same = cacheOnArguments(region)(async <T extends string>(value: T) => value);
    expectTypeOf(same('a')).toEqualTypeOf<Promise<'a'>>();

    function size(unit: 'bytes'): Promise<number>;
    function size(unit: 'text'): Promise<string>;
    async function size(unit: string): Promise<number | string> {
      return unit === 'bytes' ? 1 : '1 B';
    }
    const cachedSize = cacheOnArguments(region)(size);
    expectTypeOf(cachedSize('bytes')).toEqualTypeOf<Promise<number>>();
    expectTypeOf(cachedSize('text')).toEqualTypeOf<Promise<string>>();
  });
});

test('a synchronous function becomes asynchronous', () => {
  compiles(() => {
    const parse = cacheOnArguments(region)((_text: string) => user);
    expectTypeOf(parse).parameters.toEqualTypeOf<[text: string]>();
    expectTypeOf(parse).returns.toEqualTypeOf<Promise<User>>();
    expectTypeOf(parse.original).returns.toEqualTypeOf<User>();

    const either = cacheOnArguments(region)((_text: string): User | Promise<Admin> => user);
    expectTypeOf(either).returns.toEqualTypeOf<Promise<User | Admin>>();
    const thenable = cacheOnArguments(region)((_text: string): PromiseLike<User> => Promise.resolve(user));
    expectTypeOf(thenable).returns.toEqualTypeOf<Promise<User>>();
    const any = cacheOnArguments(region)((_text: string): any => user);
    expectTypeOf(any).returns.toEqualTypeOf<Promise<any>>();
  });
});

test('helpers take the parameters and the result of the function', () => {
  compiles(() => {
    const load = cacheOnArguments(region)(async (_id: string, _age?: number): Promise<User> => user);
    expectTypeOf(load.invalidate).parameters.toEqualTypeOf<[id: string, age?: number | undefined]>();
    expectTypeOf(load.invalidate('7')).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(load.set).parameters.toEqualTypeOf<[value: User, id: string, age?: number | undefined]>();
    expectTypeOf(load.set(admin, '7')).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(load.get('7')).toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(load.refresh('7', 1)).toEqualTypeOf<Promise<User>>();
    // @ts-expect-error
    load.set('7', user);
    // @ts-expect-error
    load.set({ id: '7' }, '7');
    // @ts-expect-error
    load.invalidate(7);
    // @ts-expect-error
    load.refresh();
    // @ts-expect-error
    load.get('7').then((found) => found.name);
  });
});

test('this is kept', () => {
  compiles(() => {
    const load = cacheOnArguments(region)(async function load(this: { db: number }, _id: string) {
      return user;
    });
    expectTypeOf(load).thisParameter.toEqualTypeOf<{ db: number }>();
    const parse = cacheOnArguments(region)(function parse(this: { db: number }, _id: string) {
      return user;
    });
    expectTypeOf(parse).thisParameter.toEqualTypeOf<{ db: number }>();
    expectTypeOf(parse.call({ db: 1 }, 'a')).toEqualTypeOf<Promise<User>>();
    // @ts-expect-error
    load('7');
  });
});

test('the Sync twin keeps the very type, and takes no function that is seen to return a promise', () => {
  compiles(() => {
    const load = cacheOnArgumentsSync(region)((_id: string) => user);
    expectTypeOf(load).toEqualTypeOf<CachedSync<(id: string) => User>>();
    expectTypeOf(load).returns.toEqualTypeOf<User>();
    expectTypeOf(load.get('7')).toEqualTypeOf<User | undefined>();
    expectTypeOf(load.set(user, '7')).toEqualTypeOf<boolean>();
    expectTypeOf(load.invalidate('7')).toEqualTypeOf<boolean>();
    expectTypeOf(load.refresh('7')).toEqualTypeOf<User>();
    const same = cacheOnArgumentsSync(region)(<T extends string>(value: T) => value);
    expectTypeOf(same('a')).toEqualTypeOf<'a'>();
    // @ts-expect-error
    cacheOnArgumentsSync(region)(async (_id: string) => user);
    // @ts-expect-error
    cacheOnArgumentsSync(region)((_id: string): PromiseLike<User> => Promise.resolve(user));
  });
});

test("a function's result must be a value of the region", () => {
  compiles(() => {
    const load = cacheOnArguments(users)(async (_id: string) => admin);
    expectTypeOf(load('7')).toEqualTypeOf<Promise<Admin>>();
    // @ts-expect-error
    cacheOnArguments(users)(async (_id: string) => 'no user');
    // @ts-expect-error
    cacheOnArgumentsSync(users)((_id: string) => 'no user');
    // @ts-expect-error
    cacheMultiOnArguments(users)(async (...ids: string[]) => ids);
    // @ts-expect-error
    cacheMultiOnArguments(users, { asMap: true })(async (...ids: string[]) => new Map([[ids[0], 1]]));
  });
});

test('shouldCache gets what the function returns', () => {
  compiles(() => {
    cacheOnArguments(users, { shouldCache: (value) => value.name !== '' })(async () => user);
    const found = cacheOnArguments(region, { shouldCache: (value: User | null) => value !== null });
    expectTypeOf(found(async () => user)).returns.toEqualTypeOf<Promise<User>>();
    expectTypeOf(found(async (): Promise<User | null> => null)).returns.toEqualTypeOf<Promise<User | null>>();
    cacheMultiOnArguments(users, { asMap: true, shouldCache: (value) => value.name !== '' });
    // @ts-expect-error
    found(async () => 'no user');
    // @ts-expect-error
    cacheOnArguments(users, { shouldCache: (value: string) => value !== '' });
  });
});

test('options', () => {
  compiles(() => {
    const generator: KeyGenerator = (namespace, fn) => (id: string) => `${namespace}${fn.name}${id}`;
    cacheOnArguments(region, {
      namespace: 'N',
      expirationTime: () => null,
      shouldCache: () => true,
      keyGenerator: generator,
      waitTimeout: 5,
      staleOnError: true,
      softTimeout: 5,
      refresh: 'background',
    });
    cacheOnArguments(region, { expirationTime: null, keyGenerator: functionKeyGenerator });
    cacheOnArguments(region, { namespace: undefined, expirationTime: undefined });
    // @ts-expect-error
    cacheOnArguments(region, { ttl: 5 });
    // @ts-expect-error
    cacheOnArguments(region, { expirationTime: '5' });
    // @ts-expect-error
    cacheOnArguments(region, { expirationTime: () => '5' });
    // @ts-expect-error
    cacheOnArguments(region, { refresh: 'never' });
    // @ts-expect-error
    cacheOnArguments(region, { asMap: true });
    // @ts-expect-error
    cacheOnArguments(region, { keyGenerator: () => 'key' });
  });
});

test('a function of many arguments', () => {
  compiles(() => {
    const load = cacheMultiOnArguments(users)(async (...ids: number[]) => ids.map(() => user));
    type Load = (...ids: number[]) => Promise<User[]>;
    expectTypeOf(load).toEqualTypeOf<CachedMulti<Load>>();
    expectTypeOf(load).parameters.toEqualTypeOf<number[]>();
    expectTypeOf(load).returns.toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(load).toExtend<Load>();
    expectTypeOf(load.original).toEqualTypeOf<Load>();
    expectTypeOf(load.get(1, 2)).toEqualTypeOf<Promise<(User | undefined)[]>>();
    expectTypeOf(load.refresh(1, 2)).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(load.invalidate(1, 2)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(load.set(new Map([[1, user]]))).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(load.set([[1, user]])).toEqualTypeOf<Promise<boolean>>();
    // @ts-expect-error
    load('1');
    // @ts-expect-error
    load.set(new Map([['1', user]]));
    // @ts-expect-error
    load.set([[1, 'no user']]);
    // @ts-expect-error
    cacheMultiOnArguments(region)(async (a: number, b: number) => [a, b]);
    // @ts-expect-error
    cacheMultiOnArguments(region)(async (...ids: number[]) => ids.length);
    // @ts-expect-error
    cacheMultiOnArguments(region)(async (...ids: number[]) => new Map([[ids[0], 1]]));
    // @ts-expect-error
    cacheMultiOnArguments(region, { asMap: true })(async (...ids: number[]) => ids);

    const now = cacheMultiOnArgumentsSync(region)((...ids: number[]): readonly string[] => ids.map(String));
    expectTypeOf(now).toEqualTypeOf<CachedMultiSync<(...ids: number[]) => readonly string[]>>();
    expectTypeOf(now(1)).toEqualTypeOf<string[]>();
    expectTypeOf(now.get(1)).toEqualTypeOf<(string | undefined)[]>();
    expectTypeOf(now.invalidate(1)).toEqualTypeOf<number>();
    // @ts-expect-error
    cacheMultiOnArgumentsSync(region)(async (...ids: number[]) => ids);
  });
});

test('asMap', () => {
  compiles(() => {
    const find = cacheMultiOnArguments(users, { asMap: true })(
      async (...ids: number[]): Promise<ReadonlyMap<number, Admin>> => new Map(ids.map((id) => [id, admin])),
    );
    expectTypeOf(find(1)).toEqualTypeOf<Promise<Map<number, Admin>>>();
    expectTypeOf(find.get(1)).toEqualTypeOf<Promise<Map<number, Admin>>>();
    expectTypeOf(find.refresh(1)).toEqualTypeOf<Promise<Map<number, Admin>>>();
    expectTypeOf(find.set).parameters.toEqualTypeOf<[entries: Iterable<readonly [number, Admin]>]>();
    const now = cacheMultiOnArgumentsSync(region, { asMap: true })(
      (...ids: number[]) => new Map(ids.map((id) => [id, 'x'])),
    );
    expectTypeOf(now(1)).toEqualTypeOf<Map<number, string>>();
    expectTypeOf(now.get(1)).toEqualTypeOf<Map<number, string>>();
    // @ts-expect-error
    cacheMultiOnArguments(region, { asMap: true })(async (...ids: number[]) => new Map([[`${ids[0]}`, 1]]));
    // @ts-expect-error
    cacheMultiOnArgumentsSync(region, { asMap: true })((...ids: number[]) => ids);
  });
});

test('methods keep their type, and cached gives their helpers', () => {
  compiles(() => {
    class Users {
      @cacheOnArguments(users, { namespace: 'U' })
      async load(_id: string): Promise<User> {
        return user;
      }
      @cacheOnArguments(users, { namespace: 'U' })
      static async all(_page: number): Promise<Admin> {
        return admin;
      }
      @cacheOnArgumentsSync(users, { namespace: 'U' })
      now(_id: string): User {
        return user;
      }
      @cacheMultiOnArguments(users, { namespace: 'U' })
      async many(...ids: string[]): Promise<User[]> {
        return ids.map(() => user);
      }
      @cacheMultiOnArguments(users, { namespace: 'U', asMap: true })
      async find(...ids: string[]): Promise<Map<string, User>> {
        return new Map(ids.map((id) => [id, user]));
      }
      // @ts-expect-error: it would return a promise
      @cacheOnArguments(users, { namespace: 'U' })
      wrong(_id: string): User {
        return user;
      }
      // @ts-expect-error: it returns a promise
      @cacheOnArgumentsSync(users, { namespace: 'U' })
      async wrongSync(_id: string): Promise<User> {
        return user;
      }
      // @ts-expect-error: no value of the region
      @cacheOnArguments(users, { namespace: 'U' })
      async wrongValue(_id: string): Promise<string> {
        return '';
      }
      // @ts-expect-error: a fixed number of arguments
      @cacheMultiOnArguments(users, { namespace: 'U' })
      async wrongMany(_one: string, _two: string): Promise<User[]> {
        return [];
      }
      // @ts-expect-error: no method
      @cacheOnArguments(users, { namespace: 'U' })
      get wrongGetter(): Promise<User> {
        return Promise.resolve(user);
      }
      // @ts-expect-error: no method
      @cacheOnArguments(users, { namespace: 'U' })
      wrongField = async (_id: string): Promise<User> => user;
    }
    const own = new Users();
    expectTypeOf(own.load).toEqualTypeOf<(id: string) => Promise<User>>();
    expectTypeOf(cached(own.load)).toEqualTypeOf<Cached<(id: string) => Promise<User>>>();
    expectTypeOf(cached(own.load, own).refresh('7')).toEqualTypeOf<Promise<User>>();
    expectTypeOf(cached(Users.all).get(1)).toEqualTypeOf<Promise<Admin | undefined>>();
    expectTypeOf(cached(own.now).get('7')).toEqualTypeOf<User | undefined>();
    expectTypeOf(cachedMulti(own.many).get('7')).toEqualTypeOf<Promise<(User | undefined)[]>>();
    expectTypeOf(cachedMulti(own.find).get('7')).toEqualTypeOf<Promise<Map<string, User>>>();
    // @ts-expect-error
    cached(own.load).invalidate(7);
  });
});

test.run();
