/** The suites need no runner of their own: here they run under `node:test`, everywhere else under uvu. */
import { readdirSync } from 'node:fs';
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

// Runners that load modules by `import()` would take a module with an export `then` for a promise.
test('each module of the suites can be imported late', async () => {
  const folder = new URL('../../src/testing/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
  assert.ok(files.length > 20, `${files.length} files`);
  for (const file of files) assert.is(typeof (await import(new URL(file, folder).href)), 'object', file);
});

test.run();
