/** The suite of mutexes: one holder at a time, nobody left waiting, nobody woken for nothing. */
import { OptionError } from '../errors.ts';
import type { Check } from './check.ts';
import { mutexRegionTests } from './mutex-region.ts';
import {
  MUTEX_DEFAULTS,
  MUTEX_FLAGS,
  MutexScope,
  type MutexSuite,
  type MutexSuiteOptions,
} from './mutex-scope.ts';
import { mutexSharedTests, mutexSignalTests, mutexTests } from './mutex-tests.ts';
import { COMMON_OPTIONS, checkOptions, checkTypes, Suite } from './suite.ts';

/**
 * Registers the tests that a `CacheMutex` has to pass, by itself and as what a region locks with. It takes users of one
 * thread; where `create` gives objects that live in other threads or processes, it tests those.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: an option is unknown, wrong or missing.
 * Source: dogpile.cache `_GenericMutexTestSuite`.
 */
export function mutexSuite<S = undefined>(options: MutexSuiteOptions<S>): void {
  checkOptions(options, [...COMMON_OPTIONS, 'create', 'releaseUnheld', ...MUTEX_FLAGS], 'mutexSuite');
  if (typeof options.create !== 'function')
    throw new OptionError('create', options.create, 'must be a function');
  checkTypes(options, 'boolean', [...MUTEX_FLAGS]);
  const { releaseUnheld = MUTEX_DEFAULTS.releaseUnheld, locked = MUTEX_DEFAULTS.locked } = options;
  if (releaseUnheld !== 'throws' && releaseUnheld !== 'ignored')
    throw new OptionError('releaseUnheld', releaseUnheld, "must be 'throws' or 'ignored'");
  const make = (store: S, check: Check) => new MutexScope<S>(store, check, options);
  const suite: MutexSuite<S> = new Suite(options, options.name ?? 'mutex', make);
  mutexTests(suite, { locked, releaseUnheld });
  if (options.signal) mutexSignalTests(suite);
  if (options.shared) mutexSharedTests(suite);
  mutexRegionTests(suite, locked);
}
