// Keys straight from JavaScript's strings, by the builtins that V8 compiles to plain loads (js-string-builtins, W3C
// WebAssembly 2024: https://github.com/WebAssembly/js-string-builtins). Where a runtime has none, the shell writes keys
// itself and calls the exports that take a length (src/store/keys.ts); the two write the same bytes.
import { KEY_MAX, SLOT_STAGE } from './layout';
import { mySlot } from './threads';

@external("wasm:js-string", "length") declare function textLength(text: externref): u32;
@external("wasm:js-string", "charCodeAt") declare function charCodeAt(text: externref, at: u32): u32;

/**
 * Writes a key to the staging area, a byte a character where all fit, else UTF-16. Returns bytes << 1 | UTF-16, or -1: it is
 * longer than KEY_MAX. Eight characters a store, so that the hash's loads find whole words; the last eight may overlap.
 */
export function stageText(text: externref): i32 {
  const length = textLength(text);
  if (length > KEY_MAX) return -1;
  const at = mySlot + SLOT_STAGE;
  let bits: u32 = 0;
  if (length < 8) {
    for (let i: u32 = 0; i < length; i++) {
      const code = charCodeAt(text, i);
      bits |= code;
      store<u8>(at + <usize>i, code);
    }
  } else {
    const last = length - 8;
    let i: u32 = 0;
    while (true) {
      const a = charCodeAt(text, i);
      const b = charCodeAt(text, i + 1);
      const c = charCodeAt(text, i + 2);
      const d = charCodeAt(text, i + 3);
      const e = charCodeAt(text, i + 4);
      const f = charCodeAt(text, i + 5);
      const g = charCodeAt(text, i + 6);
      const h = charCodeAt(text, i + 7);
      bits |= a | b | c | d | e | f | g | h;
      store<u64>(at + <usize>i, (<u64>(e | (f << 8) | (g << 16) | (h << 24)) << 32) | <u64>(a | (b << 8) | (c << 16) | (d << 24)));
      if (i == last) break;
      i = min(i + 8, last);
    }
  }
  if (bits < 256) return length << 1;
  if (length << 1 > KEY_MAX) return -1;
  for (let i: u32 = 0; i < length; i++) store<u16>(at + <usize>(i << 1), charCodeAt(text, i));
  return (length << 2) | 1;
}
