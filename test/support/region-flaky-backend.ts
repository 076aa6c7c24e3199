/** Backends whose every operation may answer late or fail, with its effect or without, for tests of regions. */
import { CacheBackend } from '../../src/backend/cache-backend.ts';
import { type CachedValue, NO_VALUE, type NoValue } from '../../src/backend/cached-value.ts';
import type {
  Awaitable,
  BegunCreation,
  CreationToken,
  SetMultiOptions,
  SetOptions,
} from '../../src/backend/types.ts';
import { type CacheMutex, registerBackend } from '../../src/index.ts';
import { turn } from './region-threads.ts';

export class FlakyError extends Error {
  readonly operation: string;
  /** Whether the operation was begun by a call that does not wait for it. */
  readonly unwanted: boolean;
  constructor(operation: string, unwanted: boolean) {
    super(`${operation} failed`);
    this.operation = operation;
    this.unwanted = unwanted;
  }
}

/** How one operation goes. */
export interface Fate {
  /** Turns of the event loop before and after its effect; `null`: it answers at once. */
  readonly turns: readonly [before: number, after: number] | null;
  readonly fails: 'no' | 'without effect' | 'with effect';
}

/** Says how each operation of a backend goes, and keeps the errors that it made. */
export class Faults {
  readonly thrown: FlakyError[] = [];
  #next: (operation: string) => Fate;
  /** Operations so far. */
  count = 0;
  /** Set while a `Sync` form is called. */
  unwanted = false;

  constructor(next: (operation: string) => Fate) {
    this.#next = next;
  }

  use(next: (operation: string) => Fate): void {
    this.#next = next;
  }

  #draw(operation: string): Fate {
    this.count++;
    const fate = this.#next(operation);
    // A mutex that was taken and says that it failed would be held for ever.
    if (operation === 'acquire' && fate.fails === 'with effect') return { ...fate, fails: 'without effect' };
    return fate;
  }

  #error(operation: string, unwanted: boolean): FlakyError {
    const error = new FlakyError(operation, unwanted);
    this.thrown.push(error);
    return error;
  }

  answer<T>(operation: string, make: () => T): Awaitable<T> {
    const { turns, fails } = this.#draw(operation);
    if (turns !== null) return this.#later(operation, make, turns, fails);
    const answer = fails === 'without effect' ? undefined : make();
    if (fails !== 'no') throw this.#error(operation, this.unwanted);
    return answer as T;
  }

  async #later<T>(
    operation: string,
    make: () => T,
    [before, after]: readonly [number, number],
    fails: Fate['fails'],
  ): Promise<T> {
    const { unwanted } = this;
    for (let n = 0; n < before; n++) await turn();
    const answer = fails === 'without effect' ? undefined : make();
    for (let n = 0; n < after; n++) await turn();
    if (fails !== 'no') throw this.#error(operation, unwanted);
    return answer as T;
  }

  /** For what must answer at once. */
  atOnce(operation: string): void {
    if (this.#draw(operation).fails !== 'no') throw this.#error(operation, this.unwanted);
  }
}

/** A `Map`. Its Multi forms are single operations. */
export class FlakyBackend extends CacheBackend<string> {
  readonly map = new Map<string, CachedValue<string>>();
  readonly faults: Faults;
  constructor({ faults }: { faults: Faults }) {
    super();
    this.faults = faults;
  }
  #get(key: string): CachedValue<string> | NoValue {
    return this.map.get(key) ?? NO_VALUE;
  }
  override get(key: string): Awaitable<CachedValue<string> | NoValue> {
    return this.faults.answer('get', () => this.#get(key));
  }
  override set(key: string, value: CachedValue<string>, _options?: SetOptions): Awaitable<boolean> {
    return this.faults.answer('set', () => this.map.set(key, value) === this.map);
  }
  override delete(key: string): Awaitable<boolean> {
    return this.faults.answer('delete', () => this.map.delete(key));
  }
  override getMulti(keys: readonly string[]): Awaitable<(CachedValue<string> | NoValue)[]> {
    return this.faults.answer('getMulti', () => keys.map((key) => this.#get(key)));
  }
  override setMulti(
    entries: Iterable<readonly [string, CachedValue<string>]>,
    _options?: SetMultiOptions,
  ): Awaitable<boolean> {
    return this.faults.answer('setMulti', () => {
      for (const [key, value] of entries) this.map.set(key, value);
      return true;
    });
  }
  override deleteMulti(keys: Iterable<string>): Awaitable<number> {
    return this.faults.answer('deleteMulti', () => [...keys].filter((key) => this.map.delete(key)).length);
  }
  override clear(): Awaitable<void> {
    return this.faults.answer('clear', () => this.map.clear());
  }
}

/** With tokens, which are versions, and the Multi forms that come with the base class. */
export class FlakyTokenBackend extends CacheBackend<string> {
  readonly map = new Map<string, CachedValue<string>>();
  readonly faults: Faults;
  /** Keys that were marked, by version; and those whose mark nobody could take away. */
  readonly marks = new Map<string, number>();
  readonly lost = new Set<number>();
  readonly #versions = new Map<string, number>();
  #drawn = 0;

  constructor({ faults }: { faults: Faults }) {
    super();
    this.faults = faults;
  }
  #get(key: string): CachedValue<string> | NoValue {
    return this.map.get(key) ?? NO_VALUE;
  }
  override get(key: string): Awaitable<CachedValue<string> | NoValue> {
    return this.faults.answer('get', () => this.#get(key));
  }
  override set(key: string, value: CachedValue<string>, options?: SetOptions): Awaitable<boolean> {
    return this.faults.answer('set', () => {
      if (options !== undefined && options.token !== this.#versions.get(key)) return false;
      this.marks.delete(key);
      this.#versions.set(key, ++this.#drawn);
      this.map.set(key, value);
      return true;
    });
  }
  override delete(key: string): Awaitable<boolean> {
    return this.faults.answer('delete', () => {
      this.marks.delete(key);
      this.#versions.delete(key);
      return this.map.delete(key);
    });
  }
  override beginCreation(key: string): Awaitable<BegunCreation<string>> {
    let token = 0;
    const begun = (): BegunCreation<string> => {
      if (!this.#versions.has(key)) {
        this.#versions.set(key, ++this.#drawn);
        this.marks.set(key, this.#drawn);
      }
      token = this.#versions.get(key)!;
      return { value: this.#get(key), token };
    };
    return this.#orLost('beginCreation', begun, () => token);
  }
  override endCreation(key: string, token: CreationToken): Awaitable<void> {
    const end = () => {
      if (this.marks.get(key) !== token) return;
      this.marks.delete(key);
      this.#versions.delete(key);
    };
    return this.#orLost('endCreation', end, () => token as number);
  }
  override tokenStands(key: string, token: CreationToken): Awaitable<boolean> {
    return this.faults.answer('tokenStands', () => this.#versions.get(key) === token);
  }
  override clear(): Awaitable<void> {
    return this.faults.answer('clear', () => {
      this.map.clear();
      this.marks.clear();
      this.#versions.clear();
    });
  }

  /** Where it fails the mark may stay: who was to take it away was not told of it, or failed to. */
  #orLost<T>(operation: string, make: () => T, token: () => number): Awaitable<T> {
    const lose = (error: unknown) => {
      this.lost.add(token());
      throw error;
    };
    try {
      const answer = this.faults.answer(operation, make);
      return answer instanceof Promise ? answer.catch(lose) : answer;
    } catch (error) {
      return lose(error);
    }
  }
}

/** A mutex that answers late, or fails, or says that it cannot be got. What it says to have given, it has given. */
export class FlakyMutex implements CacheMutex {
  readonly #faults: Faults;
  readonly #hearsSignals: boolean;
  readonly #refuses: () => boolean;
  #held = false;
  readonly #waiters: (() => void)[] = [];

  constructor(faults: Faults, hearsSignals: boolean, refuses: () => boolean) {
    this.#faults = faults;
    this.#hearsSignals = hearsSignals;
    this.#refuses = refuses;
  }

  acquire(wait = true, signal?: AbortSignal): boolean | PromiseLike<boolean> {
    return this.#faults.answer<any>('acquire', () => {
      if (this.#refuses()) return false;
      if (this.#held) return wait && this.#wait(signal);
      this.#held = true;
      return true;
    });
  }

  #wait(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const take = () => resolve(true);
      this.#waiters.push(take);
      if (!this.#hearsSignals) return;
      const leave = () => {
        const at = this.#waiters.indexOf(take);
        if (at < 0) return;
        this.#waiters.splice(at, 1);
        resolve(false);
      };
      if (signal?.aborted) leave();
      else signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Lets go also where it fails. */
  release(): void {
    if (!this.#held) throw new Error('a mutex was released that nobody holds');
    const next = this.#waiters.shift();
    if (next === undefined) this.#held = false;
    else next();
    this.#faults.atOnce('release');
  }

  locked(): boolean {
    return this.#held;
  }
}

/** A few mutexes for all keys. */
export class FlakyMutexBackend extends FlakyBackend {
  static readonly MUTEXES = 4;
  readonly mutexes: readonly FlakyMutex[];

  constructor(args: { faults: Faults; refuses: () => boolean }) {
    super(args);
    this.mutexes = Array.from(
      { length: FlakyMutexBackend.MUTEXES },
      (_, n) => new FlakyMutex(args.faults, n % 2 === 0, args.refuses),
    );
  }
  override getMutex(key: string): FlakyMutex {
    this.faults.atOnce('getMutex');
    return this.mutexes[key.charCodeAt(key.length - 1) % this.mutexes.length]!;
  }
}

registerBackend('test.flaky', () => FlakyBackend);
registerBackend('test.flaky.tokens', () => FlakyTokenBackend);
registerBackend('test.flaky.mutexes', () => FlakyMutexBackend);
