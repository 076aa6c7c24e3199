/** lmdb: the usual way to share a store between threads of a process. In a temporary folder, without waiting for the disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lmdb from 'lmdb';
import type { Load, Rival } from './types.ts';

export function makeLmdb({ value }: Load): Rival {
  const path = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  const encoding = value === 'string' ? 'string' : 'msgpack';
  const cache = lmdb.open<any, string>({ path, encoding, noSync: true, mapSize: 2 ** 32 });
  return {
    title: `lmdb, ${encoding}`,
    package: 'lmdb',
    cache,
    fill: (key, stored) => cache.put(key, stored), // in one transaction with its neighbours
    read: (key) => cache.get(key),
    close: async () => {
      await cache.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}
