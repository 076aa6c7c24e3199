/** What the published Keyv suites ask of their runner: vitest's `expect`, and tests and hooks that uvu runs. */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

/** A test's own `expect`. `expect.assertions(n)` is of vitest's runner, so it is counted here. */
function newExpect() {
  let asked: number | undefined;
  let made = 0;
  const expect = (value: unknown) => {
    made++;
    return chai.expect(value);
  };
  expect.assertions = (count: number) => {
    asked = count;
  };
  return {
    expect,
    checkCount() {
      if (asked !== undefined) assert.is(made, asked, 'as many assertions as the test announced');
    },
  };
}

export interface SuiteHost {
  it(name: string, run: (context: any) => unknown): void;
  beforeEach(hook: () => Promise<void>): void;
  afterEach(hook: () => Promise<void>): void;
}

/** Runs one part of a suite as a uvu suite of its own, each of its tests as one uvu test. How many there are. */
export function runPart(name: string, define: (host: SuiteHost) => void): number {
  const part = suite(name);
  let tests = 0;
  define({
    it(title, run) {
      tests++;
      part(title, async () => {
        const { expect, checkCount } = newExpect();
        await run({ expect });
        checkCount();
      });
    },
    beforeEach: (hook) => part.before.each(hook),
    afterEach: (hook) => part.after.each(hook),
  });
  part.run();
  return tests;
}
