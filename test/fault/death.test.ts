/** The short form of test/soak/death.test.ts: threads die, and the others go on. */
import { test } from 'uvu';
import { runDeaths } from '../support/stress-deaths.ts';
import { runHolders } from '../support/stress-holders.ts';

test('terminated while it writes, out of stack, out of heap, thrown: others go on, nothing torn, nothing leaks', async () => {
  await runDeaths([
    ['large', 20],
    ['small', 10],
    ['throws', 3],
    ['stack', 2],
    ['heap', 2],
  ]);
});

test('ended while it holds a mutex that three others wait for', async () => {
  await runHolders(10, 3);
});

test.run();
