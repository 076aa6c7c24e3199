/** One test of a promise form and of its `Sync` twin. */
import type { CachedValue } from '../backend/cached-value.ts';
import type { Awaitable } from '../backend/types.ts';
import type { CacheRegion } from '../region/region.ts';
import { isThenable } from '../region/steps.ts';
import type {
  CreateOptions,
  InvalidateOptions,
  MultiCreateOptions,
  ReadOptions,
  RegionOptions,
} from '../region/types.ts';
import type { BackendScope, BackendSuite, RegionSetup } from './backend-scope.ts';

/** The operations of a region, whichever form they have: at once or by a promise. */
export interface Operations {
  get(key: string, options?: ReadOptions): Awaitable<unknown>;
  getMulti(keys: Iterable<string>, options?: ReadOptions): Awaitable<unknown[]>;
  getValueMetadata(key: string, options?: ReadOptions): Awaitable<CachedValue | undefined>;
  has(key: string, options?: ReadOptions): Awaitable<boolean>;
  set(key: string, value: unknown): Awaitable<boolean>;
  setMulti(entries: Iterable<readonly [string, unknown]>): Awaitable<boolean>;
  delete(key: string): Awaitable<boolean>;
  deleteMulti(keys: Iterable<string>): Awaitable<number>;
  getOrCreate(key: string, creator: () => unknown, options?: CreateOptions): Awaitable<unknown>;
  getOrCreateMulti(
    keys: Iterable<string>,
    creator: (keys: readonly string[]) => Awaitable<readonly unknown[]>,
    options?: MultiCreateOptions,
  ): Awaitable<unknown[]>;
  keyIsLocked(key: string): Awaitable<boolean>;
  invalidate(options?: InvalidateOptions): Awaitable<void>;
  clear(): Awaitable<void>;
}

const NAMES: readonly (keyof Operations)[] = [
  'get',
  'getMulti',
  'getValueMetadata',
  'has',
  'set',
  'setMulti',
  'delete',
  'deleteMulti',
  'getOrCreate',
  'getOrCreateMulti',
  'keyIsLocked',
  'invalidate',
  'clear',
];

/** The region's promise forms, or its `Sync` ones. */
export function operationsOf(region: CacheRegion<any>, sync: boolean): Operations {
  const methods = region as unknown as Record<string, (...args: unknown[]) => unknown>;
  return Object.fromEntries(
    NAMES.map((name) => [name, (...args: unknown[]) => methods[sync ? `${name}Sync` : name](...args)]),
  ) as unknown as Operations;
}

/** Goes on with an answer, at once when it was given at once: a creator of a `Sync` form returns no promise. */
export function after<T, R>(answer: Awaitable<T>, next: (value: T) => R): Awaitable<Awaited<R>> {
  return (isThenable(answer) ? answer.then(next as (value: unknown) => R) : next(answer as T)) as Awaited<R>;
}

/** Calls `tests` for the promise forms, and for the `Sync` ones where the suite's subject answers at once. */
export function eachForm(sync: boolean, tests: (sync: boolean, suffix: string) => void): void {
  tests(false, '');
  if (sync) tests(true, ' (Sync)');
}

/** A new region with its operations. */
export interface Made {
  readonly region: CacheRegion<any>;
  readonly ops: Operations;
}

/** Tests of a region over the suite's backend, in both forms. */
export class RegionForms<S> {
  readonly #suite: BackendSuite<S>;

  constructor(suite: BackendSuite<S>) {
    this.#suite = suite;
  }

  test(
    title: string,
    body: (
      scope: BackendScope<S>,
      make: (setup?: RegionSetup & Partial<RegionOptions>) => Promise<Made>,
    ) => Promise<void>,
  ): void {
    eachForm(this.#suite.traits.sync, (sync, suffix) => {
      this.#suite.test(`region: ${title}${suffix}`, (scope) =>
        body(scope, async (setup = {}) => {
          const region = await scope.newRegion(setup, setup.name);
          return { region, ops: operationsOf(region, sync) };
        }),
      );
    });
  }
}
