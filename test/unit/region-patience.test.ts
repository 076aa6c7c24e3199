/** How long callers wait, `signal`, `waitTimeout` and `softTimeout`, whatever is under the region. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreOf } from '../../src/region/region-life.ts';
import { HELD_MS, heldTimers } from '../support/held-timers.ts';
import { idle, isPending, makersOf, parked } from './region-calls.ts';
import { errorOf, SETUPS, turns } from './region-fixtures.ts';

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);
  const { make, stale } = makersOf(setup);

  it('signal: one that has fired rejects before anything is read', async () => {
    const { region } = make();
    await region.set('k', 'v');
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    assert.is(await errorOf(() => region.getOrCreate('k', () => 'new', { signal })), reason);
    assert.is(await errorOf(() => region.getOrCreateMulti(['k'], () => ['new'], { signal })), reason);
    if (setup.sync) {
      assert.is(await errorOf(() => region.getOrCreateSync('k', () => 'new', { signal })), reason);
    }
  });

  it('signal: of ten callers nine abort at once, the tenth gets its value', async () => {
    const { region, errors } = make();
    const { gate, started, seen, creator } = parked<string>();
    const controllers = Array.from({ length: 10 }, () => new AbortController());
    const calls = controllers.map(({ signal }) => region.getOrCreate('k', creator, { signal }));
    await started;
    await turns(40);
    const reasons = controllers.slice(0, 9).map((controller, n) => {
      const reason = new Error(`abort ${n}`);
      controller.abort(reason);
      return reason;
    });
    for (const [n, reason] of reasons.entries()) assert.is(await errorOf(() => calls[n]), reason);
    assert.is(seen.signal!.aborted, false);
    gate.resolve('value');
    assert.is(await calls[9], 'value');
    assert.is(seen.runs, 1);
    assert.is(await region.get('k'), 'value');
    assert.equal(errors, []);
    await idle(region, 'k');
  });

  it('signal: when all have left the creator hears it, nobody joins, and its value is stored', async () => {
    const { region, errors } = make();
    const first = parked<string>();
    const controllers = Array.from({ length: 10 }, () => new AbortController());
    const calls = controllers.map(({ signal }) => region.getOrCreate('k', first.creator, { signal }));
    await first.started;
    await turns(40);
    for (const controller of controllers) controller.abort(new Error('all leave'));
    for (const call of calls) assert.match((await errorOf(() => call)).message, 'all leave');
    assert.is(first.seen.signal!.aborted, true);
    assert.match((first.seen.signal!.reason as Error).message, 'all leave');
    assert.is(region.keyIsLockedSync('k'), true, 'the mutex stays held until the creator settles');
    let late = 0;
    const later = region.getOrCreate('k', () => {
      late++;
      return 'of the later caller';
    });
    assert.is(await isPending(later), true);
    first.gate.resolve('late value');
    assert.is(await later, 'late value', 'stored, and found by the second read');
    assert.is(late, 0);
    assert.equal(errors, []);
    await idle(region, 'k');
  });

  it('signal: whoever comes after all have left gets nothing of that run', async () => {
    const { region } = make();
    const { gate, started, creator } = parked<string>();
    const controller = new AbortController();
    const call = region.getOrCreate('k', creator, { signal: controller.signal });
    await started;
    controller.abort(new Error('left'));
    await errorOf(() => call);
    const later = region.getOrCreate('k', () => 'its own');
    await turns(40);
    gate.reject(new Error('of the abandoned one'));
    assert.is(await later, 'its own');
    await idle(region, 'k');
  });

  it('signal: one for a hundred callers of two keys, and no warning', async () => {
    const warnings: unknown[] = [];
    const warn = (warning: unknown) => warnings.push(warning);
    process.on('warning', warn);
    const { region } = make();
    const { gate, started, creator } = parked<string>();
    const { signal, abort } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort(new Error('shut down')) };
    })();
    const calls = Array.from({ length: 100 }, (_, n) => region.getOrCreate(`k${n % 2}`, creator, { signal }));
    await started;
    await turns(40);
    abort();
    const ended = await Promise.allSettled(calls);
    assert.ok(ended.every((end) => end.status === 'rejected' && end.reason.message === 'shut down'));
    gate.resolve('late');
    await idle(region, 'k0', 'k1');
    process.off('warning', warn);
    assert.equal(warnings, []);
  });

  it('signal: an abandoned creator that fails with the reason is no error, any other is', async () => {
    const { region, errors } = make();
    for (const own of [false, true]) {
      const { gate, started, seen, creator } = parked<string>();
      const controller = new AbortController();
      const call = region.getOrCreate('k', creator, { signal: controller.signal });
      await started;
      controller.abort(new Error('reason'));
      await errorOf(() => call);
      gate.reject(own ? new Error('its own') : seen.signal!.reason);
      await idle(region, 'k');
    }
    assert.is(errors.length, 1);
    const [error, context] = errors[0] as [Error, object];
    assert.is(error.message, 'its own');
    assert.equal(context, { region: setup.title, keys: ['k'] });
  });

  it('signal: fired by the creator itself while it begins', async () => {
    const { region } = make();
    const controller = new AbortController();
    const creator = () => {
      controller.abort(new Error('by itself'));
      return 'value';
    };
    const call = region.getOrCreate('k', creator, { signal: controller.signal });
    assert.match((await errorOf(() => call)).message, 'by itself');
    await idle(region, 'k');
  });

  it('signal: a caller that only queues leaves at once, and its creator never runs', async () => {
    const { region } = make();
    const { gate, started, creator } = parked<string>();
    // A run that began before a change is not joined, so the second caller queues for the mutex.
    const first = region.getOrCreate('k', creator);
    await started;
    await region.delete('k');
    const controller = new AbortController();
    let ran = false;
    const second = region.getOrCreate(
      'k',
      () => {
        ran = true;
        return 'second';
      },
      { signal: controller.signal },
    );
    assert.is(await isPending(second), true);
    controller.abort(new Error('left the queue'));
    assert.match((await errorOf(() => second)).message, 'left the queue');
    await turns(40);
    assert.is(coreOf(region).runs.size, 1, 'only the first is left');
    gate.resolve('first');
    assert.is(await first, 'first');
    assert.is(ran, false);
    await idle(region, 'k');
  });

  it('waitTimeout: counts waiting for others, and the creator does not run', async () => {
    const { region } = make();
    const { gate, started, creator } = parked<string>();
    const first = region.getOrCreate('k', creator, { waitTimeout: 1 });
    await started;
    let ran = false;
    const own = () => {
      ran = true;
      return 'own';
    };
    const joined = region.getOrCreate('k', own, { waitTimeout: 5 });
    assert.is((await errorOf(() => joined)).code, 'ERR_CAIRN_WAIT_TIMEOUT');
    await region.delete('k');
    const queued = region.getOrCreate('k', own, { waitTimeout: 0 });
    assert.is((await errorOf(() => queued)).code, 'ERR_CAIRN_WAIT_TIMEOUT');
    gate.resolve('first');
    assert.is(await first, 'first', 'its own creator took longer than its waitTimeout');
    assert.is(ran, false);
    await idle(region, 'k');
  });

  it('waitTimeout: what it has waited counts, its own creator does not', async () => {
    const { region } = make();
    const first = parked<string>();
    const blocking = region.getOrCreate('k', first.creator);
    await first.started;
    await region.delete('k');
    const own = parked<string>();
    const call = region.getOrCreate('k', own.creator, { waitTimeout: HELD_MS });
    assert.is(await isPending(call), true);
    assert.is(heldTimers(), 1, 'it waits for the other');
    first.gate.resolve('first');
    await blocking;
    await own.started;
    assert.is(heldTimers(), 0, 'it waits for nobody');
    assert.is(await isPending(call), true);
    own.gate.resolve('own');
    assert.is(await call, 'own');
    await idle(region, 'k');
  });

  it('softTimeout: the stale value when the creator takes longer, and the new one is stored', async () => {
    const { region, errors } = await stale();
    const { gate, started, seen, creator } = parked<string>();
    assert.is(await region.getOrCreate('k', creator, { softTimeout: 5 }), 'old');
    await started;
    assert.is(seen.signal!.aborted, false);
    assert.is(await region.getOrCreate('k', () => 'never', { softTimeout: 5 }), 'old', 'somebody is at it');
    gate.resolve('new');
    await idle(region, 'k');
    assert.is(await region.get('k'), 'new');
    assert.is(await region.getOrCreate('k', () => 'never', { softTimeout: 0 }), 'new');
    const quick = await stale();
    assert.is(await quick.region.getOrCreate('k', () => 'quick', { softTimeout: 60_000 }), 'quick');
    const missing = parked<string>();
    const call = region.getOrCreate('missing', missing.creator, { softTimeout: 1 });
    await missing.started;
    assert.is(await isPending(call), true, 'with no stale value it waits');
    missing.gate.resolve('made');
    assert.is(await call, 'made');
    assert.equal(errors, []);
  });

  it('softTimeout: an error behind it goes to onError', async () => {
    const { region, errors } = await stale();
    const { gate, started, creator } = parked<string>();
    assert.is(await region.getOrCreate('k', creator, { softTimeout: 1 }), 'old');
    await started;
    gate.reject(new Error('behind'));
    await idle(region, 'k');
    assert.is(errors.length, 1);
    assert.match((errors[0] as [Error])[0].message, 'behind');
  });
}

test.run();
