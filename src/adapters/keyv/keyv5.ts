/** `Keyv5Cairn`: the adapter for Keyv 5 and for what is built on it (cache-manager 7, cacheable 2, Nest). */
import { checkNames } from '../../store/options.ts';
import type { SharedCache } from '../../store/shared-cache.ts';
import { CairnAdapter } from './adapter.ts';

/** Keeps Keyv 5's entries apart from the application's own and from those of {@link KeyvCairn}. */
const PREFIX = 'keyv5:';

/**
 * A {@link SharedCache} as a Keyv 5 store: `new Keyv({ store: new Keyv5Cairn(cache), namespace: 'users' })`.
 *
 * Keyv 5 puts its namespace before the keys itself, so all Keyvs with one namespace on one cache, in whatever thread, see the
 * same entries. One adapter serves one Keyv, since Keyv sets `namespace` on it, which `clear` and iteration go by.
 *
 * There is no `setMany`, `deleteMany` and `hasMany`: Keyv 5 makes them of the single forms, with the right answers, and Keyv 6
 * takes a store that has them all for one that keeps namespaces apart by itself, and leaves the keys bare.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: `cache` is no SharedCache, or an option was given.
 */
export class Keyv5Cairn extends CairnAdapter {
  /** For Keyv 5, which iterates only over stores of the dialects that it knows, and asks for `url`. */
  readonly opts: Record<string, unknown> = { url: '', dialect: 'redis' };
  /** Set by Keyv. */
  namespace: string | undefined = undefined;

  /** There is no option: Keyv 5 sets the namespace, `keyv` if it is given none. */
  constructor(cache: SharedCache<any>, options?: Record<string, never>) {
    super(cache);
    checkNames('options', options, []);
  }

  /**
   * Stores a value for `ttl` milliseconds; without it (and for 0, as in Keyv) for as long as the cache's own `ttl` says.
   * `false`: too large for the cache. A negative `ttl` is accepted, and nothing stands then.
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const given = typeof ttl === 'number' && ttl !== 0 && !Number.isNaN(ttl);
    return this.entries.write(this.nameOf(key), value, given ? ttl : undefined);
  }

  /** Removes the namespace's entries, which looks at every key of the cache; without a namespace the whole cache, at once. */
  async clear(): Promise<void> {
    await this.entries.clear(this.namespace ? this.nameOf(`${this.namespace}:`) : undefined);
  }

  /** Keys as Keyv gave them, namespace included, with what stands under them. Looks at every key of the cache. */
  async *iterator(namespace?: string): AsyncGenerator<[string, any], void> {
    const prefix = this.nameOf(namespace ? `${namespace}:` : '');
    for await (const [name, value] of this.entries.walk(prefix)) yield [name.slice(PREFIX.length), value];
  }

  /** @internal */
  protected override nameOf(key: string): string {
    return PREFIX + key;
  }
}
