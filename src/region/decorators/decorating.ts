/** What the decorators share: their options, their checks, and the names that a region's functions have taken. */
import { types } from 'node:util';
import { OptionError, SyncError } from '../../errors.ts';
import { callDefaults, callOptions, DEFAULTS, FAMILY } from '../options.ts';
import type { CacheRegion } from '../region.ts';
import { optionsOf } from '../region-life.ts';
import { driveAsync, driveSync, type Steps } from '../steps.ts';
import type { MultiCreateOptions, ReadOptions } from '../types.ts';
import { argumentKeys, functionPrefix, type KeyGenerator, type KeyOf } from './argument-keys.ts';
import type { AnyFunction, CacheMultiOnArgumentsOptions } from './types.ts';

/** A method of the region. */
export type DecoratorCall =
  | 'cacheOnArguments'
  | 'cacheOnArgumentsSync'
  | 'cacheMultiOnArguments'
  | 'cacheMultiOnArgumentsSync';

const CALL_OPTIONS = [
  'expirationTime',
  'shouldCache',
  'waitTimeout',
  'staleOnError',
  'softTimeout',
  'refresh',
] as const;
const KNOWN: ReadonlySet<string> = new Set([...CALL_OPTIONS, 'namespace', 'keyGenerator']);
const KNOWN_MULTI: ReadonlySet<string> = new Set([...KNOWN, 'asMap']);

/** Stands for a value that a function `asMap` did not find. Only calls `asMap` join its run, and no backend sees it. */
export const ABSENT = Symbol('absent');

/** How functions are to be decorated, after the options were checked. */
export interface Decoration<R> {
  readonly call: DecoratorCall;
  readonly sync: boolean;
  readonly namespace: string | undefined;
  /** `null`: the default. */
  readonly keyGenerator: KeyGenerator | null;
  readonly asMap: boolean;
  readonly shouldCache: (value: R) => boolean;
  /** Whether what functions return is to be deep-frozen. */
  readonly freeze: boolean;
  /** The options of one call of `getOrCreate`, and of one read. */
  createOptions(): MultiCreateOptions<R> | undefined;
  readOptions(): ReadOptions | undefined;
}

/** @throws {OptionError} `ERR_CAIRN_OPTION`: an option is unknown or wrong; it is named with its value. */
export function decorationOf<R>(
  region: CacheRegion<any>,
  options: CacheMultiOnArgumentsOptions<R>,
  call: DecoratorCall,
): Decoration<R> {
  checkNames(options, call);
  const { namespace, keyGenerator, expirationTime, asMap = false } = options;
  if (namespace !== undefined && (typeof namespace !== 'string' || namespace === '')) {
    throw new OptionError('namespace', namespace, 'must be a string, not empty');
  }
  if (keyGenerator !== undefined && typeof keyGenerator !== 'function') {
    throw new OptionError('keyGenerator', keyGenerator, 'must be a function');
  }
  if (typeof asMap !== 'boolean') throw new OptionError('asMap', asMap, 'must be a boolean');

  const ask = typeof expirationTime === 'function' ? expirationTime : null;
  const fixed: Record<string | symbol, unknown> = {};
  for (const name of CALL_OPTIONS) if (options[name] !== undefined) fixed[name] = options[name];
  if (ask !== null) delete fixed.expirationTime;
  callOptions(fixed, callDefaults<R>(null, null), GET_OR_CREATE[call]);

  const shouldCache = options.shouldCache ?? (() => true);
  if (asMap) {
    fixed.shouldCache = (value: R | typeof ABSENT) => value !== ABSENT && shouldCache(value);
    fixed[FAMILY] = ABSENT;
  }
  const create = Object.keys(fixed).length > 0 ? fixed : undefined;
  const read = fixed.expirationTime === undefined ? undefined : { expirationTime: fixed.expirationTime };
  const own = optionsOf(region);
  return {
    call,
    sync: call.endsWith('Sync'),
    namespace,
    keyGenerator: keyGenerator ?? own.keyGenerator ?? null,
    asMap,
    shouldCache,
    freeze: own.freeze ?? DEFAULTS.freeze,
    createOptions: ask === null ? () => create : () => ({ ...fixed, expirationTime: ask() }),
    readOptions: ask === null ? () => read as ReadOptions : () => ({ expirationTime: ask() }),
  };
}

const GET_OR_CREATE = {
  cacheOnArguments: 'getOrCreate',
  cacheOnArgumentsSync: 'getOrCreateSync',
  cacheMultiOnArguments: 'getOrCreateMulti',
  cacheMultiOnArgumentsSync: 'getOrCreateMultiSync',
} as const;

function checkNames(options: object, call: DecoratorCall): void {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError('options', options, `${call} takes an object`);
  }
  const known = call.startsWith('cacheMulti') ? KNOWN_MULTI : KNOWN;
  for (const name in options) {
    if (!known.has(name)) throw new OptionError(name, options[name as never], `unknown option of ${call}`);
  }
}

/**
 * Checks that `fn` may be decorated, takes its name, and returns what makes its keys.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: no function, no method, a namespace is missing, or the name is taken.
 * @throws {SyncError} `ERR_CAIRN_SYNC`: an `async` function in a `Sync` form.
 */
export function keysFor<R>(
  region: CacheRegion<any>,
  decoration: Decoration<R>,
  fn: AnyFunction,
  context: ClassMethodDecoratorContext | undefined,
): KeyOf {
  const { call, sync, namespace, keyGenerator } = decoration;
  if (context !== undefined && context?.kind !== 'method') {
    throw new OptionError(
      'context',
      context?.kind ?? context,
      `${call} decorates functions and methods, by standard decorators`,
    );
  }
  if (typeof fn !== 'function') throw new OptionError('fn', fn, 'must be a function');
  if (sync && types.isAsyncFunction(fn)) {
    throw new SyncError(`${fn.name || 'the function'} is async; ${call} takes functions that answer at once`);
  }
  if (namespace === undefined && (context !== undefined || fn.name === '')) {
    const what = context === undefined ? 'a function without a name' : `the method ${String(context.name)}`;
    throw new OptionError('namespace', namespace, `${what} needs one`);
  }
  const prefix = functionPrefix(namespace, fn.name);
  const keyOf = keyGenerator === null ? argumentKeys(prefix) : custom(keyGenerator, namespace, fn);
  if (!claimName(region, prefix)) {
    const expected = `must tell functions apart: region '${region.name}' has a function '${fn.name}' with the same one`;
    throw new OptionError('namespace', namespace, expected);
  }
  return keyOf;
}

function custom(generator: KeyGenerator, namespace: string | undefined, fn: AnyFunction): KeyOf {
  const keyOf: unknown = generator(namespace, fn);
  if (typeof keyOf !== 'function') {
    throw new OptionError('keyGenerator', keyOf, 'must return a function from arguments to a key');
  }
  return (args) => keyOf(...args);
}

const namesOf = new WeakMap<CacheRegion<any>, Set<string>>();

/** Takes a name, `false` if another function of the region has it. */
function claimName(region: CacheRegion<any>, name: string): boolean {
  let names = namesOf.get(region);
  if (names === undefined) namesOf.set(region, (names = new Set()));
  if (names.has(name)) return false;
  names.add(name);
  return true;
}

/** Runs `steps` to their end: at once, or as promises settle. */
export function drive<T>(steps: Steps<T>, sync: boolean): T | Promise<T> {
  return sync ? driveSync(steps) : driveAsync(steps);
}
