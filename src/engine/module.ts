/** The engine's Wasm module: inlined as base64, compiled once a process (workers get the compiled module in the handle). */
import { ENGINE_WASM_BASE64 } from './module.generated.ts';

let compiled: WebAssembly.Module | undefined;

export function engineModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(ENGINE_WASM_BASE64, 'base64'), { builtins: ['js-string'] });
  return compiled;
}

/** What the builtins do, where a runtime has none: right, but a call out of Wasm for each character. */
export const TEXT_BUILTINS = {
  length: (text: string) => text.length,
  charCodeAt: (text: string, at: number) => text.charCodeAt(at),
};

/** Whether the runtime put its own builtins in place of the imports: then the module imports them no more. */
export function readsText(module: WebAssembly.Module): boolean {
  return !WebAssembly.Module.imports(module).some((wanted) => wanted.module === 'wasm:js-string');
}
