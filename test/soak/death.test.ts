/** Threads die in great number, and the others go on. */
import { test } from 'uvu';
import { runDeaths } from '../support/stress-deaths.ts';
import { runHolders } from '../support/stress-holders.ts';

test('terminated while it writes, out of stack, out of heap, thrown: others go on, nothing torn, nothing leaks', async () => {
  await runDeaths([
    ['large', 200],
    ['small', 200],
    ['throws', 20],
    ['stack', 20],
    ['heap', 20],
  ]);
});

test('ended while it holds a mutex that three others wait for', async () => {
  await runHolders(50, 20);
});

test.run();
