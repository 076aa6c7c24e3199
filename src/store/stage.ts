/** Encoded values on their way into the engine: a small one goes to the staging area behind its key, a large one waits. */
import * as L from '../../assembly/layout.ts';
import { type EncodedValue, ValueType } from '../codec/types.ts';
import type { Engine } from '../engine/engine.ts';
import { LONG_TEXT, writeAscii } from './keys.ts';

export interface StagedValue {
  type: number;
  /** Bytes of the value. */
  bytes: number;
  /** The value, where it did not fit: header, key and value are over 1,024 bytes. */
  large: Uint8Array | undefined;
}

const WIDE = /[\u0100-\uffff]/;
const NUMBER = L.R_NUMBER >> 3;
const staged: StagedValue = { type: 0, bytes: 0, large: undefined };

/** `keyLength`: bytes of the key that stands in the staging area. The result holds until the next call. */
export function stageValue(engine: Engine, keyLength: number, value: EncodedValue): StagedValue {
  const at = engine.stage + keyLength;
  const room = L.SMALL_MAX - L.E_SIZE - keyLength;
  staged.type = value.type;
  staged.bytes = 0;
  staged.large = undefined;
  if (value.isText) {
    stageText(engine, at, room, value.text);
  } else if (value.type === ValueType.number) {
    engine.f64[engine.r64 + NUMBER] = value.number;
  } else {
    staged.bytes = value.bytes.length;
    if (staged.bytes > room) staged.large = value.bytes;
    else if (staged.bytes > 0) engine.u8.set(value.bytes, at);
  }
  return staged;
}

/** Latin-1 where every character fits, else UTF-16, whose type is the next one. */
function stageText(engine: Engine, at: number, room: number, text: string): void {
  const { length } = text;
  if (length > room) {
    const wide = WIDE.test(text);
    if (wide) staged.type++;
    staged.large = Buffer.from(text, wide ? 'utf16le' : 'latin1');
    staged.bytes = staged.large.length;
    return;
  }
  staged.bytes = length;
  if (length >= LONG_TEXT && writeAscii(engine, at, text)) return;
  const { u8 } = engine;
  let bits = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    bits |= code;
    u8[at + i] = code;
  }
  if (bits < 256) return;
  staged.type++;
  staged.bytes = length * 2;
  if (staged.bytes <= room) engine.buffer.write(text, at, 'utf16le');
  else staged.large = Buffer.from(text, 'utf16le');
}
