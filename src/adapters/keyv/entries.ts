/**
 * A SharedCache as the Keyv adapters see it: entries with names of any length, that a walk finds by the beginning of their
 * name. An adapter makes a name by putting its own prefix before Keyv's key.
 *
 * A name that fits is the cache's key as it stands. A longer one (960 bytes encoded) is stored under its hash, with the name
 * in front of the value, so that a walk still finds it. No adapter's prefix begins like such a hash.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as L from '../../../assembly/layout.ts';
import type { SharedCache } from '../../store/shared-cache.ts';

const HASHED = 'keyv:sha256:';
/** Keys that a walk looks at before it lets the event loop turn. */
const LOOKS_A_TURN = 1024;

/** The name and value of an entry whose name is too long for a key. */
interface LongEntry {
  readonly name: string;
  readonly value: unknown;
}

export class KeyvEntries {
  readonly #cache: SharedCache<any>;

  constructor(cache: SharedCache<any>) {
    this.#cache = cache;
  }

  read(name: string): unknown {
    const key = keyOf(name);
    const stored = this.#cache.get(key);
    return key === name ? stored : unpack(stored)?.value;
  }

  has(name: string): boolean {
    return this.#cache.has(keyOf(name));
  }

  /**
   * Stores a value for `ttlMs`; `undefined`: for as long as the cache's own `ttl` says, `Infinity`: without an end. One that
   * has ended already (0 or less) is accepted, and nothing stands then. `false`: larger than the cache's `maxValueBytes`.
   */
  write(name: string, value: unknown, ttlMs: number | undefined): boolean {
    const key = keyOf(name);
    if (ttlMs !== undefined && ttlMs <= 0) {
      this.#cache.delete(key);
      return true;
    }
    const packed = key === name ? value : pack({ name, value });
    return this.#cache.set(key, packed, ttlMs === undefined ? undefined : { ttl: ttlMs });
  }

  delete(name: string): boolean {
    return this.#cache.delete(keyOf(name));
  }

  /** Names that begin with `prefix`, with what stands under them. Weakly consistent, as `SharedCache.keys` is. */
  async *walk(prefix: string): AsyncGenerator<[name: string, value: unknown], void> {
    for await (const [name, key] of this.#names(prefix)) {
      const stored = this.#cache.peek(key);
      const value = key === name ? stored : unpack(stored)?.value;
      if (value !== undefined) yield [name, value]; // else it went between the two looks
    }
  }

  /** Removes the entries whose names begin with `prefix`, one by one; without one everything in the cache, at once. */
  async clear(prefix: string | undefined): Promise<void> {
    if (prefix === undefined) this.#cache.clear();
    else for await (const [, key] of this.#names(prefix)) this.#cache.delete(key);
  }

  /** Names that begin with `prefix`, with the keys they stand under: looks at every key of the cache. */
  async *#names(prefix: string): AsyncGenerator<[name: string, key: string], void> {
    let looks = 0;
    for (const key of this.#cache.keys()) {
      const name = key.startsWith(HASHED) ? unpack(this.#cache.peek(key))?.name : key;
      if (name?.startsWith(prefix)) yield [name, key];
      if (++looks % LOOKS_A_TURN === 0) await nextTurn();
    }
  }
}

/** The cache's key of a name: itself if that fits for certain, else its hash, lone surrogates told apart. */
function keyOf(name: string): string {
  if (name.length * 2 <= L.KEY_MAX) return name;
  if (name.length <= L.KEY_MAX && !/[\u0100-\uffff]/.test(name)) return name;
  return HASHED + createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex');
}

/** Text stays text, which every codec takes; any other value has to be one that the cache's codec takes inside an array. */
function pack({ name, value }: LongEntry): unknown {
  return typeof value === 'string' ? `${name.length}:${name}${value}` : [name, value];
}

function unpack(stored: unknown): LongEntry | undefined {
  if (typeof stored === 'string') {
    const start = stored.indexOf(':') + 1;
    const end = start + Number.parseInt(stored, 10);
    return { name: stored.slice(start, end), value: stored.slice(end) };
  }
  return Array.isArray(stored) ? { name: stored[0], value: stored[1] } : undefined;
}
