/** Which keys are one and which are not; what other regions see. */
import { NO_VALUE } from '../backend/cached-value.ts';
import { type BackendSuite, payloadOf } from './backend-scope.ts';
import { shown } from './check.ts';
import { KEYS } from './tools.ts';

/** A key, in a message. */
function named(key: string): string {
  return key.length > 40
    ? `key ${shown(key.slice(0, 10))}… of ${key.length} characters`
    : `key ${shown(key)}`;
}

export function keyTests<S>(suite: BackendSuite<S>): void {
  const { traits } = suite;

  suite.test('no two keys are one: empty, unicode, lone surrogates, __proto__, very long', async (scope) => {
    const { check } = scope;
    const { backend, value } = await scope.subject();
    for (const key of KEYS) check.is(await backend.get(key), NO_VALUE, `${named(key)}, before it was set`);
    for (const [n, key] of KEYS.entries()) await backend.set(key, value(`value ${n}`));
    const expect = async (when: string, expected: (n: number) => unknown) => {
      for (const [n, key] of KEYS.entries())
        check.equal(payloadOf(await backend.get(key)), expected(n), `${named(key)}, ${when}`);
    };
    await expect('after it was set', (n) => `value ${n}`);
    const found = await backend.getMulti(KEYS);
    check.equal(
      found.map(payloadOf),
      KEYS.map((_, n) => `value ${n}`),
      'all keys by getMulti',
    );
    const third = (n: number) => n % 3 === 0;
    for (const key of KEYS.filter((_, n) => third(n))) await backend.delete(key);
    await expect('after every third was deleted', (n) => (third(n) ? NO_VALUE : `value ${n}`));
    await backend.deleteMulti(KEYS.filter((_, n) => !third(n)));
    await expect('after all were deleted', () => NO_VALUE);
  });

  if (traits.keyMangler) {
    suite.test('keyMangler makes one key of each, always the same', async (scope) => {
      const { check } = scope;
      const [first, second] = [await scope.subject(), await scope.subject(scope.otherRegion())];
      const seen = new Map<string, string>();
      for (const name of KEYS) {
        const mangled = first.key(name);
        check.ok(typeof mangled === 'string', `keyMangler must return a string, got ${shown(mangled)}`);
        check.ok(!seen.has(mangled), `keyMangler makes ${shown(mangled)} of two keys`);
        seen.set(mangled, name);
        check.is(first.key(name), mangled, 'keyMangler, called again');
        check.is(second.key(name), mangled, 'keyMangler of another instance');
      }
    });
  }

  suite.test('regions do not see each other', async (scope) => {
    const { check } = scope;
    const [one, other] = [await scope.subject(), await scope.subject(scope.otherRegion())];
    await one.backend.set('k', one.value('of one'));
    check.is(await other.backend.get('k'), NO_VALUE, 'a key of the first region, read by the second');
    await other.backend.delete('k');
    check.equal(payloadOf(await one.backend.get('k')), 'of one', 'the same after the second deleted it');
    await other.backend.set('k', other.value('of the other'));
    await other.backend.set('mine', other.value('of the other'));
    check.equal(
      payloadOf(await one.backend.get('k')),
      'of one',
      'the key of the first after the second set it',
    );
    await other.backend.deleteMulti(['k', 'mine']);
    check.equal(payloadOf(await one.backend.get('k')), 'of one', 'the key of the first after that');
    if (!traits.clear) return;
    await other.backend.clear!();
    check.equal(
      payloadOf(await one.backend.get('k')),
      'of one',
      'the key of the first after the second was cleared',
    );
    await other.backend.set('k', other.value('again'));
    await one.backend.clear!();
    check.equal(payloadOf(await other.backend.get('k')), 'again', 'and the other way round');
  });
}
