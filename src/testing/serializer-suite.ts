/** The suite of serializers: what a region stores by them, and what it makes of it again. */
import { CachedValue, NO_VALUE } from '../backend/cached-value.ts';
import { ProxyBackend } from '../backend/proxy-backend.ts';
import type { Awaitable, SetOptions } from '../backend/types.ts';
import { CantDeserializeError, OptionError } from '../errors.ts';
import { type CacheRegion, createRegion } from '../region/region.ts';
import type { Deserializer, Serializer } from '../region/types.ts';
import type { Check } from './check.ts';
import { keyed } from './keyed.ts';
import { eachForm, type Operations, operationsOf } from './region-forms.ts';
import { COMMON_OPTIONS, checkOptions, checkTypes, Scope, Suite, type SuiteOptions } from './suite.ts';
import { JSON_VALUES, SuiteClock } from './tools.ts';

export interface SerializerSuiteOptions<S = undefined> extends SuiteOptions<S> {
  readonly serializer: Serializer<any>;
  readonly deserializer: Deserializer<any>;
  /** What must come back as it was, by name. At least one. Default: {@link JSON_VALUES}. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** What `deserializer` must refuse by {@link CantDeserializeError}, by name. Default: none. */
  readonly damaged?: Readonly<Record<string, unknown>> | undefined;
  /** Later callers get a copy of an object, not the object itself. Default `true`. */
  readonly copies?: boolean | undefined;
  /** Name of the backend to store in. Default `'cairn.memory'`. */
  readonly backend?: string | undefined;
  /** Its arguments. Default `{}`. */
  readonly arguments?: object | ((store: S) => object) | undefined;
  /** Whether that backend answers at once. Default `true`. */
  readonly sync?: boolean | undefined;
}

/** Default of each option of `serializerSuite` that has one. */
export const SERIALIZER_DEFAULTS = Object.freeze({
  values: JSON_VALUES,
  damaged: Object.freeze({}),
  copies: true,
  backend: 'cairn.memory',
  sync: true,
});

const OWN = ['serializer', 'deserializer', 'values', 'damaged', 'copies', 'backend', 'arguments', 'sync'];

/** Sees what the region gives to its backend. */
class Spy extends ProxyBackend<any> {
  readonly seen: CachedValue[] = [];
  override set(key: string, value: CachedValue<any>, options?: SetOptions): Awaitable<any> {
    this.seen.push(value);
    return super.set(key, value, options);
  }
}

/** A failure to plant. */
interface Faults {
  serializer?: Error | null;
  deserializer?: Error | null;
}

interface Rig {
  readonly region: CacheRegion<any>;
  readonly ops: Operations;
  readonly spy: Spy;
  /** What the serializer returned, in order. */
  readonly outputs: unknown[];
  /** What the two throw instead of working, for as long as it stands there. */
  readonly faults: Faults;
}

class SerializerScope<S> extends Scope<S> {
  readonly clock = new SuiteClock();
  readonly #options: SerializerSuiteOptions<S>;

  constructor(store: S, check: Check, options: SerializerSuiteOptions<S>) {
    super(store, check);
    this.#options = options;
  }

  async rig(sync: boolean): Promise<Rig> {
    const {
      serializer,
      deserializer,
      arguments: given,
      backend = SERIALIZER_DEFAULTS.backend,
    } = this.#options;
    const [spy, outputs, faults]: [Spy, unknown[], Faults] = [new Spy(), [], {}];
    const region = createRegion<any>({
      name: 'serializer-suite',
      clock: this.clock.read,
      serializer(value) {
        if (faults.serializer) throw faults.serializer;
        const output = serializer(value);
        outputs.push(output);
        return output;
      },
      deserializer(serialized) {
        if (faults.deserializer) throw faults.deserializer;
        return deserializer(serialized);
      },
      backend,
      arguments: typeof given === 'function' ? given(this.store) : (given ?? {}),
      wrap: [spy],
    });
    this.atEnd(() => region.close());
    return { region, ops: operationsOf(region, sync), spy, outputs, faults };
  }
}

/**
 * Registers the tests that a region's `serializer` and `deserializer` have to pass, in the promise forms and, with
 * `sync`, in the `Sync` ones.
 *
 * @throws {OptionError} `ERR_CAIRN_OPTION`: an option is unknown, wrong or missing.
 * Source: dogpile.cache `_GenericSerializerTestSuite`.
 */
export function serializerSuite<S = undefined>(options: SerializerSuiteOptions<S>): void {
  checkOptions(options, [...COMMON_OPTIONS, ...OWN], 'serializerSuite');
  for (const name of ['serializer', 'deserializer'] as const)
    if (typeof options[name] !== 'function') throw new OptionError(name, options[name], 'must be a function');
  checkTypes(options, 'object', ['values', 'damaged']);
  checkTypes(options, 'boolean', ['copies', 'sync']);
  const values = Object.entries(options.values ?? SERIALIZER_DEFAULTS.values);
  if (values.length === 0) throw new OptionError('values', options.values, 'must have at least one');
  const damaged = Object.entries(options.damaged ?? SERIALIZER_DEFAULTS.damaged);
  const copies = options.copies ?? SERIALIZER_DEFAULTS.copies;
  const make = (store: S, check: Check) => new SerializerScope<S>(store, check, options);
  const suite = new Suite<S, SerializerScope<S>>(options, options.name ?? 'serializer', make);
  const [, sample] = values.at(-1)!;

  eachForm(options.sync ?? SERIALIZER_DEFAULTS.sync, (sync, suffix) => {
    const test = (title: string, body: (scope: SerializerScope<S>, rig: Rig) => Promise<void>) =>
      suite.test(`${title}${suffix}`, async (scope) => body(scope, await scope.rig(sync)));

    for (const [what, value] of values) {
      test(`round trip of ${what}`, async ({ check }, { ops }) => {
        await ops.set('k', value);
        const first = await ops.get('k');
        check.equal(first, value, 'set and get');
        check.is(await ops.has('k'), true, 'has');
        // Were the value changed on the way, it would be another the second time.
        await ops.set('k', value);
        check.equal(await ops.get('k'), first, 'set and get again');
        check.equal((await ops.getValueMetadata('k'))?.payload, value, 'payload of getValueMetadata');
      });
    }

    test('round trip of all values by Multi forms', async ({ check }, { ops }) => {
      check.is(await ops.setMulti(values), true, 'the answer of setMulti');
      const names = values.map(([what]) => what);
      const found = await ops.getMulti(['absent', ...names]);
      for (const [n, [what, value]] of values.entries()) check.equal(found[n + 1], value, what);
      check.is(found[0], undefined, 'an absent key');
    });

    test('the backend gets CachedValues that hold what the serializer returned', seenByBackend(sample));
    test("the creator's caller gets the very object, later callers a copy", creatorsCaller(values, copies));
    test('CantDeserializeError is a miss, and the value is made again', cantDeserialize(sample));
    test('any other error of the deserializer reaches the caller', otherErrors(sample));
    test(
      'an error of the serializer reaches the caller, nothing is stored, the mutex is free',
      failing(sample),
    );

    for (const [what, payload] of damaged) {
      test(`the deserializer refuses ${what}`, async ({ check }, { region, ops }) => {
        await ops.set('k', sample);
        const backend = keyed(region.backend);
        const { metadata } = (await backend.get('k')) as CachedValue;
        await backend.set('k', new CachedValue(payload, metadata));
        check.is(await ops.get('k'), undefined, 'get');
        check.equal(await ops.getOrCreate('k', () => sample), sample, 'getOrCreate');
        check.equal(await ops.get('k'), sample, 'get after it');
      });
    }
  });
}

type Body = (scope: Scope<any> & { readonly clock: SuiteClock }, rig: Rig) => Promise<void>;

function seenByBackend(sample: unknown): Body {
  return async ({ check, clock }, { ops, spy, outputs }) => {
    await ops.set('set', sample);
    await ops.setMulti([
      ['a', sample],
      ['b', sample],
    ]);
    await ops.getOrCreate('created', () => sample);
    await ops.getOrCreateMulti(['c', 'd'], (keys) => keys.map(() => sample));
    check.is(spy.seen.length, 6, 'how many values the backend got');
    check.is(outputs.length, 6, 'how often the serializer was called');
    for (const [n, value] of spy.seen.entries()) {
      check.ok(value instanceof CachedValue, `value ${n} must be a CachedValue`);
      check.is(value.payload, outputs[n], `payload ${n}`);
      check.is(value.metadata.ct, clock.time, `time of creation of value ${n}`);
    }
  };
}

function creatorsCaller(values: readonly [string, unknown][], copies: boolean): Body {
  return async ({ check }, { ops }) => {
    const never = () => check.fail('the creator must not run again');
    for (const [what, value] of values) {
      check.is(await ops.getOrCreate(what, () => value), value, `what the creator's caller gets: ${what}`);
      const later = await ops.getOrCreate(what, never);
      check.equal(later, value, `what a later caller gets: ${what}`);
      const isObject = typeof value === 'object' && value !== null;
      if (copies && isObject) check.ok(later !== value, `a later caller must get a copy: ${what}`);
    }
    const names = values.map(([what]) => `multi ${what}`);
    const byName = new Map(values.map(([what, value]) => [`multi ${what}`, value]));
    const made = await ops.getOrCreateMulti(names, (keys) => keys.map((key) => byName.get(key)));
    for (const [n, [what, value]] of values.entries()) check.is(made[n], value, `getOrCreateMulti: ${what}`);
    const again = await ops.getOrCreateMulti(names, never);
    for (const [n, [what, value]] of values.entries())
      check.equal(again[n], value, `getOrCreateMulti again: ${what}`);
  };
}

function cantDeserialize(sample: unknown): Body {
  return async ({ check }, { ops, faults }) => {
    await ops.setMulti([
      ['a', sample],
      ['b', sample],
    ]);
    faults.deserializer = new CantDeserializeError();
    check.is(await ops.get('a'), undefined, 'get');
    check.is(await ops.has('a'), false, 'has');
    check.is(await ops.getValueMetadata('a'), undefined, 'getValueMetadata');
    check.equal(await ops.getMulti(['a', 'b']), [undefined, undefined], 'getMulti');
    let runs = 0;
    const creator = () => {
      runs++;
      return sample;
    };
    check.equal(await ops.getOrCreate('a', creator), sample, 'getOrCreate');
    const many = await ops.getOrCreateMulti(['b'], (keys) => keys.map(creator));
    check.equal(many, [sample], 'getOrCreateMulti');
    check.is(runs, 2, 'runs of the creator');
    faults.deserializer = null;
    check.equal(await ops.getMulti(['a', 'b']), [sample, sample], 'what was made again');
  };
}

function otherErrors(sample: unknown): Body {
  return async ({ check }, { ops, faults }) => {
    await ops.set('k', sample);
    const error = new Error('of the deserializer');
    faults.deserializer = error;
    const creator = () => check.fail('the creator must not run');
    const calls: Record<string, () => unknown> = {
      get: () => ops.get('k'),
      has: () => ops.has('k'),
      getMulti: () => ops.getMulti(['absent', 'k']),
      getOrCreate: () => ops.getOrCreate('k', creator),
      getOrCreateMulti: () => ops.getOrCreateMulti(['k'], creator),
    };
    for (const [name, call] of Object.entries(calls))
      check.is(await check.thrown(call, name), error, `what reaches the caller of ${name}`);
    faults.deserializer = null;
    check.equal(await ops.get('k'), sample, 'what stands');
  };
}

function failing(sample: unknown): Body {
  return async ({ check }, { region, ops, faults }) => {
    const error = new Error('of the serializer');
    await ops.set('stands', sample);
    faults.serializer = error;
    let runs = 0;
    const creator = () => {
      runs++;
      return sample;
    };
    const calls: Record<string, () => unknown> = {
      getOrCreate: () => ops.getOrCreate('k', creator),
      getOrCreateMulti: () => ops.getOrCreateMulti(['k', 'l'], (keys) => keys.map(creator)),
      set: () => ops.set('k', sample),
      setMulti: () => ops.setMulti([['k', sample]]),
      'set of a key that stands': () => ops.set('stands', sample),
    };
    for (const [name, call] of Object.entries(calls))
      check.is(await check.thrown(call, name), error, `what reaches the caller of ${name}`);
    check.is(runs, 3, 'runs of the creators');
    check.equal(await keyed(region.backend).getMulti(['k', 'l']), [NO_VALUE, NO_VALUE], 'what was stored');
    const mutex = keyed(region.backend).getMutex('k');
    if (mutex === null || mutex.locked !== undefined)
      check.is(await ops.keyIsLocked('k'), false, 'keyIsLocked after it');
    faults.serializer = null;
    check.equal(await ops.get('stands'), sample, 'a value that stood');
    check.equal(await ops.getOrCreate('k', creator), sample, 'the next getOrCreate');
    check.equal(await ops.get('k'), sample, 'get after it');
  };
}
