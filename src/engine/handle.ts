/** What another thread needs to attach: structured-cloneable, no functions. Opaque to users. */
export interface CacheHandle {
  readonly kind: 'cairn.cache';
  /** Build of the package that made it; another build refuses it. */
  readonly build: string;
  readonly module: object;
  readonly memory: object;
}
