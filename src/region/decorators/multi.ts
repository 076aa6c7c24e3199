/**
 * `cacheMultiOnArguments` and its `Sync` twin: a function that makes the values of several arguments at once, each kept
 * in a region under a key of its own.
 *
 * With `asMap` the function may leave arguments out. For the region each of them has the value `ABSENT`, which is never
 * stored. Only calls `asMap` join its run, and they leave it out of their `Map`. What the region still holds for such an
 * argument is removed.
 */
import { freezePlain } from '../../codec/freeze.ts';
import { CreatorResultError, OptionError } from '../../errors.ts';
import type { CacheRegion } from '../region.ts';
import { type Steps, settled } from '../steps.ts';
import { asCached, type Helpers } from './cached.ts';
import { ABSENT, type Decoration, decorationOf, drive, keysFor } from './decorating.ts';
import type {
  AnyFunction,
  CacheListOnArgumentsOptions,
  CacheMapDecorator,
  CacheMapDecoratorSync,
  CacheMapOnArgumentsOptions,
  CacheMultiDecorator,
  CacheMultiDecoratorSync,
  CacheMultiOnArgumentsOptions,
} from './types.ts';

const BACKEND = 'the backend';

/** See `CacheRegion.cacheMultiOnArguments`. */
export function cacheMultiOnArguments<V, R extends V = V>(
  region: CacheRegion<V>,
  options: CacheMapOnArgumentsOptions<R>,
): CacheMapDecorator<R>;
export function cacheMultiOnArguments<V, R extends V = V>(
  region: CacheRegion<V>,
  options?: CacheListOnArgumentsOptions<R>,
): CacheMultiDecorator<R>;
export function cacheMultiOnArguments(
  region: CacheRegion<any>,
  options: CacheMultiOnArgumentsOptions = {},
): any {
  const decoration = decorationOf(region, options, 'cacheMultiOnArguments');
  return (fn: AnyFunction, context?: ClassMethodDecoratorContext) =>
    decorate(region, decoration, fn, context);
}

/** See `CacheRegion.cacheMultiOnArgumentsSync`. */
export function cacheMultiOnArgumentsSync<V, R extends V = V>(
  region: CacheRegion<V>,
  options: CacheMapOnArgumentsOptions<R>,
): CacheMapDecoratorSync<R>;
export function cacheMultiOnArgumentsSync<V, R extends V = V>(
  region: CacheRegion<V>,
  options?: CacheListOnArgumentsOptions<R>,
): CacheMultiDecoratorSync<R>;
export function cacheMultiOnArgumentsSync(
  region: CacheRegion<any>,
  options: CacheMultiOnArgumentsOptions = {},
): any {
  const decoration = decorationOf(region, options, 'cacheMultiOnArgumentsSync');
  return (fn: AnyFunction, context?: ClassMethodDecoratorContext) =>
    decorate(region, decoration, fn, context);
}

function decorate(
  region: CacheRegion<any>,
  decoration: Decoration<any>,
  fn: AnyFunction,
  context: ClassMethodDecoratorContext | undefined,
): AnyFunction {
  const { sync, asMap } = decoration;
  const keyOf = keysFor(region, decoration, fn, context);
  const keysOf = (args: readonly unknown[]) => args.map((arg, n) => keyOf([arg], n));

  /** The values of `keys`, made by the function of their arguments; `ABSENT` where it found none. */
  function* make(
    self: unknown,
    keys: readonly string[],
    argumentOf: ReadonlyMap<string, unknown>,
  ): Steps<unknown[]> {
    const args = keys.map((key) => argumentOf.get(key));
    const result: unknown = yield* settled<unknown>(fn.apply(self, args), `the function '${fn.name}'`);
    if (!asMap) return checkArray(result, args.length);
    checkMap(result);
    const values = args.map((arg) => (result.has(arg) ? result.get(arg) : ABSENT));
    const absent = keys.filter((_, n) => values[n] === ABSENT);
    if (absent.length > 0) {
      yield* settled(sync ? region.deleteMultiSync(absent) : region.deleteMulti(absent), BACKEND);
    }
    return values;
  }

  function* call(self: unknown, args: readonly unknown[]): Steps<unknown> {
    const keys = keysOf(args);
    const argumentOf = firstOf(keys, args);
    const creator = (missing: readonly string[]): any => drive(make(self, missing, argumentOf), sync);
    const options = decoration.createOptions();
    const answer = sync
      ? region.getOrCreateMultiSync(keys, creator, options)
      : region.getOrCreateMulti(keys, creator, options);
    const values: unknown[] = yield* settled(answer, BACKEND);
    return asMap ? mapOf(args, values, ABSENT) : values;
  }

  function* refresh(self: unknown, args: readonly unknown[]): Steps<unknown> {
    const keys = keysOf(args);
    const argumentOf = firstOf(keys, args);
    const unique = [...argumentOf.keys()].sort();
    const values = unique.length === 0 ? [] : yield* make(self, unique, argumentOf);
    if (decoration.freeze) for (const value of values) freezePlain(value);
    const made = new Map(unique.map((key, n) => [key, values[n]]));
    const entries = [...made].filter(([, value]) => value !== ABSENT && decoration.shouldCache(value));
    if (entries.length > 0) {
      yield* settled<unknown>(sync ? region.setMultiSync(entries) : region.setMulti(entries), BACKEND);
    }
    const inOrder = keys.map((key) => made.get(key));
    return asMap ? mapOf(args, inOrder, ABSENT) : inOrder;
  }

  function* get(args: readonly unknown[]): Steps<unknown> {
    const keys = keysOf(args);
    const options = decoration.readOptions();
    const found: unknown[] = yield* settled(
      sync ? region.getMultiSync(keys, options) : region.getMulti(keys, options),
      BACKEND,
    );
    return asMap ? mapOf(args, found, undefined) : found;
  }

  const helpers: Helpers = {
    invalidate: (_, args) => (sync ? region.deleteMultiSync(keysOf(args)) : region.deleteMulti(keysOf(args))),
    set: (_, [pairs]) => {
      const entries = pairsOf(pairs).map(([arg, value], n) => [keyOf([arg], n), value] as const);
      return sync ? region.setMultiSync(entries) : region.setMulti(entries);
    },
    get: (_, args) => drive(get(args), sync),
    refresh: (self, args) => drive(refresh(self, args), sync),
  };
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return drive(call(this, args), sync);
  };
  return asCached(wrapper, { form: 'cacheMultiOnArguments', sync, original: fn, helpers });
}

/** The first argument of each key. */
function firstOf(keys: readonly string[], args: readonly unknown[]): Map<string, unknown> {
  const first = new Map<string, unknown>();
  for (const [n, key] of keys.entries()) if (!first.has(key)) first.set(key, args[n]);
  return first;
}

function mapOf(args: readonly unknown[], values: readonly unknown[], gap: unknown): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (const [n, arg] of args.entries()) if (values[n] !== gap) map.set(arg, values[n]);
  return map;
}

function checkArray(result: unknown, length: number): unknown[] {
  if (!Array.isArray(result) || result.length !== length) throw new CreatorResultError(length, result);
  return result;
}

function checkMap(result: unknown): asserts result is ReadonlyMap<unknown, unknown> {
  if (!(result instanceof Map)) throw new OptionError('asMap', result, 'the function must return a Map');
}

function pairsOf(pairs: Iterable<readonly [unknown, unknown]>): (readonly [unknown, unknown])[] {
  if (typeof pairs === 'object' && pairs !== null && Symbol.iterator in pairs) return [...pairs];
  throw new OptionError('entries', pairs, 'must be a Map, or other pairs of argument and value');
}
