/** dogpile.cache, "Backends": memory, memory_pickle and null, and what stands for them here. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CachedValue, createRegion, NullBackend } from '../../src/index.ts';
import { callerOf, checkRegionHeap, counting, errorOf, parked, SLAB_ARGUMENTS, turns } from './fixtures.ts';

test('memory: the Map may be passed; a Map it must be', async () => {
  const map = new Map<string, CachedValue<any>>();
  const region = createRegion<any>({ name: 'r', backend: 'cairn.memory', arguments: { map } });
  region.setSync('k', 'v');
  assert.is(map.get('k')!.payload, 'v');
  const twin = createRegion<any>({ name: 'r', backend: 'cairn.memory', arguments: { map } });
  assert.is(twin.getSync('k'), 'v');
  const wrong = { name: 'r', backend: 'cairn.memory', arguments: { map: {} } };
  assert.is((await errorOf(() => createRegion(wrong))).field, 'arguments.map');
});

test('memory: readers get the object that was set, so a mutation shows', () => {
  const region = createRegion<any>({ name: 'r', backend: 'cairn.memory' });
  const value = { n: 1 };
  region.setSync('k', value);
  assert.is(region.getSync('k'), value);
  value.n = 2;
  assert.equal(region.getSync('k'), { n: 2 });
});

test('memory: what a creator made is frozen, unless the region says otherwise', async () => {
  const region = createRegion<any>({ name: 'r', backend: 'cairn.memory' });
  const made = await region.getOrCreate('k', () => ({ list: [1] }));
  assert.is(region.getSync('k'), made);
  assert.throws(() => made.list.push(2), /not extensible/);
  const loose = createRegion<any>({ name: 'r', backend: 'cairn.memory', freeze: false });
  const own = await loose.getOrCreate('k', () => ({ list: [1] }));
  own.list.push(2);
  assert.equal(loose.getSync('k'), { list: [1, 2] });
});

test('memory_pickle: the shared store copies, so a mutation does not show', () => {
  const region = createRegion<any>({ name: 'r', backend: 'cairn.slab', arguments: SLAB_ARGUMENTS });
  const value = { list: [1], map: new Map([['a', 1]]) };
  region.setSync('k', value);
  value.list.push(2);
  assert.equal(region.getSync('k').list, [1]);
  region.getSync('k').map.set('b', 2);
  assert.equal([...region.getSync('k').map], [['a', 1]]);
  checkRegionHeap(region);
  region.close();
});

for (const sync of [false, true]) {
  const make = () => {
    const region = createRegion<any>({ name: 'nothing', backend: 'cairn.null' });
    return { region, call: callerOf(region, sync) };
  };
  const it = (title: string, body: () => Promise<void>) =>
    test(`null, ${sync ? 'Sync' : 'promises'}: ${title}`, body);

  it('NUL:test_get, NUL:test_set, NUL:test_delete', async () => {
    const { call } = make();
    assert.is(await call('get', 'some key'), undefined);
    await call('set', 'some key', 'some value');
    assert.is(await call('get', 'some key'), undefined);
    assert.is(await call('delete', 'some key'), false);
    assert.is(await call('get', 'some key'), undefined);
  });

  it('NUL:test_get_multi, NUL:test_set_multi, NUL:test_delete_multi', async () => {
    const { call } = make();
    const keys = ['a', 'b', 'c'];
    assert.equal(await call('getMulti', keys), [undefined, undefined, undefined]);
    await call(
      'setMulti',
      keys.map((key) => [key, 1]),
    );
    assert.equal(await call('getMulti', keys), [undefined, undefined, undefined]);
    assert.is(await call('deleteMulti', keys), 0);
    assert.equal(await call('getMulti', keys), [undefined, undefined, undefined]);
  });

  it('every call of getOrCreate runs its creator', async () => {
    const { call } = make();
    const creator = counting();
    assert.is(await call('getOrCreate', 'k', creator), 'some value 1');
    assert.is(await call('getOrCreate', 'k', creator), 'some value 2');
    assert.equal(await call('getOrCreateMulti', ['k', 'l'], (keys: string[]) => keys), ['k', 'l']);
  });

  if (sync) continue;
  it('callers of one thread that ask at once share a run; dogpile.cache would run them side by side', async () => {
    const { call } = make();
    const it = parked();
    const calls = [1, 2, 3].map(() => call('getOrCreate', 'k', it.creator));
    await turns(10);
    it.gate.resolve('v');
    assert.equal(await Promise.all(calls), ['v', 'v', 'v']);
    assert.is(it.runs, 1);
  });
}

test('NUL:test_mutex, NUL:test_mutex_doesnt_actually_lock', () => {
  const mutex = new NullBackend().getMutex('foo');
  assert.is(mutex.acquire(), true);
  assert.is(mutex.acquire(false), true);
  assert.is(mutex.locked!(), false);
  mutex.release();
  assert.is(mutex.acquire(false), true);
  mutex.release();
});

test.run();
