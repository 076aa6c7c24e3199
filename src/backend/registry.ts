/** Names of backends. Every thread has its own registry. */
import { BackendNotFoundError, OptionError } from '../errors.ts';
import { isThenable } from '../region/steps.ts';
import { MemoryBackend } from './memory-backend.ts';
import { NullBackend } from './null-backend.ts';
import type { Awaitable, BackendClass } from './types.ts';

/** A backend class, or a module whose default export is one. */
export type LoadedBackend = BackendClass | { readonly default: BackendClass };

/** Gives a backend class when a region first needs it; `() => import('./backend.js')` is one. */
export type BackendLoader = () => Awaitable<LoadedBackend>;

const BUILTIN_PREFIX = 'cairn.';
const loaders = new Map<string, BackendLoader>();

/**
 * Makes `name` known to `configure`, in this thread. A later call for the same name takes the earlier one's place.
 * Names that begin with `cairn.` are the package's own.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`.
 */
export function registerBackend(name: string, loader: BackendLoader): void {
  if (typeof name !== 'string' || name === '' || name.startsWith(BUILTIN_PREFIX)) {
    throw new OptionError(
      'name',
      name,
      `must be a string, not empty, that does not begin with '${BUILTIN_PREFIX}'`,
    );
  }
  if (typeof loader !== 'function') throw new OptionError('loader', loader, 'must be a function');
  loaders.set(name, loader);
}

/** Makes one of the package's own backends known. */
export function registerBuiltin(name: `cairn.${string}`, backend: BackendClass): void {
  loaders.set(name, () => backend);
}

/** The class registered under `name`, or a promise of it. */
export function loadBackend(name: string): Awaitable<BackendClass> {
  const loader = loaders.get(name);
  if (loader === undefined) throw new BackendNotFoundError(name);
  const loaded = loader();
  return isThenable(loaded)
    ? loaded.then((later) => classOf(name, later as LoadedBackend))
    : classOf(name, loaded as LoadedBackend);
}

function classOf(name: string, loaded: LoadedBackend): BackendClass {
  const backend: unknown = typeof loaded === 'object' && loaded !== null ? loaded.default : loaded;
  if (typeof backend === 'function') return backend as BackendClass;
  throw new OptionError('backend', backend, `the loader of '${name}' must give a class`);
}

registerBuiltin('cairn.memory', MemoryBackend);
registerBuiltin('cairn.null', NullBackend);
