/** A codec of the user's own: its option checked, its errors wrapped. */
import { types } from 'node:util';
import { CodecError, OptionError } from '../errors.ts';
import { show } from '../show.ts';
import { NativeCodec } from './native-codec.ts';
import { type CustomCodec, type EncodedValue, setBytes, setText, ValueType } from './types.ts';

const BUILT_IN = ['structured', 'json', 'bytes'];
const MAX_NAME_BYTES = 64;

/** Throws an {@link OptionError} that names the member which is wrong. */
export function createCustomCodec(option: CustomCodec): CustomCodecRunner {
  const { name, encode, decode } = option;
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new OptionError('codec.name', name, `must be a string of 1 to ${MAX_NAME_BYTES} bytes`);
  }
  if (BUILT_IN.includes(name)) {
    throw new OptionError('codec.name', name, 'must differ from the names of the built-in codecs');
  }
  if (typeof encode !== 'function') throw new OptionError('codec.encode', encode, 'must be a function');
  if (typeof decode !== 'function') throw new OptionError('codec.decode', decode, 'must be a function');
  return new CustomCodecRunner(name, encode.bind(option), decode.bind(option));
}

class CustomCodecRunner extends NativeCodec {
  readonly name: string;
  private readonly encodeOther: (value: unknown) => unknown;
  private readonly decodeOther: (data: unknown) => unknown;

  constructor(name: string, encode: (value: unknown) => unknown, decode: (data: unknown) => unknown) {
    super();
    this.name = name;
    this.encodeOther = encode;
    this.decodeOther = decode;
  }

  // The shared result is filled after the user's code ran, which may have encoded other values meanwhile.
  protected override encodeRest(value: unknown, out: EncodedValue): EncodedValue {
    const encoded = this.run('encode', () => this.encodeOther(value));
    if (typeof encoded === 'string') return setText(out, ValueType.customLatin1, encoded);
    // Copied: what is stored must have no method of its own, and nobody must change it on the way.
    if (types.isUint8Array(encoded)) return setBytes(out, ValueType.customBytes, new Uint8Array(encoded));
    throw new CodecError(
      'value',
      `codec ${show(this.name)}: encode gave ${show(encoded)}, not a Uint8Array or string`,
    );
  }

  override decodeBytes(type: number, buffer: Buffer, start: number, end: number): unknown {
    if (type !== ValueType.customBytes) return super.decodeBytes(type, buffer, start, end);
    const copy = super.decodeBytes(ValueType.bytes, buffer, start, end);
    return this.run('decode', () => this.decodeOther(copy));
  }

  override decodeText(type: number, text: string): unknown {
    if (type !== ValueType.customLatin1 && type !== ValueType.customUtf16)
      return super.decodeText(type, text);
    return this.run('decode', () => this.decodeOther(text));
  }

  private run(what: string, step: () => unknown): unknown {
    try {
      return step();
    } catch (error) {
      throw new CodecError('value', `codec ${show(this.name)}: ${what} threw`, { cause: error });
    }
  }
}
