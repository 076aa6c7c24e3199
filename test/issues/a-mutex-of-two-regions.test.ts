/**
 * Mutexes of another make may serve several keys and several regions. Creations take them in one order wherever they come
 * from, so that nested ones wait for each other in no circle.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { registerBackend } from '../../src/backend/registry.ts';
import { type CacheMutex, createRegion } from '../../src/index.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { deferred, randomFrom, SEED, turns } from '../unit/region-fixtures.ts';

const HANG_MS = 5_000;

/** Not of this package: it knows no signal, and answers by promises if `late`. */
class ForeignMutex implements CacheMutex {
  held = false;
  readonly #late: boolean;
  readonly #queue: (() => void)[] = [];
  constructor(late: boolean) {
    this.#late = late;
  }
  acquire(wait = true): boolean | Promise<boolean> {
    const got = !this.held;
    this.held = true;
    if (got || !wait) return this.#late ? Promise.resolve(got) : got;
    return new Promise((resolve) => this.#queue.push(() => resolve(true)));
  }
  release(): void {
    if (!this.held) throw new Error('it is not held');
    const next = this.#queue.shift();
    if (next === undefined) this.held = false;
    else next();
  }
}

/** The first letter of a key names its mutex, in all regions. */
class Striped extends MemoryBackend<string> {
  readonly #mutexes: Map<string, ForeignMutex>;
  readonly #late: boolean;
  constructor({ mutexes, late }: { mutexes: Map<string, ForeignMutex>; late: boolean }) {
    super();
    this.#mutexes = mutexes;
    this.#late = late;
  }
  override getMutex(key: string): ForeignMutex {
    const stripe = key[0];
    if (!this.#mutexes.has(stripe)) this.#mutexes.set(stripe, new ForeignMutex(this.#late));
    return this.#mutexes.get(stripe)!;
  }
}
registerBackend('test.two-regions', () => Striped);

/** `promise`, or a failure where it hangs. */
async function ends<T>(promise: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), HANG_MS);
  });
  return Promise.race([promise, hang]).finally(() => clearTimeout(timer));
}

for (const late of [false, true]) {
  const title = late ? 'answers by promises' : 'answers at once';
  const make = (count: number) => {
    const mutexes = new Map<string, ForeignMutex>();
    const regions = Array.from({ length: count }, (_, n) =>
      createRegion<string>({ name: `r${n}`, backend: 'test.two-regions', arguments: { mutexes, late } }),
    );
    const end = () => {
      for (const region of regions) {
        assert.equal([coreOf(region).runs.size, coreOf(region).localMutexes.size], [0, 0]);
        region.close();
      }
      for (const [stripe, mutex] of mutexes) assert.not(mutex.held, stripe);
    };
    return { regions, end };
  };

  test(`${title}: two creators that want each other's mutex, by two regions`, async () => {
    for (const multi of [false, true]) {
      const {
        regions: [A, C],
        end,
      } = make(2);
      const ask = (region: typeof A, key: string) =>
        multi ? region.getOrCreateMulti([key], (keys) => [...keys]) : region.getOrCreate(key, () => key);
      const both = deferred();
      let entered = 0;
      const inside = async (next: () => Promise<unknown>) => {
        if (++entered === 2) both.resolve();
        await both.promise;
        return String(await next());
      };
      // The first holds m and wants n; the second holds n and wants m, by the other region.
      const calls = [
        A.getOrCreate('m1', () => inside(() => ask(A, 'n1'))),
        A.getOrCreate('n2', () => inside(() => ask(C, 'm2'))),
      ];
      assert.equal(await ends(Promise.all(calls)), ['n1', 'm2']);
      end();
    }
  });

  test(`${title}: random trees of creators over three regions end`, async () => {
    const random = randomFrom(SEED);
    const pick = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 100; round++) {
      const { regions, end } = make(3);
      const keyOf = () => `${'mnop'[pick(4)]}${pick(3)}`;
      const visit = async (depth: number): Promise<string> => {
        const region = regions[pick(regions.length)];
        const work = async (keys: readonly string[]) => {
          await turns(pick(3));
          if (depth > 0) await Promise.all(Array.from({ length: 1 + pick(2) }, () => visit(depth - 1)));
          return [...keys];
        };
        try {
          if (random() < 0.4) return (await region.getOrCreateMulti([keyOf(), keyOf()], work)).join();
          const key = keyOf();
          return await region.getOrCreate(key, async () => (await work([key]))[0]);
        } catch (error) {
          if ((error as { code?: string }).code === 'ERR_CAIRN_REENTRANT') return 'again';
          throw error;
        }
      };
      let ended = false;
      const all = Promise.all(Array.from({ length: 8 }, () => visit(3))).then(() => {
        ended = true;
      });
      for (let turn = 0; turn < 5000 && !ended; turn++) await Promise.race([all, turns(1)]);
      assert.ok(ended, `round ${round} of seed ${SEED} does not end`);
      end();
    }
  });
}

test.run();
