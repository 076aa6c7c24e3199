/** What the suites refuse, and how a test of theirs goes: hooks, hangs, failures. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { OptionError } from '../../src/errors.ts';
import { LocalMutex } from '../../src/mutex/local-mutex.ts';
import { backendSuite, mutexSuite, serializerSuite } from '../../src/testing/index.ts';

const never = () => assert.unreachable('no test may be registered');
const same = (value: unknown) => value;
const create = () => new LocalMutex();

const refused: [suite: (options: any) => void, field: string, options: object][] = [
  [backendSuite, 'test', { test: undefined, backend: MemoryBackend }],
  [backendSuite, 'assert', { assert: {}, backend: MemoryBackend }],
  [backendSuite, 'timeout', { timeout: 0, backend: MemoryBackend }],
  [backendSuite, 'backend', {}],
  [backendSuite, 'backend', { backend: MemoryBackend, create: () => new MemoryBackend() }],
  [backendSuite, 'arguments', { create: () => new MemoryBackend(), arguments: {} }],
  [backendSuite, 'create', { create: {} }],
  [backendSuite, 'sync', { backend: MemoryBackend, sync: 'yes' }],
  [backendSuite, 'token', { backend: MemoryBackend, token: true }],
  [backendSuite, 'values', { backend: MemoryBackend, values: null }],
  [backendSuite, 'setup', { backend: MemoryBackend, setup: {} }],
  [mutexSuite, 'create', {}],
  [mutexSuite, 'signal', { create, signal: 1 }],
  [mutexSuite, 'releaseUnheld', { create, releaseUnheld: 'maybe' }],
  [mutexSuite, 'mutex', { create, mutex: new LocalMutex() }],
  [serializerSuite, 'serializer', { deserializer: same }],
  [serializerSuite, 'deserializer', { serializer: same }],
  [serializerSuite, 'values', { serializer: same, deserializer: same, values: {} }],
  [serializerSuite, 'copy', { serializer: same, deserializer: same, copy: false }],
];

for (const [suite, field, options] of refused) {
  test(`${suite.name} refuses ${field} in ${Object.keys(options)}`, () => {
    try {
      suite({ test: never, assert, ...options });
    } catch (error) {
      assert.instance(error, OptionError);
      assert.is((error as OptionError).field, field);
      return;
    }
    assert.unreachable('it must throw');
  });
}

type Registered = Map<string, () => Promise<void>>;

function register(options: object): Registered {
  const tests: Registered = new Map();
  backendSuite({
    test: (name: string, run: () => Promise<void>) => tests.set(name, run),
    assert,
    name: 'n',
    backend: MemoryBackend,
    clear: true,
    ...options,
  });
  return tests;
}

/** A test of the suite that is over at once, and fails when `get` does. */
const MISS = 'n: get of an absent key is NO_VALUE';

async function failure(run: () => Promise<void>): Promise<string> {
  return run().then(
    () => 'passed',
    (error) => String(error),
  );
}

test('setup comes first, dispose last, with what setup gave, also after a failure', async () => {
  const log: string[] = [];
  class Broken extends MemoryBackend {
    override get(): any {
      log.push('get');
      throw new Error('broken');
    }
    override close() {
      log.push('close');
    }
  }
  const tests = register({
    backend: Broken,
    close: true,
    arguments: (store: string) => ({ store }),
    async setup() {
      log.push('setup');
      return 'the store';
    },
    dispose: (store: string) => log.push(`dispose of ${store}`),
  });
  assert.match(await failure(tests.get(MISS)!), 'broken');
  assert.equal(log, ['setup', 'get', 'close', 'dispose of the store']);
});

test('what dispose throws fails the test, but does not hide an earlier failure', async () => {
  const dispose = () => {
    throw new Error('of dispose');
  };
  assert.match(await failure(register({ dispose }).get(MISS)!), 'of dispose');
  class Broken extends MemoryBackend {
    override get(): any {
      return undefined;
    }
  }
  assert.match(await failure(register({ dispose, backend: Broken }).get(MISS)!), 'NO_VALUE');
});

test('a test that hangs fails, and so does a setup that does', async () => {
  const hang = () => new Promise<never>(() => {});
  class Hanging extends MemoryBackend {
    override get(): any {
      return hang();
    }
  }
  const message = /did not end within 50 ms/;
  assert.match(await failure(register({ backend: Hanging, timeout: 50 }).get(MISS)!), message);
  assert.match(await failure(register({ setup: hang, timeout: 50 }).get(MISS)!), message);
});

test('assert may be a function, and one that does not throw', async () => {
  class Broken extends MemoryBackend {
    override get(): any {
      return undefined;
    }
  }
  const asked: unknown[] = [];
  const tests = register({ backend: Broken, assert: (value: unknown) => asked.push(value) });
  assert.match(await failure(tests.get(MISS)!), 'NO_VALUE');
  assert.equal(asked, [false]);
});

test('messages show both sides', async () => {
  class Broken extends MemoryBackend {
    override delete(key: string): any {
      return super.delete(key) ? 1 : 0;
    }
  }
  const title = 'n: delete answers whether something stood, and may be repeated';
  const told = await failure(register({ backend: Broken }).get(title)!);
  assert.match(told, 'delete of an absent key: expected false itself, got 0');
});

test.run();
