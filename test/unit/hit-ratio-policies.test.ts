// The policies that the store's hit ratio is compared with do what their papers say: the simple ones beside a slow and plain
// version, all of them within what no policy can pass.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { POLICIES } from '../../bench/hit-ratio/policies/all.ts';
import type { Contestant } from '../../bench/hit-ratio/traces.ts';
import { random, SEED } from '../support/engine.ts';

const KEYS = 400;

/** Popular keys, loops and scans, as key numbers. */
function log(requests: number): number[] {
  const rnd = random(SEED);
  const ids: number[] = [];
  while (ids.length < requests) {
    const turn = rnd();
    const from = Math.floor(rnd() * KEYS);
    if (turn < 0.01) for (let i = 0; i < 60; i++) ids.push((from + i) % KEYS);
    else ids.push(Math.floor(KEYS * rnd() ** 3));
  }
  return ids;
}

/** The requests that hit, as their places in the log. */
function hitsOf(contestant: Contestant, ids: readonly number[]): number[] {
  const hits: number[] = [];
  for (const [at, id] of ids.entries()) {
    if (contestant.get(id)) hits.push(at);
    else contestant.set(id);
  }
  return hits;
}

function plainLru(capacity: number): Contestant {
  const held: number[] = [];
  return {
    get(id) {
      const at = held.indexOf(id);
      if (at >= 0) held.push(held.splice(at, 1)[0]!);
      return at >= 0;
    },
    set(id) {
      if (held.length === capacity) held.shift();
      held.push(id);
    },
  };
}

/** CLOCK as a queue whose head is given another turn for each use, up to `most`. */
function plainClock(capacity: number, most: number): Contestant {
  const queue: { id: number; uses: number }[] = [];
  return {
    get(id) {
      const held = queue.find((entry) => entry.id === id);
      if (held) held.uses = Math.min(most, held.uses + 1);
      return held !== undefined;
    },
    set(id) {
      while (queue.length === capacity) {
        const first = queue.shift()!;
        if (first.uses > 0) queue.push({ id: first.id, uses: first.uses - 1 });
      }
      queue.push({ id, uses: 0 });
    },
  };
}

/** SIEVE: a queue in the order of arrival, and a hand that goes from the oldest to the newest and stays where it was. */
function plainSieve(capacity: number): Contestant {
  const queue: { id: number; visited: boolean }[] = []; // the oldest first
  let hand = 0;
  return {
    get(id) {
      const held = queue.find((entry) => entry.id === id);
      if (held) held.visited = true;
      return held !== undefined;
    },
    set(id) {
      if (queue.length === capacity) {
        while (queue[hand]!.visited) {
          queue[hand]!.visited = false;
          hand = (hand + 1) % queue.length;
        }
        queue.splice(hand, 1);
        if (hand === queue.length) hand = 0;
      }
      queue.push({ id, visited: false });
    },
  };
}

/** Hits of whoever knows the future and need not keep what it is given (Belady, 1966): no policy has more. */
function mostHits(ids: readonly number[], capacity: number): number {
  const next: number[] = new Array(ids.length);
  const seen = new Map<number, number>();
  for (let at = ids.length - 1; at >= 0; at--) {
    next[at] = seen.get(ids[at]!) ?? Number.POSITIVE_INFINITY;
    seen.set(ids[at]!, at);
  }
  const held = new Map<number, number>();
  let hits = 0;
  for (const [at, id] of ids.entries()) {
    if (held.has(id)) hits++;
    held.set(id, next[at]!);
    if (held.size <= capacity) continue;
    let last = id;
    for (const [other, when] of held) if (when > held.get(last)!) last = other;
    held.delete(last);
  }
  return hits;
}

const ids = log(20_000);
const distinct = new Set(ids).size;

for (const capacity of [10, 40, 150]) {
  const plain: [string, Contestant][] = [
    ['LRU', plainLru(capacity)],
    ['CLOCK', plainClock(capacity, 1)],
    ['CLOCK 2-bit', plainClock(capacity, 3)],
    ['SIEVE', plainSieve(capacity)],
  ];
  for (const [name, contestant] of plain) {
    test(`${name}, ${capacity} entries: the same hits as its plain version`, () => {
      assert.equal(hitsOf(POLICIES.get(name)!(KEYS, capacity), ids), hitsOf(contestant, ids));
    });
  }
}

for (const [name, make] of POLICIES) {
  test(`${name}: within the bounds of every policy`, () => {
    for (const capacity of [10, 40, 150]) {
      const hits = hitsOf(make(KEYS, capacity), ids).length;
      const most = mostHits(ids, capacity);
      assert.ok(hits <= most, `${hits} hits of ${capacity} entries, where ${most} are possible`);
      assert.ok(hits > most / 3, `${hits} hits of ${capacity} entries, where ${most} are possible`);
      assert.equal(hitsOf(make(KEYS, capacity), ids).length, hits); // nothing of it is chance
    }
    // where all fits, only the first request of a key misses
    assert.is(hitsOf(make(KEYS, KEYS), ids).length, ids.length - distinct);
  });
}

test('who keeps what comes back holds on to a part of a loop that LRU loses', () => {
  const loop = Array.from({ length: 12_000 }, (_, i) => i % 120);
  assert.is(hitsOf(POLICIES.get('LRU')!(KEYS, 100), loop).length, 0);
  for (const name of ['LIRS', 'W-TinyLFU 1%']) {
    const hits = hitsOf(POLICIES.get(name)!(KEYS, 100), loop).length;
    assert.ok(hits > loop.length / 2, `${name}: ${hits}`);
  }
});

test.run();
