/** Backends of the contract tests: asynchronous ones, with tokens or without, and proxies that do nothing. */
import { CacheBackend } from '../../src/backend/cache-backend.ts';
import { CachedValue, NO_VALUE, type NoValue } from '../../src/backend/cached-value.ts';
import { ProxyBackend } from '../../src/backend/proxy-backend.ts';
import type { BegunCreation, SetOptions } from '../../src/backend/types.ts';
import { LocalMutex } from '../../src/mutex/local-mutex.ts';
import { random, SEED } from '../support/engine.ts';

export class OneProxy extends ProxyBackend<any> {}
export class OtherProxy extends ProxyBackend<any> {}

/** Names of the ways in which a backend is wrapped, with the suite's option for each. */
export const WRAPS = {
  bare: [],
  'one proxy': [OneProxy],
  'two proxies': [OneProxy, OtherProxy],
} as const;

const next = random(SEED);

/** 0 to 3 turns of the event loop later. */
export async function delay(): Promise<void> {
  for (let left = Math.floor(next() * 4); left > 0; left--)
    await new Promise((resolve) => setImmediate(resolve));
}

/** A `Map` that answers late; takes effect at some moment in between. */
export class DelayBackend<V = unknown> extends CacheBackend<V> {
  readonly #map = new Map<string, CachedValue<V>>();

  async get(key: string): Promise<CachedValue<V> | NoValue> {
    await delay();
    const found = this.#map.get(key) ?? NO_VALUE;
    await delay();
    return found;
  }
  async set(key: string, value: CachedValue<V>): Promise<void> {
    await delay();
    this.#map.set(key, value);
    await delay();
  }
  async delete(key: string): Promise<boolean> {
    await delay();
    const stood = this.#map.delete(key);
    await delay();
    return stood;
  }
}

/** What several instances share: values, versions and marks by region and key. */
export class TokenStore {
  readonly values = new Map<string, CachedValue<any>>();
  readonly versions = new Map<string, number>();
  readonly marks = new Set<string>();
  drawn = 0;
}

/** A store with creation tokens: a key's version, or that of the mark of its creation. */
export class TokenBackend<V = unknown> extends CacheBackend<V> {
  protected readonly store: TokenStore;
  readonly #region: string;

  constructor({ store = new TokenStore() }: { store?: TokenStore } = {}, { region }: { region: string }) {
    super();
    this.store = store;
    this.#region = JSON.stringify(region);
  }

  protected at(key: string): string {
    return this.#region + key;
  }
  override get(key: string): CachedValue<V> | NoValue {
    return this.store.values.get(this.at(key)) ?? NO_VALUE;
  }
  override set(key: string, value: CachedValue<V>, options?: SetOptions): boolean {
    if (options !== undefined && !this.tokenStands(key, options.token)) return false;
    this.store.marks.delete(this.at(key));
    this.store.versions.set(this.at(key), ++this.store.drawn);
    this.store.values.set(this.at(key), value);
    return true;
  }
  override delete(key: string): boolean {
    this.store.marks.delete(this.at(key));
    this.store.versions.delete(this.at(key));
    return this.store.values.delete(this.at(key));
  }
  override beginCreation(key: string): BegunCreation<V> {
    if (!this.store.versions.has(this.at(key))) {
      this.store.versions.set(this.at(key), ++this.store.drawn);
      this.store.marks.add(this.at(key));
    }
    return { value: this.get(key), token: this.store.versions.get(this.at(key)) };
  }
  override endCreation(key: string, token: unknown): void {
    if (this.store.marks.has(this.at(key)) && this.tokenStands(key, token)) this.delete(key);
  }
  override tokenStands(key: string, token: unknown): boolean {
    return this.store.versions.get(this.at(key)) === token;
  }
  override clear(): void {
    for (const key of [...this.store.versions.keys()])
      if (key.startsWith(this.#region)) this.delete(key.slice(this.#region.length));
  }
}

/** The store, with a mutex for each key. */
export class LockedStore extends TokenStore {
  readonly mutexes = new Map<string, LocalMutex>();
}

/** {@link TokenBackend} with a mutex for each key. */
export class LockedTokenBackend extends TokenBackend<any> {
  declare protected readonly store: LockedStore;
  override getMutex(key: string): LocalMutex {
    const mutex = this.store.mutexes.get(this.at(key)) ?? new LocalMutex();
    this.store.mutexes.set(this.at(key), mutex);
    return mutex;
  }
  /** A store that nothing can refuse. */
  protected put(key: string, value: CachedValue<any>): boolean {
    return super.set(key, value);
  }
}

/** {@link TokenBackend} with answers that come late. */
export class LateTokenBackend<V = unknown> extends CacheBackend<V> {
  readonly #inner: TokenBackend<V>;

  constructor(args: { store?: TokenStore }, context: { region: string }) {
    super();
    this.#inner = new TokenBackend(args, context);
  }
  async #late<T>(act: () => T): Promise<T> {
    await delay();
    const answer = act();
    await delay();
    return answer;
  }
  get(key: string) {
    return this.#late(() => this.#inner.get(key));
  }
  set(key: string, value: CachedValue<V>, options?: SetOptions) {
    return this.#late(() => this.#inner.set(key, value, options));
  }
  delete(key: string) {
    return this.#late(() => this.#inner.delete(key));
  }
  override beginCreation(key: string) {
    return this.#late(() => this.#inner.beginCreation(key));
  }
  override endCreation(key: string, token: unknown) {
    return this.#late(() => this.#inner.endCreation(key, token));
  }
  override clear() {
    return this.#late(() => this.#inner.clear());
  }
}

/** A store of text, as one over a network is: JSON of payload and metadata, keys of plain characters only. */
export class TextBackend extends CacheBackend<any> {
  readonly #texts = new Map<string, string>();

  override keyMangler(key: string): string {
    return `k${JSON.stringify(key).replace(/[^a-z]/g, (char) => `-${char.charCodeAt(0)}-`)}`;
  }
  #checked(key: string): string {
    if (!/^k[-a-z0-9]*$/.test(key)) throw new TypeError(`not a key of this store: ${key}`);
    return key;
  }
  async get(key: string): Promise<CachedValue<any> | NoValue> {
    const text = this.#texts.get(this.#checked(key));
    if (text === undefined) return NO_VALUE;
    const { payload, metadata } = JSON.parse(text);
    return new CachedValue(payload, metadata);
  }
  async set(key: string, { payload, metadata }: CachedValue<any>): Promise<void> {
    this.#texts.set(this.#checked(key), JSON.stringify({ payload, metadata }));
  }
  async delete(key: string): Promise<boolean> {
    return this.#texts.delete(this.#checked(key));
  }
}
