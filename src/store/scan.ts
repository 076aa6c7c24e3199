/** Walking over the keys of a region, shard by shard (assembly/store.ts, `store_scan`: why none is missed or met twice). */
import * as L from '../../assembly/layout.ts';
import type { Store } from './store.ts';

/** `check` is called before each look and may throw: the cache may have been closed between two keys. */
export function* scanKeys(store: Store, check: () => void): IterableIterator<string> {
  const { engine, region } = store;
  const cursorAt = () => engine.r64 + (L.R_CURSOR >> 3);
  for (let shard = 0; shard < engine.shards; shard++) {
    let cursor = 0n;
    for (;;) {
      check();
      const mono = engine.clock.mono();
      const now = engine.clock.nowAt(mono);
      if (engine.down) engine.enter();
      engine.u64[cursorAt()] = cursor;
      const found = store.call((x) => x.store_scan(shard, region, now, mono));
      if (found === 0) break;
      cursor = engine.u64[cursorAt()]!;
      if (found === 1) yield scannedKey(store);
    }
  }
}

/** The key that the scan wrote to the staging area. */
function scannedKey(store: Store): string {
  const { buffer, stage } = store.engine;
  const length = store.resultWord(L.R_KEY_LENGTH);
  return store.resultWord(L.R_KEY_META) & 1
    ? buffer.ucs2Slice(stage, stage + length)
    : buffer.latin1Slice(stage, stage + length);
}
