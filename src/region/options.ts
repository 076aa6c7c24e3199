/** Checks of all options: an unknown or wrong one is named, with its value. */
import { OptionError } from '../errors.ts';
import type {
  AsyncCreationRunner,
  AttachOptions,
  ConfigureOptions,
  CreateOptions,
  ExpirationTime,
  InvalidateOptions,
  ReadOptions,
  RegionInvalidator,
  RegionOptions,
  WriteOptions,
} from './types.ts';

const REGION_FUNCTIONS = [
  'clock',
  'keyMangler',
  'serializer',
  'deserializer',
  'keyGenerator',
  'asyncCreationRunner',
  'onError',
] as const;
const REGION_OPTIONS = ['name', ...REGION_FUNCTIONS, 'freeze'] as const;
const CONFIGURE_OPTIONS = [
  'expirationTime',
  'arguments',
  'wrap',
  'regionInvalidator',
  'replaceExistingBackend',
] as const;
const INVALIDATOR_METHODS = [
  'invalidate',
  'isInvalidated',
  'isHardInvalidated',
  'isSoftInvalidated',
  'wasHardInvalidated',
  'wasSoftInvalidated',
] as const;

export const DEFAULTS = Object.freeze({
  expirationTime: null,
  freeze: true,
  hard: true,
  ignoreExpiration: false,
  staleOnError: false,
  refresh: 'inline',
  /** Of `Sync` forms, milliseconds. Promise forms have no limit. */
  waitTimeoutSync: 10_000,
});

const KNOWN_REGION: ReadonlySet<string> = new Set(REGION_OPTIONS);
const KNOWN_CONFIGURE: ReadonlySet<string> = new Set(CONFIGURE_OPTIONS);
const KNOWN_CREATE_REGION: ReadonlySet<string> = new Set([
  ...REGION_OPTIONS,
  'backend',
  ...CONFIGURE_OPTIONS,
]);
const KNOWN_ATTACH: ReadonlySet<string> = new Set([
  ...REGION_OPTIONS.filter((name) => name !== 'name'),
  'arguments',
  'wrap',
  'regionInvalidator',
]);
const KNOWN_READ: ReadonlySet<string> = new Set(['expirationTime', 'ignoreExpiration']);
const MULTI_CREATE_OPTIONS = [
  'expirationTime',
  'shouldCache',
  'signal',
  'waitTimeout',
  'staleOnError',
  'softTimeout',
  'refresh',
];
const KNOWN_MULTI_CREATE: ReadonlySet<string> = new Set(MULTI_CREATE_OPTIONS);
const KNOWN_CREATE: ReadonlySet<string> = new Set([...MULTI_CREATE_OPTIONS, 'asyncCreationRunner']);
const KNOWN_WRITE: ReadonlySet<string> = new Set(['token']);
const KNOWN_INVALIDATE: ReadonlySet<string> = new Set(['hard']);

function checkNames(options: object, known: ReadonlySet<string>, call: string): void {
  if (typeof options !== 'object' || options === null)
    throw new OptionError('options', options, `${call} takes an object`);
  for (const name in options) {
    if (!known.has(name)) throw new OptionError(name, options[name as never], `unknown option of ${call}`);
  }
}

function checkType(options: object, name: string, type: 'function' | 'boolean'): void {
  const value: unknown = options[name as never];
  if (value === undefined || typeof value === type) return;
  throw new OptionError(name, value, `must be a ${type}`);
}

/** Throws {@link OptionError} unless `value` is a finite number of milliseconds, 0 or more, or `null`. */
export function checkExpiration(value: unknown): asserts value is ExpirationTime {
  if (value === null || (typeof value === 'number' && value >= 0 && value < Infinity)) return;
  throw new OptionError('expirationTime', value, 'must be milliseconds, 0 or more, or null for never');
}

function checkName(name: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw new OptionError('name', name, 'must be a string, not empty');
}

/** Checks what a region and its attached twins share. */
function checkFunctions(options: Omit<RegionOptions, 'name'>): void {
  for (const name of REGION_FUNCTIONS) checkType(options, name, 'function');
  checkType(options, 'freeze', 'boolean');
}

function checkInvalidator(invalidator: RegionInvalidator | undefined): void {
  if (invalidator === undefined) return;
  for (const method of INVALIDATOR_METHODS) {
    if (typeof invalidator?.[method] === 'function') continue;
    throw new OptionError('regionInvalidator', invalidator, `must have a method ${method}`);
  }
}

function checkWrapList(wrap: unknown): void {
  if (wrap !== undefined && !Array.isArray(wrap))
    throw new OptionError('wrap', wrap, 'must be an array of proxies');
}

export function checkRegionOptions(options: RegionOptions): void {
  checkNames(options, KNOWN_REGION, 'a region');
  checkName(options.name);
  checkFunctions(options);
}

function checkArguments(args: unknown): void {
  if (args !== undefined && (typeof args !== 'object' || args === null)) {
    throw new OptionError('arguments', args, 'must be an object');
  }
}

export function checkConfigureOptions(options: ConfigureOptions): void {
  checkNames(options, KNOWN_CONFIGURE, 'configure');
  if (options.expirationTime !== undefined) checkExpiration(options.expirationTime);
  checkArguments(options.arguments);
  checkWrapList(options.wrap);
  checkInvalidator(options.regionInvalidator);
  checkType(options, 'replaceExistingBackend', 'boolean');
}

export function checkAttachOptions(options: AttachOptions): void {
  checkNames(options, KNOWN_ATTACH, 'attachRegion');
  checkArguments(options.arguments);
  checkFunctions(options);
  checkWrapList(options.wrap);
  checkInvalidator(options.regionInvalidator);
}

/** Parts the options of `createRegion` into those of the two steps; `configure` is `null` without a backend. */
export function splitOptions(
  options: RegionOptions & ConfigureOptions & { readonly backend?: string | undefined },
): { region: RegionOptions; configure: ConfigureOptions | null } {
  checkNames(options, KNOWN_CREATE_REGION, 'createRegion');
  const region: Record<string, unknown> = {};
  const configure: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (KNOWN_REGION.has(name)) region[name] = value;
    else if (name !== 'backend' && value !== undefined) {
      if (options.backend === undefined)
        throw new OptionError(name, value, 'needs the option backend, or configure');
      configure[name] = value;
    }
  }
  const own = region as unknown as RegionOptions;
  return { region: own, configure: options.backend === undefined ? null : configure };
}

/** How old a value may be for this read; `undefined` stands for "whatever its age". */
export function readExpiration(options: ReadOptions, own: ExpirationTime): ExpirationTime | undefined {
  checkNames(options, KNOWN_READ, 'a read');
  checkType(options, 'ignoreExpiration', 'boolean');
  const expiration = callExpiration(options.expirationTime, own);
  return options.ignoreExpiration ? undefined : expiration;
}

/**
 * Option of the package's own callers: only calls of one family join each other's runs, since their values may be of a
 * kind that nobody else knows. A symbol, so no application gives it.
 */
export const FAMILY = Symbol('family');

/** How one call of `getOrCreate` or `getOrCreateMulti` is to go, after its options were checked. */
export interface CallOptions<V> {
  readonly expiration: ExpirationTime;
  readonly shouldCache: ((value: V) => boolean) | null;
  readonly signal: AbortSignal | null;
  /** `Infinity`: no limit. */
  readonly waitTimeoutMs: number;
  readonly staleOnError: boolean;
  /** `Infinity`: no limit. */
  readonly softTimeoutMs: number;
  readonly background: boolean;
  readonly runner: AsyncCreationRunner<V> | null;
  /** Has the caller to watch a signal or the time? */
  readonly impatient: boolean;
  /** See {@link FAMILY}; `undefined` is that of all applications' calls. */
  readonly family: symbol | undefined;
}

/** What holds for a call without options. */
export function callDefaults<V>(
  expiration: ExpirationTime,
  runner: AsyncCreationRunner<V> | null,
): CallOptions<V> {
  return {
    expiration,
    shouldCache: null,
    signal: null,
    waitTimeoutMs: Infinity,
    staleOnError: DEFAULTS.staleOnError,
    softTimeoutMs: Infinity,
    background: false,
    runner,
    impatient: false,
    family: undefined,
  };
}

/** `call`: the method's name. A call for several keys has no runner, a `Sync` one no soft timeout. */
export function callOptions<V>(
  options: CreateOptions<V>,
  defaults: CallOptions<V>,
  call: 'getOrCreate' | 'getOrCreateMulti' | 'getOrCreateSync' | 'getOrCreateMultiSync',
): CallOptions<V> {
  const multi = call.startsWith('getOrCreateMulti');
  const sync = call.endsWith('Sync');
  checkNames(options, multi ? KNOWN_MULTI_CREATE : KNOWN_CREATE, call);
  checkType(options, 'staleOnError', 'boolean');
  checkType(options, 'shouldCache', 'function');
  checkType(options, 'asyncCreationRunner', 'function');
  const { shouldCache = null, signal = null, refresh, asyncCreationRunner } = options;
  if (signal !== null && !(signal instanceof AbortSignal)) {
    throw new OptionError('signal', signal, 'must be an AbortSignal');
  }
  if (refresh !== undefined && refresh !== 'inline' && refresh !== 'background') {
    throw new OptionError('refresh', refresh, "must be 'inline' or 'background'");
  }
  const softTimeoutMs = callTimeout('softTimeout', options.softTimeout);
  if (sync && softTimeoutMs !== Infinity) {
    throw new OptionError(
      'softTimeout',
      options.softTimeout,
      `is not for ${call}: nothing can end a creator that runs at once`,
    );
  }
  const waitTimeoutMs = callTimeout('waitTimeout', options.waitTimeout);
  // Whoever says how it is to be refreshed does not mean the region's runner.
  const runner = asyncCreationRunner ?? (refresh === undefined ? defaults.runner : null);
  return {
    expiration: callExpiration(options.expirationTime, defaults.expiration),
    shouldCache,
    signal,
    waitTimeoutMs: sync && options.waitTimeout === undefined ? DEFAULTS.waitTimeoutSync : waitTimeoutMs,
    staleOnError: options.staleOnError ?? DEFAULTS.staleOnError,
    softTimeoutMs,
    background: refresh === 'background',
    runner: multi ? null : runner,
    family: (options as { readonly [FAMILY]?: symbol })[FAMILY],
    impatient: signal !== null || waitTimeoutMs !== Infinity || softTimeoutMs !== Infinity,
  };
}

function callTimeout(name: string, value: unknown): number {
  if (value === undefined || value === null) return Infinity;
  if (typeof value === 'number' && value >= 0) return value;
  throw new OptionError(name, value, 'must be milliseconds, 0 or more, or null for no limit');
}

/** The token of a fenced write, if it is one. */
export function writeToken(options: WriteOptions | undefined): unknown {
  if (options === undefined) return undefined;
  checkNames(options, KNOWN_WRITE, 'set');
  return options.token;
}

function callExpiration(given: ExpirationTime | undefined, own: ExpirationTime): ExpirationTime {
  if (given === undefined) return own;
  checkExpiration(given);
  return given;
}

export function invalidateHard(options: InvalidateOptions | undefined): boolean {
  if (options === undefined) return DEFAULTS.hard;
  checkNames(options, KNOWN_INVALIDATE, 'invalidate');
  checkType(options, 'hard', 'boolean');
  return options.hard ?? DEFAULTS.hard;
}
