/** A backend whose methods take keys as an application writes them: each goes through its `keyMangler` first. */
import type { CachedValue } from '../backend/cached-value.ts';
import type { CacheBackend, CreationToken, SetMultiOptions, SetOptions } from '../backend/types.ts';

/** `backend` itself, if it wants nothing done with keys. */
export function keyed(backend: CacheBackend<any>): CacheBackend<any> {
  return backend.keyMangler === undefined ? backend : new Keyed(backend);
}

class Keyed implements CacheBackend<any> {
  readonly #backend: CacheBackend<any>;
  beginCreation?: NonNullable<CacheBackend<any>['beginCreation']>;
  endCreation?: NonNullable<CacheBackend<any>['endCreation']>;
  tokenStands?: NonNullable<CacheBackend<any>['tokenStands']>;
  clear?: NonNullable<CacheBackend<any>['clear']>;
  close?: NonNullable<CacheBackend<any>['close']>;

  constructor(backend: CacheBackend<any>) {
    this.#backend = backend;
    if (backend.beginCreation) this.beginCreation = (key) => backend.beginCreation!(this.#key(key));
    if (backend.endCreation) this.endCreation = (key, token) => backend.endCreation!(this.#key(key), token);
    if (backend.tokenStands) this.tokenStands = (key, token) => backend.tokenStands!(this.#key(key), token);
    if (backend.clear) this.clear = () => backend.clear!();
    if (backend.close) this.close = () => backend.close!();
  }
  #key(key: string): string {
    return this.#backend.keyMangler!(key);
  }
  get(key: string) {
    return this.#backend.get(this.#key(key));
  }
  set(key: string, value: CachedValue, options?: SetOptions) {
    return options === undefined
      ? this.#backend.set(this.#key(key), value)
      : this.#backend.set(this.#key(key), value, options);
  }
  delete(key: string) {
    return this.#backend.delete(this.#key(key));
  }
  getMulti(keys: readonly string[]) {
    return this.#backend.getMulti(keys.map((key) => this.#key(key)));
  }
  setMulti(entries: Iterable<readonly [string, CachedValue]>, options?: SetMultiOptions) {
    const mangled = Array.from(entries, ([key, value]) => [this.#key(key), value] as const);
    if (options?.tokens === undefined) return this.#backend.setMulti(mangled);
    const byKey = Array.from(options.tokens, ([key, token]): [string, CreationToken] => [
      this.#key(key),
      token,
    ]);
    return this.#backend.setMulti(mangled, { tokens: new Map(byKey) });
  }
  deleteMulti(keys: Iterable<string>) {
    return this.#backend.deleteMulti(Array.from(keys, (key) => this.#key(key)));
  }
  getMutex(key: string) {
    return this.#backend.getMutex(this.#key(key));
  }
}
