/** The engine's Wasm module: inlined as base64, compiled once a process (workers get the compiled module in the handle). */
import { ENGINE_WASM_BASE64 } from './module.generated.ts';

let compiled: WebAssembly.Module | undefined;

export function engineModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(ENGINE_WASM_BASE64, 'base64'));
  return compiled;
}
