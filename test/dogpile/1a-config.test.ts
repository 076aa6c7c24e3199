/** dogpile.cache, "Region: construction and configuration": configure_from_config and the coercion of strings. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createRegion,
  MemoryBackend,
  NullBackend,
  ProxyBackend,
  registerBackend,
  SlabBackend,
} from '../../src/index.ts';
import { coerce } from '../../src/region/config.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { errorOf, FakeClock, TimeStrategy } from './fixtures.ts';

/** Notes the arguments that it was built with. */
class ArgumentsBackend extends MemoryBackend<any> {
  readonly args: object;
  constructor(args: object) {
    super();
    this.args = args;
  }
}
registerBackend('test.arguments', () => ArgumentsBackend);

test('R:test_instance_from_dict', () => {
  const region = createRegion<any>({ name: 'r' }).configureFromConfig(
    {
      'cache.example.backend': 'test.arguments',
      'cache.example.expirationTime': 600,
      'cache.example.arguments.url': '127.0.0.1',
      'cache.other.expirationTime': 'not ours',
    },
    'cache.example.',
  );
  assert.is(coreOf(region).expirationTime, 600);
  assert.instance(region.backend, ArgumentsBackend);
  assert.equal((region.backend as ArgumentsBackend).args, { url: '127.0.0.1' });
});

test('R:test_instance_from_config_string: strings become numbers, booleans and null', () => {
  const config = Object.fromEntries(
    [
      'cache.example.backend=test.arguments',
      'cache.example.expirationTime=600',
      'cache.example.arguments.url=127.0.0.1',
      'cache.example.arguments.dogpileLockfile=false',
      'cache.example.arguments.xyz=None',
    ].map((line) => line.split('=')),
  );
  const region = createRegion<any>({ name: 'r' }).configureFromConfig(config, 'cache.example.');
  assert.is(coreOf(region).expirationTime, 600);
  assert.equal((region.backend as ArgumentsBackend).args, {
    url: '127.0.0.1',
    dogpileLockfile: false,
    xyz: null,
  });
});

test('configureFromConfig: without a backend it is refused; it takes wrap, a strategy and a replacement', async () => {
  const region = createRegion<any>({ name: 'r' });
  const error = await errorOf(() => region.configureFromConfig({ 'c.expirationTime': 5 }, 'c.'));
  assert.is(error.code, 'ERR_CAIRN_OPTION');
  assert.is(error.field, 'c.backend');
  const regionInvalidator = new TimeStrategy(new FakeClock());
  region.configureFromConfig(
    { 'c.backend': 'cairn.memory', 'c.wrap': [ProxyBackend], 'c.regionInvalidator': regionInvalidator },
    'c.',
  );
  assert.instance(region.backend, ProxyBackend);
  assert.is(coreOf(region).invalidation.strategy, regionInvalidator);
  region.configureFromConfig({ 'c.backend': 'cairn.null', 'c.replaceExistingBackend': 'True' }, 'c.');
  assert.instance(region.backend, NullBackend);
});

test('configureFromConfig: a shared store out of strings', () => {
  const region = createRegion<any>({ name: 'r' }).configureFromConfig(
    { 'c.backend': 'cairn.slab', 'c.arguments.maxBytes': '2097152', 'c.arguments.mutexes': ' 8 ' },
    'c.',
  );
  assert.instance(region.backend, SlabBackend);
  region.setSync('k', 1);
  assert.is(region.getSync('k'), 1);
  region.close();
});

test('U:test_coerce_string_conf', () => {
  const expected: [unknown, unknown][] = [
    ['-1', -1],
    ['+1', 1],
    ['0.1', 0.1],
    ['-3.14e-10', -3.14e-10],
    ['1.', 1],
    ['.5', 0.5],
    [' 600 ', 600],
    ['true', true],
    ['FALSE', false],
    ['None', null],
    ['none', 'none'],
    ['1_000', '1_000'],
    [' some text ', 'some text'],
    ['', ''],
    [5, 5],
    [true, true],
    // Besides, since JavaScript's own word for it is this one.
    ['null', null],
  ];
  for (const [given, coerced] of expected) assert.is(coerce(given), coerced, String(given));
});

test.run();
