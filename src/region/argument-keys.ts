export type KeyGenerator = (
  namespace: string | undefined,
  fn: (...args: any[]) => unknown,
) => (...args: any[]) => string;
