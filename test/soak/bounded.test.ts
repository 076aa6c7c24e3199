/** The ceiling holds at full size: 1 GiB, written five times over. */
import { test } from 'uvu';
import { boundedTests } from '../support/bounded.ts';

boundedTests(2 ** 30, 5, 30 * 60_000);
test.run();
