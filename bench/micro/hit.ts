/**
 * `npm run bench:hit`: where the nanoseconds of a hit go, everything in the CPU's cache. Calls of the engine by themselves, from
 * the emptiest to a whole `get`; each line is what one more step adds to. And the ways to write a key, by its length.
 */
import type { TextBuffer } from '../../src/codec/buffer-text.ts';
import { SharedCache } from '../../src/index.ts';
import { SHORT_TEXT, stageKey } from '../../src/store/keys.ts';
import { median } from '../duels/rounds.ts';
import { keyOf, stringOf } from '../support/workload.ts';

const ENTRIES = 256;
const MASK = ENTRIES - 1;
const TIMES = 2 ** 16;
const ROUNDS = 25;
/** Only the address and version of what is found: what a `get` asks for whose value is decoded already. */
const BARE = 4;

const cache = SharedCache.create<string | object>({ ttl: 3_600_000 });
const engine = SharedCache.engineOf(cache);
const { x } = engine;
const kept = Array.from({ length: ENTRIES }, (_, i) => Buffer.from(keyOf(i)).toString('latin1'));
const objects = kept.map((key) => `${key}:o`);
for (let i = 0; i < ENTRIES; i++) {
  cache.set(kept[i]!, stringOf(i));
  cache.set(objects[i]!, { i });
}
for (let pass = 0; pass < 100; pass++) for (const key of [...kept, ...objects]) cache.get(key);
const length = stageKey(engine, kept[7]!) >>> 1;

/** Each runs TIMES times and returns something of all it saw. */
const STEPS: Record<string, () => number> = {
  'a call into the engine': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += x.thread_me();
    return sum;
  },
  'and the hash of a key that is there': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += x.mutex_of(length, 0);
    return sum;
  },
  'and a bucket that does not have it': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += x.store_get(length - 1, 0, BARE);
    return sum;
  },
  'a bucket that has it: compare, check, expiry': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += x.store_get(length, 0, BARE);
    return sum;
  },
  ...(engine.readsText && {
    'and the key written by the engine': () => {
      let sum = 0;
      for (let i = 0; i < TIMES; i++) sum += x.store_find(kept[i & MASK]!, 0, BARE);
      return sum;
    },
  }),
  has: () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += cache.has(kept[i & MASK]!) ? 1 : 0;
    return sum;
  },
  'get of an object that is decoded': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += (cache.get(objects[i & MASK]!) as { i: number }).i;
    return sum;
  },
  'get of an 85-byte string': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += (cache.get(kept[i & MASK]!) as string).length;
    return sum;
  },
  'get of an 85-byte string, key built for the call': () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += (cache.get(keyOf(i & MASK)) as string).length;
    return sum;
  },
};

/** Keeps what loops return. */
export let sink = 0;

function nanoseconds(steps: Record<string, () => number>, times: number): Map<string, number> {
  const all = new Map<string, number[]>(Object.keys(steps).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(steps)) {
      // the steps that take a length find the key that was written last
      stageKey(engine, kept[7]!);
      const began = performance.now();
      sink += run();
      all.get(name)!.push(((performance.now() - began) * 1e6) / times);
    }
  }
  return new Map([...all].map(([name, times]) => [name, median(times)]));
}

console.log(
  `Node ${process.version}, everything in the CPU's cache, median of ${ROUNDS} interleaved rounds\n`,
);
const steps = nanoseconds(STEPS, TIMES);
for (const [name, ns] of steps) console.log(`${name.padEnd(50)} ${ns.toFixed(1).padStart(6)} ns`);

console.log('\nwriting a key, by its characters');
const buffer: TextBuffer = engine.buffer;
const { u8, stage: at } = engine;
const lengths = [8, 16, 23, 40, 80, 200];
for (const size of lengths) {
  const keys = Array.from({ length: ENTRIES }, (_, i) =>
    Buffer.from(`${i}${'abcdefghijklmnopqrstuvwxyz'.repeat(8)}`.slice(0, size)).toString('latin1'),
  );
  const each = (write: (key: string) => number) => () => {
    let sum = 0;
    for (let i = 0; i < TIMES; i++) sum += write(keys[i & MASK]!);
    return sum;
  };
  const loop = (key: string) => {
    let bits = 0;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      bits |= code;
      u8[at + i] = code;
    }
    return bits;
  };
  const view = u8.subarray(at, at + 960);
  const encoder = new TextEncoder();
  const ways = nanoseconds(
    {
      loop: each(loop),
      latin1Write: each((key) => buffer.latin1Write(key, at, 960)),
      utf8Write: each((key) => buffer.utf8Write(key, at, key.length + 4)),
      encodeInto: each((key) => encoder.encodeInto(key, view as Uint8Array<ArrayBuffer>).written),
      'as the shell does': each((key) => stageKey(engine, key)),
      ...(engine.readsText && size < SHORT_TEXT + 100
        ? { 'many_note_text, hash included': each((key) => Number(x.many_note_text(key, 0, 0) ?? 0)) }
        : {}),
    },
    TIMES,
  );
  const line = [...ways].map(([name, ns]) => `${name} ${ns.toFixed(0)}`).join('   ');
  console.log(`${String(size).padStart(4)}   ${line}`);
}
cache.close();
console.log(JSON.stringify({ suite: 'hit', rows: [...steps].map(([id, ns]) => ({ id, ns })) }));
