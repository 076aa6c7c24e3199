// Every interleaving of a few callers of one mutex, with deaths and lost leases: correct cases hold, and each planted
// bug is found. MODEL=all adds the longest cases.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MutexCase, mutexModel } from './mutex-model.ts';
import { explore, trace } from './search.ts';

const FAILED = ['a sharer failed'];
const CASES: readonly (MutexCase & { long?: boolean })[] = [
  // -- The mutex.
  { name: 'three threads hold it in turn', programs: [['hold', 'hold'], ['hold'], ['hold']] },
  { name: 'four threads hold it in turn', programs: [['hold'], ['hold'], ['hold'], ['hold']], long: true },
  { name: 'one of them gives up waiting', programs: [['hold'], ['impatient'], ['hold']] },
  { name: 'one gives up, and comes again', programs: [['hold'], ['impatient', 'hold'], ['hold']] },
  { name: 'a holder and a waiter die', programs: [['hold'], ['hold'], ['hold']], mortal: [1, 2] },
  {
    name: 'everybody may die, one gives up',
    programs: [['hold'], ['impatient', 'hold'], ['hold']],
    mortal: [1, 2, 3],
    long: true,
  },
  {
    name: 'a lease runs out, and the next one takes it',
    programs: [['hold'], ['hold'], ['hold'], ['expire']],
  },
  {
    name: 'three callers of one thread',
    programs: [['hold'], ['hold'], ['hold'], ['expire']],
    oneThread: true,
  },
  { name: 'a close while the holder hangs', programs: [['hang'], ['hold'], ['hold'], ['close']] },
  // -- One load per key.
  { name: 'three ask for one missing key: one load', programs: [['goc'], ['goc'], ['goc']], loads: 1 },
  {
    name: 'three ask for one stale key: one load',
    programs: [['goc'], ['goc'], ['goc']],
    stale: true,
    loads: 1,
  },
  {
    name: 'four ask for one missing key: one load',
    programs: [['goc'], ['goc'], ['goc'], ['goc']],
    loads: 1,
    long: true,
  },
  {
    name: 'three callers of one thread ask: one load',
    programs: [['goc'], ['goc'], ['goc']],
    oneThread: true,
    loads: 1,
  },
  { name: 'a creator fails', programs: [['fail'], ['goc'], ['update']], loads: 3 },
  { name: 'the creator dies', programs: [['goc'], ['goc'], ['update']], mortal: [1] },
  { name: 'two creators die', programs: [['goc'], ['goc'], ['goc'], ['update']], mortal: [1, 2] },
  // -- No stale value stays.
  { name: 'a delete while it is created', programs: [['goc'], ['goc'], ['update']] },
  {
    name: 'a set while it is created',
    programs: [
      ['goc', 'goc'],
      ['put', 'update'],
    ],
  },
  {
    name: 'two deletes and a set while it is created',
    programs: [['goc'], ['goc'], ['update', 'put', 'update']],
  },
  {
    name: 'a stale entry is deleted while it is created anew',
    programs: [['goc'], ['fail', 'goc'], ['update']],
    stale: true,
  },
  {
    name: 'a stale entry is set while it is created anew',
    programs: [['goc'], ['goc'], ['put']],
    stale: true,
  },
  // -- Lost leases.
  { name: 'the lease runs out', programs: [['goc'], ['goc'], ['expire', 'update']] },
  {
    name: 'the lease runs out again and again: still cached',
    programs: [['goc'], ['goc'], ['expire', 'expire']],
    kept: true,
  },
  {
    name: 'the same on a stale entry',
    programs: [['goc'], ['goc'], ['expire', 'expire']],
    kept: true,
    stale: true,
  },
  {
    name: 'the same in one thread',
    programs: [['goc'], ['goc'], ['expire', 'expire']],
    kept: true,
    oneThread: true,
  },
  { name: 'the lease runs out twice, two rounds', programs: [['goc', 'goc'], ['goc'], ['expire', 'expire']] },
  {
    name: 'three creators, two lost leases, a delete',
    programs: [['goc'], ['goc'], ['goc'], ['expire', 'expire', 'update']],
    long: true,
  },
  {
    name: 'a lost lease and a death',
    programs: [['goc'], ['goc'], ['goc'], ['expire', 'update']],
    mortal: [2],
  },
  {
    name: 'a late owner fails after a delete, another creates',
    programs: [['fail'], ['goc'], ['expire', 'update']],
    accept: FAILED,
  },
  // -- Losses that are accepted, one extra load each.
  {
    name: 'accepted: a late owner fails while another shares its placeholder',
    programs: [['fail'], ['goc', 'goc'], ['expire']],
    accept: FAILED,
  },
  {
    name: 'accepted: a placeholder whose time ended is swept',
    programs: [['goc'], ['goc'], ['expire', 'sweep']],
    accept: ['swept'],
  },
];

/** Rules 23 to 29, and the order of a close: the bug, the case that shows it, and what is seen then. */
const BUGS: readonly (readonly [string, string, RegExp])[] = [
  ['late-turn-read', 'three threads hold it in turn', /stuck/],
  ['turn-then-free', 'three threads hold it in turn', /stuck/],
  ['notify-then-turn', 'three threads hold it in turn', /stuck/],
  ['notify-one', 'one of them gives up waiting', /stuck/],
  ['deadline-without-fence', 'a lease runs out, and the next one takes it', /taken away within its lease/],
  ['release-without-fence', 'three callers of one thread', /freed by another|taken away|two work/],
  ['no-second-read', 'three ask for one missing key: one load', /more loads than 1/],
  ['no-token', 'a delete while it is created', /a stale value stays/],
  ['owner-only', 'a delete while it is created', /a stale value stays/],
  ['delete-spares-marks', 'a delete while it is created', /a stale value stays/],
  ['mark-anew', 'the lease runs out', /refused for no cause: marked anew/],
  ['expired-is-absent', 'the lease runs out', /refused for no cause: marked anew/],
  [
    'ends-any',
    'a late owner fails after a delete, another creates',
    /refused for no cause: ended by a stranger/,
  ],
  ['close-without-turn', 'a close while the holder hangs', /stuck/],
  ['turn-then-closed', 'a close while the holder hangs', /stuck/],
];

const all = process.env.MODEL === 'all';
let states = 0;

for (const of of CASES.filter((each) => all || !each.long)) {
  test(of.name, () => {
    const outcome = explore(mutexModel(of));
    states += outcome.states;
    assert.is(outcome.failure && trace(outcome), null);
    assert.ok(outcome.ends > 0);
  });
}

for (const [bug, name, shows] of BUGS) {
  test(`finds ${bug}: ${name}`, () => {
    const of = CASES.find((each) => each.name === name);
    if (!of) throw new Error(`there is no case "${name}"`);
    const outcome = explore(mutexModel(of, bug));
    assert.match(outcome.failure ?? 'not found', shows);
    assert.ok(outcome.steps.length > 0);
  });
}

test.after(() => console.log(`# ${states} states of the mutex, no failure`));
test.run();
