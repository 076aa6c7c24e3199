/** The ceiling holds, in the short form: 256 MiB, written twice over. `test/soak/bounded.test.ts` is the long one. */
import { test } from 'uvu';
import { boundedTests } from '../support/bounded.ts';

boundedTests(256 * 2 ** 20, 2, 120_000);
test.run();
