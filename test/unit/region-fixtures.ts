/** What the tests of regions share: a clock to turn, backends that answer late, and a table of shared mutexes. */
import { CacheBackend } from '../../src/backend/cache-backend.ts';
import { type CachedValue, NO_VALUE, type NoValue } from '../../src/backend/cached-value.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { ProxyBackend } from '../../src/backend/proxy-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import type { BegunCreation, SetOptions } from '../../src/backend/types.ts';
import { type CacheRegion, createRegion } from '../../src/index.ts';
import type { SharedMutex } from '../../src/mutex/types.ts';
import type { ConfigureOptions, RegionInvalidator, RegionOptions } from '../../src/region/types.ts';
import { createWithSeed } from '../../src/store/create.ts';

export const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`# seed ${SEED}`);

/** A repeatable sequence of numbers from 0 to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomFrom(SEED);

/** Some turns of the event loop later. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock {
  time: number;
  constructor(time = 1_000_000) {
    this.time = time;
  }
  readonly read = (): number => this.time;
  advance(ms: number): void {
    this.time += ms;
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** Answers by promises, each after some turns of the event loop; takes effect at some moment in between. */
export class DelayBackend<V> extends CacheBackend<V> {
  readonly map = new Map<string, CachedValue<V>>();

  async #wait(): Promise<void> {
    await turns(Math.floor(random() * 4));
  }
  async get(key: string): Promise<CachedValue<V> | NoValue> {
    await this.#wait();
    const found = this.map.get(key) ?? NO_VALUE;
    await this.#wait();
    return found;
  }
  async set(key: string, value: CachedValue<V>): Promise<void> {
    await this.#wait();
    this.map.set(key, value);
    await this.#wait();
  }
  async delete(key: string): Promise<boolean> {
    await this.#wait();
    const stood = this.map.delete(key);
    await this.#wait();
    return stood;
  }
}

/** Waits at every step until the test lets it go on. */
export class GateBackend<V> extends CacheBackend<V> {
  static last: GateBackend<any>;
  readonly map = new Map<string, CachedValue<V>>();
  /** Calls that wait, in order. */
  readonly waiting: { call: string; go: () => void }[] = [];
  open = false;

  constructor() {
    super();
    GateBackend.last = this;
  }
  async #gate(call: string): Promise<void> {
    if (this.open) return;
    const { promise, resolve } = deferred();
    this.waiting.push({ call, go: resolve });
    await promise;
  }
  /** Lets the first waiting call of this name go on. */
  async release(call: string): Promise<void> {
    for (let i = 0; i < 50 && !this.waiting.some((entry) => entry.call === call); i++) await turns();
    const index = this.waiting.findIndex((entry) => entry.call === call);
    if (index < 0) throw new Error(`no ${call} waits`);
    this.waiting.splice(index, 1)[0].go();
    await turns();
  }
  async get(key: string): Promise<CachedValue<V> | NoValue> {
    const found = this.map.get(key) ?? NO_VALUE;
    await this.#gate('get');
    return found;
  }
  async set(key: string, value: CachedValue<V>): Promise<void> {
    await this.#gate('set');
    this.map.set(key, value);
  }
  async delete(key: string): Promise<boolean> {
    await this.#gate('delete');
    return this.map.delete(key);
  }
}

export class DoNothingProxy extends ProxyBackend<any> {}

/** Judges by time alone, as dogpile's default does. */
export class TimeStrategy implements RegionInvalidator {
  readonly #clock: FakeClock;
  hardAt = -1;
  softAt = -1;
  asked: [string, number, string][] = [];
  constructor(clock: FakeClock) {
    this.#clock = clock;
  }
  invalidate(hard: boolean): void {
    if (hard) this.hardAt = this.#clock.time;
    else this.softAt = this.#clock.time;
    // What is stored from now on must be told from what stood.
    this.#clock.advance(1);
  }
  isInvalidated(ct: number, key: string): boolean {
    this.asked.push(['any', ct, key]);
    return ct <= this.hardAt || ct <= this.softAt;
  }
  isHardInvalidated(ct: number, key: string): boolean {
    this.asked.push(['hard', ct, key]);
    return ct <= this.hardAt;
  }
  isSoftInvalidated(ct: number, key: string): boolean {
    this.asked.push(['soft', ct, key]);
    return ct <= this.softAt;
  }
  wasHardInvalidated(): boolean {
    return this.hardAt >= 0;
  }
  wasSoftInvalidated(): boolean {
    return this.softAt >= 0;
  }
}

/** A mutex table that all threads share, played by one thread. */
export class FakeTable {
  readonly held = new Set<number>();
  /** Those that this thread took by a {@link FakeSharedMutex}; the test itself plays the other threads. */
  readonly owners = new Set<number>();
  readonly log: string[] = [];
  readonly #waiters: { index: number; resolve: (got: boolean) => void }[] = [];
  /** Called instead of blocking the thread; must free the mutex. */
  onBlock: (index: number) => void = (index) => {
    throw new Error(`the thread would block for mutex ${index} for ever`);
  };

  take(index: number): boolean {
    if (this.held.has(index)) return false;
    this.held.add(index);
    return true;
  }
  wait(index: number): Promise<boolean> {
    return new Promise((resolve) => this.#waiters.push({ index, resolve }));
  }
  free(index: number): void {
    if (!this.held.delete(index)) throw new Error(`mutex ${index} is not held`);
    const next = this.#waiters.findIndex((waiter) => waiter.index === index);
    if (next < 0) return;
    this.held.add(index);
    this.#waiters.splice(next, 1)[0].resolve(true);
  }
}

export class FakeSharedMutex implements SharedMutex {
  readonly engineId = 7;
  readonly index: number;
  readonly #table: FakeTable;
  constructor(table: FakeTable, index: number) {
    this.#table = table;
    this.index = index;
  }
  #got(): true {
    if (this.#table.owners.has(this.index)) throw new Error(`mutex ${this.index} has two holders`);
    this.#table.owners.add(this.index);
    return true;
  }
  tryAcquire(): boolean {
    const got = this.#table.take(this.index);
    this.#table.log.push(`try ${this.index} ${got}`);
    return got && this.#got();
  }
  acquire(wait = true): boolean | Promise<boolean> {
    this.#table.log.push(`acquire ${this.index}`);
    if (this.#table.take(this.index)) return this.#got();
    return wait && this.#table.wait(this.index).then(() => this.#got());
  }
  acquireSync(): boolean {
    this.#table.log.push(`block ${this.index}`);
    if (!this.#table.take(this.index)) {
      this.#table.onBlock(this.index);
      if (!this.#table.take(this.index)) return false;
    }
    return this.#got();
  }
  release(): void {
    this.#table.log.push(`release ${this.index}`);
    this.#table.owners.delete(this.index);
    this.#table.free(this.index);
  }
  locked(): boolean {
    return this.#table.held.has(this.index);
  }
}

/** A `Map` with shared mutexes: the digits at the end of a key name its mutex. */
export class TableBackend<V> extends MemoryBackend<V> {
  readonly table: FakeTable;
  constructor(args: { table: FakeTable }) {
    super();
    this.table = args.table;
  }
  override getMutex(key: string): FakeSharedMutex {
    return new FakeSharedMutex(this.table, Number(/\d+$/.exec(key)![0]));
  }
}

/** A `Map` with creation tokens: versions, as on a shared engine. */
export class TokenBackend<V> extends MemoryBackend<V> {
  static last: TokenBackend<any>;
  #versions = new Map<string, number>();
  #drawn = 0;
  /** Keys with a placeholder. */
  readonly marks = new Set<string>();
  readonly calls: string[] = [];

  constructor(args: object = {}) {
    super(args);
    TokenBackend.last = this;
  }
  override set(key: string, value: CachedValue<V>, options?: SetOptions): boolean {
    if (options !== undefined && options.token !== this.#versions.get(key)) {
      this.calls.push(`refused ${key}`);
      return false;
    }
    this.marks.delete(key);
    this.#versions.set(key, ++this.#drawn);
    super.set(key, value);
    return true;
  }
  override delete(key: string): boolean {
    this.marks.delete(key);
    this.#versions.delete(key);
    return super.delete(key);
  }
  override beginCreation(key: string): BegunCreation<V> {
    this.calls.push(`begin ${key}`);
    const value = this.get(key);
    if (!this.#versions.has(key)) {
      this.#versions.set(key, ++this.#drawn);
      this.marks.add(key);
    }
    return { value, token: this.#versions.get(key) };
  }
  override endCreation(key: string, token: unknown): void {
    this.calls.push(`end ${key}`);
    if (this.marks.has(key) && this.#versions.get(key) === token) this.delete(key);
  }
  /** Changes the key as another thread would: past the region. */
  override clear(): void {
    this.#versions.clear();
    this.marks.clear();
    super.clear();
  }
}

registerBackend('test.delay', () => DelayBackend);
registerBackend('test.gate', () => GateBackend);
registerBackend('test.table', () => TableBackend);
registerBackend('test.token', () => TokenBackend);

/** One way to set a region up; the common suite runs over all. */
export interface Setup {
  readonly title: string;
  /** Whether the `Sync` forms work. */
  readonly sync: boolean;
  make<V>(options?: ConfigureOptions & Omit<RegionOptions, 'name'>): {
    region: CacheRegion<V>;
    clock: FakeClock;
  };
}

function setup(
  title: string,
  sync: boolean,
  backend: string,
  extra: (clock: FakeClock) => ConfigureOptions = () => ({}),
): Setup {
  return {
    title,
    sync,
    make<V>(options = {}) {
      const clock = new FakeClock();
      const all = { name: title, clock: clock.read, backend, ...extra(clock), ...options };
      return { region: createRegion<V>(all), clock };
    },
  };
}

export const SETUPS: readonly Setup[] = [
  setup('memory', true, 'cairn.memory'),
  setup('proxy', true, 'cairn.memory', () => ({ wrap: [DoNothingProxy] })),
  setup('strategy', true, 'cairn.memory', (clock) => ({ regionInvalidator: new TimeStrategy(clock) })),
  setup('token', true, 'test.token'),
  setup('token proxy', true, 'test.token', () => ({ wrap: [DoNothingProxy, new DoNothingProxy()] })),
  // A fixed seed: which keys share a mutex is the same in every run.
  setup('slab', true, 'cairn.slab', () => ({
    arguments: { cache: createWithSeed({ maxBytes: 2 ** 21 }, 1n) },
  })),
  setup('delay', false, 'test.delay'),
];

/** The error that `act` throws or rejects with. */
export async function errorOf(act: () => unknown): Promise<any> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
