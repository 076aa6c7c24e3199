/** Every option of `getOrCreate` and `getOrCreateMulti`, whatever is under the region. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CreationToken } from '../../src/backend/types.ts';
import type { CacheRegion } from '../../src/region/region.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { type Deferred, deferred, errorOf, SETUPS, turns } from './region-fixtures.ts';

const EXPIRATION = 10;

/** A creator that ends when told, and its signal. */
function parked<V>() {
  const gate = deferred<V>();
  const started = deferred();
  const seen: { runs: number; signal: AbortSignal | null } = { runs: 0, signal: null };
  const creator = ({ signal }: { signal: AbortSignal }) => {
    seen.runs++;
    seen.signal = signal;
    started.resolve();
    return gate.promise;
  };
  return { gate, started: started.promise, seen, creator };
}

/** Nothing runs, and nothing is held. */
async function idle(region: CacheRegion<any>, ...keys: string[]): Promise<void> {
  for (let turn = 0; turn < 100 && coreOf(region).runs.size > 0; turn++) await turns();
  assert.is(coreOf(region).runs.size, 0);
  assert.is(coreOf(region).localMutexes.size, 0);
  for (const key of keys) assert.is(region.keyIsLockedSync(key), false, `${key} is locked`);
}

function isPending(promise: Promise<unknown>): Promise<boolean> {
  const mark = Symbol('pending');
  return Promise.race([promise.catch(() => {}), turns(20).then(() => mark)]).then((first) => first === mark);
}

for (const setup of SETUPS) {
  const it = (title: string, body: () => Promise<void>) => test(`${setup.title}: ${title}`, body);
  const make = <V = string>(more: object = {}) => {
    const errors: unknown[] = [];
    const onError = (error: unknown, context: object) => errors.push([error, context]);
    return { ...setup.make<V>({ expirationTime: EXPIRATION, onError, ...more }), errors };
  };
  const stale = async (more: object = {}) => {
    const made = make(more);
    await made.region.set('k', 'old');
    made.clock.advance(EXPIRATION + 1);
    return made;
  };

  it('shouldCache: what it refuses is returned, also to those who joined, and not stored', async () => {
    const { region } = make<number>();
    const { gate, started, creator } = parked<number>();
    const asked: number[] = [];
    const shouldCache = (value: number) => {
      asked.push(value);
      return value > 5;
    };
    const calls = [region.getOrCreate('k', creator, { shouldCache })];
    await started;
    calls.push(region.getOrCreate('k', creator, { shouldCache: () => true }));
    await turns(40);
    gate.resolve(5);
    assert.equal(await Promise.all(calls), [5, 5]);
    assert.equal(asked, [5], 'only that of the caller whose creator ran');
    assert.is(await region.has('k'), false);
    assert.is(await region.getOrCreate('k', () => 6, { shouldCache }), 6);
    assert.is(await region.get('k'), 6);
    await region.set('s', 1);
    assert.is(await region.getOrCreate('s', () => 2, { shouldCache, expirationTime: null }), 1);
    const thrown = new Error('shouldCache');
    const thrower = () => {
      throw thrown;
    };
    assert.is(await errorOf(() => region.getOrCreate('t', () => 9, { shouldCache: thrower })), thrown);
    assert.is(await region.has('t'), false);
    await idle(region, 'k', 't');
  });

  it('shouldCache: an old value stays as it was', async () => {
    const { region } = await stale();
    assert.is(await region.getOrCreate('k', () => 'new', { shouldCache: () => false }), 'new');
    assert.is(await region.get('k', { ignoreExpiration: true }), 'old');
    await idle(region, 'k');
  });

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
    const call = region.getOrCreate('k', own.creator, { waitTimeout: 100 });
    assert.is(await isPending(call), true);
    first.gate.resolve('first');
    await blocking;
    await own.started;
    await new Promise((resolve) => setTimeout(resolve, 110));
    assert.is(await isPending(call), true);
    own.gate.resolve('own');
    assert.is(await call, 'own');
    await idle(region, 'k');
  });

  it('staleOnError: the stale value instead of the error', async () => {
    const { region } = await stale();
    const failing = () => Promise.reject(new Error('origin'));
    assert.match((await errorOf(() => region.getOrCreate('k', failing))).message, 'origin');
    assert.is(await region.getOrCreate('k', failing, { staleOnError: true }), 'old');
    assert.match(
      (await errorOf(() => region.getOrCreate('n', failing, { staleOnError: true }))).message,
      'origin',
    );
    assert.is(region.stats().loadErrors, 3);
    assert.is(region.stats().staleServed, 1);
    await idle(region, 'k', 'n');
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

  it("refresh: 'background' serves the stale value and regenerates once behind it", async () => {
    const { region, errors } = await stale();
    const { gate, started, seen, creator } = parked<string>();
    const call = () => region.getOrCreate('k', creator, { refresh: 'background' });
    assert.equal(await Promise.all([call(), call(), call()]), ['old', 'old', 'old']);
    await started;
    assert.is(await call(), 'old');
    gate.resolve('new');
    await idle(region, 'k');
    assert.is(seen.runs, 1);
    assert.is(await region.get('k'), 'new');
    assert.is(region.stats().staleServed, 4);
    assert.equal(errors, []);
    // A missing value is created inline.
    assert.is(await region.getOrCreate('n', () => 'inline', { refresh: 'background' }), 'inline');
  });

  it("refresh: 'background': its error goes to onError, and a change meanwhile wins", async () => {
    const { region, clock, errors } = await stale();
    const failing = () => Promise.reject(new Error('behind'));
    assert.is(await region.getOrCreate('k', failing, { refresh: 'background' }), 'old');
    await idle(region, 'k');
    assert.is(errors.length, 1);
    assert.match((errors[0] as [Error])[0].message, 'behind');
    const { gate, started, creator } = parked<string>();
    assert.is(await region.getOrCreate('k', creator, { refresh: 'background' }), 'old');
    await started;
    await region.set('k', 'changed');
    gate.resolve('late');
    await idle(region, 'k');
    assert.is(await region.get('k'), 'changed');
    clock.advance(EXPIRATION + 1);
    if (!setup.sync) return;
    assert.is(
      region.getOrCreateSync('k', () => 'of Sync', { refresh: 'background' }),
      'changed',
    );
    assert.is(region.getSync('k'), undefined, 'not before this thread turns its loop');
    await idle(region, 'k');
    assert.is(region.getSync('k'), 'of Sync');
    clock.advance(EXPIRATION + 1);
    const late = (() => Promise.resolve('promise')) as () => any;
    assert.is(region.getOrCreateSync('k', late, { refresh: 'background' }), 'of Sync');
    await idle(region, 'k');
    assert.is((errors.at(-1) as [{ code: string }])[0].code, 'ERR_CAIRN_SYNC');
  });

  it('asyncCreationRunner: gets the key as written, a creator, the mutex and a token', async () => {
    const calls: unknown[][] = [];
    const gate = deferred();
    const runner = async (
      region: CacheRegion<string>,
      key: string,
      creator: () => any,
      mutex: { release(): void },
      token: CreationToken,
    ) => {
      calls.push([region, key]);
      await gate.promise;
      assert.is(await region.set(key, await creator(), { token }), true);
      mutex.release();
    };
    const { region, errors } = await stale({
      asyncCreationRunner: runner,
      keyMangler: (key: string) => `m:${key}`,
    });
    assert.is(await region.getOrCreate('k', () => 'new'), 'old');
    for (let turn = 0; turn < 100 && calls.length === 0; turn++) await turns();
    assert.is(region.keyIsLockedSync('k'), true);
    assert.is(await region.getOrCreate('k', () => 'new'), 'old');
    gate.resolve();
    await idle(region, 'k');
    assert.equal(calls.length, 1);
    assert.is(calls[0][0], region);
    assert.is(calls[0][1], 'k');
    assert.is(await region.get('k'), 'new');
    assert.is(await region.getOrCreate('n', () => 'inline'), 'inline', 'not for missing values');
    assert.equal(calls.length, 1);
    assert.equal(errors, []);
  });

  it('asyncCreationRunner: the call comes before the region, and what it forgets the region does', async () => {
    const { region, clock, errors } = await stale({
      asyncCreationRunner: () => assert.unreachable('the region has another for this call'),
    });
    const tokens: CreationToken[] = [];
    const forgetful =
      (gate: Deferred<void>) =>
      (_region: unknown, _key: string, _creator: unknown, mutex: any, token: CreationToken) => {
        tokens.push(token);
        mutex.release();
        mutex.release();
        return gate.promise;
      };
    const gate = deferred();
    assert.is(await region.getOrCreate('k', () => 'x', { asyncCreationRunner: forgetful(gate) }), 'old');
    for (let turn = 0; turn < 100 && tokens.length === 0; turn++) await turns();
    assert.is(region.keyIsLockedSync('k'), false);
    gate.reject(new Error('after its release'));
    await idle(region, 'k');
    assert.match((errors[0] as [Error])[0].message, 'after its release');
    const throwing = () => {
      throw new Error('at once');
    };
    assert.is(await region.getOrCreate('k', () => 'x', { asyncCreationRunner: throwing }), 'old');
    await idle(region, 'k');
    assert.match((errors[1] as [Error])[0].message, 'at once');
    // 'inline' for one call
    assert.is(await region.getOrCreate('k', () => 'inline', { refresh: 'inline' }), 'inline');
    // a token is for its key and its region
    assert.is((await errorOf(() => region.set('other', 'x', { token: tokens[0] }))).code, 'ERR_CAIRN_OPTION');
    assert.is((await errorOf(() => region.set('k', 'x', { token: 'made up' }))).code, 'ERR_CAIRN_OPTION');
    clock.advance(1);
  });

  it('asyncCreationRunner: a late value is refused after a change', async () => {
    for (const change of ['delete', 'set', 'clear', 'invalidate'] as const) {
      const stored = deferred<boolean>();
      const started = deferred();
      const gate = deferred();
      const asyncCreationRunner = async (
        own: any,
        key: string,
        creator: any,
        _mutex: any,
        token: CreationToken,
      ) => {
        started.resolve();
        await gate.promise;
        stored.resolve(own.set(key, await creator(), { token }));
      };
      const { region } = await stale({ asyncCreationRunner });
      assert.is(await region.getOrCreate('k', () => 'late'), 'old');
      await started.promise;
      if (change === 'set') await region.set('k', 'changed');
      else if (change === 'delete') await region.delete('k');
      else await region[change]();
      gate.resolve();
      assert.is(await stored.promise, false, change);
      await idle(region, 'k');
      assert.is(await region.get('k'), change === 'set' ? 'changed' : undefined);
      assert.is(region.stats().refusedStores, 1);
    }
  });

  it('bad options are named', async () => {
    const { region } = make();
    const bad: [string, object][] = [
      ['shouldCache', { shouldCache: true }],
      ['signal', { signal: {} }],
      ['waitTimeout', { waitTimeout: -1 }],
      ['waitTimeout', { waitTimeout: Number.NaN }],
      ['waitTimeout', { waitTimeout: '5' }],
      ['staleOnError', { staleOnError: 1 }],
      ['softTimeout', { softTimeout: -1 }],
      ['refresh', { refresh: 'behind' }],
      ['expirationTime', { expirationTime: -1 }],
      ['unknown', { unknown: 1 }],
    ];
    for (const [field, options] of bad) {
      for (const call of [
        () => region.getOrCreate('k', () => 'v', options),
        () => region.getOrCreateMulti(['k'], () => ['v'], options),
      ]) {
        const error = await errorOf(call);
        assert.is(error.code, 'ERR_CAIRN_OPTION');
        assert.is(error.field, field);
      }
    }
    const runner = { asyncCreationRunner: () => {} };
    assert.is(
      (await errorOf(() => region.getOrCreateMulti(['k'], () => ['v'], runner as object))).field,
      'asyncCreationRunner',
    );
    assert.is(
      (await errorOf(() => region.getOrCreate('k', () => 'v', { asyncCreationRunner: 1 as any }))).field,
      'asyncCreationRunner',
    );
    if (setup.sync) {
      assert.is(
        (await errorOf(() => region.getOrCreateSync('k', () => 'v', { softTimeout: 5 } as object))).field,
        'softTimeout',
      );
      assert.is(
        (await errorOf(() => region.getOrCreateMultiSync(['k'], () => ['v'], { softTimeout: 5 } as object)))
          .field,
        'softTimeout',
      );
      assert.is(
        region.getOrCreateSync('k', () => 'v', { softTimeout: null, waitTimeout: null } as object),
        'v',
      );
    }
    assert.is((await errorOf(() => region.set('k', 'v', { tokens: 1 } as object))).field, 'tokens');
  });
}

test.run();
