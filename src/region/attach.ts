/** A region of another thread, in this one. */
import type { BackendClass, BackendContext, CacheBackend, ShareableBackendClass } from '../backend/types.ts';
import { RegionHandleError } from '../errors.ts';
import { buildCore } from './build.ts';
import { checkHandle } from './handle.ts';
import { checkAttachOptions } from './options.ts';
import { CacheRegion } from './region.ts';
import { adoptCore } from './region-life.ts';
import type { AttachOptions, RegionHandle } from './types.ts';

/**
 * Attaches this thread to the region behind `handle`: same name, same expiration time, same data. Functions do not
 * travel, so `options` must bring every one that the region was given (`clock`, `keyMangler`, `serializer`,
 * `deserializer`, `wrap`, `regionInvalidator`); keep them in one module that all threads import. Does not wait, unless the backend's class
 * comes by a promise: then as `configure`.
 *
 * @throws {RegionHandleError} `ERR_CAIRN_HANDLE`: no handle, or one whose function is missing, which is named.
 * @throws {OptionError} `ERR_CAIRN_OPTION`.
 * @throws {BackendNotFoundError} `ERR_CAIRN_BACKEND`: this thread has not registered the backend.
 */
export function attachRegion<V = unknown>(handle: RegionHandle, options: AttachOptions = {}): CacheRegion<V> {
  checkAttachOptions(options);
  checkHandle(handle, options as Record<string, unknown>);
  const { wrap, regionInvalidator, arguments: args, ...own } = options;
  const region = new CacheRegion<V>({ ...own, name: handle.name });
  const configured = { expirationTime: handle.expirationTime, wrap, regionInvalidator };
  const attach = (backendClass: BackendClass, context: BackendContext): CacheBackend<any> => {
    const { attach: attachBackend } = backendClass as Partial<ShareableBackendClass>;
    if (typeof attachBackend !== 'function') {
      throw new RegionHandleError(
        `region '${handle.name}': backend '${handle.backendName}' cannot be attached to`,
      );
    }
    return attachBackend.call(backendClass, handle.backend, context, args);
  };
  adoptCore(region, buildCore({ ...own, name: handle.name }, configured, handle.backendName, attach));
  return region;
}
