/** One key at a time: what is stored, what comes back, what is removed. */
import { CachedValue, NO_VALUE } from '../backend/cached-value.ts';
import { type BackendSuite, payloadOf } from './backend-scope.ts';
import { shown } from './check.ts';
import { VALUES } from './tools.ts';

export function singleTests<S>(suite: BackendSuite<S>): void {
  const { traits } = suite;

  suite.test('get of an absent key is NO_VALUE', async (scope) => {
    const { check } = scope;
    const { backend } = await scope.subject();
    check.is(await backend.get('absent'), NO_VALUE, "get('absent')");
  });

  suite.test('set stores, get gives a CachedValue, set again replaces it', async (scope) => {
    const { check, clock } = scope;
    const { backend, value } = await scope.subject();
    const first = value('first');
    check.ok(
      (await backend.set('k', first)) !== false,
      'set must not answer false for a value that it stores',
    );
    const found = await backend.get('k');
    check.equal(payloadOf(found), 'first', 'payload after set');
    const { cachedTime, age } = found as CachedValue;
    check.is(cachedTime, clock.time, 'cachedTime, which is metadata.ct');
    check.ok(typeof age === 'number', `age must be a number, got ${shown(age)}`);
    await backend.set('k', value('second'));
    check.equal(payloadOf(await backend.get('k')), 'second', 'payload after a second set');
    check.is(await backend.get('other'), NO_VALUE, 'a key that was not set');
  });

  suite.test('metadata comes back whole', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const times = [1_700_000_000_123.456, 0.5, 1, 2 ** 45 + 0.125];
    for (const [n, ct] of times.entries()) await backend.set(`k${n}`, value('payload', { ct, v: n + 1 }));
    for (const [n, ct] of times.entries()) {
      const { metadata } = (await backend.get(`k${n}`)) as CachedValue;
      const { generation } = value('').metadata;
      check.equal({ ...metadata }, { ct, v: n + 1, generation }, `metadata of key k${n}`);
    }
  });

  suite.test('a value without a generation does not come back with that of another', async (scope) => {
    const { check, clock } = scope;
    const { backend, value, ownGeneration } = await scope.subject();
    await backend.set('other', value('other'));
    await backend.set('k', new CachedValue('payload', { ct: clock.time, v: 1 }));
    const found = await backend.get('k');
    check.equal(payloadOf(found), 'payload', 'payload');
    const { ct, v, generation } = (found as CachedValue).metadata;
    check.equal({ ct, v }, { ct: clock.time, v: 1 }, 'metadata');
    // A backend that has generations may give it the one of now.
    check.ok(
      !(generation! >= 0) || generation === ownGeneration(),
      `generation must be absent or below 0, got ${shown(generation)}`,
    );
  });

  suite.test('a member of metadata that it does not know is kept, or the value is refused', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const tag = 'of a later version';
    let refused = false;
    try {
      refused = (await backend.set('k', value('payload', { tag } as object))) === false;
    } catch {
      refused = true;
    }
    const found = await backend.get('k');
    if (refused) check.is(found, NO_VALUE, 'get after a set that was refused');
    else check.equal(((found as CachedValue).metadata as { tag?: unknown }).tag, tag, 'the unknown member');
  });

  for (const [what, payload] of Object.entries(suite.options.values ?? VALUES)) {
    suite.test(`holds ${what}`, async (scope) => {
      const { check } = scope;
      const { backend, value } = await scope.subject();
      await backend.set('single', value(payload));
      check.equal(payloadOf(await backend.get('single')), payload, 'set and get');
      await backend.setMulti([
        ['a', value(payload)],
        ['b', value('b')],
      ]);
      const found = await backend.getMulti(['a', 'b']);
      check.equal(found.map(payloadOf), [payload, 'b'], 'setMulti and getMulti');
    });
  }

  suite.test('set changes nothing of the value that it is given', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    const payload = { list: [1, 2], text: 'x' };
    const given = Object.freeze(value(payload));
    Object.freeze(given.metadata);
    const before = structuredClone({ payload, metadata: given.metadata });
    await backend.set('k', given);
    check.equal({ payload, metadata: { ...given.metadata } }, before, 'what was given to set');
    check.equal(payloadOf(await backend.get('k')), payload, 'what was stored');
  });

  suite.test('delete answers whether something stood, and may be repeated', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    check.is(await backend.delete('k'), false, 'delete of an absent key');
    await backend.set('k', value('payload'));
    await backend.set('other', value('other'));
    check.is(await backend.delete('k'), true, 'delete of a key that stands');
    check.is(await backend.get('k'), NO_VALUE, 'get after delete');
    check.is(await backend.delete('k'), false, 'a second delete');
    check.equal(payloadOf(await backend.get('other')), 'other', 'another key');
    await backend.set('k', value('again'));
    check.equal(payloadOf(await backend.get('k')), 'again', 'set after delete');
  });

  if (traits.frozen) {
    suite.test('what it hands out is frozen', async (scope) => {
      const { check } = scope;
      const { backend, value } = await scope.subject();
      await backend.set('k', value({ a: [{ b: 1 }] }));
      // The second read may come from a cache of decoded values.
      for (const read of ['first', 'second']) {
        const found = (await backend.get('k')) as CachedValue<{ a: { b: number }[] }>;
        const { payload, metadata } = found;
        for (const [what, part] of Object.entries({
          found,
          metadata,
          payload,
          list: payload.a,
          object: payload.a[0],
        }))
          check.ok(Object.isFrozen(part), `${what} of the ${read} read must be frozen`);
      }
    });
  }

  if (traits.copies) {
    suite.test('a payload that is changed outside does not change in the store', async (scope) => {
      const { check } = scope;
      const { backend, value } = await scope.subject();
      const payload = { list: ['a'] };
      await backend.set('k', value(payload));
      payload.list.push('changed after set');
      check.equal(
        payloadOf(await backend.get('k')),
        { list: ['a'] },
        'after the object given to set was changed',
      );
      const { list } = payloadOf(await backend.get('k')) as typeof payload;
      if (!Object.isFrozen(list)) list.push('changed after get');
      check.equal(
        payloadOf(await backend.get('k')),
        { list: ['a'] },
        'after the object that get gave was changed',
      );
    });
  }
}
