/** `beginCreation`, `endCreation`, the token of `set`, `tokenStands`: a value that comes late is not stored. */
import { type CachedValue, NO_VALUE } from '../backend/cached-value.ts';
import type { CacheBackend } from '../backend/types.ts';
import { type BackendScope, type BackendSuite, payloadOf, type Subject } from './backend-scope.ts';
import { once } from './tools.ts';

/** What may happen to a key while its creator runs, and what stands after it. */
type Change = (subject: Subject, key: string) => unknown;

const CHANGES: Record<string, { readonly change: Change; readonly left: unknown }> = {
  set: { change: ({ backend, value }, key) => backend.set(key, value('theirs')), left: 'theirs' },
  setMulti: {
    change: ({ backend, value }, key) => backend.setMulti([[key, value('theirs')]]),
    left: 'theirs',
  },
  delete: { change: ({ backend }, key) => backend.delete(key), left: NO_VALUE },
  deleteMulti: { change: ({ backend }, key) => backend.deleteMulti([key]), left: NO_VALUE },
};

/** The changes that a backend with these traits knows. */
export function changesOf(clear: boolean): [string, { readonly change: Change; readonly left: unknown }][] {
  const changes = Object.entries(CHANGES);
  if (clear) changes.push(['clear', { change: ({ backend }) => backend.clear!(), left: NO_VALUE }]);
  return changes;
}

export function tokenTests<S>(suite: BackendSuite<S>): void {
  const { traits } = suite;

  suite.test('beginCreation gives what stands; set with its token stores', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const missing = await backend.beginCreation!('k');
    check.is(missing.value, NO_VALUE, 'value of beginCreation of an absent key');
    check.ok(
      await stores(backend, 'k', value('first'), missing.token),
      'set with the token of an absent key',
    );
    check.equal(payloadOf(await backend.get('k')), 'first', 'get');
    const stale = await backend.beginCreation!('k');
    check.equal(payloadOf(stale.value), 'first', 'value of beginCreation of a key that stands');
    const { metadata } = stale.value as CachedValue;
    check.equal({ ...metadata }, value('').metadata, 'its metadata');
    scope.clock.advance(10.5);
    check.ok(await stores(backend, 'k', value('second'), stale.token), 'set with the token of what stands');
    const found = (await backend.get('k')) as CachedValue;
    check.equal(found.payload, 'second', 'get');
    check.equal({ ...found.metadata }, value('').metadata, 'metadata');
  });

  suite.test('a key that is being created reads as a miss', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const { token } = await backend.beginCreation!('k');
    await backend.beginCreation!('deleted');
    check.is(await backend.get('k'), NO_VALUE, 'get');
    check.equal(await backend.getMulti(['k', 'k']), [NO_VALUE, NO_VALUE], 'getMulti');
    check.is(await backend.delete('deleted'), false, 'delete');
    check.is(await backend.deleteMulti(['deleted']), 0, 'deleteMulti');
    check.ok(await stores(backend, 'k', value('made'), token), 'set with the token after those reads');
  });

  for (const state of ['absent', 'standing'] as const) {
    for (const [how, { change, left }] of changesOf(traits.clear)) {
      suite.test(`after a ${how} the token is refused, what stands is left (${state} key)`, async (scope) => {
        const { check } = scope;
        const subject = await scope.subject();
        const { backend, value } = subject;
        if (state === 'standing') await backend.set('k', value('old'));
        const { token } = await backend.beginCreation!('k');
        // With the generation of its beginning, as regions do.
        const late = value('late');
        await change(subject, 'k');
        check.is(await backend.set('k', late, { token }), false, 'the answer of the late set');
        check.equal(payloadOf(await backend.get('k')), left, 'get after it');
        const again = await backend.beginCreation!('k');
        check.ok(await stores(backend, 'k', value('next'), again.token), 'the next creation must store');
        check.equal(payloadOf(await backend.get('k')), 'next', 'get after that');
      });
    }
  }

  suite.test('a change and its undoing do not bring a token back', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const old = value('old');
    await backend.set('k', old);
    const standing = await backend.beginCreation!('k');
    await backend.set('k', value('theirs'));
    await backend.set('k', old);
    check.is(
      await backend.set('k', value('late'), { token: standing.token }),
      false,
      'set after the same value again',
    );
    await backend.delete('k');
    const absent = await backend.beginCreation!('k');
    await backend.set('k', value('theirs'));
    await backend.delete('k');
    check.is(
      await backend.set('k', value('late'), { token: absent.token }),
      false,
      'set after a delete of a set',
    );
    check.is(await backend.get('k'), NO_VALUE, 'get');
  });

  suite.test(
    'creations of one key that run at once share the token: the first to store wins',
    async (scope) => {
      const { check } = scope;
      const { backend, value } = await scope.subject();
      for (const [key, first] of [
        ['absent 0', 0],
        ['absent 1', 1],
        ['standing 0', 0],
        ['standing 1', 1],
      ] as const) {
        if (key.startsWith('standing')) await backend.set(key, value('old'));
        const tokens = [(await backend.beginCreation!(key)).token, (await backend.beginCreation!(key)).token];
        check.ok(await stores(backend, key, value('first'), tokens[first]), `${key}: the first to store`);
        check.is(
          await backend.set(key, value('second'), { token: tokens[1 - first] }),
          false,
          `${key}: the second`,
        );
        check.equal(payloadOf(await backend.get(key)), 'first', `${key}: get`);
      }
    },
  );

  suite.test('endCreation takes the mark away, and nothing else', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const absent = await backend.beginCreation!('absent');
    await backend.endCreation!('absent', absent.token);
    check.is(await backend.get('absent'), NO_VALUE, 'get of an absent key');
    check.is(
      await backend.set('absent', value('late'), { token: absent.token }),
      false,
      'set after endCreation',
    );
    await backend.endCreation!('absent', absent.token);

    await backend.set('standing', value('old'));
    const standing = await backend.beginCreation!('standing');
    await backend.endCreation!('standing', standing.token);
    check.equal(payloadOf(await backend.get('standing')), 'old', 'a value that stood');

    const outdated = await backend.beginCreation!('k');
    await backend.delete('k');
    const current = await backend.beginCreation!('k');
    await backend.endCreation!('k', outdated.token);
    check.ok(
      await stores(backend, 'k', value('made'), current.token),
      'set after endCreation with an older token',
    );
    await backend.endCreation!('k', current.token);
    check.equal(
      payloadOf(await backend.get('k')),
      'made',
      'a value, after endCreation with its creation’s token',
    );
  });

  suite.test('setMulti with tokens: each key by its own, keys without one are stored', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const tokens = new Map<string, unknown>();
    for (const key of ['a', 'b', 'c']) tokens.set(key, (await backend.beginCreation!(key)).token);
    await backend.set('b', value('theirs'));
    await backend.set('d', value('old'));
    const entries = ['a', 'b', 'c', 'd'].map((key) => [key, value(`made ${key}`)] as const);
    const answer = await backend.setMulti(once(entries), { tokens });
    check.is(answer, false, 'the answer of setMulti when one key was refused');
    check.equal([...tokens.keys()], ['a', 'b', 'c'], 'keys of the tokens that were given');
    const found = await backend.getMulti(['a', 'b', 'c', 'd']);
    check.equal(found.map(payloadOf), ['made a', 'theirs', 'made c', 'made d'], 'what stands');
    const again = new Map([['a', (await backend.beginCreation!('a')).token]]);
    const all = await backend.setMulti([['a', value('again')]], { tokens: again });
    check.ok(all !== false, 'the answer of setMulti when none was refused must not be false');
    check.equal(payloadOf(await backend.get('a')), 'again', 'what stands then');
  });

  if (traits.tokenStands) suite.test('tokenStands tells whether the key was changed', tokenStands);
}

async function tokenStands<S>(scope: BackendScope<S>): Promise<void> {
  const { check } = scope;
  const { ownGeneration } = await scope.subject();
  // Where the backend has generations, regions know a clear by them.
  const changes = changesOf(scope.traits.clear && ownGeneration() === undefined);
  for (const [how, { change }] of changes) {
    const subject = await scope.subject(scope.otherRegion());
    const { backend, value } = subject;
    await backend.set('standing', value('old'));
    for (const key of ['absent', 'standing']) {
      const { token } = await backend.beginCreation!(key);
      check.is(await backend.tokenStands!(key, token), true, `${key} key, before ${how}`);
      check.is(await backend.tokenStands!(key, token), true, `${key} key, asked again`);
      await change(subject, key);
      check.is(await backend.tokenStands!(key, token), false, `${key} key, after ${how}`);
    }
  }
  const { backend, value } = await scope.subject();
  const ended = await backend.beginCreation!('k');
  await backend.endCreation!('k', ended.token);
  check.is(await backend.tokenStands!('k', ended.token), false, 'after endCreation');
  const stored = await backend.beginCreation!('k');
  await backend.set('k', value('made'), { token: stored.token });
  check.is(await backend.tokenStands!('k', stored.token), false, 'after the set that it was for');
}

/** Whether a `set` with this token stored. */
export async function stores(
  backend: CacheBackend<any>,
  key: string,
  value: CachedValue,
  token: unknown,
): Promise<boolean> {
  return (await backend.set(key, value, { token })) !== false;
}
