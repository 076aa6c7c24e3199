/** The part of WebAssembly that the engine uses; Node's types have none. Not part of the package's own types. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array, options?: { builtins?: string[] });
    static imports(module: Module): { module: string; name: string }[];
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean });
    readonly buffer: SharedArrayBuffer;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class RuntimeError extends Error {}
}
