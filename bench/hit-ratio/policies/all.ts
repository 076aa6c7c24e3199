// The policies that the store is compared with at the same number of entries, all online: what they decide depends on the
// past alone. Checked against published figures: README.md.

import type { Contestant } from '../traces.ts';
import { Arc, Car } from './arc.ts';
import { Lirs } from './lirs.ts';
import { Clock, Lru, S3Fifo, Sieve } from './queues.ts';
import { WTinyLfu } from './w-tinylfu.ts';

type Make = (keys: number, capacity: number) => Contestant;

export const POLICIES: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['LRU', (keys, capacity) => new Lru(keys, capacity)],
  ['CLOCK', (keys, capacity) => new Clock(keys, capacity, 1)],
  ['CLOCK 2-bit', (keys, capacity) => new Clock(keys, capacity, 2)],
  ['SIEVE', (keys, capacity) => new Sieve(keys, capacity)],
  ['S3-FIFO', (keys, capacity) => new S3Fifo(keys, capacity, 2)],
  ['S3-FIFO t1', (keys, capacity) => new S3Fifo(keys, capacity, 1)],
  ['ARC', (keys, capacity) => new Arc(keys, capacity)],
  ['CAR', (keys, capacity) => new Car(keys, capacity)],
  ['LIRS', (keys, capacity) => new Lirs(keys, capacity)],
  ['W-TinyLFU 1%', (keys, capacity) => new WTinyLfu(keys, capacity, 0.01, false)],
  ['W-TinyLFU 10%', (keys, capacity) => new WTinyLfu(keys, capacity, 0.1, false)],
  ['W-TinyLFU climbing', (keys, capacity) => new WTinyLfu(keys, capacity, 0.01, true)],
]);
