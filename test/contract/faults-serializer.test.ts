/** Each fault of a pair of serializers is found by the tests that are about it; a correct pair has no failure. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CantDeserializeError } from '../../src/errors.ts';
import { type SerializerSuiteOptions, serializerSuite } from '../../src/testing/index.ts';
import { collect, failedExactly } from './collect.ts';

/** What is broken is this. */
const CORRECT = {
  serializer: (value: unknown): unknown => JSON.stringify(value),
  deserializer(text: unknown): any {
    try {
      return JSON.parse(text as string);
    } catch (cause) {
      throw new CantDeserializeError('not JSON', { cause });
    }
  },
};

const OPTIONS = {
  damaged: { 'a text that was cut': '{"a":' },
  // Made anew for each suite: one fault changes them.
  values: () => ({ 'a number': 1.5, 'a list': [1, 'x'], 'an object': { list: ['a'], text: 'b' } }),
} as const;

interface Fault {
  readonly pair: Partial<typeof CORRECT>;
  readonly options?: Partial<SerializerSuiteOptions>;
  readonly fails: readonly string[];
}

const COPY = "the creator's caller gets the very object, later callers a copy";
const MANY = 'round trip of all values by Multi forms';

const FAULTS: Record<string, Fault> = {
  none: { pair: {}, fails: [] },

  'numbers are rounded': {
    pair: {
      serializer: (value) => JSON.stringify(typeof value === 'number' ? Math.round(value) : value),
    },
    fails: ['round trip of a number', MANY, COPY],
  },
  'the deserializer keeps what it made': {
    pair: { serializer: (value) => value, deserializer: (value) => value },
    options: { damaged: {} },
    fails: [COPY],
  },
  'the serializer changes the value': {
    pair: {
      serializer(value: any) {
        if (Array.isArray(value) && !Object.isFrozen(value)) value.push('stored');
        return JSON.stringify(value);
      },
    },
    // What creators made is frozen, so after the first form nothing can be changed any more.
    options: { sync: false },
    fails: ['round trip of a list'],
  },
  'damage is an error': {
    pair: { deserializer: (text) => JSON.parse(text as string) },
    fails: ['the deserializer refuses a text that was cut'],
  },
  'damage is a value': {
    pair: {
      deserializer(text) {
        try {
          return JSON.parse(text as string);
        } catch {
          return null;
        }
      },
    },
    fails: ['the deserializer refuses a text that was cut'],
  },
  'all values are one': {
    pair: { serializer: () => '{"list":["a"],"text":"b"}' },
    fails: ['round trip of a number', 'round trip of a list', MANY, COPY],
  },
};

for (const [what, { pair, options, fails }] of Object.entries(FAULTS)) {
  test(`fault: ${what}`, async () => {
    const { damaged, values } = OPTIONS;
    const collected = await collect((common) =>
      serializerSuite({
        ...(common as SerializerSuiteOptions),
        ...CORRECT,
        ...pair,
        damaged,
        values: values(),
        ...options,
      }),
    );
    assert.ok(collected.titles.length >= 9, `${collected.titles.length} tests`);
    failedExactly(collected, fails);
  });
}

test.run();
