/** dogpile.cache, "Proxies": ProxyBackend, as R:ProxyBackendTest has it, and the one value path. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BackendSetOptions,
  CachedValue,
  MemoryBackend,
  NO_VALUE,
  ProxyBackend,
} from '../../src/index.ts';
import { errorOf, everyWay, PROMISES, parked, stored, turns, type Way } from './fixtures.ts';

/** These tests bring proxies of their own. */
const PLAIN = (way: Way) => way.policy === 'plain';

class GetCounterProxy extends ProxyBackend<any> {
  static counter = 0;
  override get(key: string) {
    GetCounterProxy.counter++;
    return super.get(key);
  }
}

class SetCounterProxy extends ProxyBackend<any> {
  static counter = 0;
  override set(key: string, value: CachedValue<any>, options?: BackendSetOptions) {
    SetCounterProxy.counter++;
    return super.set(key, value, options);
  }
}

function resetCounters(): void {
  GetCounterProxy.counter = SetCounterProxy.counter = 0;
}

/** Counts how often each key was set. */
class UsedKeysProxy extends ProxyBackend<any> {
  readonly counts = new Map<string, number>();
  override set(key: string, value: CachedValue<any>, options?: BackendSetOptions) {
    this.counts.set(key, this.countOf(key) + 1);
    return super.set(key, value, options);
  }
  countOf(key: string): number {
    return this.counts.get(key) ?? 0;
  }
}

/** Never sets one key. */
class NeverSetProxy extends ProxyBackend<any> {
  readonly #never: string;
  constructor(never: string) {
    super();
    this.#never = never;
  }
  override set(key: string, value: CachedValue<any>, options?: BackendSetOptions) {
    return key === this.#never ? true : super.set(key, value, options);
  }
}

everyWay(
  'R:ProxyBackendTest.test_cachedvalue_passed: a proxy sees CachedValues, or NO_VALUE',
  async (on) => {
    const seen: unknown[] = [];
    class Looking extends ProxyBackend<any> {
      override get(key: string) {
        const found = super.get(key);
        void Promise.resolve(found).then((value) => seen.push(value));
        return found;
      }
      override set(key: string, value: CachedValue<any>, options?: BackendSetOptions) {
        assert.instance(value, CachedValue);
        return super.set(key, value, options);
      }
    }
    const { call } = on.make({ wrap: [Looking] });
    await call('set', 'some key', 'some value');
    assert.is(await call('get', 'some key'), 'some value');
    await call('get', 'other');
    await turns(5);
    assert.instance(seen[0], CachedValue);
    assert.is(seen[1], NO_VALUE);
  },
  PLAIN,
);

everyWay(
  'R:ProxyBackendTest.test_counter_proxies: all goes through, also what is not overridden',
  async (on) => {
    const { call } = on.make({ wrap: [GetCounterProxy, SetCounterProxy] });
    resetCounters();
    for (let n = 0; n < 10; n++) await call('set', `${n}`, n);
    assert.is(GetCounterProxy.counter, 0);
    assert.is(SetCounterProxy.counter, 10);
    for (let n = 0; n < 10; n++) assert.is(await call('get', `${n}`), n);
    assert.is(GetCounterProxy.counter, 10);
    assert.is(SetCounterProxy.counter, 10);
    for (let n = 0; n < 10; n++) {
      assert.is(await call('delete', `${n}`), true);
      assert.is(await call('get', `${n}`), undefined);
    }
  },
  PLAIN,
);

everyWay(
  'R:ProxyBackendTest.test_instance_proxies: two instances do not share',
  async (on) => {
    const [numbers, letters] = [new UsedKeysProxy(), new UsedKeysProxy()];
    const { call: ofNumbers } = on.make({ wrap: [numbers] });
    const { call: ofLetters } = on.make({ wrap: [letters], name: 'letters' });
    for (const many of [10, 5]) {
      for (let n = 0; n < many; n++) {
        await ofNumbers('set', `${n}`, true);
        await ofLetters('set', String.fromCharCode(97 + n), true);
      }
    }
    assert.equal([numbers.countOf('1'), numbers.countOf('9'), numbers.countOf('a')], [2, 1, 0]);
    assert.equal([letters.countOf('a'), letters.countOf('g'), letters.countOf('9')], [2, 1, 0]);
  },
  PLAIN,
);

everyWay(
  'R:ProxyBackendTest.test_argument_proxies: an instance may have arguments',
  async (on) => {
    const { call } = on.make({ wrap: [new NeverSetProxy('5')] });
    for (let n = 0; n < 10; n++) await call('set', `${n}`, true);
    assert.is(await call('get', '5'), undefined);
    assert.is(await call('get', '1'), true);
    await call('setMulti', [
      ['5', true],
      ['6', 'six'],
    ]);
    assert.is(await call('get', '5'), undefined);
    assert.is(await call('get', '6'), 'six');
  },
  PLAIN,
);

everyWay(
  'one value path: an overridden get or set is called in every operation',
  async (on) => {
    class Failing extends ProxyBackend<string> {
      override async get(key: string): Promise<never> {
        throw new Error(`not called for ${key}`);
      }
    }
    /** Keeps texts backwards. */
    const turned = ({ payload, metadata }: CachedValue<any>) =>
      new CachedValue([...payload].reverse().join(''), metadata);
    class Turning extends ProxyBackend<any> {
      override get(key: string): any {
        const found = super.get(key) as any;
        const turn = (value: any) => (value === NO_VALUE ? value : turned(value));
        return found instanceof Promise ? found.then(turn) : turn(found);
      }
      override set(key: string, value: CachedValue<any>, options?: BackendSetOptions) {
        return super.set(key, turned(value), options);
      }
    }
    const { call, region } = on.make({ wrap: [Turning], expirationTime: 10 });
    const raw = async (key: string) => ((await stored(region, key)) as CachedValue).payload;
    await call('set', 'a', 'abc');
    assert.is(await raw('a'), 'cba');
    await call('setMulti', [['b', 'bcd']]);
    assert.is(await raw('b'), 'dcb');
    assert.is(await call('getOrCreate', 'c', () => 'cde'), 'cde');
    assert.is(await raw('c'), 'edc');
    assert.equal(
      await call('getOrCreateMulti', ['c', 'd', 'e'], (keys: string[]) => keys.map((key) => `${key}12`)),
      ['cde', 'd12', 'e12'],
    );
    assert.equal([await raw('d'), await raw('e')], ['21d', '21e']);
    assert.equal(await call('getMulti', ['a', 'e']), ['abc', 'e12']);
    assert.is((await call('getValueMetadata', 'a')).payload, 'abc');
    assert.is(await call('has', 'a'), true);
    if (on.sync) return;
    const failing = on.make({ wrap: [Failing], name: 'other' });
    assert.match((await errorOf(() => failing.call('getMulti', ['a', 'b']))).message, 'not called for');
    assert.match(
      (await errorOf(() => failing.call('getOrCreate', 'a', () => 'v'))).message,
      'not called for',
    );
  },
  PLAIN,
);

everyWay(
  "a proxy's own key mangler is used",
  async (on) => {
    class Mangling extends ProxyBackend<any> {
      override keyMangler = (key: string) => `P:${key}`;
    }
    const { call, region } = on.make({ wrap: [Mangling] });
    await call('set', 'k', 'v');
    assert.is(((await stored(region, 'P:k')) as CachedValue).payload, 'v');
    assert.is(await call('get', 'k'), 'v');
    const own = on.make({ wrap: [Mangling], keyMangler: (key) => `R:${key}` });
    await own.call('set', 'k', 'v');
    assert.is(((await stored(own.region, 'R:k')) as CachedValue).payload, 'v', "the region's goes before");
  },
  PLAIN,
);

everyWay(
  'a proxy that passes options on keeps late values out, and one that drops them for its own thread',
  async (on) => {
    class Dropping extends ProxyBackend<any> {
      override set(key: string, value: CachedValue<any>) {
        return super.set(key, value);
      }
    }
    for (const proxy of [SetCounterProxy, Dropping]) {
      const { call } = on.make({ wrap: [proxy], name: proxy.name });
      const it = parked();
      const late = call('getOrCreate', 'k', it.creator);
      await it.started;
      await call('set', 'k', 'set meanwhile');
      it.gate.resolve('late');
      assert.is(await late, 'late');
      assert.is(await call('get', 'k'), 'set meanwhile');
    }
  },
  (way) => PLAIN(way) && PROMISES(way),
);

test('wrap: a proxy instance belongs to one region, and a proxy without a backend says so', async () => {
  const proxy = new UsedKeysProxy();
  assert.is((await errorOf(() => proxy.proxied)).code, 'ERR_CAIRN_OPTION');
  assert.is((await errorOf(() => proxy.get('k'))).code, 'ERR_CAIRN_OPTION');
  const inner = new MemoryBackend();
  assert.is(proxy.wrap(inner), proxy);
  assert.is(proxy.proxied, inner);
  assert.is((await errorOf(() => proxy.wrap(inner))).code, 'ERR_CAIRN_OPTION');
});

test.run();
