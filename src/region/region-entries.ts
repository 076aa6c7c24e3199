/** The entries of a region, one by one and several at once: what reads and changes them, and creates nothing. */
import type { CachedValue } from '../backend/cached-value.ts';
import { storeFor } from './creation/runner.ts';
import {
  dated,
  deleteKey,
  deleteKeys,
  readEntry,
  readPayloads,
  writeValue,
  writeValues,
} from './operations.ts';
import { writeToken } from './options.ts';
import { RegionLife } from './region-life.ts';
import { atOnce, driveAsync, driveSync, isThenable } from './steps.ts';
import type { ReadOptions, WriteOptions } from './types.ts';

/** Whose answer a `Sync` form wanted at once, for its message. */
export const BACKEND = 'the backend';

export abstract class RegionEntries<V> extends RegionLife<V> {
  /**
   * The value of `key` if it is fresh, else `undefined`; {@link has} tells a stored `undefined` from a miss. Never
   * waits for a creation.
   */
  get(key: string, options?: ReadOptions): Promise<V | undefined> {
    const { core } = this;
    if (core === null) return this.whenReady().then(() => this.get(key, options));
    try {
      const entry = readEntry(core, key, options, true);
      return isThenable(entry)
        ? Promise.resolve(entry as PromiseLike<CachedValue<V> | null>).then(payloadOf<V>)
        : Promise.resolve(payloadOf(entry as CachedValue<V> | null));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getSync(key: string, options?: ReadOptions): V | undefined {
    return payloadOf(atOnce(readEntry(this.ready(), key, options, true), BACKEND));
  }

  /** The values of `keys` in their order, `undefined` where {@link get} would say so. One read of the backend. */
  async getMulti(keys: Iterable<string>, options?: ReadOptions): Promise<(V | undefined)[]> {
    if (this.core === null) await this.whenReady();
    return readPayloads(this.ready(), keys, options);
  }

  getMultiSync(keys: Iterable<string>, options?: ReadOptions): (V | undefined)[] {
    return atOnce(readPayloads(this.ready(), keys, options), BACKEND);
  }

  /**
   * The value with its time of creation (`cachedTime`, epoch milliseconds), its `age` by the region's clock, and its
   * `metadata`; `undefined` where {@link get} would not give it.
   */
  async getValueMetadata(key: string, options?: ReadOptions): Promise<CachedValue<V> | undefined> {
    if (this.core === null) await this.whenReady();
    const core = this.ready();
    return dated(core, await readEntry(core, key, options, true));
  }

  getValueMetadataSync(key: string, options?: ReadOptions): CachedValue<V> | undefined {
    const core = this.ready();
    return dated(core, atOnce(readEntry(core, key, options, true), BACKEND));
  }

  /** Whether `key` has a fresh value. */
  has(key: string, options?: ReadOptions): Promise<boolean> {
    const { core } = this;
    if (core === null) return this.whenReady().then(() => this.has(key, options));
    try {
      const entry = readEntry(core, key, options, false);
      return isThenable(entry)
        ? Promise.resolve(entry as PromiseLike<CachedValue<V> | null>).then(isFound)
        : Promise.resolve(isFound(entry as CachedValue<V> | null));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  hasSync(key: string, options?: ReadOptions): boolean {
    return isFound(atOnce(readEntry(this.ready(), key, options, false), BACKEND));
  }

  /**
   * Stores `value`, fresh from now. It wins over creations of `key` that are running. Resolves to `false` when it was
   * not stored: it is too large for the backend, or `token` (of an {@link AsyncCreationRunner}) does not stand any more.
   */
  async set(key: string, value: V, options?: WriteOptions): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    const core = this.ready();
    const token = writeToken(options);
    if (token === undefined) return writeValue(core, key, value);
    return driveAsync(storeFor(core, core.mangle(key), value, token));
  }

  setSync(key: string, value: V, options?: WriteOptions): boolean {
    const core = this.ready();
    const token = writeToken(options);
    if (token === undefined) return atOnce(writeValue(core, key, value), BACKEND);
    return driveSync(storeFor(core, core.mangle(key), value, token));
  }

  /** Stores several values with one time of creation. Resolves to `false` when one or more were not stored. */
  async setMulti(entries: Iterable<readonly [key: string, value: V]>): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    return writeValues(this.ready(), entries);
  }

  setMultiSync(entries: Iterable<readonly [key: string, value: V]>): boolean {
    return atOnce(writeValues(this.ready(), entries), BACKEND);
  }

  /** Removes `key`; answers whether something stood there. It wins over creations of `key` that are running. */
  async delete(key: string): Promise<boolean> {
    if (this.core === null) await this.whenReady();
    return deleteKey(this.ready(), key);
  }

  deleteSync(key: string): boolean {
    return atOnce(deleteKey(this.ready(), key), BACKEND);
  }

  /** Removes several keys; answers how many stood. */
  async deleteMulti(keys: Iterable<string>): Promise<number> {
    if (this.core === null) await this.whenReady();
    return deleteKeys(this.ready(), keys);
  }

  deleteMultiSync(keys: Iterable<string>): number {
    return atOnce(deleteKeys(this.ready(), keys), BACKEND);
  }
}

function payloadOf<V>(entry: CachedValue<V> | null): V | undefined {
  return entry === null ? undefined : entry.payload;
}

function isFound(entry: CachedValue<unknown> | null): boolean {
  return entry !== null;
}
