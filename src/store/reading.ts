/**
 * Values out of the engine: one clear path. Key in, probe, copy, check, decode, out. Knows one region of one engine in one
 * thread, a codec and the table of decoded values.
 *
 * Rules that hold in every method: nothing of the user's runs between two exports of one operation; whatever an export throws
 * is this generation's death (I7), and its `catch` stores that before anything else.
 */
import * as L from '../../assembly/layout.ts';
import type { TextBuffer } from '../codec/buffer-text.ts';
import type { Codec } from '../codec/types.ts';
import { ValueType } from '../codec/types.ts';
import type { Engine } from '../engine/engine.ts';
import { KeyError } from '../errors.ts';
import { DECODED_MAX, type DecodedTable } from './decoded-table.ts';
import { notString, SHORT_TEXT, stageKey, tooLong } from './keys.ts';
import { copyLarge, privateBytes } from './large.ts';
import { isFar, MANY_FROM, walkAhead } from './many.ts';

export const PEEK = 3; // no frequency, no statistics
export const QUIET = 2; // no statistics
const BARE = 4; // only address and version are told,
const TEXT = 8; // but strings are copied
/** Of reads whose value the table did not have, less those where it had it, when reads ask for a copy at once. */
const COPY_FROM = 16;
const COPY_MAX = 64;
/** A power of two. */
const RECONSIDER = 256;

// Indexes into a slot's results, as the views count them
const R32 = (offset: number) => offset >> 2;
const R64 = (offset: number) => offset >> 3;
const ADDRESS = R32(L.R_ADDRESS);
const HASH = R32(L.R_HASH_LOW);
const LENGTH = R32(L.R_LENGTH);
const BYTES = R32(L.R_BYTES);
const KEY_LENGTH = R32(L.R_KEY_LENGTH);
const KEY_META = R32(L.R_KEY_META);
const VERSION = R64(L.R_VERSION);
const VERSION_LOW = R32(L.R_VERSION_BITS);
const NUMBER = R64(L.R_NUMBER);

/** Makes what is handed out, and kept in the table, of a payload: `SlabBackend` makes a frozen CachedValue. */
export type Finish = (payload: unknown, created: number, v: number, generation: number) => unknown;

export class StoreReader {
  readonly engine: Engine;
  readonly region: number;
  readonly codec: Codec;
  readonly #table: DecodedTable | undefined;
  readonly #freeze: boolean;
  readonly #finish: Finish | undefined;
  /** region << 1 | UTF-16, of the key that was written last. */
  #meta = 0;
  /** Rises when the table does not have a value, falls when it has: from COPY_FROM on reads copy at once. */
  #undecoded = 0;
  /**
   * Whether short strings are kept in the table. Where all is near, finding one there is faster than making it anew; where reads
   * wait for memory, the table is a few more places to wait for.
   */
  #keepsText = true;
  #bare = BARE;
  /** Short strings read, or values decoded, as a count of when to ask again whether all is near. */
  #texts = 0;
  #far = false;
  /** Whether reads wait for memory, and the value that was read last is one for the table, so that the next one likely is. */
  #tabled = false;
  /** What walking ahead saw, so that it is not optimised away. */
  #ahead = 0;
  /** Version of what `value` answered last, 0: nothing stood. */
  lastVersion = 0;

  constructor(
    engine: Engine,
    region: number,
    codec: Codec,
    table: DecodedTable | undefined,
    freeze: boolean,
    finish?: Finish,
  ) {
    this.engine = engine;
    this.region = region;
    this.codec = codec;
    this.#table = table;
    this.#freeze = freeze;
    this.#finish = finish;
    if (table === undefined) this.#undecoded = COPY_FROM;
  }

  // ---- Keys

  /** Writes the key to the staging area; its bytes. @throws {KeyError} */
  writeKey(key: string): number {
    if (this.engine.down) this.engine.enter();
    const staged = stageKey(this.engine, key);
    this.#meta = (this.region << 1) | (staged & 1);
    return staged >>> 1;
  }

  /** region << 1 | UTF-16, of the key that `writeKey` wrote last. */
  get keyMeta(): number {
    return this.#meta;
  }

  // ---- Reading

  /** The value of a key. `undefined` with `lastVersion` 0: none stands. `flags`: 0, or PEEK. @throws {KeyError} */
  read(key: string, flags: number): unknown {
    const how = this.#undecoded < COPY_FROM ? flags | this.#bare : flags;
    const type = this.#probe(key, how);
    return type < 0 ? this.#missing() : this.value(key, type, how);
  }

  /** The values of keys, in their order, each as `read` gives it. `absent` stands where none does. */
  readMany(keys: readonly string[], absent: unknown): unknown[] {
    const values: unknown[] = [];
    for (let from = 0; from < keys.length; from += L.MANY_MAX) {
      const to = Math.min(keys.length, from + L.MANY_MAX);
      if (to - from >= MANY_FROM) this.#walkAhead(keys, from, to);
      for (let i = from; i < to; i++) {
        const value = this.read(keys[i]!, 0);
        values.push(this.lastVersion === 0 ? absent : value);
      }
    }
    return values;
  }

  #walkAhead(keys: readonly string[], from: number, to: number): void {
    const { engine } = this;
    if (engine.down) engine.enter();
    if (!isFar(engine)) return;
    for (let i = from; i < to; i++) {
      const key = keys[i]!;
      if (typeof key !== 'string') throw notString(key);
      if (key.length > L.KEY_MAX) throw tooLong(key);
    }
    try {
      this.#ahead |= walkAhead(engine, this.region, this.#table, keys, from, to);
    } catch (error) {
      if (error instanceof KeyError) throw error; // one of UTF-16; nothing was called
      engine.u32[engine.stateIndex] = engine.deadWord;
      engine.down = 1;
      throw engine.died(error);
    }
  }

  /** Whether a value stands. Does not count as a hit. */
  has(key: string): boolean {
    return this.#probe(key, PEEK | BARE) >= 0;
  }

  /** Only looks: the type of what stands, its fields in the results, or MISS. Does not count as a hit. */
  look(key: string): number {
    return this.#probe(key, PEEK);
  }

  /**
   * The look-up of a read: the type of what stands, or MISS. One call; two where a decoded value is expected and far, so that
   * the table's places are on their way through memory while the engine looks.
   */
  #probe(key: string, flags: number): number {
    const engine = this.engine;
    if (engine.down) engine.enter();
    if (engine.clock.injected) this.#askFirst(key);
    if (typeof key !== 'string') throw notString(key);
    const text = engine.readsText && key.length < SHORT_TEXT;
    const length = text ? 0 : this.writeKey(key);
    const { x } = engine;
    let type: number;
    try {
      if (this.#tabled) {
        const hash = text ? x.store_note_text(key, this.region) : x.store_note(length, this.#meta);
        this.#ahead = this.#table!.placeOf(hash);
        type = x.store_look(flags);
      } else {
        type = text ? x.store_find(key, this.region, flags) : x.store_get(length, this.#meta, flags);
      }
    } catch (error) {
      engine.u32[engine.stateIndex] = engine.deadWord;
      engine.down = 1;
      throw engine.died(error);
    }
    return type < L.MISS ? this.failed(type, key) : type;
  }

  /**
   * An injected clock may throw, and may use the cache, so it is asked before the export that needs it, and only if the
   * entry expires: found out by a look that counts nothing.
   */
  #askFirst(key: string): void {
    const { clock } = this.engine;
    const length = this.writeKey(key);
    clock.blind = true;
    try {
      if (this.call((x) => x.store_get(length, this.#meta, PEEK)) < 0) return;
    } finally {
      clock.blind = false;
    }
    if (this.result(L.R_EXPIRES) !== 0) clock.now();
  }

  /**
   * The value that an export found, of this type: from the table, or decoded from the copy area, or copied piece by piece.
   * `flags`: those of the read; without BARE its value is in the copy area. `undefined` with `lastVersion` 0: gone since.
   */
  value(key: string, type: number, flags: number): unknown {
    if (type <= ValueType.number) return this.#plain(type);
    const engine = this.engine;
    // whether the reader wants no table for text, and has a copy
    const remade = flags & TEXT || (!(flags & BARE) && !this.#keepsText);
    if (type <= ValueType.utf16 && remade && engine.u32[engine.r32 + BYTES]! <= L.SMALL_MAX) {
      if ((++this.#texts & (RECONSIDER - 1)) === 0) this.#reconsider();
      const length = engine.u32[engine.r32 + LENGTH]!;
      this.lastVersion = engine.f64[engine.r64 + VERSION]!;
      this.#tabled = false;
      return type === ValueType.latin1
        ? engine.buffer.latin1Slice(engine.copy, engine.copy + length)
        : engine.buffer.ucs2Slice(engine.copy, engine.copy + length);
    }
    const table = this.#table;
    if (table !== undefined) {
      const { i32, r32 } = engine;
      const place = table.placeOf(i32[r32 + HASH]!);
      this.#tabled = this.#far;
      if (table.has(place, i32[r32 + ADDRESS]!, i32[r32 + VERSION_LOW]!, i32[r32 + VERSION_LOW + 1]!)) {
        if (this.#undecoded > 0) this.#undecoded--;
        this.lastVersion = engine.f64[engine.r64 + VERSION]!;
        return table.at(place);
      }
      if (this.#undecoded < COPY_MAX) this.#undecoded += 2;
    }
    if (flags & BARE && !this.call((x) => x.store_copy())) return this.#again(key, flags);
    if (engine.u32[engine.r32 + BYTES]! > L.SMALL_MAX) return this.#large(key, type, flags);
    return this.#take(type, engine.buffer, engine.copy, engine.u32[engine.r32 + LENGTH]!);
  }

  /** What a BARE read found has changed: the same read again, with a copy. */
  #again(key: string, flags: number): unknown {
    const again = (flags & PEEK) | QUIET;
    const type = this.#probe(key, again);
    return type < 0 ? this.#missing() : this.value(key, type, again);
  }

  #plain(type: number): unknown {
    const engine = this.engine;
    const payload =
      type === ValueType.number
        ? engine.f64[engine.r64 + NUMBER]
        : type === ValueType.undefined
          ? undefined
          : type === ValueType.null
            ? null
            : type === ValueType.true;
    this.lastVersion = engine.f64[engine.r64 + VERSION]!;
    return this.#finish ? this.#finish(payload, this.#created(), this.#v(), this.#generation()) : payload;
  }

  /** A large value: copied, then checked; after three tries copied under the shard's lock. */
  #large(key: string, type: number, flags: number): unknown {
    const engine = this.engine;
    const keyLength = engine.u32[engine.r32 + KEY_LENGTH]!;
    const meta = engine.u32[engine.r32 + KEY_META]!;
    const again = (flags & PEEK) | QUIET;
    for (let tries = 0; tries < L.READ_TRIES; tries++) {
      const length = engine.u32[engine.r32 + LENGTH]!;
      const into = length <= L.VALUE_MAX ? privateBytes(length) : undefined; // longer: what was read is no entry
      const bytes = into && engine.guard(() => copyLarge(engine, keyLength, into));
      if (bytes && this.call((x) => x.store_check())) {
        return this.#take(type, bytes as TextBuffer, 0, bytes.length);
      }
      type = this.call((x) => x.store_get(keyLength, meta, again));
      if (type === L.MISS) return this.#missing();
      if (!this.#isLarge(type)) return this.value(key, type, again);
    }
    // the memory is got before the lock: an allocation under it could throw
    let spare = Buffer.alloc(0);
    for (;;) {
      const found = this.call((x) => x.store_get_locked(keyLength, meta, again));
      if (found === L.MISS) return this.#missing();
      const length = engine.u32[engine.r32 + LENGTH]!;
      const large = this.#isLarge(found);
      try {
        if (large && length === spare.length && !copyLarge(engine, keyLength, spare))
          throw new Error('a piece of a large value is missing');
        engine.x.store_unlock();
      } catch (error) {
        engine.u32[engine.stateIndex] = engine.deadWord;
        engine.down = 1;
        throw engine.died(error);
      }
      if (!large) return this.value(key, found, again);
      if (length === spare.length) return this.#take(found, spare as TextBuffer, 0, length);
      spare = Buffer.allocUnsafeSlow(length);
    }
  }

  #isLarge(type: number): boolean {
    return type > ValueType.number && this.resultWord(L.R_BYTES) > L.SMALL_MAX;
  }

  #reconsider(): void {
    this.#far = isFar(this.engine);
    // what is kept beside a payload, a frozen CachedValue, is dearer than any string
    this.#keepsText = this.#finish !== undefined || (this.#table !== undefined && !this.#far);
    this.#bare = this.#keepsText ? BARE : BARE | TEXT;
  }

  #missing(): undefined {
    this.lastVersion = 0;
  }

  /**
   * Decodes a checked copy, hands it out, and keeps it where callers can share it. A user's decode may call the cache, so
   * all that is in the results is read before.
   */
  #take(type: number, buffer: TextBuffer, start: number, length: number): unknown {
    const { i32, r32 } = this.engine;
    const address = i32[r32 + ADDRESS]!;
    const hash = i32[r32 + HASH]!;
    const low = i32[r32 + VERSION_LOW]!;
    const high = i32[r32 + VERSION_LOW + 1]!;
    const version = this.result(L.R_VERSION);
    const created = this.#created();
    const v = this.#v();
    const generation = this.#generation();
    if ((++this.#texts & (RECONSIDER - 1)) === 0) this.#reconsider();
    const payload = this.#decode(type, buffer, start, length);
    const table = this.#table;
    const keep =
      table !== undefined && length <= DECODED_MAX && this.codec.share(type, payload, this.#freeze);
    const value = this.#finish ? this.#finish(payload, created, v, generation) : payload;
    if (keep) table.set(hash, address, low, high, length, value);
    this.lastVersion = version;
    return value;
  }

  #created(): number {
    return this.result(L.R_CREATED);
  }

  #v(): number {
    return this.resultWord(L.R_V);
  }

  #generation(): number {
    return this.result(L.R_GENERATION);
  }

  #decode(type: number, buffer: TextBuffer, start: number, length: number): unknown {
    switch (type) {
      case ValueType.latin1:
        return buffer.latin1Slice(start, start + length);
      case ValueType.utf16:
        return buffer.ucs2Slice(start, start + length);
      case ValueType.jsonLatin1:
      case ValueType.customLatin1:
        return this.codec.decodeText(type, buffer.latin1Slice(start, start + length));
      case ValueType.jsonUtf16:
      case ValueType.customUtf16:
        return this.codec.decodeText(type - 1, buffer.ucs2Slice(start, start + length));
      default:
        return this.codec.decodeBytes(type, buffer, start, start + length);
    }
  }

  /** A field of the last result that is an f64 (`L.R_VERSION`, `L.R_EXPIRES`, …). */
  result(field: number): number {
    return this.engine.f64[this.engine.r64 + (field >> 3)]!;
  }

  /** A field of the last result that is a u32. */
  resultWord(field: number): number {
    return this.engine.u32[this.engine.r32 + (field >> 2)]!;
  }

  /** Calls an export that is not on a hot path; CLOSED becomes an error. */
  call(run: (x: Engine['x']) => number): number {
    const code = this.engine.guard(run);
    return code === L.CLOSED ? this.failed(code) : code;
  }

  failed(code: number, key = ''): never {
    if (code === L.TOO_LONG) throw tooLong(key);
    if (code === L.CLOSED) throw this.engine.closedError();
    throw new Error(`unexpected answer ${code} of the engine`);
  }
}
