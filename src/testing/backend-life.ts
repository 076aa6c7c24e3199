/** From the constructor to the end: arguments, optional members, mutexes, `clear`, `close`. */
import { NO_VALUE } from '../backend/cached-value.ts';
import { registerBackend } from '../backend/registry.ts';
import type { BackendContext, CacheBackend } from '../backend/types.ts';
import { createRegion } from '../region/region.ts';
import { isThenable } from '../region/steps.ts';
import { type BackendSuite, payloadOf } from './backend-scope.ts';
import { shown } from './check.ts';

const OPTIONAL = {
  keyMangler: 'keyMangler',
  clear: 'clear',
  close: 'close',
  beginCreation: 'tokens',
  endCreation: 'tokens',
  tokenStands: 'tokenStands',
} as const;

const CLASS = 'cairn-cache/testing class';

type FromConfig = (config: object, prefix: string, context: BackendContext) => CacheBackend<any>;

export function lifeTests<S>(suite: BackendSuite<S>): void {
  const { traits } = suite;

  suite.test('it has the optional members that the suite was told of, and no other', async (scope) => {
    const { check } = scope;
    const { raw } = await scope.subject();
    for (const [member, flag] of Object.entries(OPTIONAL)) {
      const has = typeof raw[member as keyof typeof OPTIONAL] === 'function';
      check.ok(
        has === traits[flag],
        `${member} is ${has ? 'there' : 'not there'}, but ${flag} is ${traits[flag]}`,
      );
    }
  });

  suite.test('getMutex gives a free mutex, or null', async (scope) => {
    const { check } = scope;
    const { backend } = await scope.subject();
    const mutex = backend.getMutex('k');
    check.ok(
      (mutex !== null) === traits.mutexes,
      `getMutex gave ${shown(mutex)}, but mutexes is ${traits.mutexes}`,
    );
    if (mutex === null) return;
    check.ok(!isThenable(mutex), 'getMutex must not answer by a promise');
    for (const method of ['acquire', 'release'] as const)
      check.ok(typeof mutex[method] === 'function', `a mutex needs ${method}`);
    if (mutex.locked !== undefined) check.is(mutex.locked(), false, 'locked() of a free mutex');
    check.ok(await mutex.acquire(false), 'acquire(false) of a free mutex must be truthy');
    if (traits.exclusive) {
      check.ok(
        !(await backend.getMutex('k')!.acquire(false)),
        'acquire(false) of a held mutex must be falsy',
      );
    }
    await mutex.release();
    const again = backend.getMutex('k')!;
    check.ok(await again.acquire(false), 'acquire(false) after release must be truthy');
    await again.release();
  });

  if (suite.options.backend !== undefined) {
    suite.test('arguments are not changed, and what it does not know there is ignored', async (scope) => {
      const { check } = scope;
      const Backend = await scope.classOf();
      const args = Object.freeze({ ...scope.arguments(), madeUpArgument: 'x', 'another-made-up.one': {} });
      const before = Object.entries(args);
      const made = new Backend(args, scope.context());
      scope.atEnd(() => made.close?.());
      for (const [name, value] of before) check.is(args[name as never], value, `arguments.${name}`);
      const { backend } = scope.subjectOf(made, made);
      check.is(await backend.get('k'), NO_VALUE, 'get on what was made');
    });

    suite.test('a region is configured with the class', async (scope) => {
      const { check } = scope;
      const { backend } = suite.options;
      const args = Object.freeze({ ...scope.arguments(), madeUpArgument: 'x' });
      // By its name where it has one: that is what applications do.
      if (typeof backend === 'function') registerBackend(CLASS, () => backend);
      const region = createRegion({
        name: scope.region,
        backend: typeof backend === 'string' ? backend : CLASS,
        arguments: args,
        clock: scope.clock.read,
      });
      scope.atEnd(() => region.close());
      check.is(await region.getOrCreate('k', () => 'made'), 'made', 'getOrCreate');
      check.is(await region.get('k'), traits.retains ? 'made' : undefined, 'get after it');
    });

    suite.test('fromConfig takes what begins with the prefix', async (scope) => {
      const { check } = scope;
      const Backend = (await scope.classOf()) as unknown as { fromConfig?: FromConfig };
      check.ok(typeof Backend.fromConfig === 'function', 'the class needs a static fromConfig');
      const args = scope.arguments();
      const config: Record<string, unknown> = { other: 1, 'my.cache.madeUpArgument': 'x' };
      for (const [name, value] of Object.entries(args)) config[`my.cache.${name}`] = value;
      Object.freeze(config);
      const made = Backend.fromConfig!(config, 'my.cache.', scope.context());
      scope.atEnd(() => made.close?.());
      const { backend, value } = scope.subjectOf(made, made);
      await backend.set('k', value('payload'));
      check.equal(payloadOf(await backend.get('k')), traits.retains ? 'payload' : NO_VALUE, 'set and get');
    });
  }

  if (traits.sync) {
    suite.test('every method answers at once', async (scope) => {
      const { check } = scope;
      const { backend, value } = await scope.subject();
      const begun = backend.beginCreation?.('k');
      const token = isThenable(begun) ? undefined : begun?.token;
      const answers: Record<string, unknown> = {
        beginCreation: begun,
        tokenStands: backend.tokenStands?.('k', token),
        endCreation: backend.endCreation?.('k', token),
        set: backend.set('k', value('payload')),
        get: backend.get('k'),
        setMulti: backend.setMulti([['k', value('payload')]]),
        getMulti: backend.getMulti(['k']),
        deleteMulti: backend.deleteMulti(['k']),
        setAgain: backend.set('k', value('payload')),
        delete: backend.delete('k'),
        clear: backend.clear?.(),
      };
      for (const [method, answer] of Object.entries(answers))
        check.ok(!isThenable(answer), `${method} must not answer by a promise`);
    });
  }

  if (traits.clear) {
    suite.test('clear removes everything, and the backend goes on', async (scope) => {
      const { check } = scope;
      const { backend, value } = await scope.subject();
      await backend.clear!();
      await backend.set('single', value('x'));
      await backend.setMulti([
        ['a', value('x')],
        ['b', value('x')],
      ]);
      await backend.clear!();
      const found = await backend.getMulti(['single', 'a', 'b']);
      check.equal(found, [NO_VALUE, NO_VALUE, NO_VALUE], 'getMulti after clear');
      check.is(await backend.get('a'), NO_VALUE, 'get after clear');
      await backend.set('a', value('again'));
      check.equal(payloadOf(await backend.get('a')), 'again', 'a value that was set after clear');
    });
  }

  if (traits.close) {
    suite.test('close may be called twice', async (scope) => {
      const { backend, value } = await scope.subject();
      await backend.set('k', value('payload'));
      await backend.close!();
      await backend.close!();
    });
  }
}
