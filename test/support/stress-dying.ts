/** Ways to die inside the engine on purpose, and to stand still in the middle of a large write. */
import * as L from '../../assembly/layout.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EngineExports } from '../../src/engine/exports.ts';
import { SharedCache } from '../../src/store/shared-cache.ts';
import { shardAddress } from './stress-heap.ts';

/** Runs `run` with some exports of this thread's engine replaced. */
export function withExports<T>(engine: Engine, replaced: Partial<EngineExports>, run: () => T): T {
  const x = engine.x;
  const open = engine as { x: EngineExports };
  open.x = { ...x, ...replaced };
  try {
    return run();
  } finally {
    open.x = x;
  }
}

/** A `set` that dies holding the lock of `shard`, between two commits (0) or inside one (1). Throws what the shell throws. */
export function setThatDies(cache: SharedCache<any>, shard: number, inCommit: 0 | 1): void {
  const engine = SharedCache.engineOf(cache);
  const { debug_die } = engine.x;
  const store_put = () => {
    debug_die(shard, inCommit);
    throw new Error('the engine lives on');
  };
  withExports(engine, { store_put }, () => cache.set('any key', 1));
}

/** Number of the shard of a key that stands. */
export function shardOf(cache: SharedCache<any>, key: string): number {
  const { u32, slot } = SharedCache.engineOf(cache);
  if (cache.peek(key) === undefined) throw new Error(`${key} does not stand`);
  return (u32[(slot + L.R_SHARD) >>> 2]! - shardAddress(cache, 0)) / u32[L.H_SHARD_STRIDE >> 2]!;
}

/** Version of a key that stands. */
export function versionOf(cache: SharedCache<any>, key: string): number {
  const { f64, slot } = SharedCache.engineOf(cache);
  if (cache.peek(key) === undefined) throw new Error(`${key} does not stand`);
  return f64[(slot + L.R_VERSION) >>> 3]!;
}

/** One of a thread's own counters. */
export function ownCount(cache: SharedCache<any>, counter: number): number {
  const { u32, u64, slotNumber } = SharedCache.engineOf(cache);
  return Number(u64[(u32[L.H_STATS >> 2]! + slotNumber * L.STATS_SIZE + counter) / 8]);
}

/** Whether the engine takes this thread for a living one. */
export function isAlive(cache: SharedCache<any>): boolean {
  const { u32, stateIndex, x } = SharedCache.engineOf(cache);
  const word = u32[stateIndex]!;
  return (word & 255) === L.STATE_LIVE && word >>> 8 === (x.thread_me() >>> 0) >>> L.OWNER_SLOT_BITS;
}

/**
 * What a dropper does, store by store (assembly/repair.ts), as far as `steps` of them, by a thread that dies then with
 * both locks: as if this thread had been the dropper. How many steps there are, if `steps` is more.
 */
export function dieDropping(cache: SharedCache<any>, shard: number, steps: number): number {
  const engine = SharedCache.engineOf(cache);
  const { u8, u32, u64 } = engine;
  if (engine.down) engine.enter();
  const sh = shardAddress(cache, shard);
  const at = (offset: number) => u32[(sh + offset) >>> 2]!;
  const put = (offset: number, value: number) => {
    u32[(sh + offset) >>> 2] = value;
  };
  const zero = (from: number, bytes: number) => void u8.fill(0, from, from + bytes);
  const stores: (() => void)[] = [
    () => {
      const state = u64[(sh + L.SH_STATE) / 8]!;
      const epoch = (state >> BigInt(L.EPOCH_SHIFT)) + 1n;
      u64[(sh + L.SH_STATE) / 8] =
        (epoch << BigInt(L.EPOCH_SHIFT)) | (state & BigInt(L.STATE_CLOSED)) | BigInt(L.FIRST_BUCKETS);
    },
    () => {
      const version = (sh + L.SH_VERSION) / 8;
      u64[version] = u64[version]! + 1n;
    },
  ];
  const slice = (L.SH_RESET_END - L.SH_RESET_FROM) / 16;
  for (let n = 0; n < 16; n++) stores.push(() => zero(sh + L.SH_RESET_FROM + n * slice, slice));
  stores.push(
    () => zero(at(L.SH_INDEX_DIR), u32[L.H_INDEX_DIR >> 2]! * 4),
    () => zero(at(L.SH_GHOST_DIR), u32[L.H_GHOST_DIR >> 2]! * 4),
    () => zero(at(L.SH_BASE), L.PAGE_SIZE),
    () => zero(at(L.SH_BASE) + L.PAGE_SIZE, L.PAGE_SIZE),
    () => zero(at(L.SH_RECORDS), 2 * L.RECORD_SIZE),
    () => {
      u8[at(L.SH_RECORDS) + L.P_KIND] = L.KIND_INDEX;
      u8[at(L.SH_RECORDS) + L.RECORD_SIZE + L.P_KIND] = L.KIND_GHOST;
    },
    () => {
      u32[at(L.SH_INDEX_DIR) >>> 2] = at(L.SH_BASE);
      u32[at(L.SH_GHOST_DIR) >>> 2] = at(L.SH_BASE) + L.PAGE_SIZE;
    },
    () => put(L.SH_CARVED, 2),
  );
  const me = engine.x.thread_me();
  Atomics.store(u32, (sh + L.SH_LARGE) >>> 2, me);
  Atomics.store(u32, (sh + L.SH_LOCK) >>> 2, me);
  Atomics.store(u32, (sh + L.SH_COMMIT) >>> 2, 1);
  for (const store of stores.slice(0, steps)) store();
  u32[engine.stateIndex] = engine.deadWord;
  engine.died(new Error('died on purpose'));
  return stores.length;
}

/** A gate that a thread stands at until it is opened from outside. */
export class Gate {
  readonly #word: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** Stands until `open`. */
  stand(): void {
    Atomics.store(this.#word, 0, 1);
    if (Atomics.wait(this.#word, 0, 1, 60_000) === 'timed-out')
      throw new Error('hung: the gate was not opened');
  }

  get reached(): boolean {
    return Atomics.load(this.#word, 0) === 1;
  }

  open(): void {
    Atomics.store(this.#word, 0, 2);
    Atomics.notify(this.#word, 0);
  }
}

/** A large `set` that stands at the gate between filling and publishing, the first time. What `large_publish` answered, call by call. */
export function setAtGate(cache: SharedCache<any>, key: string, value: unknown, gate: Gate): number[] {
  const engine = SharedCache.engineOf(cache);
  const { large_publish } = engine.x;
  const answers: number[] = [];
  const replaced = () => {
    if (answers.length === 0) gate.stand();
    const answer = large_publish();
    answers.push(answer);
    return answer;
  };
  withExports(engine, { large_publish: replaced }, () => cache.set(key, value));
  return answers;
}
