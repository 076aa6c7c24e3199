/**
 * Keys and values in and out of the engine: `StoreReader` and what writes. `SharedCache` and `SlabBackend` are shells on it.
 * Values are encoded before the key is written to the staging area, since a user's codec may call the cache.
 */
import * as L from '../../assembly/layout.ts';
import { createCodec } from '../codec/index.ts';
import type { Codec, CodecOption, EncodedValue } from '../codec/types.ts';
import type { Engine } from '../engine/engine.ts';
import { VersionError } from '../errors.ts';
import { fillLarge } from './large.ts';
import { StoreReader } from './reading.ts';
import { stageValue } from './stage.ts';

export interface WriteOptions {
  mode: number;
  /** The clocks, read before the value was encoded: a clock may be the user's and call the cache. */
  now: number;
  mono: number;
  /** Epoch ms, 0: never. */
  expires: number;
  /** Epoch ms. */
  created: number;
  /** Region generation that the value belongs to; -1: that of now. */
  generation: number;
  /** A version, for MODE_VERSION (0: nothing may stand) and MODE_TOKEN. */
  expect: number;
  v: number;
}

export class Store extends StoreReader {
  /**
   * Stores an encoded value. 0: stored; below: `L.EXISTS`, `L.ABSENT`, `L.CHANGED`, `L.REFUSED` (too large or no room; what
   * stood under the key is gone).
   */
  write(key: string, value: EncodedValue, options: WriteOptions): number {
    const { now, mono } = options;
    const length = this.writeKey(key);
    const engine = this.engine;
    const staged = stageValue(engine, length, value);
    const { type, bytes, large } = staged;
    const o = options;
    if (length + bytes > engine.maxValueBytes) return this.#refuse(length, o, now, mono);
    if (large) return this.#writeLarge(length, large, type, o, now, mono);
    let code: number;
    try {
      code = engine.x.store_put(
        length,
        this.keyMeta,
        bytes,
        type,
        o.v,
        o.mode,
        now,
        mono,
        o.expires,
        o.created,
        o.generation,
        o.expect,
      );
    } catch (error) {
      engine.u32[engine.stateIndex] = engine.deadWord;
      engine.down = 1;
      throw engine.died(error);
    }
    return code === L.CLOSED ? this.failed(code) : code;
  }

  #refuse(length: number, o: WriteOptions, now: number, mono: number): number {
    return this.call((x) => x.store_refuse(length, this.keyMeta, o.mode, now, mono, o.expect));
  }

  /** All of it is one operation: an exception anywhere in it is a death, with its locks and pieces left to others. */
  #writeLarge(
    length: number,
    bytes: Uint8Array,
    type: number,
    o: WriteOptions,
    now: number,
    mono: number,
  ): number {
    const engine = this.engine;
    const meta = this.keyMeta;
    let code: number;
    try {
      do {
        code = engine.x.large_begin(
          length,
          meta,
          bytes.length,
          type,
          o.v,
          o.mode,
          now,
          mono,
          o.expires,
          o.created,
          o.generation,
          o.expect,
        );
        if (code === 0) {
          fillLarge(engine, length, bytes);
          code = engine.x.large_publish();
        }
      } while (code === L.AGAIN);
    } catch (error) {
      engine.u32[engine.stateIndex] = engine.deadWord;
      engine.down = 1;
      throw engine.died(error);
    }
    return code === L.CLOSED ? this.failed(code) : code;
  }
}

/** The codec of an attach, its name checked against the header's. @throws {VersionError} */
export function codecFor(engine: Engine, option: CodecOption | undefined): Codec {
  const name = engine.codecName;
  const codec = createCodec(option === undefined && (name === 'json' || name === 'bytes') ? name : option);
  if (codec.name !== name) {
    throw new VersionError(`codec: the cache was made with '${name}', this attach gives '${codec.name}'`);
  }
  return codec;
}
