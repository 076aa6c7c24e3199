/**
 * What the translated tests of dogpile.cache share. Its tests of regions run three times: plain, through a proxy that
 * does nothing, and with an invalidation strategy. Here each of these runs over the shared store, over a `Map` and over
 * a backend that answers late, in the promise form and, where the backend answers at once, in the `Sync` form.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MemoryBackend } from '../../src/backend/memory-backend.ts';
import type { SetOptions } from '../../src/backend/types.ts';
import {
  CachedValue,
  type CacheRegion,
  createRegion,
  type NoValue,
  ProxyBackend,
  SharedCache,
  VALUE_VERSION,
} from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import type { ConfigureOptions, RegionHandle, RegionOptions } from '../../src/region/types.ts';
import { checkHeap } from '../support/engine.ts';
import {
  type Deferred,
  DoNothingProxy,
  deferred,
  FakeClock,
  TimeStrategy,
  turns,
} from '../unit/region-fixtures.ts';

export { deferred, errorOf, FakeClock, TimeStrategy, turns } from '../unit/region-fixtures.ts';

/** One way to run a test of regions. */
export interface Way {
  readonly title: string;
  readonly store: 'slab' | 'memory' | 'delay';
  readonly policy: 'plain' | 'proxy' | 'strategy';
  readonly sync: boolean;
}

const BACKENDS = { slab: 'cairn.slab', memory: 'cairn.memory', delay: 'test.delay' } as const;
const POLICIES = ['plain', 'proxy', 'strategy'] as const;
export const SLAB_ARGUMENTS = { maxBytes: 2 ** 21, maxThreads: 4 };

function waysOf(store: Way['store'], sync: boolean): Way[] {
  const form = sync ? ', Sync' : '';
  return POLICIES.map((policy) => ({ title: `${store}, ${policy}${form}`, store, policy, sync }));
}

export const WAYS: readonly Way[] = [
  ...waysOf('slab', false),
  ...waysOf('slab', true),
  ...waysOf('memory', false),
  ...waysOf('memory', true),
  ...waysOf('delay', false),
];

/** The operations that have a promise form and a `Sync` form. */
export type Operation =
  | 'get'
  | 'getMulti'
  | 'getValueMetadata'
  | 'has'
  | 'set'
  | 'setMulti'
  | 'delete'
  | 'deleteMulti'
  | 'getOrCreate'
  | 'getOrCreateMulti'
  | 'keyIsLocked'
  | 'invalidate'
  | 'clear';

export type Options = ConfigureOptions & Partial<RegionOptions> & { readonly backend?: string };

/** A region under test, and the one door to its operations, which goes to the form that the way is about. */
export interface Subject {
  readonly region: CacheRegion<any>;
  readonly clock: FakeClock;
  call(name: Operation, ...args: any[]): Promise<any>;
}

/** One run of a test: makes regions, and looks after the test whether all is given back. */
export class Trial {
  readonly way: Way;
  readonly sync: boolean;
  readonly #regions: CacheRegion<any>[] = [];

  constructor(way: Way) {
    this.way = way;
    this.sync = way.sync;
  }

  /** The options of `configure` that make a region of this way. */
  configuration(clock: FakeClock): ConfigureOptions & { readonly backend: string } {
    const { store, policy } = this.way;
    return {
      backend: BACKENDS[store],
      ...(store === 'slab' ? { arguments: SLAB_ARGUMENTS } : {}),
      ...(policy === 'proxy' ? { wrap: [DoNothingProxy] } : {}),
      ...(policy === 'strategy' ? { regionInvalidator: new TimeStrategy(clock) } : {}),
    };
  }

  /** A configured region; `options` go before what the way says. */
  make(options: Options = {}, clock = new FakeClock()): Subject {
    const all = { name: 'some region', clock: clock.read, ...this.configuration(clock), ...options };
    return this.subject(createRegion<any>(all), clock);
  }

  /** Takes a region that the test made itself under this run's care. */
  subject(region: CacheRegion<any>, clock: FakeClock): Subject {
    this.#regions.push(region);
    return { region, clock, call: callerOf(region, this.sync) };
  }

  /** No creation is left, no mutex is held, the store's heap balances. */
  async finish(): Promise<void> {
    for (const region of this.#regions) {
      if (!region.isConfigured) continue;
      const core = coreOf(region);
      for (let turn = 0; turn < 200 && core.runs.size > 0; turn++) await turns();
      assert.is(core.runs.size, 0, 'creations that are left');
      assert.is(core.localMutexes.size, 0, 'mutexes that are held');
      checkRegionHeap(region);
      region.close();
    }
  }
}

/** The heap walk of a region's engine, if it has one. */
export function checkRegionHeap(region: CacheRegion<any>): void {
  if (coreOf(region).backendName !== 'cairn.slab') return;
  const cache = SharedCache.attach((region.handle as RegionHandle).backend as never);
  checkHeap(cache);
  assert.is(heldMutexes(cache), 0, 'shared mutexes that are held');
  cache.close();
}

function heldMutexes(cache: SharedCache<any>): number {
  const engine = SharedCache.engineOf(cache);
  let held = 0;
  for (let index = 0; index < engine.mutexes; index++)
    held += engine.x.mutex_held(index, engine.clock.mono());
  return held;
}

export function callerOf(region: CacheRegion<any>, sync: boolean): Subject['call'] {
  return async (name, ...args) => {
    const method = (sync ? `${name}Sync` : name) as 'get';
    return (region[method] as (...args: any[]) => unknown).apply(region, args);
  };
}

/** Registers `body` once for each way, or for those that `accept` lets through. */
export function everyWay(
  title: string,
  body: (on: Trial) => Promise<void> | void,
  accept: (way: Way) => boolean = () => true,
): void {
  for (const way of WAYS) {
    if (!accept(way)) continue;
    test(`${way.title}: ${title}`, async () => {
      const trial = new Trial(way);
      await body(trial);
      await trial.finish();
    });
  }
}

/** For tests that need several callers in one thread: only promises can be pending side by side. */
export const PROMISES = (way: Way): boolean => !way.sync;
/** For tests of the region's own counters: where a strategy judges by time there are none. */
export const COUNTED = (way: Way): boolean => way.policy !== 'strategy';

/** 1, 2, 3, ... */
export function counter(): () => number {
  let n = 0;
  return () => ++n;
}

/** A creator that makes `some value 1`, `some value 2`, ... and can tell how often it ran. */
export function counting(text = 'some value'): { (): string; runs: number } {
  const creator = () => `${text} ${++creator.runs}`;
  creator.runs = 0;
  return creator;
}

/** The same for several keys: `some value k1 1`, `some value k2 2`, ... */
export function countingMulti(): { (keys: readonly string[]): string[]; runs: number; asked: string[][] } {
  let n = 0;
  const creator = (keys: readonly string[]) => {
    creator.runs++;
    creator.asked.push([...keys]);
    return keys.map((key) => `some value ${key} ${++n}`);
  };
  creator.runs = 0;
  creator.asked = [] as string[][];
  return creator;
}

export interface Parked<V> {
  readonly gate: Deferred<V>;
  readonly started: Promise<void>;
  readonly creator: () => Promise<V>;
  runs: number;
}

/** A creator that says when it began and ends when told. */
export function parked<V = string>(): Parked<V> {
  const gate = deferred<V>();
  const started = deferred();
  const it: Parked<V> = {
    gate,
    started: started.promise,
    runs: 0,
    creator: () => {
      it.runs++;
      started.resolve();
      return gate.promise;
    },
  };
  return it;
}

/** Whether `promise` is still open after a good while of turns. */
export function isPending(promise: Promise<unknown>): Promise<boolean> {
  const mark = Symbol('pending');
  return Promise.race([promise.catch(() => {}), turns(30).then(() => mark)]).then((first) => first === mark);
}

/** What stands in the backend within all proxies, under a mangled key. */
export async function stored(region: CacheRegion<any>, key: string): Promise<CachedValue<any> | NoValue> {
  return (region.actualBackend as MemoryBackend<any>).get(key);
}

/** Keys with mutexes of their own, in the order in which a creation takes those. */
export function keysApart(region: CacheRegion<any>, count: number): string[] {
  const byIndex = new Map<number, string>();
  for (let n = 0; byIndex.size < count; n++) {
    const key = `key ${String(n).padStart(4, '0')}`;
    const mutex = region.backend.getMutex(key) as { index?: number } | null;
    const index = mutex?.index ?? n;
    if (!byIndex.has(index)) byIndex.set(index, key);
  }
  return [...byIndex].sort(([a], [b]) => a - b).map(([, key]) => key);
}

/** A proxy class that notes reads, writes and looks for a mutex, in a log of its own. */
export function recorder(): { readonly log: string[]; readonly Recorder: new () => ProxyBackend<any> } {
  const log: string[] = [];
  class Recorder extends ProxyBackend<any> {
    override get(key: string) {
      log.push(`get ${key}`);
      return super.get(key);
    }
    override set(key: string, value: CachedValue<any>, options?: SetOptions) {
      log.push(`set ${key}`);
      return super.set(key, value, options);
    }
    override getMutex(key: string) {
      log.push(`mutex ${key}`);
      return super.getMutex(key);
    }
  }
  return { log, Recorder };
}

/** Stores a value as another thread would: past the region, with the metadata that its region would give. */
export async function setElsewhere(
  { region, clock }: Subject,
  key: string,
  payload: unknown,
  v = VALUE_VERSION,
): Promise<void> {
  const generation = coreOf(region).invalidation.source.current();
  await region.actualBackend.set(key, new CachedValue(payload, { ct: clock.time, v, generation }));
}

/** Tests that bring proxies of their own need no way with another. */
export const OWN_PROXY = (way: Way): boolean => way.policy !== 'proxy';
