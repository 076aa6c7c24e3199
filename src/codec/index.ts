/** Codecs: values in and out of the engine's bytes. */
import { CodecError, OptionError } from '../errors.ts';
import { createCustomCodec } from './custom.ts';
import { toJson } from './json.ts';
import { BytesCodec, NativeCodec } from './native-codec.ts';
import { StructuredReader } from './structured-read.ts';
import { createStructuredWriter } from './structured-write.ts';
import { type Codec, type CodecOption, type EncodedValue, setBytes, setText, ValueType } from './types.ts';

export { freezePlain, isShareable } from './freeze.ts';
export { type Codec, type CodecOption, type CustomCodec, type EncodedValue, ValueType } from './types.ts';

class StructuredCodec extends NativeCodec {
  readonly name = 'structured';
  private readonly write = createStructuredWriter();
  private readonly reader = new StructuredReader();

  protected override encodeRest(value: unknown, out: EncodedValue): EncodedValue {
    return setBytes(out, ValueType.structured, this.write(value));
  }

  override decodeBytes(type: number, buffer: Buffer, start: number, end: number): unknown {
    if (type === ValueType.structured) return this.reader.decode(buffer, start, end);
    return super.decodeBytes(type, buffer, start, end);
  }

  override share(type: number, value: unknown, freeze: boolean): boolean {
    return type === ValueType.structured
      ? this.reader.share(value, freeze)
      : super.share(type, value, freeze);
  }
}

class JsonCodec extends NativeCodec {
  readonly name = 'json';

  protected override encodeRest(value: unknown, out: EncodedValue): EncodedValue {
    return setText(out, ValueType.jsonLatin1, toJson(value));
  }

  override decodeText(type: number, text: string): unknown {
    if (type !== ValueType.jsonLatin1 && type !== ValueType.jsonUtf16) return super.decodeText(type, text);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new CodecError('value', 'corrupt JSON', { cause: error });
    }
  }
}

/**
 * Makes the codec for an option; `undefined` is `'structured'`. Each call makes a codec of its own, with its own
 * scratch memory: make one per cache and thread, not one per value.
 *
 * @throws {OptionError} for anything that is no codec option; the field is `codec`, or `codec.encode` and the like.
 */
export function createCodec(option: CodecOption | undefined): Codec {
  switch (option) {
    case undefined:
    case 'structured':
      return new StructuredCodec();
    case 'json':
      return new JsonCodec();
    case 'bytes':
      return new BytesCodec();
  }
  if (typeof option === 'object' && option !== null) return createCustomCodec(option);
  throw new OptionError('codec', option, "must be 'structured', 'json', 'bytes' or { name, encode, decode }");
}
