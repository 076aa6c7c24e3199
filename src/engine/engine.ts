/**
 * One thread's side of an engine: the memory with its views, the instance of the module, the thread's slot, and its life.
 * A thread has one `Engine` per engine, whatever attaches to it: attaches are counted, the last `release` leaves.
 *
 * States: up → down (an export threw: this generation is dead, I7) → up again at the next call, under a new generation;
 * up → closed (this thread's last release, or the owner's close). Locks that a dead generation held are taken over by
 * whoever meets them.
 */
import { randomBytes } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import * as L from '../../assembly/layout.ts';
import type { TextBuffer } from '../codec/buffer-text.ts';
import { CairnError, EngineClosedError, EngineError, ThreadLimitError, VersionError } from '../errors.ts';
import { EngineClock } from './clock.ts';
import { portSaysDead, sendNotice, unwatchDeaths, watchDeaths } from './death-notice.ts';
import type { EngineExports } from './exports.ts';
import type { CacheHandle } from './handle.ts';
import { BUILD_ID } from './module.generated.ts';
import { engineModule, readsText, TEXT_BUILTINS } from './module.ts';
import { OS_THREAD, osThreadGone } from './os-thread.ts';
import { type Plan, planEngine, WASM_PAGE } from './plan.ts';

export interface EngineConfig {
  maxBytes: number;
  maxThreads: number;
  mutexes: number;
  shards: number;
  maxValueBytes: number;
  leaseMs: number;
  /** 0: never. */
  ttlMs: number;
  codec: string;
  clock?: (() => number) | undefined;
  /** Tests and benchmarks. */
  seed?: bigint | undefined;
  slabBytes?: number | undefined;
}

/** Engines of this thread, by their id. */
const engines = new Map<string, Engine>();
const WEAK_ORDER = process.arch === 'x64' || process.arch === 'ia32' ? 0 : 1;

export class Engine {
  readonly id: string;
  /** @internal */
  readonly memory: WebAssembly.Memory;
  /** @internal */
  readonly module: WebAssembly.Module;
  readonly x: EngineExports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u64: BigUint64Array;
  readonly buffer: TextBuffer;
  readonly clock: EngineClock;
  /** Whether exports that take a string read it by themselves at full speed. */
  readonly readsText: boolean;
  readonly isOwner: boolean;
  readonly shards: number;
  readonly mutexes: number;
  readonly maxThreads: number;
  readonly maxBytes: number;
  readonly maxValueBytes: number;
  readonly leaseMs: number;
  readonly ttlMs: number;
  readonly codecName: string;
  /** Its id as a number: orders the mutexes of several engines. */
  readonly engineId: number;
  /** Not 0: an ordinary call may not go on; `enter` says why or repairs it. */
  down = 0;
  /** Where this thread's slot begins, and the same as indexes of the views. */
  slot = 0;
  stage = 0;
  copy = 0;
  r32 = 0;
  r64 = 0;
  /** Index in `u32` of the low half of the slot's word, and what a dead generation stands there as. */
  stateIndex = 0;
  deadWord = 0;
  /** Changes with every generation: what was taken under an older one is lost. */
  generation = 0;
  #number = -1;
  #attached = 0;
  #notice: { close(): void } | undefined;

  private constructor(
    memory: WebAssembly.Memory,
    module: WebAssembly.Module,
    clock: (() => number) | undefined,
  ) {
    const bytes = memory.buffer;
    this.memory = memory;
    this.module = module;
    this.u8 = new Uint8Array(bytes);
    this.u32 = new Uint32Array(bytes);
    this.i32 = new Int32Array(bytes);
    this.f64 = new Float64Array(bytes);
    this.u64 = new BigUint64Array(bytes);
    this.buffer = Buffer.from(bytes) as TextBuffer;
    const at = (offset: number) => this.u32[offset >> 2]!;
    this.id = engineIdOf(this.u64);
    this.shards = at(L.H_SHARDS);
    this.mutexes = at(L.H_MUTEXES);
    this.maxThreads = at(L.H_MAX_THREADS);
    this.maxValueBytes = at(L.H_MAX_VALUE);
    this.engineId = Number(this.u64[L.H_ID >> 3]! >> 11n);
    this.maxBytes = this.f64[L.H_MAX_BYTES >> 3]!;
    this.leaseMs = this.f64[L.H_LEASE >> 3]!;
    this.ttlMs = this.f64[L.H_TTL >> 3]!;
    this.codecName = Buffer.from(this.u8.slice(L.H_CODEC, L.H_CODEC + at(L.H_CODEC_LENGTH))).toString('utf8');
    this.isOwner = at(L.H_OWNER_THREAD) === threadId;
    this.clock = new EngineClock(this.f64, this.u32, clock);
    const instance = new WebAssembly.Instance(module, {
      env: { memory },
      'wasm:js-string': TEXT_BUILTINS,
      clock: { now: () => this.clock.hitNow() },
      threads: {
        is_dead: (slot: number, tid: number, generation: number) => this.#isDead(slot, tid >>> 0, generation),
      },
    });
    this.x = instance.exports as unknown as EngineExports;
    this.readsText = readsText(module);
  }

  /** Makes an engine; this thread owns it and is attached once. */
  static create(config: EngineConfig): Engine {
    const plan = planEngine(config);
    const pages = plan.totalBytes / WASM_PAGE;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    writeHeader(memory.buffer, plan, config);
    const engine = new Engine(memory, engineModule(), config.clock);
    engine.x.engine_format();
    for (let shard = 0; shard < config.shards; shard++) {
      // versions begin at random, in the lower half of 48 bits: none is ever drawn twice
      engine.x.engine_shard(
        shard,
        config.seed === undefined ? randomBytes(6).readUIntBE(0, 6) / 2 : 1 + shard,
      );
    }
    engine.x.engine_open();
    engines.set(engine.id, engine);
    watchDeaths(engine.id, (slot, generation) => engine.#noticed(slot, generation));
    try {
      engine.#join();
    } catch (error) {
      engines.delete(engine.id);
      unwatchDeaths(engine.id);
      throw error;
    }
    engine.#attached = 1;
    return engine;
  }

  /** Attaches this thread to the engine of a handle. @throws {VersionError} {@link ThreadLimitError} {@link EngineClosedError} */
  static attach(handle: CacheHandle, clock?: (() => number) | undefined): Engine {
    const { memory, module } = checkHandle(handle);
    const u64 = new BigUint64Array(memory.buffer, 0, L.H_SIZE / 8);
    const known = engines.get(engineIdOf(u64));
    if (known) {
      known.clock.inject(clock);
      known.enter();
      known.#attached++;
      return known;
    }
    if (new Uint32Array(memory.buffer, L.H_STATE, 1)[0] !== 0) throw new EngineClosedError();
    const engine = new Engine(memory, module, clock);
    engine.#join();
    engine.#attached = 1;
    engines.set(engine.id, engine);
    return engine;
  }

  /** One more user of an engine that is attached already. */
  retain(): this {
    this.enter();
    this.#attached++;
    return this;
  }

  get handle(): CacheHandle {
    return { kind: 'cairn.cache', build: BUILD_ID, module: this.module, memory: this.memory };
  }

  get closed(): boolean {
    return this.#attached === 0 || this.u32[L.H_STATE >> 2] !== 0;
  }

  /** Called where `down` is not 0, before a call goes on: repairs a death, or throws {@link EngineClosedError}. */
  enter(): void {
    if (this.closed) {
      this.down = 1;
      throw new EngineClosedError();
    }
    if (this.down) {
      this.#join();
      this.down = 0;
    }
  }

  /**
   * What a `catch` around exports does after it stored the death itself:
   *
   *     catch (error) {
   *       engine.u32[engine.stateIndex] = engine.deadWord;
   *       engine.down = 1;
   *       throw engine.died(error);
   *     }
   *
   * The stores come first and call nothing, since a stack overflow leaves room for no more: the call may overflow again.
   */
  died(error: unknown): unknown {
    this.down = 1;
    if (error instanceof CairnError) return error;
    return new EngineError(`the engine failed inside a call: ${String(error)}`, { cause: error });
  }

  /** Calls exports that are not on a hot path: what they throw is this generation's death. */
  guard<T>(run: (x: EngineExports) => T): T {
    if (this.down) this.enter();
    try {
      return run(this.x);
    } catch (error) {
      this.u32[this.stateIndex] = this.deadWord;
      this.down = 1;
      throw this.died(error);
    }
  }

  /** An export answered CLOSED. */
  closedError(): EngineClosedError {
    this.down = 1;
    return new EngineClosedError();
  }

  /** Ends one attach; the last one gives the slot back, the owner's closes the engine for everybody. */
  release(): void {
    if (this.#attached === 0) return;
    if (--this.#attached > 0) return;
    engines.delete(this.id);
    this.#notice?.close();
    if (this.isOwner) {
      unwatchDeaths(this.id);
      this.x.engine_close();
    }
    if (!this.down) this.x.thread_leave();
    this.down = 1;
  }

  #join(): void {
    const { tid, start } = OS_THREAD;
    const number = this.x.thread_join(tid, start, threadId, process.pid, WEAK_ORDER);
    if (number < 0) throw new ThreadLimitError(this.maxThreads);
    const me = this.x.thread_me() >>> 0;
    this.generation = me >>> L.OWNER_SLOT_BITS;
    this.#number = number;
    this.slot = this.u32[L.H_SLOTS >> 2]! + number * L.SLOT_SIZE;
    this.stage = this.slot + L.SLOT_STAGE;
    this.copy = this.slot + L.SLOT_COPY;
    this.r32 = this.slot >>> 2;
    this.r64 = this.slot >>> 3;
    this.stateIndex = this.slot >>> 2;
    this.deadWord = (this.generation << 8) | L.STATE_DEAD;
    this.clock.joined(this.slot);
    if (!this.isOwner) {
      this.#notice?.close();
      const owner = this.u32[L.H_OWNER_THREAD >> 2]!;
      this.#notice = sendNotice(this.id, owner, number, this.generation, () => this.#ownerGone(owner));
    }
  }

  /** The owner's end of the port closed: its thread is over, or the engine is closed. */
  #ownerGone(owner: number): void {
    for (let number = 0; number < this.maxThreads; number++) {
      const slot = this.u32[L.H_SLOTS >> 2]! + number * L.SLOT_SIZE;
      if (this.u32[(slot + L.SLOT_THREAD) >> 2] === owner) this.#noticed(number, this.u32[slot >> 2]! >>> 8);
    }
  }

  /**
   * A port closed. Where the OS can tell, it has the last word, since somebody else may have closed the port: a thread that
   * ends closes its ports some milliseconds before it is gone, so it is asked again, for up to 8 seconds.
   */
  #noticed(slot: number, generation: number, afterMs = 1): void {
    const at = this.u32[L.H_SLOTS >> 2]! + slot * L.SLOT_SIZE;
    if (this.u32[at >> 2] !== ((generation << 8) | L.STATE_LIVE) >>> 0) return;
    const tid = this.u32[(at + 4) >> 2]!;
    if (tid === 0 || osThreadGone(tid, this.u64[(at + L.SLOT_START) / 8]!)) {
      this.x.thread_mark_dead(slot, generation);
    } else if (afterMs <= 4096) {
      setTimeout(() => this.#noticed(slot, generation, afterMs * 2), afterMs).unref();
    }
  }

  /** Number of this thread's slot. */
  get slotNumber(): number {
    return this.#number;
  }

  #isDead(slot: number, tid: number, generation: number): number {
    try {
      const start = this.u64[(this.u32[L.H_SLOTS >> 2]! + slot * L.SLOT_SIZE + L.SLOT_START) / 8]!;
      if (tid !== 0) return osThreadGone(tid, start) ? 1 : 0;
      return this.isOwner && portSaysDead(this.id, slot, generation) ? 1 : 0;
    } catch {
      return 0;
    }
  }
}

function engineIdOf(u64: BigUint64Array): string {
  return u64[L.H_ID >> 3]!.toString(16);
}

/** FNV-1a over the configuration. */
function checksum(u8: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = L.H_CHECKSUM + 4; i < L.H_CONFIG_END; i++) hash = Math.imul(hash ^ u8[i]!, 0x01000193);
  return hash >>> 0;
}

function writeHeader(bytes: SharedArrayBuffer, plan: Plan, config: EngineConfig): void {
  const view = new DataView(bytes, 0, L.H_SIZE);
  const u32 = (offset: number, value: number) => view.setUint32(offset, value, true);
  const f64 = (offset: number, value: number) => view.setFloat64(offset, value, true);
  u32(L.H_LAYOUT, L.LAYOUT_VERSION);
  u32(L.H_TOTAL, plan.totalBytes);
  u32(L.H_SHARDS, config.shards);
  u32(L.H_MAX_THREADS, config.maxThreads);
  u32(L.H_MUTEXES, config.mutexes);
  u32(L.H_MAX_VALUE, config.maxValueBytes);
  u32(L.H_SLOTS, plan.slots);
  u32(L.H_STATS, plan.stats);
  u32(L.H_REGIONS, plan.regions);
  u32(L.H_MUTEX_TABLE, plan.mutexTable);
  u32(L.H_SHARD_TABLE, plan.shardTable);
  u32(L.H_SHARD_STRIDE, plan.shardStride);
  u32(L.H_PAGES, plan.pages);
  u32(L.H_PAGES_PER_SHARD, plan.pagesPerShard);
  u32(L.H_INDEX_DIR, plan.indexDir);
  u32(L.H_GHOST_DIR, plan.ghostDir);
  const seeds = randomBytes(24);
  view.setBigUint64(L.H_ID, seeds.readBigUInt64LE(16), true);
  view.setBigUint64(L.H_SEED0, config.seed ?? seeds.readBigUInt64LE(0), true);
  view.setBigUint64(
    L.H_SEED1,
    config.seed === undefined ? seeds.readBigUInt64LE(8) : ~config.seed & 0xffffffffffffffffn,
    true,
  );
  f64(L.H_MAX_BYTES, config.maxBytes);
  f64(L.H_EPOCH, Date.now());
  f64(L.H_ORIGIN, performance.now());
  f64(L.H_LEASE, config.leaseMs);
  f64(L.H_TTL, config.ttlMs);
  u32(L.H_OWNER_THREAD, threadId);
  u32(L.H_PID, process.pid);
  const codec = Buffer.from(config.codec, 'utf8');
  u32(L.H_CODEC_LENGTH, codec.length);
  const u8 = new Uint8Array(bytes, 0, L.H_SIZE);
  u8.set(codec, L.H_CODEC);
  u32(L.H_REGION_COUNT, 1); // region 0: the SharedCache's own, without a name
  u32(L.H_CHECKSUM, checksum(u8));
}

/** @throws {VersionError} where a handle is none, is of another build, or its memory is not an engine of this layout. */
function checkHandle(handle: CacheHandle): { memory: WebAssembly.Memory; module: WebAssembly.Module } {
  if (typeof handle !== 'object' || handle === null || handle.kind !== 'cairn.cache') {
    throw new VersionError('handle: expected the `handle` of a cache');
  }
  if (handle.build !== BUILD_ID) {
    throw new VersionError(
      `handle: made by build ${String(handle.build)} of the package, this is build ${BUILD_ID}`,
    );
  }
  const { memory, module } = handle as { memory: WebAssembly.Memory; module: WebAssembly.Module };
  if (!(memory instanceof WebAssembly.Memory) || !(module instanceof WebAssembly.Module)) {
    throw new VersionError('handle: its memory or module is missing');
  }
  if (memory.buffer.byteLength < L.H_SIZE) throw new VersionError('handle: its memory is not an engine');
  const u8 = new Uint8Array(memory.buffer, 0, L.H_SIZE);
  const u32 = new Uint32Array(memory.buffer, 0, L.H_SIZE / 4);
  if (u32[L.H_MAGIC >> 2] !== L.MAGIC || u32[L.H_LAYOUT >> 2] !== L.LAYOUT_VERSION) {
    throw new VersionError(`handle: layout version ${u32[L.H_LAYOUT >> 2]}, expected ${L.LAYOUT_VERSION}`);
  }
  if (u32[L.H_CHECKSUM >> 2] !== checksum(u8))
    throw new VersionError('handle: the header does not match its checksum');
  return { memory, module };
}
