/** cairn-cache/testing: conformance suites for backends, mutexes and serializers, under any test runner. */
// The names of the package's own backends are known to the suites.
import '../index.ts';

export { BACKEND_DEFAULTS, type BackendSuiteOptions, type SuiteContext } from './backend-options.ts';
export { backendSuite } from './backend-suite.ts';
export type { Assertions } from './check.ts';
export { MUTEX_DEFAULTS, type MutexSuiteOptions } from './mutex-scope.ts';
export { mutexSuite } from './mutex-suite.ts';
export { SERIALIZER_DEFAULTS, type SerializerSuiteOptions, serializerSuite } from './serializer-suite.ts';
export type { RegisterTest, SuiteOptions } from './suite.ts';
export { JSON_VALUES, VALUES } from './tools.ts';
