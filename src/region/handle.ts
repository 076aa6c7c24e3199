/** What goes with a message from a region's thread to another. */
import type { ShareableBackend } from '../backend/types.ts';
import { RegionHandleError } from '../errors.ts';
import type { RegionCore } from './core.ts';
import type { HandleFunction, RegionHandle } from './types.ts';

const KIND = 'cairn.region';

export function handleOf<V>(core: RegionCore<V>): RegionHandle {
  const backend = (core.actualBackend as Partial<ShareableBackend>).handle;
  if (backend === undefined) {
    throw new RegionHandleError(
      `region '${core.name}': its backend '${core.backendName}' cannot be shared with other threads`,
    );
  }
  return {
    kind: KIND,
    name: core.name,
    expirationTime: core.expirationTime,
    functions: core.functions,
    backendName: core.backendName,
    backend,
  };
}

/** Throws {@link RegionHandleError} unless `handle` is one and `given` has all functions that it wants. */
export function checkHandle(
  handle: unknown,
  given: Partial<Record<HandleFunction, unknown>>,
): asserts handle is RegionHandle {
  const { kind, name, functions } = (handle ?? {}) as Partial<RegionHandle>;
  if (kind !== KIND || typeof name !== 'string' || !Array.isArray(functions)) {
    throw new RegionHandleError('attachRegion: this is no handle of a region');
  }
  for (const wanted of functions as HandleFunction[]) {
    const own = given[wanted];
    if (own !== undefined && !(Array.isArray(own) && own.length === 0)) continue;
    throw new RegionHandleError(`region '${name}' was given the option ${wanted}: attachRegion needs it too`);
  }
}
