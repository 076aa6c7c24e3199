/**
 * The native kinds, the same under every codec: `undefined`, `null`, booleans, numbers, strings, bigints, `Uint8Array`
 * and `Buffer`.
 */
import { types } from 'node:util';
import { CodecError } from '../errors.ts';
import { bufferOf, bufferProblem, hasExtras, viewNumber } from './memory.ts';
import { type EncodedValue, NO_BYTES, setBytes, setText, ValueType } from './types.ts';

/** Why this `Uint8Array` cannot be stored as it is, or `undefined` if it can. */
export function byteArrayProblem(value: Uint8Array): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Uint8Array.prototype && prototype !== Buffer.prototype) {
    return 'an instance of a subclass of Uint8Array';
  }
  const problem = bufferProblem(bufferOf(value));
  if (problem !== undefined) return problem;
  const kind = viewNumber(Uint8Array.prototype) as number;
  return hasExtras(value, kind) ? 'a byte array with properties of its own' : undefined;
}

/**
 * Encodes a native value into `out`; returns false, leaving `out` as it is, if the value is of no native kind.
 *
 * @throws {CodecError} for a byte array that would not come back as it is.
 */
export function encodeNative(value: unknown, out: EncodedValue): boolean {
  switch (typeof value) {
    case 'string':
      setText(out, ValueType.latin1, value);
      return true;
    case 'number':
      setBytes(out, ValueType.number, NO_BYTES);
      out.number = value;
      return true;
    case 'boolean':
      setBytes(out, value ? ValueType.true : ValueType.false, NO_BYTES);
      return true;
    case 'undefined':
      setBytes(out, ValueType.undefined, NO_BYTES);
      return true;
    case 'bigint':
      setBytes(out, ValueType.bigint, bigintToBytes(value));
      return true;
    case 'object': {
      if (value === null) {
        setBytes(out, ValueType.null, NO_BYTES);
        return true;
      }
      if (!types.isUint8Array(value)) return false;
      const problem = byteArrayProblem(value);
      if (problem !== undefined) throw new CodecError('value', problem);
      setBytes(out, Buffer.isBuffer(value) ? ValueType.buffer : ValueType.bytes, value);
      return true;
    }
    default:
      return false;
  }
}

const numberBytes = new Uint8Array(8);
const numberWord = new Float64Array(numberBytes.buffer);

/** Decodes a native payload that is not text. Throws {@link CodecError} for a type that is not native. */
export function decodeNative(type: number, buffer: Buffer, start: number, end: number): unknown {
  switch (type) {
    case ValueType.undefined:
      return undefined;
    case ValueType.null:
      return null;
    case ValueType.false:
      return false;
    case ValueType.true:
      return true;
    case ValueType.number:
      if (end - start !== 8) break;
      for (let i = 0; i < 8; i++) numberBytes[i] = buffer[start + i];
      return numberWord[0];
    case ValueType.bigint:
      return bytesToBigint(buffer, start, end);
    case ValueType.bytes: {
      const copy = new Uint8Array(end - start);
      copy.set(buffer.subarray(start, end));
      return copy;
    }
    case ValueType.buffer: {
      const copy = Buffer.allocUnsafe(end - start);
      buffer.copy(copy, 0, start, end);
      return copy;
    }
  }
  throw new CodecError('value', `bytes of type ${type} are not what this codec writes`);
}

/** A sign byte (1 is negative), then the magnitude, least byte first and without leading zeros. */
export function bigintToBytes(value: bigint): Uint8Array {
  const hex = (value < 0n ? -value : value).toString(16);
  const digits = value === 0n ? 0 : hex.length;
  const bytes = new Uint8Array(1 + ((digits + 1) >> 1));
  bytes[0] = value < 0n ? 1 : 0;
  for (let i = 1, at = digits; at > 0; i++, at -= 2) {
    bytes[i] = Number.parseInt(hex.slice(Math.max(0, at - 2), at), 16);
  }
  return bytes;
}

export function bytesToBigint(bytes: Buffer, start: number, end: number): bigint {
  const sign = bytes[start];
  if (end <= start || sign > 1) throw new CodecError('value', 'corrupt bigint');
  if (end - start === 1) return 0n;
  const digits = Buffer.from(bytes.subarray(start + 1, end)).reverse();
  const magnitude = BigInt(`0x${digits.toString('hex')}`);
  return sign === 1 ? -magnitude : magnitude;
}
