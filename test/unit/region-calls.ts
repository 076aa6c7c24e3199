/** What the tests of a call's options share: creators that end when told, regions that note errors, an end. */
import * as assert from 'uvu/assert';
import type { CacheRegion } from '../../src/region/region.ts';
import { coreOf } from '../../src/region/region-life.ts';
import { deferred, type Setup, turns } from './region-fixtures.ts';

const EXPIRATION = 10;

/** A creator that ends when told, and its signal. */
export function parked<V>() {
  const gate = deferred<V>();
  const started = deferred();
  const seen: { runs: number; signal: AbortSignal | null } = { runs: 0, signal: null };
  const creator = ({ signal }: { signal: AbortSignal }) => {
    seen.runs++;
    seen.signal = signal;
    started.resolve();
    return gate.promise;
  };
  return { gate, started: started.promise, seen, creator };
}

/** Nothing runs, and nothing is held. */
export async function idle(region: CacheRegion<any>, ...keys: string[]): Promise<void> {
  for (let turn = 0; turn < 100 && coreOf(region).runs.size > 0; turn++) await turns();
  assert.is(coreOf(region).runs.size, 0);
  assert.is(coreOf(region).localMutexes.size, 0);
  for (const key of keys) assert.is(region.keyIsLockedSync(key), false, `${key} is locked`);
}

export function isPending(promise: Promise<unknown>): Promise<boolean> {
  const mark = Symbol('pending');
  return Promise.race([promise.catch(() => {}), turns(20).then(() => mark)]).then((first) => first === mark);
}

/** Makers of regions on `setup`: `stale` has an old value under `k`. `errors` has what came to `onError`. */
export function makersOf(setup: Setup) {
  const make = <V = string>(more: object = {}) => {
    const errors: unknown[] = [];
    const onError = (error: unknown, context: object) => errors.push([error, context]);
    return { ...setup.make<V>({ expirationTime: EXPIRATION, onError, ...more }), errors };
  };
  const stale = async (more: object = {}) => {
    const made = make(more);
    await made.region.set('k', 'old');
    made.clock.advance(EXPIRATION + 1);
    return made;
  };
  return { make, stale };
}
