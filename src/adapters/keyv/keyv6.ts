/** `KeyvCairn`: the adapter for Keyv 6. */
import { OptionError } from '../../errors.ts';
import { checkNames } from '../../store/options.ts';
import type { SharedCache } from '../../store/shared-cache.ts';
import { CairnAdapter } from './adapter.ts';

/** Options of {@link KeyvCairn}. */
export interface KeyvCairnOptions {
  /** Namespace until Keyv sets its own. Default: none. */
  namespace?: string | undefined;
}

/** One entry of `setMany`. `expires` is epoch milliseconds. */
export interface KeyvCairnEntry {
  key: string;
  value: unknown;
  expires?: number;
}

type MethodName = 'get' | 'getMany' | 'set' | 'setMany' | 'has' | 'hasMany' | 'delete' | 'deleteMany';
type MethodCapability = { exists: boolean; methodType: 'sync' | 'async' | 'none' };

/** What Keyv 6 wants to know of an adapter: this one takes an absolute `expires` and keeps to it. */
export interface KeyvCairnCapabilities {
  compatible: boolean;
  store: 'keyvStorage';
  expires: boolean;
  methods: Record<MethodName | 'clear' | 'disconnect' | 'iterator', MethodCapability>;
}

const ASYNC: MethodCapability = { exists: true, methodType: 'async' };
/** What Keyv 6's own look at the adapter says (`keyvStorageCapability`), and a test holds it to that. */
const CAPABILITIES: KeyvCairnCapabilities = {
  compatible: true,
  store: 'keyvStorage',
  expires: true,
  methods: {
    get: ASYNC,
    getMany: ASYNC,
    set: ASYNC,
    setMany: ASYNC,
    has: ASYNC,
    hasMany: ASYNC,
    delete: ASYNC,
    deleteMany: ASYNC,
    clear: ASYNC,
    disconnect: ASYNC,
    iterator: { exists: true, methodType: 'sync' },
  },
};

/**
 * A {@link SharedCache} as a Keyv 6 store: `new Keyv({ store: new KeyvCairn(cache), namespace: 'users' })`.
 *
 * All adapters with one namespace on one cache, in whatever thread, see the same entries; adapters of different namespaces,
 * or without one, never see each other's. One adapter serves one Keyv, since Keyv sets `namespace` on it.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: `cache` is no SharedCache, or an option is wrong or unknown.
 */
export class KeyvCairn extends CairnAdapter {
  readonly capabilities: KeyvCairnCapabilities = CAPABILITIES;
  #namespace: string | undefined;
  #prefix = prefixOf(undefined);

  constructor(cache: SharedCache<any>, options?: KeyvCairnOptions) {
    super(cache);
    checkNames('options', options, ['namespace']);
    const namespace = options?.namespace;
    if (namespace !== undefined && typeof namespace !== 'string') {
      throw new OptionError('namespace', namespace, 'expected a string');
    }
    this.namespace = namespace;
  }

  /** Keyv's namespace; `undefined` and `''` are none. */
  get namespace(): string | undefined {
    return this.#namespace;
  }

  set namespace(namespace: string | undefined) {
    this.#namespace = namespace;
    this.#prefix = prefixOf(namespace);
  }

  /**
   * Stores a value until `expires` (epoch milliseconds of `Date.now()`); without it for as long as the cache's own `ttl`
   * says. `false`: too large for the cache. One that has expired is accepted, and nothing stands then.
   */
  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    return this.entries.write(this.nameOf(key), value, msUntil(expires));
  }

  /** Stores each entry by itself: whether it was stored, in their order. An error ends it; what was stored stands. */
  async setMany(entries: KeyvCairnEntry[]): Promise<boolean[]> {
    return entries.map(({ key, value, expires }) =>
      this.entries.write(this.nameOf(key), value, msUntil(expires)),
    );
  }

  /** Whether something stands under each key. */
  async hasMany(keys: string[]): Promise<boolean[]> {
    return keys.map((key) => this.entries.has(this.nameOf(key)));
  }

  /** Removes each key: whether something stood there. */
  async deleteMany(keys: string[]): Promise<boolean[]> {
    return keys.map((key) => this.entries.delete(this.nameOf(key)));
  }

  /** Removes the namespace's entries, which looks at every key of the cache; without a namespace the whole cache, at once. */
  async clear(): Promise<void> {
    await this.entries.clear(this.#namespace ? this.#prefix : undefined);
  }

  /** Keys of the namespace as Keyv gave them, with what stands under them. Looks at every key of the cache. */
  async *iterator(): AsyncGenerator<[string, any], void> {
    const prefix = this.#prefix;
    for await (const [name, value] of this.entries.walk(prefix)) yield [name.slice(prefix.length), value];
  }

  /** @internal */
  protected override nameOf(key: string): string {
    return this.#prefix + key;
  }

  static {
    // Keyv 5 asks every store with an iterator for `opts`. It would hand over a `ttl` here, which read as an absolute time
    // lies in 1970: nothing would be stored, without a word. So it is refused where it is given the adapter.
    Object.defineProperty(this.prototype, 'opts', {
      get() {
        throw new OptionError('store', this, 'Keyv 5 (and what is built on it) takes a Keyv5Cairn');
      },
    });
  }
}

/**
 * What stands before the keys of a namespace. Its length says where the namespace ends, so no two pairs of namespace and key
 * give one name: `a:b` with `c` is `keyv6:3:a:b:c`, `a` with `b:c` is `keyv6:1:a:b:c`, and none with `c` is `keyv6::c`.
 */
function prefixOf(namespace: string | undefined): string {
  return namespace ? `keyv6:${namespace.length}:${namespace}:` : 'keyv6::';
}

/** Milliseconds left; `undefined` where no time is given. */
function msUntil(expires: number | undefined): number | undefined {
  return typeof expires === 'number' && !Number.isNaN(expires) ? expires - Date.now() : undefined;
}
