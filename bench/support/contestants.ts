/** The caches that are compared, behind one small interface. Each is checked before it is timed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lmdb from 'lmdb';
import { LRUCache } from 'lru-cache';
import { SharedCache } from '../../src/index.ts';

export interface Contestant {
  readonly name: string;
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  getMany(keys: string[]): unknown[];
  close(): void;
}

function ofMap(): Contestant {
  const map = new Map<string, unknown>();
  return {
    name: 'Map',
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    getMany: (keys) => keys.map((key) => map.get(key)),
    close: () => map.clear(),
  };
}

function ofLru(entries: number): Contestant {
  const cache = new LRUCache<string, object>({ max: entries, ttl: 3_600_000 });
  return {
    name: 'lru-cache, ttl',
    get: (key) => cache.get(key),
    set: (key, value) => void cache.set(key, value as object),
    getMany: (keys) => keys.map((key) => cache.get(key)),
    close: () => cache.clear(),
  };
}

function ofLmdb(): Contestant {
  const path = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  const store = lmdb.open<unknown, string>({ path, noSync: true, mapSize: 2 ** 31 });
  return {
    name: 'lmdb, msgpack',
    get: (key) => store.get(key),
    set: (key, value) => void store.putSync(key, value),
    getMany: (keys) => keys.map((key) => store.get(key)),
    close: () => {
      void store.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function ofCairn(): Contestant {
  const cache = SharedCache.create({
    maxBytes: 256 * 2 ** 20,
    ttl: 3_600_000,
    decoded: { bytes: 32 * 2 ** 20 },
  });
  return {
    name: 'cairn, ttl',
    get: (key) => cache.get(key),
    set: (key, value) => void cache.set(key, value),
    getMany: (keys) => cache.getMany(keys),
    close: () => cache.close(),
  };
}

/** Fresh contestants; each must give back what it was given, or it does not take part. */
export function contestants(entries: number): Contestant[] {
  return [ofCairn(), ofLru(entries), ofMap(), ofLmdb()].filter((contestant) => {
    contestant.set('check', { value: ['a', 1, null] });
    const back = contestant.get('check') as { value: unknown[] } | undefined;
    const right = JSON.stringify(back) === '{"value":["a",1,null]}' && contestant.get('absent') === undefined;
    if (!right) console.log(`${contestant.name} failed the check and is not timed`);
    return right;
  });
}
