/** Each fault of a mutex is found by the tests that are about it, and by no other; a correct one has no failure. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheMutex } from '../../src/mutex/types.ts';
import { type MutexSuiteOptions, mutexSuite } from '../../src/testing/index.ts';
import { type Collected, collect, failedExactly } from './collect.ts';
import { Correct, type State } from './correct-mutex.ts';

interface Fault {
  readonly mutex: new (state: State) => CacheMutex;
  readonly fails: readonly string[];
}

/** What fails where somebody gets in while another holds it. */
const EXCLUSION = [
  'a waiter gets it after the release, and not before',
  'acquire(false) of a held mutex answers while it is held, and leaves nothing behind',
  'all waiters get it, one after the other',
  'it is free, held, free and held again',
  'locked() tells, and never takes it',
  'mutexes of two keys are held at once',
  'never two holders: many users, who wait or try',
  'region: getOrCreateMulti takes the mutexes of its keys, and frees them',
  'region: many callers of several regions: never two creators of one key at once',
  'region: one creator at a time over several regions, none twice',
  'region: while one regenerates, the others get the stale value',
  'release by who does not hold it throws',
  'signal: a waiter that leaves answers false and is out of the queue',
  'signal: one that has fired already ends the wait at once',
  'signal: what fires after the mutex was got takes nothing away',
  'signal: when the only waiter leaves, a release frees the mutex',
];

/** What fails where a try that is refused does more than answer so. */
const QUEUE = [
  'a waiter gets it after the release, and not before',
  'acquire(false) of a held mutex answers while it is held, and leaves nothing behind',
  'it is free, held, free and held again',
  'mutexes of two keys are held at once',
  'never two holders: many users, who wait or try',
  'region: getOrCreateMulti takes the mutexes of its keys, and frees them',
  'region: many callers of several regions: never two creators of one key at once',
  'region: while one regenerates, the others get the stale value',
  'release by who does not hold it throws',
  'signal: a waiter that leaves answers false and is out of the queue',
  'signal: what fires after the mutex was got takes nothing away',
  'signal: when the only waiter leaves, a release frees the mutex',
];

const FAULTS: Record<string, Fault> = {
  none: { mutex: Correct, fails: [] },

  'it lets everybody in': {
    mutex: class extends Correct {
      override acquire() {
        this.state.holder = this;
        return true;
      }
      override release() {
        this.state.holder = null;
      }
    },
    fails: EXCLUSION,
  },
  'it lets two in': {
    mutex: class extends Correct {
      override acquire(wait = true, signal?: AbortSignal) {
        const { state } = this;
        const guest = state.holder !== null && GUESTS.get(state) === undefined;
        if (!guest) return super.acquire(wait, signal);
        GUESTS.set(state, this);
        return true;
      }
      override release() {
        if (GUESTS.get(this.state) !== this) return super.release();
        GUESTS.delete(this.state);
      }
    },
    fails: EXCLUSION,
  },
  'it looks, waits a little and takes': {
    mutex: class extends Correct {
      override async acquire(wait = true, signal?: AbortSignal) {
        if (this.state.holder !== null) return super.acquire(wait, signal);
        await undefined;
        this.state.holder = this;
        return true;
      }
      override release() {
        this.handOn();
      }
    },
    fails: [
      'never two holders: many users, who wait or try',
      'region: many callers of several regions: never two creators of one key at once',
      'region: one creator at a time over several regions, none twice',
      'release by who does not hold it throws',
    ],
  },
  'acquire(false) waits': {
    mutex: class extends Correct {
      override acquire(_wait = true, signal?: AbortSignal) {
        return super.acquire(true, signal);
      }
    },
    fails: [
      'a waiter gets it after the release, and not before',
      'acquire(false) of a held mutex answers while it is held, and leaves nothing behind',
      'it is free, held, free and held again',
      'mutexes of two keys are held at once',
      'region: getOrCreateMulti takes the mutexes of its keys, and frees them',
      'region: while one regenerates, the others get the stale value',
      'release by who does not hold it throws',
      'signal: a waiter that leaves answers false and is out of the queue',
      'signal: what fires after the mutex was got takes nothing away',
      'signal: when the only waiter leaves, a release frees the mutex',
    ],
  },
  'a try that failed stays in the queue': {
    mutex: class extends Correct {
      override acquire(wait = true, signal?: AbortSignal) {
        if (!wait && this.state.holder !== null) void this.wait();
        return super.acquire(wait, signal);
      }
    },
    fails: QUEUE,
  },
  'acquire() does not wait': {
    mutex: class extends Correct {
      override acquire() {
        return super.acquire(false);
      }
    },
    fails: [
      'a waiter gets it after the release, and not before',
      'all waiters get it, one after the other',
      'locked() tells, and never takes it',
      'never two holders: many users, who wait or try',
      'region: many callers of several regions: never two creators of one key at once',
      'region: one creator at a time over several regions, none twice',
      'signal: a waiter that leaves answers false and is out of the queue',
      'signal: what fires after the mutex was got takes nothing away',
    ],
  },
  'waiters are forgotten': {
    mutex: class extends Correct {
      override release() {
        if (!this.isHolder) throw new Error('not held');
        this.state.holder = null;
      }
    },
    fails: [
      'a waiter gets it after the release, and not before',
      'all waiters get it, one after the other',
      'locked() tells, and never takes it',
      'never two holders: many users, who wait or try',
      'region: many callers of several regions: never two creators of one key at once',
      'region: one creator at a time over several regions, none twice',
      'signal: a waiter that leaves answers false and is out of the queue',
      'signal: what fires after the mutex was got takes nothing away',
    ],
  },
  'only one can wait': {
    mutex: class extends Correct {
      override wait(signal?: AbortSignal) {
        this.state.waiters.splice(0);
        return super.wait(signal);
      }
    },
    fails: [
      'all waiters get it, one after the other',
      'never two holders: many users, who wait or try',
      'region: many callers of several regions: never two creators of one key at once',
      'region: one creator at a time over several regions, none twice',
      'signal: a waiter that leaves answers false and is out of the queue',
    ],
  },
  'a release wakes all': {
    mutex: class extends Correct {
      override handOn() {
        this.state.holder = null;
        for (const waiter of this.state.waiters.splice(0)) {
          this.state.holder = waiter.mutex;
          waiter.take(true);
        }
      }
      override release() {
        this.handOn();
      }
    },
    fails: [
      'all waiters get it, one after the other',
      'never two holders: many users, who wait or try',
      'release by who does not hold it throws',
    ],
  },
  'a waiter is told, but does not hold it': {
    mutex: class extends Correct {
      override handOn() {
        this.state.holder = null;
        this.state.waiters.shift()?.take(true);
      }
      override release() {
        this.handOn();
      }
    },
    fails: [
      'a waiter gets it after the release, and not before',
      'locked() tells, and never takes it',
      'never two holders: many users, who wait or try',
      'release by who does not hold it throws',
      'signal: a waiter that leaves answers false and is out of the queue',
      'signal: what fires after the mutex was got takes nothing away',
    ],
  },
  'anybody may release': {
    mutex: class extends Correct {
      override release() {
        this.handOn();
      }
    },
    fails: ['release by who does not hold it throws'],
  },
  'a release that is not due does nothing': {
    mutex: class extends Correct {
      override release() {
        if (this.isHolder) this.handOn();
      }
    },
    fails: ['release by who does not hold it throws'],
  },
  'release does nothing': {
    mutex: class extends Correct {
      override release() {
        if (!this.isHolder) throw new Error('not held');
      }
    },
    fails: [
      ...EXCLUSION,
      'region: a creator of one key may create another',
      'region: a creator that fails frees the mutex',
      'region: keyIsLocked tells of creators of other regions',
    ],
  },
  'locked() takes it': {
    mutex: class extends Correct {
      override locked() {
        const held = super.locked();
        if (!held) this.state.holder = this;
        return held;
      }
    },
    fails: ['locked() tells, and never takes it', 'region: keyIsLocked tells of creators of other regions'],
  },
  'locked() is always false': {
    mutex: class extends Correct {
      override locked() {
        return false;
      }
    },
    fails: ['locked() tells, and never takes it', 'region: keyIsLocked tells of creators of other regions'],
  },
  'locked() answers by a promise': {
    mutex: class extends Correct {
      override locked(): any {
        return Promise.resolve(super.locked());
      }
    },
    fails: ['locked() tells, and never takes it'],
  },
  'there is no locked()': {
    mutex: class extends Correct {
      override locked = undefined as never;
    },
    fails: [
      'it has the members of a CacheMutex',
      'locked() tells, and never takes it',
      'region: keyIsLocked tells of creators of other regions',
    ],
  },
  'signals are not looked at': {
    mutex: class extends Correct {
      override acquire(wait = true) {
        return super.acquire(wait);
      }
    },
    fails: [
      'signal: a waiter that leaves answers false and is out of the queue',
      'signal: one that has fired already ends the wait at once',
      'signal: when the only waiter leaves, a release frees the mutex',
    ],
  },
  'who left stays in the queue': {
    mutex: class extends Correct {
      override wait(signal?: AbortSignal) {
        const left = new Promise<boolean>((resolve) =>
          signal?.addEventListener('abort', () => resolve(false), { once: true }),
        );
        return Promise.race([left, super.wait()]);
      }
    },
    fails: [
      'signal: a waiter that leaves answers false and is out of the queue',
      'signal: when the only waiter leaves, a release frees the mutex',
    ],
  },
  'a signal that fired before is not seen': {
    mutex: class extends Correct {
      override acquire(wait = true, signal?: AbortSignal) {
        return super.acquire(wait, signal?.aborted ? undefined : signal);
      }
    },
    fails: ['signal: one that has fired already ends the wait at once'],
  },
  'a signal that fires late takes the mutex away': {
    mutex: class extends Correct {
      override wait(signal?: AbortSignal) {
        signal?.addEventListener('abort', () => this.isHolder && this.handOn(), { once: true });
        return super.wait(signal);
      }
    },
    fails: ['signal: what fires after the mutex was got takes nothing away'],
  },
  'acquire throws on a held mutex': {
    mutex: class extends Correct {
      override acquire(wait = true, signal?: AbortSignal) {
        const got = super.acquire(wait, signal);
        if (got === false && !signal) throw new Error('held');
        return got;
      }
    },
    fails: QUEUE,
  },
};

const GUESTS = new WeakMap<State, object>();

type Options = MutexSuiteOptions<Map<string, State>>;

/** Runs the suite on what `make` makes of a key's state. Many faults are hangs: so all tests run at once. */
function run(make: (state: State) => CacheMutex, stateOf = (key: string) => key): Promise<Collected> {
  const own: Omit<Options, 'test' | 'assert'> = {
    setup: () => new Map<string, State>(),
    create(key, states) {
      const name = stateOf(key);
      const state = states.get(name) ?? { holder: null, waiters: [] };
      states.set(name, state);
      return make(state);
    },
    signal: true,
  };
  return collect((common) => mutexSuite({ ...(common as Options), ...own, timeout: 2000 }), { atOnce: true });
}

for (const [what, { mutex: Mutex, fails }] of Object.entries(FAULTS)) {
  test(`fault: ${what}`, async () => {
    const collected = await run((state) => new Mutex(state));
    assert.is(collected.titles.length, 20);
    failedExactly(collected, fails);
  });
}

test('fault: one mutex for all keys', async () => {
  const collected = await run(
    (state) => new Correct(state),
    () => '',
  );
  failedExactly(collected, [
    'mutexes of two keys are held at once',
    'region: a creator of one key may create another',
    'region: getOrCreateMulti takes the mutexes of its keys, and frees them',
    'region: many callers of several regions: never two creators of one key at once',
  ]);
});

test.run();
