/**
 * One thread of the test of a region's counters: it does operations on keys of its own, keeps count of what they must be
 * counted as, and compares that with what the diagnostics channels told it.
 */
import { channel } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import {
  attachRegion,
  type CacheRegion,
  type CreateOptions,
  type RegionHandle,
  type RegionStats,
} from '../../src/index.ts';
import { random } from './engine.ts';
import { Rounds, runsOf, turn } from './region-threads.ts';

/** Words of the side table: the clock that all read, the rounds. */
const CLOCK = 0;
const ROUNDS = 1;
export const WORDS = 4;

export interface Job {
  handle: RegionHandle;
  side: SharedArrayBuffer;
  threads: number;
  operations: number;
  /** Creations of each thread at the end. */
  often: number;
  mutexes: number;
  me: number;
  seed: number;
}

export type Counted = Omit<RegionStats, 'waits' | 'loadTimes'>;

export interface Told {
  name: string;
  event: any;
}

export interface Report {
  counted: Counted;
  /** Milliseconds that creators took by their own watch, and by the events. */
  tookMs: number[];
  toldMs: number[];
  wrong: string[];
}

const CHANNELS = ['hit', 'miss', 'load', 'error', 'invalidate'];
const MEMBERS: Record<string, string> = {
  hit: 'key,region,stale',
  miss: 'key,region',
  load: 'durationMs,keys,locked,region',
  error: 'error,keys,region',
  invalidate: 'how,region',
};

/** Events of this thread from now on. */
export function listen(): Told[] {
  const told: Told[] = [];
  for (const name of CHANNELS) channel(`cairn:${name}`).subscribe((event) => told.push({ name, event }));
  return told;
}

export function clockOf(side: Int32Array): () => number {
  return () => 1_000_000 + Atomics.load(side, CLOCK);
}

export const nothingCounted = (): Counted => ({
  hits: 0,
  misses: 0,
  staleServed: 0,
  loads: 0,
  loadErrors: 0,
  joined: 0,
  unlockedCreations: 0,
  refusedStores: 0,
});

/** One thread: does operations, and keeps count of what they must be counted as. */
export class CountedCaller {
  readonly region: CacheRegion<string>;
  readonly counted = nothingCounted();
  readonly tookMs: number[] = [];
  readonly wrong: string[] = [];
  readonly told = listen();
  readonly #job: Job;
  readonly #side: Int32Array;
  readonly #rnd: () => number;
  #drawn = 0;

  constructor(job: Job) {
    this.#job = job;
    this.#side = new Int32Array(job.side);
    this.#rnd = random(job.seed);
    this.region = attachRegion<string>(job.handle, { clock: clockOf(this.#side) });
  }

  #key(): string {
    return `thread ${this.#job.me} key ${this.#drawn++}`;
  }

  #expect(what: string, is: unknown, wanted: unknown): void {
    if (is !== wanted && this.wrong.length < 20) this.wrong.push(`${what}: ${is}, wanted ${wanted}`);
  }

  /** A creator that is counted. It takes some turns, now and then some milliseconds. */
  #creator(value: string, fails = false) {
    const long = this.#rnd() < 0.02;
    const turns = Math.floor(this.#rnd() * 3);
    return async () => {
      const began = performance.now();
      this.counted.loads++;
      for (let n = 0; n < turns; n++) await turn();
      if (long) await delay(5);
      this.tookMs.push(performance.now() - began);
      if (!fails) return value;
      this.counted.loadErrors++;
      throw new Error(value);
    };
  }

  #make(value: string): string {
    this.counted.loads++;
    this.tookMs.push(0);
    return value;
  }

  async reads(): Promise<void> {
    const { region, counted } = this;
    const [key, none] = [this.#key(), this.#key()];
    await region.set(key, 'set');
    this.#expect('get', await region.get(key), 'set');
    this.#expect('get', region.getSync(none), undefined);
    this.#expect('getMulti', (await region.getMulti([key, none, key])).join(), 'set,,set');
    this.#expect('metadata', (await region.getValueMetadata(key))?.payload, 'set');
    this.#expect('has', await region.has(key), true);
    counted.hits += 4;
    counted.misses += 2;
  }

  /** Several callers of a missing key at once: one creates, the others join it. */
  async creates(fails: boolean): Promise<void> {
    const { region, counted } = this;
    const key = this.#key();
    const callers = 1 + Math.floor(this.#rnd() * 5);
    const creator = this.#creator(key, fails);
    const calls = Array.from({ length: callers }, () => region.getOrCreate(key, creator));
    for (const call of await Promise.allSettled(calls)) {
      this.#expect('creates', call.status === 'fulfilled' ? call.value : call.reason.message, key);
    }
    counted.misses += callers;
    counted.joined += callers - 1;
  }

  createsAtOnce(): void {
    const key = this.#key();
    const create = () => this.region.getOrCreateSync(key, () => this.#make(key));
    this.#expect('Sync', create(), key);
    this.#expect('Sync', create(), key);
    this.counted.misses++;
    this.counted.hits++;
  }

  /** Keys of which some stand. */
  async several(): Promise<void> {
    const { region, counted } = this;
    const keys = Array.from({ length: 2 + Math.floor(this.#rnd() * 5) }, () => this.#key());
    const standing = keys.filter(() => this.#rnd() < 0.5);
    await region.setMulti(standing.map((key) => [key, key] as const));
    const creator = this.#creator('');
    const made = await region.getOrCreateMulti([...keys, ...keys], async (wanted) => {
      await creator();
      return [...wanted];
    });
    this.#expect('several', made.join(), [...keys, ...keys].join());
    counted.hits += standing.length;
    counted.misses += keys.length - standing.length;
  }

  /** A stale key: its creator runs, or the stale value is served since another thread has the mutex. */
  async stale(options: CreateOptions, fails: boolean): Promise<void> {
    const { region, counted } = this;
    const key = this.#key();
    await region.set(key, 'old');
    Atomics.add(this.#side, CLOCK, 1);
    const call = region.getOrCreate(key, this.#creator('new', fails), { ...options, expirationTime: 0 });
    const value = await call.catch((error) => error.message);
    if (value === 'old') counted.staleServed++;
    else this.#expect('stale', value, 'new');
    counted.misses++;
  }

  /** The key is changed while its creator runs. */
  async refused(): Promise<void> {
    const { region, counted } = this;
    const key = this.#key();
    const creator = this.#creator('late');
    const removed = this.#rnd() < 0.5;
    const call = region.getOrCreate(key, async () => {
      if (removed) region.deleteSync(key);
      else region.setSync(key, 'changed');
      return creator();
    });
    this.#expect('refused', await call, 'late');
    this.#expect('refused', await region.get(key), removed ? undefined : 'changed');
    if (removed) counted.misses++;
    else counted.hits++;
    counted.misses++;
    counted.refusedStores++;
  }

  async notCached(): Promise<void> {
    const key = this.#key();
    const value = await this.region.getOrCreate(key, this.#creator('v'), { shouldCache: () => false });
    this.#expect('not cached', value, 'v');
    this.counted.misses++;
  }

  /** A Sync call for another key of a mutex that this thread itself has: it must go without. */
  async unlocked(): Promise<void> {
    const { region, counted } = this;
    const [key, other] = [this.#key(), this.#key()];
    let begun = () => {};
    const began = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const creator = this.#creator('outer');
    const outer = region.getOrCreate(key, async () => {
      begun();
      await turn();
      return creator();
    });
    await began;
    this.#expect(
      'unlocked',
      region.getOrCreateSync(other, () => this.#make('inner')),
      'inner',
    );
    this.#expect('unlocked', await outer, 'outer');
    counted.misses += 2;
    counted.unlockedCreations++;
  }

  /** Creations in as quick a succession as can be, so that threads count at the very same moment. */
  createsOften(): void {
    const key = this.#key();
    const options = { shouldCache: () => false };
    for (let n = 0; n < this.#job.often; n++)
      this.region.getOrCreateSync(key, () => this.#make(key), options);
    this.counted.misses += this.#job.often;
  }

  async operation(): Promise<void> {
    const which = Math.floor(this.#rnd() * 9);
    if (which === 0) return this.reads();
    if (which === 1) return this.creates(false);
    if (which === 2) return this.creates(true);
    if (which === 3) return this.createsAtOnce();
    if (which === 4) return this.several();
    if (which === 5) return this.stale({}, this.#rnd() < 0.3);
    if (which === 6) return this.stale({ staleOnError: true }, true);
    if (which === 7) return this.refused();
    return this.#job.mutexes === 1 ? this.unlocked() : this.notCached();
  }

  #count(name: string, is: (event: any) => boolean = () => true): number {
    return this.told.filter((told) => told.name === name && is(told.event)).length;
  }

  /** What was told is what was done: as often, of this thread's keys, in the documented shape. */
  checkTold(): void {
    const { counted } = this;
    const own = `thread ${this.#job.me} `;
    for (const { name, event } of this.told) {
      const keys: string[] = event.keys ?? [event.key];
      this.#expect(`members of ${name}`, Object.keys(event).sort().join(), MEMBERS[name]);
      this.#expect(`region of ${name}`, event.region, 'shared');
      this.#expect(
        `keys of ${name}: ${keys}`,
        keys.length > 0 && keys.every((key) => key.startsWith(own)),
        true,
      );
      if (name === 'load') this.#expect('durationMs', event.durationMs >= 0, true);
      if (name === 'error') this.#expect('error', event.error instanceof Error, true);
    }
    this.#expect(
      'told hits',
      this.#count('hit', ({ stale }) => stale === false),
      counted.hits,
    );
    this.#expect(
      'told stale hits',
      this.#count('hit', ({ stale }) => stale === true),
      counted.staleServed,
    );
    this.#expect('told misses', this.#count('miss'), counted.misses);
    this.#expect('told loads', this.#count('load'), counted.loads);
    this.#expect(
      'unlocked',
      this.#count('load', ({ locked }) => locked === false),
      counted.unlockedCreations,
    );
    this.#expect('told errors', this.#count('error'), counted.loadErrors);
    this.#expect('told invalidations', this.#count('invalidate'), 0);
  }

  async work(): Promise<Report> {
    new Rounds(this.#side, ROUNDS, this.#job.threads).meet();
    for (let n = 0; n < this.#job.operations; n++) {
      try {
        await this.operation();
      } catch (error) {
        this.#expect('operation', (error as Error).stack, 'no error');
      }
    }
    new Rounds(this.#side, ROUNDS, this.#job.threads).meet();
    this.createsOften();
    if (runsOf(this.region) > 0) this.wrong.push(`${runsOf(this.region)} creations were left`);
    this.checkTold();
    const toldMs = this.told.flatMap(({ name, event }) => (name === 'load' ? [event.durationMs] : []));
    this.told.length = 0;
    return { counted: this.counted, tookMs: this.tookMs, toldMs, wrong: this.wrong };
  }
}
