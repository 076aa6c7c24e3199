/** The decorators of functions as standard (stage 3) decorators of methods. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cached, cachedMulti } from '../../src/region/decorators/cached.ts';
import { cacheMultiOnArguments } from '../../src/region/decorators/multi.ts';
import { cacheOnArguments, cacheOnArgumentsSync } from '../../src/region/decorators/single.ts';
import { createRegion } from '../../src/region/region.ts';
import { errorOf } from './region-fixtures.ts';

interface User {
  readonly id: string;
  readonly by: string;
}

const region = createRegion<User | null>({ name: 'users', backend: 'cairn.memory' });

class Users {
  readonly tag: string;
  calls: string[] = [];

  constructor(tag: string) {
    this.tag = tag;
  }

  @cacheOnArguments(region, { namespace: 'Users' })
  async load(id: string, _language = 'en'): Promise<User> {
    this.calls.push(`load ${id}`);
    return { id, by: this.tag };
  }

  @cacheOnArgumentsSync(region, { namespace: 'Users' })
  now(id: string): User {
    this.calls.push(`now ${id}`);
    return { id, by: this.tag };
  }

  @cacheMultiOnArguments(region, { namespace: 'Users', shouldCache: (user) => user !== null })
  async loadMany(...ids: string[]): Promise<(User | null)[]> {
    this.calls.push(`loadMany ${ids}`);
    return ids.map((id) => (id === 'none' ? null : { id, by: this.tag }));
  }

  @cacheMultiOnArguments(region, { namespace: 'Users', asMap: true })
  async find(...ids: string[]): Promise<Map<string, User>> {
    this.calls.push(`find ${ids}`);
    return new Map(ids.filter((id) => id !== 'none').map((id) => [id, { id, by: this.tag }]));
  }

  @cacheOnArguments(region, { namespace: 'Users static' })
  static async load(id: string): Promise<User> {
    return { id, by: `static ${this === Users}` };
  }

  @cacheOnArguments(region, { namespace: 'Users' })
  async #secret(id: string): Promise<User> {
    this.calls.push(`secret ${id}`);
    return { id, by: this.tag };
  }

  secret(id: string): Promise<User> {
    return this.#secret(id);
  }

  forget(id: string): Promise<boolean> {
    return cached(this.#secret).invalidate(id);
  }

  @cacheOnArguments(region, { namespace: 'Users' })
  async 'with spaces'(id: string): Promise<User> {
    return { id, by: 'spaces' };
  }

  @cacheOnArguments(region, { namespace: 'Users' })
  async [Symbol.for('symbol')](id: string): Promise<User> {
    return { id, by: 'symbol' };
  }
}

test('methods share their values over instances, and get their own this', async () => {
  const [one, two] = [new Users('one'), new Users('two')];
  assert.equal(await one.load('a'), { id: 'a', by: 'one' });
  assert.equal(await two.load('a'), { id: 'a', by: 'one' });
  assert.equal(await two.load('b'), { id: 'b', by: 'two' });
  assert.equal(two.now('a'), { id: 'a', by: 'two' });
  assert.equal(one.now('a'), { id: 'a', by: 'two' });
  assert.equal(await one.loadMany('a', 'b', 'none'), [{ id: 'a', by: 'one' }, { id: 'b', by: 'one' }, null]);
  assert.equal((await two.loadMany('b', 'none'))[0], { id: 'b', by: 'one' });
  assert.equal([...(await two.find('none', 'a')).keys()], ['a']);
  assert.equal([...(await one.find('a')).values()], [{ id: 'a', by: 'two' }]);
  assert.equal(one.calls, ['load a', 'loadMany a,b,none']);
  assert.equal(two.calls, ['load b', 'now a', 'loadMany none', 'find a,none']);
  assert.is(one.load.name, 'load');
  assert.is(one.load.length, 1);
});

test('helpers of a method', async () => {
  const users = new Users('helper');
  assert.is(await cached(users.load).set({ id: 'h', by: 'given' }, 'h'), true);
  assert.equal(await users.load('h'), { id: 'h', by: 'given' });
  assert.equal(await cached(users.load).get('h'), { id: 'h', by: 'given' });
  assert.is(await cached(users.load).invalidate('h'), true);
  // refresh needs the object: by `self`, or by `call`
  assert.equal(await cached(users.load, users).refresh('h'), { id: 'h', by: 'helper' });
  assert.equal(await cached(users.load).refresh.call(new Users('called'), 'h'), { id: 'h', by: 'called' });
  assert.instance(await errorOf(() => cached(users.load).refresh('h')), TypeError);
  assert.equal(await users.load('h'), { id: 'h', by: 'called' });
  assert.equal(cached(users.now, users).refresh('h'), { id: 'h', by: 'helper' });
  assert.equal(await cachedMulti(users.loadMany).get('h'), [undefined]);
  assert.equal(await cachedMulti(users.loadMany, users).refresh('h'), [{ id: 'h', by: 'helper' }]);
  assert.is((await cachedMulti(users.find, users).refresh('h', 'none')).size, 1);
  assert.is(await cachedMulti(users.find).invalidate('h', 'x'), 1);
  assert.is(cached(users.load).original.name, 'load');
});

test('static, private and oddly named methods', async () => {
  assert.equal(await Users.load('a'), { id: 'a', by: 'static true' });
  assert.equal(await cached(Users.load, Users).refresh('a'), { id: 'a', by: 'static true' });
  const users = new Users('private');
  assert.equal(await users.secret('a'), { id: 'a', by: 'private' });
  await users.secret('a');
  assert.is(await users.forget('a'), true);
  await users.secret('a');
  assert.equal(users.calls, ['secret a', 'secret a']);
  assert.is(region.hasSync('Users.#secret|"a"'), true);
  assert.equal(await users['with spaces']('a'), { id: 'a', by: 'spaces' });
  assert.equal(await (users as any)[Symbol.for('symbol')]('a'), { id: 'a', by: 'symbol' });
});

test('a subclass calls the method that it overrides, under a namespace of its own', async () => {
  class Admins extends Users {
    @cacheOnArguments(region, { namespace: 'Admins' })
    override async load(id: string): Promise<User> {
      const user = await super.load(id);
      return { ...user, by: `admin ${user.by}` };
    }
  }
  const admins = new Admins('sub');
  assert.equal(await admins.load('s'), { id: 's', by: 'admin sub' });
  assert.equal(await new Users('x').load('s'), { id: 's', by: 'sub' });
});

test('methods need a namespace that no method of the same name has', async () => {
  const define = (options: object) => {
    class Others {
      @cacheOnArguments(region, options)
      async load(): Promise<User | null> {
        return null;
      }
    }
    return new Others();
  };
  const none = await errorOf(() => define({}));
  assert.is(none.message, 'namespace: the method load needs one, got undefined');
  assert.is((await errorOf(() => define({ namespace: 'Users' }))).field, 'namespace');
  assert.is(await define({ namespace: 'Others' }).load(), null);
});

/** What a decorator is called with, as the standard has it. */
const contextOf = (kind: string, name: string) =>
  ({ kind, name, static: false, private: false, addInitializer() {}, access: {}, metadata: {} }) as any;

test('by hand: called with a method and its context, it returns what takes its place', async () => {
  const own = createRegion<string>({ name: 'by hand', backend: 'cairn.memory' });
  async function load(this: { tag: string }, id: string) {
    return `${this.tag} ${id}`;
  }
  const decorated = cacheOnArguments(own, { namespace: 'H' })(load, contextOf('method', 'load'));
  assert.is(await decorated.call({ tag: 'x' }, 'a'), 'x a');
  assert.is(own.getSync('H.load|"a"'), 'x a');
});

test('anything but a method is refused, and decorators of before the standard are', async () => {
  for (const decorator of [cacheOnArguments, cacheOnArgumentsSync, cacheMultiOnArguments] as any[]) {
    const decorate = decorator(region, { namespace: 'refused' });
    for (const kind of ['getter', 'setter', 'field', 'class', 'accessor']) {
      const error = await errorOf(() => decorate(() => {}, contextOf(kind, 'load')));
      assert.is(error.field, 'context');
      assert.is(error.value, kind);
    }
    // experimentalDecorators: (prototype, name, descriptor); for a static method, (class, name, descriptor)
    assert.is((await errorOf(() => decorate(Users.prototype, 'load', {}))).field, 'context');
    assert.is((await errorOf(() => decorate(Users, 'load', {}))).field, 'context');
    assert.is((await errorOf(() => [() => {}].map(decorate))).field, 'context');
    assert.is((await errorOf(() => decorate(() => {}, null))).field, 'context');
  }
});

test.run();
