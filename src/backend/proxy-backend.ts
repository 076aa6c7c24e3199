/**
 * A backend around a backend.
 *
 * Everything is passed on unless a subclass overrides it. There is one value path: an overridden `get`, `set` or
 * `delete` is called for every value that goes through the proxy, so the Multi forms are then made of the single
 * one (unless they are overridden too), and `beginCreation` takes its token from within and its value from `get`.
 * Optional methods stand on the proxy only if what it wraps has them; a subclass that overrides one calls
 * `this.proxied` for the original, not `super`.
 */
import { OptionError } from '../errors.ts';
import type { CacheMutex } from '../mutex/types.ts';
import { isThenable } from '../region/steps.ts';
import { CacheBackend } from './cache-backend.ts';
import type { CachedValue, NoValue } from './cached-value.ts';
import type { Awaitable, BegunCreation, SetMultiOptions, SetOptions } from './types.ts';

/**
 * Base of proxies, for the option `wrap` of `configure`. An override of `set` that passes `options` on keeps late
 * values out over all threads; one that drops them, only those of its own thread.
 * Source: dogpile.cache `ProxyBackend`.
 */
export class ProxyBackend<V = unknown> extends CacheBackend<V> {
  #proxied: CacheBackend<V> | null = null;

  /** The backend within. Throws {@link OptionError} (`ERR_CAIRN_OPTION`) before `wrap`. */
  get proxied(): CacheBackend<V> {
    if (this.#proxied === null) throw new OptionError('wrap', this, 'this proxy wraps no backend');
    return this.#proxied;
  }

  /** Puts this proxy around `backend`, for good: a proxy instance belongs to one region. Returns the proxy. */
  wrap(backend: CacheBackend<V>): this {
    if (this.#proxied !== null)
      throw new OptionError('wrap', this, 'this proxy wraps another backend already');
    this.#proxied = backend;
    if (backend.keyMangler !== undefined) this.keyMangler ??= (key) => this.proxied.keyMangler!(key);
    if (backend.beginCreation !== undefined) this.beginCreation ??= (key) => this.#begin(key);
    if (backend.tokenStands !== undefined) {
      this.tokenStands ??= (key, token) => this.proxied.tokenStands!(key, token);
    }
    if (backend.endCreation !== undefined) {
      this.endCreation ??= (key, token) => this.proxied.endCreation!(key, token);
    }
    if (backend.clear !== undefined) this.clear ??= () => this.proxied.clear!();
    if (backend.close !== undefined) this.close ??= () => this.proxied.close!();
    return this;
  }

  override get(key: string): Awaitable<CachedValue<V> | NoValue> {
    return this.proxied.get(key);
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: as in CacheBackend.
  override set(key: string, value: CachedValue<V>, options?: SetOptions): Awaitable<boolean | void> {
    return options === undefined ? this.proxied.set(key, value) : this.proxied.set(key, value, options);
  }

  override delete(key: string): Awaitable<boolean> {
    return this.proxied.delete(key);
  }

  override getMulti(keys: readonly string[]): Awaitable<(CachedValue<V> | NoValue)[]> {
    return this.#overrides('get') ? super.getMulti(keys) : this.proxied.getMulti(keys);
  }

  override setMulti(
    entries: Iterable<readonly [string, CachedValue<V>]>,
    options?: SetMultiOptions,
    // biome-ignore lint/suspicious/noConfusingVoidType: as in CacheBackend.
  ): Awaitable<boolean | void> {
    if (this.#overrides('set')) return super.setMulti(entries, options);
    return options === undefined ? this.proxied.setMulti(entries) : this.proxied.setMulti(entries, options);
  }

  override deleteMulti(keys: Iterable<string>): Awaitable<number> {
    return this.#overrides('delete') ? super.deleteMulti(keys) : this.proxied.deleteMulti(keys);
  }

  override getMutex(key: string): CacheMutex | null {
    return this.proxied.getMutex(key);
  }

  #overrides(method: 'get' | 'set' | 'delete'): boolean {
    return this[method] !== ProxyBackend.prototype[method];
  }

  #begin(key: string): Awaitable<BegunCreation<V>> {
    const begun = this.proxied.beginCreation!(key);
    if (!this.#overrides('get')) return begun;
    return isThenable(begun)
      ? begun.then((inner) => this.#withOwnValue(key, inner))
      : this.#withOwnValue(key, begun as BegunCreation<V>);
  }

  /** What the proxy's own `get` says, with the inner token, which is given back if `get` fails. */
  #withOwnValue(key: string, { token }: BegunCreation<V>): Awaitable<BegunCreation<V>> {
    const giveBack = (error: unknown): never => {
      const ended: unknown = this.proxied.endCreation?.(key, token);
      if (isThenable(ended)) ended.then(undefined, () => {});
      throw error;
    };
    let value: Awaitable<CachedValue<V> | NoValue>;
    try {
      value = this.get(key);
    } catch (error) {
      return giveBack(error);
    }
    if (isThenable(value)) return value.then((own) => ({ value: own as CachedValue<V>, token }), giveBack);
    return { value: value as CachedValue<V> | NoValue, token };
  }
}
