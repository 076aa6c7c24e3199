/** One test of a suite: what it is given, how long it may take, and what happens after it. */
import { OptionError } from '../errors.ts';
import { type Assertions, Check } from './check.ts';
import { turns } from './tools.ts';

/** Registers a test with the runner, under a name that is unique in its suite. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown;

/** Options of all suites. `S` is what `setup` gives: a connection, a folder, an engine. */
export interface SuiteOptions<S = undefined> {
  /** The runner's own: `test` of uvu or `node:test`, `it` of vitest or mocha. */
  readonly test: RegisterTest;
  readonly assert: Assertions;
  /** Goes before the name of each test. */
  readonly name?: string | undefined;
  /** Called before each test. What it answers goes to the factory and to `dispose`. */
  readonly setup?: (() => S | PromiseLike<S>) | undefined;
  /** Called after each test, also after one that failed, when all that it made was closed. What it throws fails the test. */
  readonly dispose?: ((store: S) => unknown) | undefined;
  /** Milliseconds after which a test has hung, and fails. Default 10,000. */
  readonly timeout?: number | undefined;
}

export const COMMON_OPTIONS = ['test', 'assert', 'name', 'setup', 'dispose', 'timeout'] as const;

export const DEFAULT_TIMEOUT_MS = 10_000;

/** Throws {@link OptionError} for what is unknown, and for what a suite cannot do without. */
export function checkOptions(options: SuiteOptions<any>, known: readonly string[], suite: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new OptionError(name, options[name as never], `unknown option of ${suite}`);
  }
  const { test, assert, timeout } = options;
  if (typeof test !== 'function') throw new OptionError('test', test, `${suite} needs the runner's test`);
  const ok: unknown = (assert as { ok?: unknown } | undefined)?.ok ?? assert;
  if (typeof ok !== 'function') throw new OptionError('assert', assert, `${suite} needs ok(value, message)`);
  if (timeout !== undefined && !(timeout > 0))
    throw new OptionError('timeout', timeout, 'must be milliseconds, above 0');
}

/** Throws {@link OptionError} unless each is absent or of that type. */
export function checkTypes(options: object, type: 'function' | 'boolean' | 'object', names: string[]): void {
  for (const name of names) {
    const value: unknown = options[name as never];
    if (value === undefined || (typeof value === type && value !== null)) continue;
    throw new OptionError(name, value, `must be ${type === 'object' ? 'an' : 'a'} ${type}`);
  }
}

/** What a test works with. Suites add what is theirs. */
export class Scope<S> {
  readonly store: S;
  readonly check: Check;
  readonly #endings: (() => unknown)[] = [];
  #over = false;

  constructor(store: S, check: Check) {
    this.store = store;
    this.check = check;
  }

  /** `ending` is called after the test; the last one that was asked for goes first. */
  atEnd(ending: () => unknown): void {
    this.#endings.push(ending);
  }

  /** A turn of the event loop, for loops: one that still goes round when its test has failed ends here. */
  async turn(): Promise<void> {
    await turns();
    if (this.#over) throw new Error('the test is over');
  }

  /** Waits until `runs` says that a creator runs; fails when `call` ends without. */
  async creatorRuns(runs: () => boolean, call: Promise<unknown>): Promise<void> {
    let ended = false;
    const end = () => {
      ended = true;
    };
    call.then(end, end);
    while (!runs() && !ended) await this.turn();
    this.check.ok(runs(), 'the creator must run before its call ends');
  }

  /** @internal */
  async end(): Promise<void> {
    this.#over = true;
    for (const ending of this.#endings.toReversed()) await ending();
  }
}

/** Registers tests whose bodies get a scope of their own. */
export class Suite<S, C extends Scope<S>> {
  readonly #options: SuiteOptions<S>;
  readonly #prefix: string;
  readonly #makeScope: (store: S, check: Check) => C;

  constructor(options: SuiteOptions<S>, prefix: string, makeScope: (store: S, check: Check) => C) {
    this.#options = options;
    this.#prefix = prefix;
    this.#makeScope = makeScope;
  }

  test(title: string, body: (scope: C) => Promise<void>): void {
    this.#options.test(`${this.#prefix}: ${title}`, () => this.#run(body));
  }

  async #run(body: (scope: C) => Promise<void>): Promise<void> {
    const { setup, dispose, assert, timeout = DEFAULT_TIMEOUT_MS } = this.#options;
    const store = (setup && (await within(timeout, setup, 'setup'))) as S;
    const scope = this.#makeScope(store, new Check(assert));
    let failure: { error: unknown } | undefined;
    const attempt = async (act: () => unknown, what: string) => {
      try {
        await within(timeout, act, what);
      } catch (error) {
        // The first failure tells most; what follows is often its consequence.
        failure ??= { error };
      }
    };
    await attempt(() => body(scope), 'the test');
    await attempt(() => scope.end(), 'closing what the test made');
    if (dispose !== undefined) await attempt(() => dispose(store), 'dispose');
    if (failure !== undefined) throw failure.error;
  }
}

/** The result of `act`; rejects when it takes longer. */
function within(limitMs: number, act: () => unknown, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const hung = () => reject(new Error(`${what} did not end within ${limitMs} ms`));
    const timer = setTimeout(hung, limitMs);
    // The timer also keeps the process alive while nothing else does, so that a hang is seen.
    Promise.resolve()
      .then(act)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
