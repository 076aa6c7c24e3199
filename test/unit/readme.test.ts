/** The README's examples run, and print what they say. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runChild } from '../support/child.ts';

const ROOT = new URL('../../../', import.meta.url);

test('the quick starts of cache, regions, decorators and Keyv run', async () => {
  const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
  const starts = readme.match(/^\/\/ [\w-]+\.mjs/gm)!;
  assert.equal(starts, ['// main.mjs', '// worker.mjs', '// region.mjs', '// decorators.mjs', '// keyv.mjs']);
  const { code, out, err } = await runChild(new URL('scripts/check-docs.mjs', ROOT).href, ['README.md']);
  assert.is(code, 0, `${out}${err}`);
  const [, passed] = /(\d+) passed, 0 failed/.exec(out)!;
  assert.ok(Number(passed) >= starts.length, out);
});

test.run();
