/** Options of `backendSuite`: how to make the backend, and what it says of itself. */
import type { ProxyBackend } from '../backend/proxy-backend.ts';
import type { Awaitable, BackendClass, CacheBackend, Clock } from '../backend/types.ts';
import { OptionError } from '../errors.ts';
import { COMMON_OPTIONS, checkOptions, checkTypes, type SuiteOptions } from './suite.ts';

/** What a factory is called with: as the second argument of a backend's constructor. */
export interface SuiteContext {
  /** Name of the region that the backend is to work for. Never the same in two tests. */
  readonly region: string;
  /** Stands still until the suite moves it. */
  readonly clock: Clock;
}

/**
 * Either `backend` or `create` is needed. What a backend can do is declared: an optional member that is there and not
 * declared, or declared and not there, fails a test, so nothing is left out unnoticed.
 */
export interface BackendSuiteOptions<S = undefined> extends SuiteOptions<S> {
  /** The class, or the name under which it is registered. */
  readonly backend?: string | BackendClass | undefined;
  /** First argument of the constructor. Default `{}`. */
  readonly arguments?: object | ((store: S) => object) | undefined;
  /** Makes an instance that is empty, for a region's first instance. Used in the place of `backend`. */
  readonly create?: ((context: SuiteContext, store: S) => Awaitable<CacheBackend<any>>) | undefined;
  /** Proxies to put around every instance, the first is the outermost. They must change nothing. */
  readonly wrap?: readonly (new () => ProxyBackend<any>)[] | undefined;
  /** What it must hold, by name. Default: {@link VALUES}. Strings, and objects of strings and numbers, it must hold anyway. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** Every method answers at once, so the `Sync` forms work. Default `false`. */
  readonly sync?: boolean | undefined;
  /** What is stored can be read. Default `true`; `false` for one that keeps nothing. */
  readonly retains?: boolean | undefined;
  /** What it hands out is frozen: value, metadata, and payloads of plain objects at every depth. Default `false`. */
  readonly frozen?: boolean | undefined;
  /** A payload that is changed after it was stored, or read, is not changed in the store. Default `false`. */
  readonly copies?: boolean | undefined;
  /** It has `keyMangler`. Default `false`. */
  readonly keyMangler?: boolean | undefined;
  /** It has `clear`. Default `false`. */
  readonly clear?: boolean | undefined;
  /** It has `close`. Default `false`. */
  readonly close?: boolean | undefined;
  /** It has `beginCreation`, `endCreation` and the token of `set`. Default `false`. */
  readonly tokens?: boolean | undefined;
  /** It has `tokenStands`. Default `false`. */
  readonly tokenStands?: boolean | undefined;
  /** `getMutex` gives mutexes, not `null`. Default `false`. */
  readonly mutexes?: boolean | undefined;
  /** Its mutexes keep others out. Default `true`; `false` where they are always free. */
  readonly exclusive?: boolean | undefined;
  /** Two instances made for one region and one `store` see the same values. Default `false`. */
  readonly shared?: boolean | undefined;
  /** With `shared`: they have the same mutexes, too. Default `false`. */
  readonly sharedMutexes?: boolean | undefined;
  /** With `shared`: they have `generations`, so they see each other's invalidations. Default `false`. */
  readonly sharedGenerations?: boolean | undefined;
}

const FLAGS = [
  'sync',
  'retains',
  'frozen',
  'copies',
  'keyMangler',
  'clear',
  'close',
  'tokens',
  'tokenStands',
  'mutexes',
  'exclusive',
  'shared',
  'sharedMutexes',
  'sharedGenerations',
] as const;

/** Default of each flag of `backendSuite`. */
export const BACKEND_DEFAULTS = Object.freeze({
  sync: false,
  retains: true,
  frozen: false,
  copies: false,
  keyMangler: false,
  clear: false,
  close: false,
  tokens: false,
  tokenStands: false,
  mutexes: false,
  exclusive: true,
  shared: false,
  sharedMutexes: false,
  sharedGenerations: false,
}) satisfies Record<(typeof FLAGS)[number], boolean>;

export type Traits = { readonly [flag in (typeof FLAGS)[number]]: boolean };

const KNOWN = [...COMMON_OPTIONS, 'backend', 'arguments', 'create', 'wrap', 'values', ...FLAGS];

export function checkBackendOptions(options: BackendSuiteOptions<any>): void {
  checkOptions(options, KNOWN, 'backendSuite');
  checkTypes(options, 'boolean', [...FLAGS]);
  checkTypes(options, 'function', ['create', 'setup', 'dispose']);
  checkTypes(options, 'object', ['values', 'wrap']);
  const { backend, create } = options;
  if ((backend === undefined) === (create === undefined))
    throw new OptionError('backend', backend, 'backendSuite takes either backend or create');
  if (options.arguments !== undefined && backend === undefined)
    throw new OptionError('arguments', options.arguments, 'goes with backend');
}

/** What the backend says of itself, defaults filled in. */
export function traitsOf(options: BackendSuiteOptions<any>): Traits {
  const given = FLAGS.filter((flag) => options[flag] !== undefined).map((flag) => [flag, options[flag]]);
  return { ...BACKEND_DEFAULTS, ...Object.fromEntries(given) };
}

export function nameOf({ name, backend }: BackendSuiteOptions<any>): string {
  if (name !== undefined) return name;
  if (typeof backend === 'function') return backend.name;
  return backend ?? 'backend';
}
