/** Checks of all options: an unknown or wrong one is named, with its value. */
import { OptionError } from '../errors.ts';
import type {
  AttachOptions,
  ConfigureOptions,
  CreateOptions,
  ExpirationTime,
  InvalidateOptions,
  ReadOptions,
  RegionInvalidator,
  RegionOptions,
} from './types.ts';

const REGION_OPTIONS = ['name', 'clock', 'keyMangler', 'freeze', 'onError'] as const;
const CONFIGURE_OPTIONS = ['expirationTime', 'arguments', 'wrap', 'regionInvalidator'] as const;
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
const KNOWN_CREATE: ReadonlySet<string> = new Set(['expirationTime', 'staleOnError']);
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
  for (const name of ['clock', 'keyMangler', 'onError']) checkType(options, name, 'function');
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

export function createExpiration(options: CreateOptions, own: ExpirationTime): ExpirationTime {
  checkNames(options, KNOWN_CREATE, 'getOrCreate');
  checkType(options, 'staleOnError', 'boolean');
  return callExpiration(options.expirationTime, own);
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
