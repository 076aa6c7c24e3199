/**
 * Every error that Cairn throws on purpose. Each class has a stable `code`; messages name the bad field and
 * its value. {@link CairnError} is the base, so `error instanceof CairnError` tells them from a creator's own.
 */

import { show } from './show.ts';

/** Base of all errors thrown by Cairn. `code` is stable over versions and is what programs should test. */
export class CairnError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An option is unknown, of the wrong type or out of range. `field` names it, `value` is what was given. */
export class OptionError extends CairnError {
  readonly field: string;
  readonly value: unknown;
  constructor(field: string, value: unknown, expected: string) {
    super('ERR_CAIRN_OPTION', `${field}: ${expected}, got ${show(value)}`);
    this.field = field;
    this.value = value;
  }
}

/** A key is not a string or is longer than 960 bytes encoded. */
export class KeyError extends CairnError {
  readonly key: unknown;
  constructor(key: unknown, message: string) {
    super('ERR_CAIRN_KEY', `key ${show(key)}: ${message}`);
    this.key = key;
  }
}

/** A value cannot be encoded without altering it. `path` leads to the culprit, as in `value.users[3].born`. */
export class CodecError extends CairnError {
  readonly path: string;
  constructor(path: string, message: string, options?: ErrorOptions) {
    super('ERR_CAIRN_CODEC', `${path}: ${message}`, options);
    this.path = path;
  }
}

/** `increment` met a value that is not a number, or would give one that is not finite. */
export class ValueTypeError extends CairnError {
  constructor(message: string) {
    super('ERR_CAIRN_VALUE_TYPE', message);
  }
}

/** The engine failed inside a call (a trap, a stack overflow). Other threads go on; the next call attaches anew. */
export class EngineError extends CairnError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CAIRN_ENGINE', message, options);
  }
}

/** The engine was closed by its owner, or this thread's handle on it was closed. */
export class EngineClosedError extends CairnError {
  constructor(message = 'the cache is closed') {
    super('ERR_CAIRN_CLOSED', message);
  }
}

/** A handle was made by another build of the package, or is no handle. */
export class VersionError extends CairnError {
  constructor(message: string) {
    super('ERR_CAIRN_VERSION', message);
  }
}

/** All `maxThreads` slots are taken by living threads. */
export class ThreadLimitError extends CairnError {
  readonly maxThreads: number;
  constructor(maxThreads: number) {
    super('ERR_CAIRN_THREADS', `maxThreads: all ${maxThreads} thread slots are in use`);
    this.maxThreads = maxThreads;
  }
}

/** The engine's table of regions (64 rows) is full. */
export class RegionLimitError extends CairnError {
  constructor(name: string) {
    super('ERR_CAIRN_REGIONS', `region ${show(name)}: an engine holds at most 64 regions`);
  }
}

/** A region was used before `configure`. */
export class RegionNotConfiguredError extends CairnError {
  constructor(name: string) {
    super('ERR_CAIRN_NOT_CONFIGURED', `region ${show(name)}: no backend is configured`);
  }
}

/** `configure` was called on a configured region. */
export class RegionAlreadyConfiguredError extends CairnError {
  constructor(name: string) {
    super('ERR_CAIRN_CONFIGURED', `region ${show(name)} is already configured`);
  }
}

/** A `Sync` form was called while the region's backend is still being loaded. */
export class RegionNotReadyError extends CairnError {
  constructor(name: string) {
    super(
      'ERR_CAIRN_NOT_READY',
      `region ${show(name)}: its backend is still loading; await an operation first`,
    );
  }
}

/** A `Sync` form met something asynchronous: a backend, a mutex or a creator. */
export class SyncError extends CairnError {
  constructor(message: string) {
    super('ERR_CAIRN_SYNC', message);
  }
}

/** A region cannot be shared with other threads, so it has no handle; or a handle lacks what it needs. */
export class RegionHandleError extends CairnError {
  constructor(message: string) {
    super('ERR_CAIRN_HANDLE', message);
  }
}

/** No backend is registered under that name. */
export class BackendNotFoundError extends CairnError {
  constructor(name: unknown) {
    super('ERR_CAIRN_BACKEND', `backend ${show(name)} is not registered`);
  }
}

/** A creator asked for the very key that it is creating, and no stale value stood there. */
export class ReentrantCreationError extends CairnError {
  constructor(key: string) {
    super('ERR_CAIRN_REENTRANT', `key ${show(key)}: its creator asked for it`);
  }
}

/** `waitTimeout` passed while others created the key, and no stale value stood. The caller's creator did not run for it. */
export class WaitTimeoutError extends CairnError {
  readonly waitTimeoutMs: number;
  constructor(key: string, waitTimeoutMs: number) {
    super('ERR_CAIRN_WAIT_TIMEOUT', `key ${show(key)}: others are creating it for ${waitTimeoutMs} ms`);
    this.waitTimeoutMs = waitTimeoutMs;
  }
}

/** A creator of several keys returned something else than one value for each; nothing was stored. */
export class CreatorResultError extends CairnError {
  constructor(expected: number, result: unknown) {
    const got = Array.isArray(result) ? `an array of ${result.length}` : show(result);
    super('ERR_CAIRN_CREATOR_RESULT', `the creator was asked for an array of ${expected} values, got ${got}`);
  }
}

/** For deserializers to throw: what is stored cannot be read (any more), so it counts as missing. */
export class CantDeserializeError extends CairnError {
  constructor(message = 'the stored value cannot be deserialized', options?: ErrorOptions) {
    super('ERR_CAIRN_DESERIALIZE', message, options);
  }
}

/** A mutex was released that its holder never acquired. */
export class MutexError extends CairnError {
  constructor(message: string) {
    super('ERR_CAIRN_MUTEX', message);
  }
}
