/** What the decorators of a region take and return. */
import type { Awaitable } from '../../backend/types.ts';
import type { ExpirationTime, MultiCreateOptions } from '../types.ts';
import type { KeyGenerator } from './argument-keys.ts';

/** Options of `cacheOnArguments` and `cacheOnArgumentsSync`. `R`: what the function returns. */
export interface CacheOnArgumentsOptions<R = any>
  extends Pick<
    MultiCreateOptions<R>,
    'shouldCache' | 'waitTimeout' | 'staleOnError' | 'softTimeout' | 'refresh'
  > {
  /**
   * Tells functions of one name apart. Required for methods and functions without a name. Two functions of one region
   * cannot have both the same name and the same namespace. Default: none.
   */
  readonly namespace?: string | undefined;
  /** How old a value may be, in milliseconds; `null` is for ever. A function is asked at each call. Default: the region's. */
  readonly expirationTime?: ExpirationTime | (() => ExpirationTime) | undefined;
  /** Makes the keys. Default: the region's `keyGenerator`, else {@link functionKeyGenerator}. */
  readonly keyGenerator?: KeyGenerator | undefined;
}

/** Options of `cacheMultiOnArguments` and `cacheMultiOnArgumentsSync`. */
export interface CacheMultiOnArgumentsOptions<R = any> extends CacheOnArgumentsOptions<R> {
  /** Whether the function returns a `Map` of what it found, and so does the decorated one. Default `false`. */
  readonly asMap?: boolean | undefined;
}
/** The same for functions that return an array, and for those that return a `Map`. */
export interface CacheListOnArgumentsOptions<R = any> extends CacheOnArgumentsOptions<R> {
  readonly asMap?: false | undefined;
}
export interface CacheMapOnArgumentsOptions<R = any> extends CacheOnArgumentsOptions<R> {
  readonly asMap: true;
}

export type AnyFunction = (...args: any[]) => unknown;
type Result<F extends AnyFunction> = Awaited<ReturnType<F>>;
type IsAny<T> = 0 extends 1 & T ? true : false;

/** The parameters of `F`, its `this` included, with another result. */
type WithResult<F extends AnyFunction, R> =
  unknown extends ThisParameterType<F>
    ? (...args: Parameters<F>) => R
    : (this: ThisParameterType<F>, ...args: Parameters<F>) => R;

/** `F` itself if it returns a promise, with type parameters and overloads; else `F` with a promise of its result. */
export type AsyncForm<F extends AnyFunction> =
  IsAny<ReturnType<F>> extends true
    ? WithResult<F, Promise<any>>
    : [ReturnType<F>, Promise<Result<F>>] extends [Promise<any>, ReturnType<F>]
      ? F
      : WithResult<F, Promise<Result<F>>>;

/** What a decorated function has beside its call. All share its keys; `this` is no part of them. */
export interface CacheHelpers<F extends AnyFunction> {
  /** Removes the value for these arguments; answers whether one stood. */
  invalidate(...args: Parameters<F>): Promise<boolean>;
  /** Stores `value` for these arguments; answers `false` if the backend refused it. */
  set(value: Result<F>, ...args: Parameters<F>): Promise<boolean>;
  /** The value for these arguments if it is fresh by the decorator's `expirationTime`, else `undefined`. */
  get(...args: Parameters<F>): Promise<Result<F> | undefined>;
  /**
   * Calls the function without a lock and stores what it returns, unless `shouldCache` refuses it. It does so also where
   * the value was invalidated meanwhile. `this` goes to the function unless it is the decorated function itself.
   */
  refresh(...args: Parameters<F>): Promise<Result<F>>;
  /** The function that was decorated. */
  readonly original: F;
}

/** A function decorated by `cacheOnArguments`. */
export type Cached<F extends AnyFunction> = AsyncForm<F> & CacheHelpers<F>;

/** {@link CacheHelpers} of `Sync` forms, which answer at once. */
export interface CacheHelpersSync<F extends AnyFunction> {
  invalidate(...args: Parameters<F>): boolean;
  set(value: ReturnType<F>, ...args: Parameters<F>): boolean;
  get(...args: Parameters<F>): ReturnType<F> | undefined;
  refresh(...args: Parameters<F>): ReturnType<F>;
  readonly original: F;
}

/** A function decorated by `cacheOnArgumentsSync`. */
export type CachedSync<F extends AnyFunction> = F & CacheHelpersSync<F>;

/** One value for each argument of `F`, and what `F` returns of them. */
type Argument<F extends AnyFunction> = Parameters<F>[number];
type Value<F extends AnyFunction> =
  Result<F> extends ReadonlyMap<any, infer R> ? R : Result<F> extends readonly (infer R)[] ? R : never;
type Values<F extends AnyFunction> =
  Result<F> extends ReadonlyMap<any, any> ? Map<Argument<F>, Value<F>> : Value<F>[];
type Found<F extends AnyFunction> =
  Result<F> extends ReadonlyMap<any, any> ? Map<Argument<F>, Value<F>> : (Value<F> | undefined)[];

/** What a function decorated for several keys has beside its call. */
export interface CacheMultiHelpers<F extends AnyFunction> {
  /** Removes the values for these arguments; answers how many stood. */
  invalidate(...args: Parameters<F>): Promise<number>;
  /** Stores a value for each argument, from a `Map` or other pairs; answers `false` if one or more were refused. */
  set(entries: Iterable<readonly [Argument<F>, Value<F>]>): Promise<boolean>;
  /** What is fresh: in the order of the arguments, `undefined` in gaps; with `asMap` a `Map` without gaps. */
  get(...args: Parameters<F>): Promise<Found<F>>;
  /** Calls the function for all these arguments without a lock and stores what it returns, as {@link CacheHelpers.refresh}. */
  refresh(...args: Parameters<F>): Promise<Values<F>>;
  readonly original: F;
}

/** A function decorated by `cacheMultiOnArguments`. */
export type CachedMulti<F extends AnyFunction> = WithResult<F, Promise<Values<F>>> & CacheMultiHelpers<F>;

/** {@link CacheMultiHelpers} of `Sync` forms, which answer at once. */
export interface CacheMultiHelpersSync<F extends AnyFunction> {
  invalidate(...args: Parameters<F>): number;
  set(entries: Iterable<readonly [Argument<F>, Value<F>]>): boolean;
  get(...args: Parameters<F>): Found<F>;
  refresh(...args: Parameters<F>): Values<F>;
  readonly original: F;
}

/** A function decorated by `cacheMultiOnArgumentsSync`. */
export type CachedMultiSync<F extends AnyFunction> = WithResult<F, Values<F>> & CacheMultiHelpersSync<F>;

/**
 * The second argument of a decorator: the context, or, where the function is not fit, what cannot be given and says why.
 * The check stands here so that the function's type is inferred from itself alone, with its type parameters.
 */
type Context = [context?: ClassMethodDecoratorContext<any, any>];
interface Unfit<Why extends string> {
  readonly unfit: Why;
}

type AtOnce<F extends AnyFunction> =
  ReturnsPromise<ReturnType<F>> extends false
    ? Context
    : [theFunctionReturnsAPromise: Unfit<'the function returns a promise'>];
type ReturnsPromise<T> =
  IsAny<T> extends true ? false : Extract<T, PromiseLike<unknown>> extends never ? false : true;

/** The function is called with those arguments alone that are missing. */
type AnyNumber<F extends AnyFunction> = number extends Parameters<F>['length']
  ? Context
  : [theFunctionTakesAFixedNumber: Unfit<'the function takes a fixed number of arguments'>];

type KeyedByArguments<F extends AnyFunction> =
  Result<F> extends ReadonlyMap<infer K, any>
    ? [Argument<F>] extends [K]
      ? AnyNumber<F>
      : [K] extends [Argument<F>]
        ? AnyNumber<F>
        : [theMapHasOtherKeys: Unfit<'the keys of the Map are not the arguments of the function'>]
    : AnyNumber<F>;

/** Decorates a function, or as a standard decorator a method. `R`: what it may return. */
export type CacheDecorator<R> = <F extends (...args: any[]) => Awaitable<R>>(
  fn: F,
  ...context: Context
) => Cached<F>;
/** The same for a function that answers at once. */
export type CacheDecoratorSync<R> = <F extends (...args: any[]) => R>(
  fn: F,
  ...context: AtOnce<F>
) => CachedSync<F>;
/** Decorates a function, or a method, that takes any number of arguments and returns a value for each. */
export type CacheMultiDecorator<R> = <F extends (...args: any[]) => Awaitable<readonly R[]>>(
  fn: F,
  ...context: AnyNumber<F>
) => CachedMulti<F>;
export type CacheMultiDecoratorSync<R> = <F extends (...args: any[]) => readonly R[]>(
  fn: F,
  ...context: AnyNumber<F>
) => CachedMultiSync<F>;
/** Decorates a function, or a method, that takes any number of arguments and returns a `Map` of what it found. */
export type CacheMapDecorator<R> = <F extends (...args: any[]) => Awaitable<ReadonlyMap<any, R>>>(
  fn: F,
  ...context: KeyedByArguments<F>
) => CachedMulti<F>;
export type CacheMapDecoratorSync<R> = <F extends (...args: any[]) => ReadonlyMap<any, R>>(
  fn: F,
  ...context: KeyedByArguments<F>
) => CachedMultiSync<F>;
