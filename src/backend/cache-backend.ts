/** The interface between a region and a store, with the Multi forms made of the single ones. */
import type { CacheMutex } from '../mutex/types.ts';
import { isThenable } from '../region/steps.ts';
import type { CachedValue, NoValue } from './cached-value.ts';
import type {
  Awaitable,
  BackendContext,
  BegunCreation,
  CreationToken,
  SetMultiOptions,
  SetOptions,
} from './types.ts';

/**
 * A store as a region sees it. Subclasses give `get`, `set` and `delete`; all other methods have defaults or are
 * optional. A region builds it as `new Backend(args, { region, clock })`.
 *
 * Every method may answer at once or by a promise; a region's `Sync` forms work only with answers at once. Keys are
 * mangled and do not hold the region's name: a store that several regions share keeps them apart by itself. Objects
 * that merely have these members are as good as subclasses.
 * Source: dogpile.cache `CacheBackend`.
 */
export abstract class CacheBackend<V = unknown> {
  /** Builds the backend from the members of `config` whose names begin with `prefix`, which is stripped. */
  static fromConfig<B>(
    this: new (
      args: Record<string, unknown>,
      context: BackendContext,
    ) => B,
    config: Readonly<Record<string, unknown>>,
    prefix: string,
    context: BackendContext = { region: '' },
  ): B {
    const args: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(config)) {
      if (name.startsWith(prefix)) args[name.slice(prefix.length)] = value;
    }
    return new this(args, context);
  }

  /** What stands under `key`, with its whole metadata, or `NO_VALUE`. */
  abstract get(key: string): Awaitable<CachedValue<V> | NoValue>;

  /** Stores `value` with its whole metadata. Answers `false` when it was not stored: `options.token` no longer stands, or it is too large. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most backends have nothing to answer.
  abstract set(key: string, value: CachedValue<V>, options?: SetOptions): Awaitable<boolean | void>;

  /** Removes `key`; answers whether something stood there. An unknown key is no error. */
  abstract delete(key: string): Awaitable<boolean>;

  /** Answers in the order of `keys`. */
  getMulti(keys: readonly string[]): Awaitable<(CachedValue<V> | NoValue)[]> {
    return all(keys, (key) => this.get(key));
  }

  /** Stores every entry; answers `false` if a token kept one of them out. Does not change `entries`. */
  setMulti(
    entries: Iterable<readonly [string, CachedValue<V>]>,
    options?: SetMultiOptions,
    // biome-ignore lint/suspicious/noConfusingVoidType: most backends have nothing to answer.
  ): Awaitable<boolean | void> {
    const tokens = options?.tokens;
    const answers = all(entries, ([key, value]) =>
      tokens?.has(key) ? this.set(key, value, { token: tokens.get(key) }) : this.set(key, value),
    );
    return after(answers, (stored) => stored.every((answer) => answer !== false));
  }

  /** Removes every key; answers how many stood. */
  deleteMulti(keys: Iterable<string>): Awaitable<number> {
    return after(
      all(keys, (key) => this.delete(key)),
      (deleted) => deleted.filter(Boolean).length,
    );
  }

  /**
   * The mutex under which `key` is created, not yet acquired, or `null`: then the region locks by itself, one lock
   * per key. Each call may return another object; what is acquired is released by the same one.
   */
  getMutex(_key: string): CacheMutex | null {
    return null;
  }

  /** What this backend wants done with keys; a region's own mangler takes its place. */
  keyMangler?(key: string): string;

  /** Reads `key` and marks it as being created, in one step. Comes with `endCreation` and `set`'s token. */
  beginCreation?(key: string): Awaitable<BegunCreation<V>>;

  /** Takes away the mark that `beginCreation` left, if it still stands: nothing was stored with its token. */
  endCreation?(key: string, token: CreationToken): Awaitable<void>;

  /**
   * Whether what the token stands for is still there: else nobody joins the run that has it, since the key was changed
   * after it began. Without this method only changes of the same thread are noticed.
   */
  tokenStands?(key: string, token: CreationToken): Awaitable<boolean>;

  /** Removes all that this region stored. */
  clear?(): Awaitable<void>;

  /** Ends this thread's use of the backend, and of what the backend itself opened. */
  close?(): void;
}

/** The answers for all `items` as an array, at once when each was given at once. */
function all<I, T>(items: Iterable<I>, ask: (item: I) => Awaitable<T>): Awaitable<T[]> {
  const answers: Awaitable<T>[] = [];
  try {
    for (const item of items) answers.push(ask(item));
  } catch (error) {
    // Nobody will wait for the others.
    for (const answer of answers) if (isThenable(answer)) answer.then(undefined, () => {});
    throw error;
  }
  return answers.some(isThenable) ? Promise.all(answers) : (answers as T[]);
}

function after<T, R>(answer: Awaitable<T>, then: (value: T) => R): Awaitable<R> {
  return isThenable(answer) ? answer.then(then as (value: unknown) => R) : then(answer as T);
}
