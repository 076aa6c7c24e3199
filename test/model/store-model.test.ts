// Every interleaving of small programs over one shard, with deaths: correct cases hold, and each planted bug is found.
// MODEL=all adds the longest cases, readers with two tries, whole commits, and searches as steps of their own.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explore, trace } from './search.ts';
import { BUGS } from './store-bugs.ts';
import { CASES } from './store-cases.ts';
import { type StoreRun, storeModel } from './store-model.ts';

const all = process.env.MODEL === 'all';
const more: StoreRun[] = [{ cut: false }, { cut: true, tries: 2 }, { cut: true, apart: true }];
let states = 0;

for (const of of CASES.filter((each) => all || !each.long)) {
  test(of.name, () => {
    for (const run of all && !of.long ? [{ cut: true }, ...more] : [{ cut: true }]) {
      const outcome = explore(storeModel(of, run));
      states += outcome.states;
      assert.is(outcome.failure && `${JSON.stringify(run)}: ${trace(outcome)}`, null);
      assert.ok(outcome.ends > 0);
    }
  });
}

for (const planted of BUGS) {
  test(`finds ${planted.bug}: ${planted.in}`, () => {
    const of = CASES.find(({ name }) => name === planted.in);
    if (!of) throw new Error(`there is no case "${planted.in}"`);
    const outcome = explore(storeModel(of, { cut: true, bug: planted.bug }));
    assert.match(outcome.failure ?? 'not found', planted.shows);
    assert.ok(outcome.steps.length > 0);
  });
}

test('the steps of a failure are given', () => {
  const outcome = explore(storeModel(CASES[0], { cut: true, bug: 'in-place' }));
  assert.match(trace(outcome), /^torn value 3\/3\/1 of key 0, after\n {2}1\. thread \d: /);
  assert.match(trace(outcome), /thread 2: get\(0\) get: check epoch$/);
});

test.after(() => console.log(`# ${states} states of the store, no failure`));
test.run();
