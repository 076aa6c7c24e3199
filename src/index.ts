/** cairn-cache: one cache shared by all worker threads of a process. */
import { registerBuiltin } from './backend/registry.ts';
import { SlabBackend } from './backend/slab-backend.ts';

registerBuiltin('cairn.slab', SlabBackend);

export { CacheBackend } from './backend/cache-backend.ts';
export { CachedValue, type Metadata, NO_VALUE, type NoValue, VALUE_VERSION } from './backend/cached-value.ts';
export { type MemoryArguments, MemoryBackend } from './backend/memory-backend.ts';
export { NullBackend } from './backend/null-backend.ts';
export { ProxyBackend } from './backend/proxy-backend.ts';
export { type BackendLoader, type LoadedBackend, registerBackend } from './backend/registry.ts';
export { type SlabArguments, SlabBackend } from './backend/slab-backend.ts';
export type {
  Awaitable,
  BackendClass,
  BackendContext,
  BegunCreation,
  Clock,
  CreationToken,
  SetMultiOptions,
  SetOptions as BackendSetOptions,
  ShareableBackend,
  ShareableBackendClass,
} from './backend/types.ts';
export type { CodecOption, CustomCodec } from './codec/types.ts';
export type { CacheHandle } from './engine/handle.ts';
export * from './errors.ts';
export { SlabMutex } from './mutex/slab-mutex.ts';
export type { CacheMutex, SharedMutex } from './mutex/types.ts';
export { attachRegion } from './region/attach.ts';
export type { RegionConfig } from './region/config.ts';
export type { RegionCounters, RegionStats } from './region/counters.ts';
export { functionKeyGenerator, type KeyGenerator } from './region/decorators/argument-keys.ts';
export { cached, cachedMulti } from './region/decorators/cached.ts';
export type * from './region/decorators/types.ts';
export type { ErrorEvent, HitEvent, InvalidateEvent, LoadEvent, MissEvent } from './region/events.ts';
export type { GenerationSource } from './region/invalidation.ts';
export { lengthConditionalMangler, sha1Mangler } from './region/manglers.ts';
export { CacheRegion, createRegion } from './region/region.ts';
export type * from './region/types.ts';
export type {
  AttachOptions as CacheAttachOptions,
  Bytes,
  CacheOptions,
  DecodedOptions,
  Milliseconds,
} from './store/options.ts';
export { DEFAULTS } from './store/options.ts';
export { type EntryInfo, type SetOptions, SharedCache } from './store/shared-cache.ts';
export type { CacheStats } from './store/stats.ts';
