/**
 * Random operations on a region whose backend fails at random: what callers get must be a value of their key which is no
 * older than the last change that had ended before, or an error that was meant for them.
 */
import type { AsyncCreationRunner, CacheRegion, CreateOptions, CreatorContext } from '../../src/index.ts';
import { type Faults, FlakyError } from './region-flaky-backend.ts';
import { pick, turn } from './region-threads.ts';

const KEYS = 12;
const AGES = [undefined, undefined, 0, 5, null];
const TIMEOUTS = [undefined, undefined, undefined, 0, 1, 3];
const PACKAGE_ERRORS = ['CreatorResultError', 'ReentrantCreationError'];

export class CreatorError extends Error {}
class RunnerError extends Error {}

/** What this call may throw besides what everybody may get. */
interface Terms {
  signal?: AbortSignal | undefined;
  waits?: boolean;
  sync?: boolean;
}

type Ended = readonly [all: number, own: number];

export class FlakyCalls {
  readonly wrong: string[] = [];
  /** Errors that somebody got. */
  readonly seen = new Set<unknown>();
  /** Calls that have not ended, by number. */
  readonly going = new Map<number, string>();
  /** Calls for several keys that were left by their callers. */
  leftMany = 0;
  time = 1_000_000;
  readonly #region: CacheRegion<string>;
  readonly #faults: Faults;
  readonly #rnd: () => number;
  readonly #reasons = new Set<unknown>();
  readonly #begun = { all: 0, own: new Map<string, number>() };
  readonly #ended = { all: 0, own: new Map<string, number>() };
  #calls = 0;
  #forgetful: number;

  /** `forgetful`: how many runners never give their mutex back. It takes the region 5 seconds to do so. */
  constructor(
    make: (calls: FlakyCalls) => CacheRegion<string>,
    faults: Faults,
    rnd: () => number,
    forgetful: number,
  ) {
    this.#faults = faults;
    this.#rnd = rnd;
    this.#forgetful = forgetful;
    this.#region = make(this);
  }

  #wrong(what: string): void {
    if (this.wrong.length < 20) this.wrong.push(what);
  }

  #one<T>(of: readonly T[]): T {
    return of[Math.floor(this.#rnd() * of.length)]!;
  }

  #often(share: number): boolean {
    return this.#rnd() < share;
  }

  #key(): string {
    return `key ${String.fromCharCode(97 + Math.floor(this.#rnd() * KEYS))}`;
  }

  #keys(): string[] {
    const keys = pick(this.#rnd, 1 + Math.floor(this.#rnd() * 4), KEYS).map(
      (n) => `key ${String.fromCharCode(97 + n)}`,
    );
    return this.#often(0.3) ? [...keys, keys[0]!] : keys;
  }

  #value(key: string, who: 'created' | 'set'): string {
    return `${key}|${this.#begun.all}|${this.#begun.own.get(key) ?? 0}|${who}`;
  }

  #endedOf(key: string): Ended {
    return [this.#ended.all, this.#ended.own.get(key) ?? 0];
  }

  /** `any`: however old. */
  #check(how: string, key: string, value: unknown, [endedAll, endedOwn]: Ended, any = false): void {
    const [of, all, own, who] = String(value).split('|');
    if (of !== key) this.#wrong(`${how} of ${key}: ${value}`);
    // Sets that overlap may come in any order.
    if (any || who === 'set') return;
    if (Number(all) < endedAll) this.#wrong(`${how}: ${value} is from before invalidation ${endedAll}`);
    if (Number(own) < endedOwn) this.#wrong(`${how}: ${value} is from before change ${endedOwn} of it`);
  }

  #checkError(how: string, error: any, { signal, waits, sync }: Terms): void {
    this.seen.add(error);
    const legal =
      error instanceof FlakyError ||
      error instanceof CreatorError ||
      PACKAGE_ERRORS.includes(error?.name) ||
      (signal !== undefined && error === signal.reason) ||
      (waits === true && error?.name === 'WaitTimeoutError') ||
      (sync === true && error?.name === 'SyncError');
    if (!legal) this.#wrong(`${how}: ${error?.stack ?? error}`);
  }

  /** For the region's option. */
  readonly onError = (error: any): void => {
    this.seen.add(error);
    const legal =
      error instanceof FlakyError ||
      error instanceof CreatorError ||
      error instanceof RunnerError ||
      error?.name === 'SyncError' ||
      PACKAGE_ERRORS.includes(error?.name);
    if (!legal || this.#reasons.has(error)) this.#wrong(`onError: ${error?.stack ?? error}`);
  };

  /** Begins one operation; it has ended when it is not in `going` any more. */
  begin(): void {
    const number = this.#calls++;
    const kind = this.#often(0.6) ? this.#one(CREATING) : this.#one(OTHERS);
    this.time += this.#one([0, 0, 1, 4]);
    this.going.set(number, kind);
    const terms: Terms = {};
    void (async () => {
      try {
        await this[kind](terms);
      } catch (error) {
        this.#checkError(kind, error, terms);
        if (kind === 'createMany' && this.#reasons.has(error)) this.leftMany++;
      } finally {
        this.going.delete(number);
      }
    })();
  }

  // ---- Creating

  #signal(terms: Terms): AbortSignal | undefined {
    if (this.#often(0.75)) return undefined;
    const controller = new AbortController();
    const reason = new Error('the caller left');
    this.#reasons.add(reason);
    const turns = Math.floor(this.#rnd() * 12) - 1;
    const abort = async () => {
      for (let n = 0; n < turns; n++) await turn();
      controller.abort(reason);
    };
    if (turns < 0) controller.abort(reason);
    else void abort();
    terms.signal = controller.signal;
    return controller.signal;
  }

  #options(terms: Terms): CreateOptions<string> {
    const waitTimeout = this.#one(TIMEOUTS);
    terms.waits = waitTimeout !== undefined;
    const expirationTime = this.#one(AGES);
    return {
      ...(expirationTime !== undefined && { expirationTime }),
      signal: this.#signal(terms),
      waitTimeout,
      staleOnError: this.#often(0.3),
      ...(this.#often(0.2) && { shouldCache: () => this.#often(0.5) }),
      ...(this.#often(0.2) && { softTimeout: this.#one([0, 1]) }),
      ...(this.#often(0.3) && { refresh: this.#one(['inline', 'background'] as const) }),
    };
  }

  async #make<T>(value: () => T, signal: AbortSignal): Promise<T> {
    const made = value();
    const turns = Math.floor(this.#rnd() * 5);
    for (let n = 0; n < turns; n++) await turn();
    if (this.#often(0.1)) throw new CreatorError('the creator failed');
    if (this.#often(0.2)) {
      const key = this.#key();
      const ended = this.#endedOf(key);
      const options = this.#often(0.5) ? { signal } : {};
      const creator = (context: CreatorContext) =>
        this.#make(() => this.#value(key, 'created'), context.signal);
      this.#check('nested', key, await this.#region.getOrCreate(key, creator, options), ended);
    }
    return made;
  }

  #runner(): AsyncCreationRunner<string> {
    return (region, key, creator, mutex, token) => {
      const how = this.#rnd();
      if (how < 0.1) throw new RunnerError('the runner failed');
      const run = async () => {
        if (how < 0.3) await turn();
        if (how < 0.2) throw new RunnerError('the runner failed late');
        const releasesEarly = how < 0.5;
        if (releasesEarly) mutex.release();
        await region.set(key, await creator(), { token });
        if (how < 0.8) mutex.release();
      };
      if (how < 0.9) return run();
      if (this.#forgetful-- > 0) return undefined;
      void run().then(mutex.release, (error) => {
        mutex.release();
        this.onError(error);
      });
      return undefined;
    };
  }

  async create(terms: Terms): Promise<void> {
    const key = this.#key();
    const ended = this.#endedOf(key);
    const options = this.#options(terms);
    const asyncCreationRunner = this.#often(0.2) ? this.#runner() : undefined;
    const creator = ({ signal }: CreatorContext) => this.#make(() => this.#value(key, 'created'), signal);
    const call = this.#region.getOrCreate(key, creator, { ...options, asyncCreationRunner });
    this.#check('create', key, await call, ended);
  }

  async createMany(terms: Terms): Promise<void> {
    const keys = this.#keys();
    const ended = keys.map((key) => this.#endedOf(key));
    const options = this.#options(terms);
    const creator = (wanted: readonly string[], { signal }: CreatorContext) =>
      this.#make(() => {
        const made = wanted.map((key) => this.#value(key, 'created'));
        return this.#often(0.03) ? made.slice(1) : made;
      }, signal);
    const values = await this.#region.getOrCreateMulti(keys, creator, options);
    if (values.length !== keys.length) this.#wrong(`${values.length} values for ${keys.length} keys`);
    for (const [n, key] of keys.entries()) this.#check('createMany', key, values[n], ended[n]!);
  }

  #createSync<T>(make: () => T): T {
    if (this.#often(0.1)) throw new CreatorError('the creator failed');
    if (this.#often(0.1)) return Promise.reject(new CreatorError('a promise of a Sync creator')) as T;
    return make();
  }

  /** A `Sync` form waits for nothing that the backend answers later. */
  #sync<T>(terms: Terms, call: () => T): T {
    terms.sync = true;
    this.#faults.unwanted = true;
    try {
      return call();
    } finally {
      this.#faults.unwanted = false;
    }
  }

  createSync(terms: Terms): void {
    const key = this.#key();
    const ended = this.#endedOf(key);
    const { softTimeout: _none, ...options } = this.#options(terms);
    const creator = () => this.#createSync(() => this.#value(key, 'created'));
    const value = this.#sync(terms, () => this.#region.getOrCreateSync(key, creator, options));
    this.#check('createSync', key, value, ended);
  }

  createManySync(terms: Terms): void {
    const keys = this.#keys();
    const ended = keys.map((key) => this.#endedOf(key));
    const { softTimeout: _none, ...options } = this.#options(terms);
    const creator = (wanted: readonly string[]) =>
      this.#createSync(() => wanted.map((key) => this.#value(key, 'created')));
    const values = this.#sync(terms, () => this.#region.getOrCreateMultiSync(keys, creator, options));
    for (const [n, key] of keys.entries()) this.#check('createManySync', key, values[n], ended[n]!);
  }

  // ---- Reading

  async read(): Promise<void> {
    const key = this.#key();
    const ended = this.#endedOf(key);
    const ignoreExpiration = this.#often(0.3);
    const value = this.#often(0.5)
      ? await this.#region.get(key, { ignoreExpiration })
      : (await this.#region.getValueMetadata(key, { ignoreExpiration }))?.payload;
    if (value !== undefined) this.#check('read', key, value, ended, ignoreExpiration);
  }

  async readMany(): Promise<void> {
    const keys = this.#keys();
    const ended = keys.map((key) => this.#endedOf(key));
    const values = await this.#region.getMulti(keys);
    keys.forEach((key, n) => {
      if (values[n] !== undefined) this.#check('readMany', key, values[n], ended[n]!);
    });
  }

  async look(terms: Terms): Promise<void> {
    const key = this.#key();
    const how = this.#rnd();
    if (how < 0.3) await this.#region.has(key);
    else if (how < 0.6) await this.#region.keyIsLocked(key);
    else if (how < 0.8) this.#sync(terms, () => this.#region.getSync(key));
    else this.#sync(terms, () => this.#region.deleteSync(`other ${key}`));
  }

  // ---- Changing

  async #change(keys: readonly string[] | 'all', change: () => Promise<unknown>): Promise<void> {
    const count = (of: { all: number; own: Map<string, number> }) => {
      if (keys === 'all') of.all++;
      else for (const key of new Set(keys)) of.own.set(key, (of.own.get(key) ?? 0) + 1);
    };
    count(this.#begun);
    await change();
    count(this.#ended);
  }

  set(): Promise<void> {
    const key = this.#key();
    return this.#change([key], () => this.#region.set(key, this.#value(key, 'set')));
  }

  setMany(): Promise<void> {
    const keys = this.#keys();
    const entries = () => keys.map((key) => [key, this.#value(key, 'set')] as const);
    return this.#change(keys, () => this.#region.setMulti(entries()));
  }

  delete(): Promise<void> {
    const key = this.#key();
    return this.#change([key], () => this.#region.delete(key));
  }

  deleteMany(): Promise<void> {
    const keys = this.#keys();
    return this.#change(keys, () => this.#region.deleteMulti(keys));
  }

  ofAll(): Promise<void> {
    const how = this.#rnd();
    if (how < 0.4) return this.#region.invalidate({ hard: false });
    return this.#change('all', () => (how < 0.7 ? this.#region.invalidate() : this.#region.clear()));
  }
}

const CREATING = [
  'create',
  'create',
  'create',
  'createMany',
  'createMany',
  'createSync',
  'createManySync',
] as const;
const OTHERS = [
  'read',
  'readMany',
  'look',
  'set',
  'set',
  'setMany',
  'delete',
  'deleteMany',
  'ofAll',
] as const;
