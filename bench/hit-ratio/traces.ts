// Request logs as workloads: keys are numbered, so that a contestant works on arrays. A log is a gzip file with one
// request a line, `NAME.keys.txt.gz` (the key) or `NAME.keysize.txt.gz` (key, blank, bytes).

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { derivedSize, type SizeKind } from './sizes.ts';

/** Keys of logs with derived sizes are padded to this many characters, after the size was taken. */
const PADDED = 20;
/** What an entry's header takes; the references are charged as much. */
export const HEADER_BYTES = 48;
/** An entry may be this part of the capacity; larger ones are not stored. */
export const LARGEST_PART = 4;

/** Requests by key number, and what each key is and holds. */
export interface Workload {
  name: string;
  /** Keys as they are stored. */
  keys: string[];
  /** Bytes of each key, UTF-8. */
  keyBytes: Uint32Array;
  /** Bytes of each key's value: those of its first line. */
  sizes: Float64Array;
  requests: Uint32Array;
}

/** What is asked to keep a workload's entries: by key number. */
export interface Contestant {
  /** True: a hit. */
  get(id: number): boolean;
  /** Called after each miss. */
  set(id: number): void;
}

/** Hit ratios in percent. */
export interface Ratio {
  objects: number;
  bytes: number;
}

/** Makes a workload of a log's text; `kind` says where the sizes come from. */
export function parseLog(name: string, text: string, kind: SizeKind): Workload {
  const numbers = new Map<string, number>();
  const requests: number[] = [];
  const keys: string[] = [];
  const sizes: number[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const blank = kind === 'own' ? line.lastIndexOf(' ') : line.length;
    const key = line.slice(0, blank);
    let id = numbers.get(key);
    if (id === undefined) {
      id = keys.length;
      numbers.set(key, id);
      keys.push(kind === 'own' ? key : key.padStart(PADDED, '0'));
      sizes.push(kind === 'own' ? Number(line.slice(blank + 1)) : derivedSize(kind, key));
    }
    requests.push(id);
  }
  return {
    name,
    keys,
    keyBytes: Uint32Array.from(keys, (key) => Buffer.byteLength(key)),
    sizes: Float64Array.from(sizes),
    requests: Uint32Array.from(requests),
  };
}

/** Reads a log from `dir`; throws when it is not there. */
export function loadLog(dir: string, name: string, kind: SizeKind): Workload {
  const path = join(dir, `${name}.${kind === 'own' ? 'keysize' : 'keys'}.txt.gz`);
  if (!existsSync(path)) throw new Error(`no such log: ${path}`);
  return parseLog(name, gunzipSync(readFileSync(path)).toString('utf8'), kind);
}

/** Sum of the values of all keys: what the check sums are made of. */
export function uniqueBytes(workload: Workload): number {
  return workload.sizes.reduce((sum, size) => sum + size, 0);
}

/** Bytes of each key's entry: header, key and value. */
export function entryBytes(workload: Workload): Float64Array {
  return workload.sizes.map((size, id) => HEADER_BYTES + workload.keyBytes[id] + size);
}

/** Asks for every request, and stores what was missed. All requests count; the cache starts empty. */
export function replay(workload: Workload, contestant: Contestant): Ratio {
  const { requests, sizes } = workload;
  let hits = 0;
  let hitBytes = 0;
  let bytes = 0;
  for (let i = 0; i < requests.length; i++) {
    const id = requests[i];
    bytes += sizes[id];
    if (contestant.get(id)) {
      hits++;
      hitBytes += sizes[id];
    } else contestant.set(id);
  }
  return { objects: (100 * hits) / requests.length, bytes: (100 * hitBytes) / bytes };
}
