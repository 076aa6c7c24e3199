/**
 * Nobody joins a run that began before the key was changed: a caller that comes after a `delete`, `set` or `clear` starts a run
 * of its own, whichever thread made the change. This file is its own worker.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheHandle } from '../../src/engine/handle.ts';
import {
  attachRegion,
  createRegion,
  type RegionHandle,
  SharedCache,
  type SlabBackend,
} from '../../src/index.ts';
import { checkHeap } from '../support/engine.ts';
import { serve, Thread } from '../support/threads.ts';

interface Data {
  cache: CacheHandle;
  region: RegionHandle;
}

type Change =
  | 'none'
  | 'other'
  | 'delete'
  | 'deleteMany'
  | 'set'
  | 'add'
  | 'update'
  | 'increment'
  | 'take'
  | 'clear';

/** What a change of `k` leaves there is taken away again, unless it is all that the change does. */
function change(cache: SharedCache<any>, how: Change): void {
  const away = () => assert.ok(cache.delete('k'));
  if (how === 'none') return;
  if (how === 'other') {
    for (const key of ['j', 'l', '', 'kk']) {
      cache.set(key, 1);
      cache.delete(key);
    }
  } else if (how === 'delete') cache.delete('k');
  else if (how === 'deleteMany') cache.deleteMany(['a', 'k']);
  else if (how === 'clear') cache.clear();
  else if (how === 'take') {
    cache.set('k', 'set');
    assert.is(cache.take('k'), 'set');
  } else {
    if (how === 'set') cache.set('k', 'set');
    else if (how === 'add') assert.ok(cache.add('k', 'added'));
    else if (how === 'update')
      assert.is(
        cache.update('k', () => 'updated'),
        'updated',
      );
    else cache.increment('k');
    away();
  }
}

function changeRegion(handle: RegionHandle, how: string): void {
  const region = attachRegion<string>(handle);
  if (how === 'delete') region.deleteSync('k');
  else if (how === 'set, delete') {
    region.setSync('k', 'set');
    region.deleteSync('k');
  } else if (how === 'clear') region.clearSync();
  else if (how === 'invalidate') region.invalidateSync();
  else if (how === 'soft') region.invalidateSync({ hard: false });
  else region.deleteSync('other');
  region.close();
}

/** Creators of one key: how many ran, each value told from the others, the first held open until it is let go. */
class Creators {
  runs = 0;
  #open!: () => void;
  readonly #gate = new Promise<void>((resolve) => (this.#open = resolve));
  #began!: () => void;
  readonly began = new Promise<void>((resolve) => (this.#began = resolve));

  readonly first = async (): Promise<string> => {
    this.runs++;
    this.#began();
    await this.#gate;
    return 'old';
  };
  readonly later = (): string => {
    this.runs++;
    return 'new';
  };
  letGo(): void {
    this.#open();
  }
}

const CHANGES: [Change, joins: boolean][] = [
  ['none', true],
  ['other', true],
  ['delete', false],
  ['deleteMany', false],
  ['set', false],
  ['add', false],
  ['update', false],
  ['increment', false],
  ['take', false],
  ['clear', false],
];

if (!isMainThread) {
  const data = workerData as Data;
  const cache = SharedCache.attach<any>(data.cache);
  serve({
    change: (how: Change) => change(cache, how),
    changeRegion: (how: string) => changeRegion(data.region, how),
  });
} else {
  const options = { maxBytes: 2 ** 21, maxThreads: 4, mutexes: 8 };
  const cache = SharedCache.create<any>(options);
  const region = createRegion<string>({ name: 'joins', backend: 'cairn.slab', arguments: options });
  const thread = new Thread(import.meta.url, { cache: cache.handle, region: region.handle });

  /** The first run is held open, `make` changes the key, a second and a third caller come, then the first may end. */
  const race = async (
    getOrCreate: (creator: () => string | Promise<string>) => Promise<string>,
    make: () => unknown,
  ): Promise<{ values: string[]; runs: number }> => {
    const creators = new Creators();
    const first = getOrCreate(creators.first);
    await creators.began;
    await make();
    const second = getOrCreate(creators.later);
    const third = getOrCreate(creators.later);
    creators.letGo();
    return { values: await Promise.all([first, second, third]), runs: creators.runs };
  };
  const joined = { values: ['old', 'old', 'old'], runs: 1 };
  const own = { values: ['old', 'new', 'new'], runs: 2 };

  for (const where of ['this thread', 'another thread']) {
    for (const [how, joins] of CHANGES) {
      test(`SharedCache.getOrCreate, ${how} in ${where}`, async () => {
        const make = () => (where === 'this thread' ? change(cache, how) : thread.ask('change', how));
        for (const ttl of [undefined, 60_000]) {
          const result = await race(
            (creator) => cache.getOrCreate('k', creator, ttl === undefined ? undefined : { ttl }),
            make,
          );
          assert.equal(result, joins ? joined : own);
          assert.is(cache.get('k'), joins ? 'old' : 'new', 'the value that stands is from after the change');
          cache.clear();
        }
        checkHeap(cache);
      });
    }
  }

  test('SharedCache.getOrCreate: a value that was set and has expired', async () => {
    let time = 1000;
    const timed = SharedCache.create<string>({ ...options, clock: () => time });
    const result = await race(
      (creator) => timed.getOrCreate('k', creator),
      () => {
        timed.set('k', 'set', { ttl: 10 });
        time += 20;
      },
    );
    assert.equal(result, own);
    assert.is(timed.get('k'), 'new');
    checkHeap(timed);
    timed.close();
  });

  test('SharedCache.getOrCreateSync joins nobody, before and after a change', async () => {
    for (const how of ['none', 'delete', 'clear'] as const) {
      const creators = new Creators();
      const first = cache.getOrCreate('k', creators.first);
      await creators.began;
      change(cache, how);
      assert.is(cache.getOrCreateSync('k', creators.later), 'new');
      creators.letGo();
      assert.is(await first, 'old');
      assert.is(cache.get('k'), 'new', how);
      cache.clear();
    }
    checkHeap(cache);
  });

  const ofRegion: [string, boolean][] = [
    ['other', true],
    ['delete', false],
    ['set, delete', false],
    ['clear', false],
    ['invalidate', false],
    ['soft', false],
  ];
  for (const where of ['this thread', 'another region of this thread', 'another thread']) {
    for (const [how, joins] of ofRegion) {
      test(`region.getOrCreate, ${how} in ${where}`, async () => {
        const result = await race(
          (creator) => region.getOrCreate('k', creator),
          async () => {
            if (where === 'another thread') await thread.ask('changeRegion', how);
            else if (where === 'another region of this thread') changeRegion(region.handle, how);
            else if (how === 'delete') await region.delete('k');
            else if (how === 'set, delete') {
              await region.set('k', 'set');
              await region.delete('k');
            } else if (how === 'clear') await region.clear();
            else if (how === 'invalidate') await region.invalidate();
            else if (how === 'soft') await region.invalidate({ hard: false });
            else await region.delete('other');
          },
        );
        assert.equal(result, joins ? joined : own);
        assert.is(await region.get('k'), joins ? 'old' : 'new');
        await region.delete('k');
      });
    }
  }

  test('the end', async () => {
    await thread.leave();
    const seen = SharedCache.attach((region.actualBackend as SlabBackend).handle);
    checkHeap(seen);
    checkHeap(cache);
    seen.close();
    region.close();
    cache.close();
  });
  test.run();
}
