/** A mutex by itself. */
import { isSharedMutex, type SharedMutex } from '../mutex/types.ts';
import { isThenable } from '../region/steps.ts';
import { shown } from './check.ts';
import { type MutexSuite, type MutexSuiteOptions, waiting } from './mutex-scope.ts';
import { randomFrom, started, turns } from './tools.ts';

// Long enough for whoever would wrongly be woken.
const A_WHILE = 20;

export function mutexTests<S>(
  suite: MutexSuite<S>,
  { locked, releaseUnheld }: Required<Pick<MutexSuiteOptions, 'locked' | 'releaseUnheld'>>,
): void {
  suite.test('it has the members of a CacheMutex', async (scope) => {
    const { check } = scope;
    const mutex = scope.create();
    for (const member of ['acquire', 'release'] as const)
      check.ok(typeof mutex[member] === 'function', `it needs ${member}()`);
    const has = typeof mutex.locked === 'function';
    check.ok(
      has === locked,
      `locked() is ${has ? 'there' : 'not there'}, but the option locked is ${locked}`,
    );
  });

  suite.test('it is free, held, free and held again', async (scope) => {
    const { check } = scope;
    const mutex = scope.create();
    check.ok(await mutex.acquire(), 'acquire() of a free mutex must be truthy');
    check.ok(!(await scope.create().acquire(false)), 'acquire(false) of a held mutex must be falsy');
    await mutex.release();
    check.ok(await mutex.acquire(true), 'acquire(true) after release must be truthy');
    check.ok(!(await scope.create().acquire(false)), 'acquire(false) of a held mutex must be falsy');
    await mutex.release();
    check.ok(await mutex.acquire(false), 'acquire(false) after release must be truthy');
    await mutex.release();
    await scope.becomesFree('another object must get it then');
  });

  suite.test(
    'acquire(false) of a held mutex answers while it is held, and leaves nothing behind',
    async (scope) => {
      const { check } = scope;
      const held = await scope.held();
      // It would hang here if it waited.
      for (let i = 0; i < 3; i++)
        check.ok(!(await scope.create().acquire(false)), 'acquire(false) of a held mutex must be falsy');
      await held.release();
      await turns(A_WHILE);
      await scope.becomesFree(
        'the mutex must be free after its release: a try that failed waits for nothing',
      );
    },
  );

  suite.test('a waiter gets it after the release, and not before', async (scope) => {
    const { check } = scope;
    const held = await scope.held();
    const waiter = scope.create();
    const wait = waiting(waiter);
    await turns(A_WHILE);
    check.ok(!wait.ended, 'acquire() must wait for the holder');
    await held.release();
    check.ok(await wait.answer, 'acquire() must be truthy after the release');
    check.ok(!(await scope.create().acquire(false)), 'the waiter must hold it then');
    await waiter.release();
    await scope.becomesFree('it must be free in the end');
  });

  suite.test('all waiters get it, one after the other', async (scope) => {
    const { check } = scope;
    const held = await scope.held();
    let inside = 0;
    let got = 0;
    const user = async () => {
      const mutex = scope.create();
      check.ok(await mutex.acquire(), 'acquire() must be truthy');
      check.is(++inside, 1, 'holders at once');
      await turns(got++ % 3);
      inside--;
      await mutex.release();
    };
    const users = Array.from({ length: 20 }, () => started(user()));
    await turns(3);
    check.is(got, 0, 'holders beside the first');
    await held.release();
    await Promise.all(users);
    check.is(got, 20, 'how many got it');
    await scope.becomesFree('it must be free in the end');
  });

  suite.test('never two holders: many users, who wait or try', async (scope) => {
    const { check } = scope;
    const random = randomFrom(11);
    let inside = 0;
    let rounds = 0;
    const user = async () => {
      for (let round = 0; round < 10; round++) {
        const mutex = scope.create();
        // The first time all of them come at once.
        if (round > 0) await turns(Math.floor(random() * 3));
        const waits = random() < 0.7;
        while (!(await mutex.acquire(waits))) {
          check.ok(!waits, 'acquire() must be truthy');
          await scope.turn();
        }
        check.is(++inside, 1, 'holders at once');
        await turns(Math.floor(random() * 3));
        check.is(inside, 1, 'holders at once');
        inside--;
        rounds++;
        await mutex.release();
      }
    };
    await Promise.all(Array.from({ length: 8 }, user));
    check.is(rounds, 80, 'rounds');
    await scope.becomesFree('it must be free in the end');
  });

  suite.test('mutexes of two keys are held at once', async (scope) => {
    const { check } = scope;
    const [one, other] = await scope.twoKeys();
    if (one === 'foo' && other === 'bar') {
      check.ok(true, 'there is one mutex for all keys');
      return;
    }
    for (let round = 0; round < 3; round++) {
      const first = await scope.held(one);
      const second = await scope.held(other);
      check.ok(
        !(await scope.create(other).acquire(false)),
        'the second is held, so acquire(false) must be falsy',
      );
      await second.release();
      check.ok(!(await scope.create(one).acquire(false)), 'the first is still held');
      await scope.becomesFree('the second must be free', other);
      await first.release();
      await scope.becomesFree('the first must be free', one);
    }
  });

  suite.test(
    `release by who does not hold it ${releaseUnheld === 'throws' ? 'throws' : 'does nothing'}`,
    async (scope) => {
      const { check } = scope;
      const release = async (what: string, mutex = scope.create()) => {
        if (releaseUnheld === 'throws') await check.thrown(() => mutex.release(), `release() ${what}`);
        else await mutex.release();
      };
      await release('of a mutex that nobody holds');
      await scope.becomesFree('it must be free after that');
      const held = await scope.held();
      const other = scope.create();
      // Where all objects of a key are one, each is the holder's.
      if (other !== held) {
        await release('by another object than the holder', other);
        check.ok(!(await scope.isFree()), 'the holder must hold it after that');
      }
      await held.release();
      await release('of the object that held it', held);
      await scope.becomesFree('it must be free in the end');
    },
  );

  if (locked) {
    suite.test('locked() tells, and never takes it', async (scope) => {
      const { check } = scope;
      const expect = (expected: boolean, when: string) => {
        for (let i = 0; i < 3; i++) check.is(scope.create().locked!(), expected, `locked() ${when}`);
      };
      expect(false, 'of a free mutex');
      const held = await scope.held();
      expect(true, 'of a held mutex');
      check.is(held.locked!(), true, 'locked() of the holder');
      const waiter = scope.create();
      const wait = waiting(waiter);
      await turns(3);
      expect(true, 'while one waits');
      await held.release();
      await wait.answer;
      expect(true, 'when the waiter has it');
      await waiter.release();
      expect(false, 'in the end');
      await scope.becomesFree('it must be free in the end');
    });
  }
}

export function mutexSignalTests<S>(suite: MutexSuite<S>): void {
  suite.test('signal: a waiter that leaves answers false and is out of the queue', async (scope) => {
    const { check } = scope;
    const held = await scope.held();
    const leaves = new AbortController();
    const first = waiting(scope.create(), leaves.signal);
    const waiter = scope.create();
    const second = waiting(waiter, new AbortController().signal);
    await turns(3);
    leaves.abort();
    check.is(await first.answer, false, 'what acquire answers when its signal fires');
    check.ok(!second.ended, 'the other waiter must wait on');
    await held.release();
    check.ok(await second.answer, 'the other waiter must get it');
    await turns(A_WHILE);
    check.ok(!(await scope.isFree()), 'and hold it');
    await waiter.release();
    await turns(A_WHILE);
    await scope.becomesFree('it must be free in the end');
  });

  suite.test('signal: when the only waiter leaves, a release frees the mutex', async (scope) => {
    const { check } = scope;
    const held = await scope.held();
    const leaves = new AbortController();
    const left = waiting(scope.create(), leaves.signal);
    await turns(3);
    leaves.abort();
    check.is(await left.answer, false, 'what acquire answers when its signal fires');
    check.ok(!(await scope.isFree()), 'the holder must hold it');
    await held.release();
    await turns(A_WHILE);
    await scope.becomesFree('it must be free after the release');
  });

  suite.test('signal: one that has fired already ends the wait at once', async (scope) => {
    const { check } = scope;
    const held = await scope.held();
    check.is(await scope.create().acquire(true, AbortSignal.abort()), false, 'acquire(true, fired signal)');
    await held.release();
    await turns(A_WHILE);
    await scope.becomesFree('it must be free after the release');
  });

  suite.test('signal: what fires after the mutex was got takes nothing away', async (scope) => {
    const { check } = scope;
    const held = await scope.held();
    const late = new AbortController();
    const waiter = scope.create();
    const wait = waiting(waiter, late.signal);
    await turns(3);
    await held.release();
    check.ok(await wait.answer, 'acquire must be truthy after the release');
    late.abort();
    await turns(A_WHILE);
    check.ok(!(await scope.isFree()), 'the waiter must hold it after its signal fired');
    await waiter.release();
    await scope.becomesFree('it must be free in the end');
  });
}

export function mutexSharedTests<S>(suite: MutexSuite<S>): void {
  suite.test('shared: the same place in the table for each object of a key', async (scope) => {
    const { check } = scope;
    const [one, again] = [scope.create(), scope.create()] as [SharedMutex, SharedMutex];
    check.ok(isSharedMutex(one), 'it needs acquireSync() and index');
    for (const member of ['engineId', 'index'] as const) {
      check.ok(typeof one[member] === 'number', `${member} must be a number, got ${shown(one[member])}`);
      check.is(again[member], one[member], `${member} of another object`);
    }
    check.ok(
      Number.isInteger(one.index) && one.index >= 0,
      `index must be 0 or more, got ${shown(one.index)}`,
    );
  });

  suite.test('shared: tryAcquire and acquireSync answer at once', async (scope) => {
    const { check } = scope;
    const [one, other] = [scope.create(), scope.create()] as [SharedMutex, SharedMutex];
    check.is(one.tryAcquire(), true, 'tryAcquire() of a free mutex');
    check.is(other.tryAcquire(), false, 'tryAcquire() of a held mutex');
    check.is(other.acquireSync(0), false, 'acquireSync(0) of a held mutex');
    check.is(other.acquireSync(20), false, 'acquireSync(20) of a held mutex');
    check.ok(!isThenable(one.release()), 'release() must not answer by a promise');
    check.is(other.acquireSync(20), true, 'acquireSync(20) of a free mutex');
    check.is(one.tryAcquire(), false, 'tryAcquire() while the other holds it');
    other.release();
    check.is(one.acquireSync(), true, 'acquireSync() of a free mutex');
    one.release();
    await scope.becomesFree('it must be free in the end');
  });
}
