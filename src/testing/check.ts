/** Checks of the suites: whatever is compared, the runner's `assert` is asked one thing, whether a value is truthy. */
import { inspect, isDeepStrictEqual } from 'node:util';

/**
 * The runner's assertions: an object with `ok(value, message)`, such as `uvu/assert`, `node:assert` or chai's
 * `assert`, or a function of the same arguments. One that does not throw will do: the suite then ends the test.
 */
export type Assertions =
  | { ok(value: unknown, message?: string): unknown }
  | ((value: unknown, message?: string) => unknown);

/** Any value, in a message. */
export function shown(value: unknown): string {
  return inspect(value, { depth: 5, maxArrayLength: 20, maxStringLength: 120, breakLength: 100 });
}

export class Check {
  readonly #ok: (value: unknown, message: string) => unknown;

  constructor(assert: Assertions) {
    this.#ok = 'ok' in assert ? (value, message) => assert.ok(value, message) : assert;
  }

  ok(value: unknown, message: string): void {
    this.#ok(value, message);
    if (!value) throw new Error(message);
  }

  fail(message: string): never {
    this.ok(false, message);
    throw new Error(message);
  }

  /** Whether both are one value: the same object, or the same primitive, `NaN` and `-0` told apart. */
  is(actual: unknown, expected: unknown, what: string): void {
    this.ok(Object.is(actual, expected), `${what}: expected ${shown(expected)} itself, got ${shown(actual)}`);
  }

  /** Whether both are alike at every depth, prototypes included. */
  equal(actual: unknown, expected: unknown, what: string): void {
    this.ok(
      isDeepStrictEqual(actual, expected),
      `${what}: expected ${shown(expected)}, got ${shown(actual)}`,
    );
  }

  /** What `act` throws or rejects with. */
  async thrown(act: () => unknown, what: string): Promise<unknown> {
    let answer: unknown;
    try {
      answer = await act();
    } catch (error) {
      return error;
    }
    return this.fail(`${what}: expected an error, got ${shown(answer)}`);
  }
}
