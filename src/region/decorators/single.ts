/**
 * `cacheOnArguments` and its `Sync` twin: a function whose results are kept in a region, under keys made of its
 * arguments.
 */
import { freezePlain } from '../../codec/freeze.ts';
import type { CacheRegion } from '../region.ts';
import { type Steps, settled } from '../steps.ts';
import type { KeyOf } from './argument-keys.ts';
import { asCached, type Helpers } from './cached.ts';
import { type Decoration, decorationOf, drive, keysFor } from './decorating.ts';
import type { AnyFunction, CacheDecorator, CacheDecoratorSync, CacheOnArgumentsOptions } from './types.ts';

/** See `CacheRegion.cacheOnArguments`. */
export function cacheOnArguments<V, R extends V = V>(
  region: CacheRegion<V>,
  options: CacheOnArgumentsOptions<R> = {},
): CacheDecorator<R> {
  const decoration = decorationOf(region, options, 'cacheOnArguments');
  return ((fn: AnyFunction, context?: ClassMethodDecoratorContext) =>
    decorate(region, decoration, fn, context)) as CacheDecorator<R>;
}

/** See `CacheRegion.cacheOnArgumentsSync`. */
export function cacheOnArgumentsSync<V, R extends V = V>(
  region: CacheRegion<V>,
  options: CacheOnArgumentsOptions<R> = {},
): CacheDecoratorSync<R> {
  const decoration = decorationOf(region, options, 'cacheOnArgumentsSync');
  return ((fn: AnyFunction, context?: ClassMethodDecoratorContext) =>
    decorate(region, decoration, fn, context)) as CacheDecoratorSync<R>;
}

function decorate(
  region: CacheRegion<any>,
  decoration: Decoration<any>,
  fn: AnyFunction,
  context: ClassMethodDecoratorContext | undefined,
): AnyFunction {
  const { sync } = decoration;
  const keyOf = keysFor(region, decoration, fn, context);

  function* refresh(self: unknown, args: unknown[]): Steps<unknown> {
    const key = keyOf(args);
    const value = yield* settled(fn.apply(self, args), `the function '${fn.name}'`);
    if (decoration.freeze) freezePlain(value);
    if (decoration.shouldCache(value)) {
      yield* settled<unknown>(sync ? region.setSync(key, value) : region.set(key, value), 'the backend');
    }
    return value;
  }

  const helpers: Helpers = {
    invalidate: (_, args) => (sync ? region.deleteSync(keyOf(args)) : region.delete(keyOf(args))),
    set: (_, [value, ...args]) =>
      sync ? region.setSync(keyOf(args), value) : region.set(keyOf(args), value),
    get: (_, args) => {
      const options = decoration.readOptions();
      return sync ? region.getSync(keyOf(args), options) : region.get(keyOf(args), options);
    },
    refresh: (self, args) => drive(refresh(self, args), sync),
  };
  const wrapper = sync ? callerSync(region, decoration, fn, keyOf) : caller(region, decoration, fn, keyOf);
  return asCached(wrapper, { form: 'cacheOnArguments', sync, original: fn, helpers });
}

function caller(
  region: CacheRegion<any>,
  decoration: Decoration<any>,
  fn: AnyFunction,
  keyOf: KeyOf,
): AnyFunction {
  return function (this: unknown, ...args: unknown[]): Promise<unknown> {
    try {
      return region.getOrCreate(keyOf(args), () => fn.apply(this, args), decoration.createOptions());
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

function callerSync(
  region: CacheRegion<any>,
  decoration: Decoration<any>,
  fn: AnyFunction,
  keyOf: KeyOf,
): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    return region.getOrCreateSync(keyOf(args), () => fn.apply(this, args), decoration.createOptions());
  };
}
