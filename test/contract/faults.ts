/** Faults that are planted in a backend, and the tests that have to find them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendClass } from '../../src/backend/types.ts';
import { type BackendSuiteOptions, backendSuite } from '../../src/testing/index.ts';
import { collect, failedExactly, ownOnly } from './collect.ts';

export interface Fault<S = undefined> {
  readonly backend: BackendClass;
  /** Titles of the tests that fail, and all of them. */
  readonly fails: readonly string[];
  readonly options?: Partial<BackendSuiteOptions<S>>;
  /** Tests of regions fail, too, many or as it happens: those are not named. */
  readonly wide?: true;
}

/** Registers a test for each fault. `least`: how many tests the suite has to have. */
export function plant<S = undefined>(
  faults: Record<string, Fault<S>>,
  traits: Partial<BackendSuiteOptions<S>>,
  least: number,
): void {
  for (const [what, { backend, options, fails, wide }] of Object.entries(faults)) {
    test(`fault: ${what}`, async () => {
      const collected = await collect((common) =>
        backendSuite<S>({ ...(common as object), backend, ...traits, ...options } as BackendSuiteOptions<S>),
      );
      assert.ok(collected.titles.length >= least, `${collected.titles.length} tests`);
      failedExactly(wide ? ownOnly(collected) : collected, fails);
    });
  }
}
