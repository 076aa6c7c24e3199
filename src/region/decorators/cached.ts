/** Decorated functions: what makes one, and how one is known again. */
import { OptionError } from '../../errors.ts';
import type { AnyFunction, Cached, CachedMulti, CachedMultiSync, CachedSync } from './types.ts';

export type Form = 'cacheOnArguments' | 'cacheMultiOnArguments';

/** What a helper does; `self`: the `this` that it was called with, `undefined` for the decorated function itself. */
export type Helper = (self: unknown, args: any[]) => unknown;
export type Helpers = Readonly<Record<'invalidate' | 'set' | 'get' | 'refresh', Helper>>;

interface Known {
  readonly form: Form;
  readonly sync: boolean;
  readonly original: AnyFunction;
  readonly helpers: Helpers;
}
const decorated = new WeakMap<AnyFunction, Known>();

/** Gives `wrapper` the name and length of the function that it decorates, and the helpers. */
export function asCached(wrapper: AnyFunction, known: Known): AnyFunction {
  const { original, helpers, sync } = known;
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  decorated.set(wrapper, known);
  const method = (helper: Helper): AnyFunction => {
    const selfOf = (self: unknown) => (self === wrapper ? undefined : self);
    return sync
      ? function (this: unknown, ...args: unknown[]) {
          return helper(selfOf(this), args);
        }
      : async function (this: unknown, ...args: unknown[]) {
          return helper(selfOf(this), args);
        };
  };
  return Object.assign(wrapper, {
    original,
    invalidate: method(helpers.invalidate),
    set: method(helpers.set),
    get: method(helpers.get),
    refresh: method(helpers.refresh),
  });
}

/**
 * `fn` with the type of a function that `cacheOnArguments` or its `Sync` twin made: for methods, whose type a decorator
 * cannot change. With `self` it is bound to that, and so is what its `refresh` calls:
 * `cached(users.load, users).refresh('7')`.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: it is not such a function.
 */
export function cached<F extends AnyFunction>(
  fn: F,
  self?: unknown,
): [ReturnType<F>] extends [PromiseLike<unknown>] ? Cached<F> : CachedSync<F> {
  // which of both types it is depends on F, which only the caller knows
  return knownAs('cacheOnArguments', fn, self) as any;
}

/** {@link cached} for functions that `cacheMultiOnArguments` or its `Sync` twin made. */
export function cachedMulti<F extends AnyFunction>(
  fn: F,
  self?: unknown,
): [ReturnType<F>] extends [PromiseLike<unknown>] ? CachedMulti<F> : CachedMultiSync<F> {
  // as above
  return knownAs('cacheMultiOnArguments', fn, self) as any;
}

function knownAs(form: Form, fn: AnyFunction, self: unknown): AnyFunction {
  const known = decorated.get(fn);
  if (known?.form !== form) throw new OptionError('fn', fn, `must be a function that ${form} made`);
  if (self === undefined) return fn;
  const { helpers } = known;
  const refresh: Helper = (_, args) => helpers.refresh(self, args);
  return asCached((...args) => fn.apply(self, args), { ...known, helpers: { ...helpers, refresh } });
}
