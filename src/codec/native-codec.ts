/** What all codecs share, and all there is to the `'bytes'` codec: the native kinds. */
import { CodecError } from '../errors.ts';
import { show } from '../show.ts';
import { freezePlain, isShareable, shareDecoded } from './freeze.ts';
import { decodeNative, encodeNative } from './native.ts';
import { type Codec, createEncodedValue, type EncodedValue, ValueType } from './types.ts';

export abstract class NativeCodec implements Codec {
  abstract readonly name: string;
  private readonly out = createEncodedValue();

  encode(value: unknown): EncodedValue {
    return encodeNative(value, this.out) ? this.out : this.encodeRest(value, this.out);
  }

  /** Encodes what is not native into `out`, or throws. */
  protected abstract encodeRest(value: unknown, out: EncodedValue): EncodedValue;

  decodeBytes(type: number, buffer: Buffer, start: number, end: number): unknown {
    return decodeNative(type, buffer, start, end);
  }

  decodeText(type: number, text: string): unknown {
    if (type === ValueType.latin1 || type === ValueType.utf16) return text;
    throw new CodecError('value', `text of type ${type} is not what this codec writes`);
  }

  share(type: number, value: unknown, freeze: boolean): boolean {
    if (type < ValueType.customLatin1) return shareDecoded(value, freeze);
    // of what a user's codec made nothing is known
    return typeof value === 'string' || (freeze ? freezePlain(value) : isShareable(value));
  }
}

export class BytesCodec extends NativeCodec {
  readonly name = 'bytes';

  protected override encodeRest(value: unknown): never {
    throw new CodecError('value', `the 'bytes' codec stores native values only, got ${kindOf(value)}`);
  }
}

/** Names a value without reading anything of it, as a proxy or getter would be run by that. */
function kindOf(value: unknown): string {
  return typeof value === 'object' ? 'an object' : typeof value === 'function' ? 'a function' : show(value);
}
