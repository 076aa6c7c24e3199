/** Runs a suite without a runner, and says which of its tests failed. */
import * as assert from 'uvu/assert';
import type { SuiteOptions } from '../../src/testing/index.ts';

export interface Collected {
  /** Titles of all tests, without the suite's name. */
  readonly titles: readonly string[];
  /** What each that failed said. */
  readonly failures: ReadonlyMap<string, string>;
}

const NAME = 'planted';

// Hangs are among what is planted. A test takes a few milliseconds, so this is only a limit.
const TIMEOUT_MS = 3000;

/** `register` calls a suite with these options and its own. With `atOnce` all tests run at the same time. */
export async function collect(
  register: (options: Pick<SuiteOptions, 'test' | 'assert' | 'name' | 'timeout'>) => void,
  { atOnce = false } = {},
): Promise<Collected> {
  const tests = new Map<string, () => Promise<void>>();
  register({
    test(name, run) {
      assert.ok(name.startsWith(`${NAME}: `), `name of the test ${name}`);
      const title = name.slice(NAME.length + 2);
      assert.not(tests.has(title), `two tests are called ${title}`);
      tests.set(title, run);
    },
    assert: {
      ok(value, message) {
        if (!value) throw new Error(message);
      },
    },
    name: NAME,
    timeout: TIMEOUT_MS,
  });
  const failures = new Map<string, string>();
  const attempt = ([title, run]: [string, () => Promise<void>]) =>
    run().catch((error) => {
      failures.set(title, String(error));
    });
  if (atOnce) await Promise.all([...tests].map(attempt));
  else for (const entry of tests) await attempt(entry);
  return { titles: [...tests.keys()], failures };
}

/** Without the tests of regions. */
export function ownOnly({ titles, failures }: Collected): Collected {
  const own = (title: string) => !title.startsWith('region: ');
  return {
    titles: titles.filter(own),
    failures: new Map([...failures].filter(([title]) => own(title))),
  };
}

/** Both forms of an operation are one here: most faults are in both. */
function withoutForm(title: string): string {
  return title.replace(/ \(Sync\)$/, '');
}

/** Fails unless exactly the tests with these titles failed, each in both forms where it has two. */
export function failedExactly({ titles, failures }: Collected, expected: readonly string[]): void {
  const failed = [...new Set([...failures.keys()].map(withoutForm))].sort();
  if (process.env.SHOW_FAULTS)
    console.log(`FAILED ${JSON.stringify(failed)}\n${[...failures].map((f) => f.join(' => ')).join('\n')}`);
  assert.equal(failed, [...expected].sort());
  const both = titles.filter((title) => expected.includes(withoutForm(title)));
  assert.equal([...failures.keys()].sort(), both.sort());
}
