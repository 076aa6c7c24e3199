/**
 * What a creator opened and left open (a timer, a connection) keeps the creator's asynchronous context alive, but not what
 * it made, nor what others made within it. This file is its own child process, with `--expose-gc`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CacheRegion, createRegion, SharedCache } from '../../src/index.ts';
import { runChild } from '../support/child.ts';
import { checkHeap } from '../support/engine.ts';

const TURNS = 50;

/** Objects that are made, and how many of them were collected. */
class Made {
  collected = 0;
  count = 0;
  readonly #registry = new FinalizationRegistry(() => this.collected++);
  make(): object {
    const value = { count: this.count++, rows: new Array(10).fill('row') };
    this.#registry.register(value, 0);
    return value;
  }
}

/** Creates in every form; each creator opens a timer that outlives it. */
async function create(region: CacheRegion<object>, made: Made, timers: NodeJS.Timeout[]): Promise<void> {
  const open = () => timers.push(setInterval(() => {}, 2 ** 30));
  await region.getOrCreate('one', async () => {
    await null;
    open();
    return made.make();
  });
  await region.getOrCreateMulti(['m', 'n'], async (keys) => {
    open();
    await null;
    return keys.map(() => made.make());
  });
  await region.getOrCreate('outer', async () => {
    open();
    await region.getOrCreate('p', async () => {
      open();
      return made.make();
    });
    return made.make();
  });
}

async function child(backend: string): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  const made = new Made();
  const timers: NodeJS.Timeout[] = [];
  const cache = SharedCache.create<any>({ maxBytes: 2 ** 20 });
  const region = createRegion<object>({
    name: 'r',
    backend,
    ...(backend === 'cairn.slab' ? { arguments: { cache, decoded: { mode: 'off' } } } : {}),
  });
  await create(region, made, timers);
  if (backend === 'cairn.memory') await region.clear();
  for (let n = 0; n < TURNS && made.collected < made.count; n++) {
    gc!();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log(JSON.stringify({ timers: timers.length, made: made.count, collected: made.collected }));
  for (const timer of timers) clearInterval(timer);
  checkHeap(cache);
  region.close();
  cache.close();
}

if (process.argv[2] !== undefined) await child(process.argv[2]);
else {
  for (const backend of ['cairn.null', 'cairn.memory', 'cairn.slab']) {
    test(`${backend}: values are collected while timers of their creators live`, async () => {
      const { code, out, err } = await runChild(import.meta.url, [backend], 60_000, ['--expose-gc']);
      assert.is(code, 0, err);
      assert.match(out, JSON.stringify({ timers: 4, made: 5, collected: 5 }));
    });
  }
  test.run();
}
