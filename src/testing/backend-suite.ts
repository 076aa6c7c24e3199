/** The suite of backends: which tests a backend gets, by what it says of itself. */
import { forgetfulTests } from './backend-forgetful.ts';
import { keyTests } from './backend-keys.ts';
import { lifeTests } from './backend-life.ts';
import { multiTests } from './backend-multi.ts';
import { type BackendSuiteOptions, checkBackendOptions } from './backend-options.ts';
import { BackendSuite } from './backend-scope.ts';
import { sharedTests } from './backend-shared.ts';
import { singleTests } from './backend-single.ts';
import { tokenTests } from './backend-tokens.ts';
import { regionBasics } from './region-basics.ts';
import { regionConcurrent } from './region-concurrent.ts';
import { regionCreation } from './region-creation.ts';
import { regionFreshness } from './region-freshness.ts';

/**
 * Registers the tests that a `CacheBackend` has to pass: by itself, and under a region in the promise forms and, with
 * `sync`, in the `Sync` ones. Every test makes its own instances and closes them. Nothing sleeps: time is an injected
 * clock.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: an option is unknown, wrong or missing.
 * Source: dogpile.cache `_GenericBackendTestSuite`.
 */
export function backendSuite<S = undefined>(options: BackendSuiteOptions<S>): void {
  checkBackendOptions(options);
  const suite = new BackendSuite<S>(options);
  const { traits } = suite;
  lifeTests(suite);
  if (!traits.retains) {
    forgetfulTests(suite);
    return;
  }
  singleTests(suite);
  multiTests(suite);
  keyTests(suite);
  if (traits.tokens) tokenTests(suite);
  if (traits.shared) sharedTests(suite);
  regionBasics(suite);
  regionFreshness(suite);
  regionCreation(suite);
  regionConcurrent(suite);
}
