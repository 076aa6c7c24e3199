/** The suites need no runner of their own: here they run under `node:test`, everywhere else under uvu. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runChild } from '../support/child.ts';

const OTHER = new URL('./under-node-test.js', import.meta.url).href;

test('under node:test all pass, and as many as are registered', async () => {
  const { code, out, err } = await runChild(OTHER, [], 60_000, ['--test-reporter=tap']);
  assert.is(code, 0, out + err);
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(out)?.[1]);
  assert.ok(count('tests') > 100, `${count('tests')} tests`);
  assert.is(count('pass'), count('tests'));
  assert.is(count('fail'), 0);
});

test.run();
