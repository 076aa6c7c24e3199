import type { ValueKind } from '../support/workload.ts';

/** What a contestant has to hold. */
export interface Load {
  entries: number;
  value: ValueKind;
}

/** A cache in a duel. What loops call is `cache` itself, without a wrapper that would cost something. */
export interface Rival {
  /** As the report names it, what was configured included. */
  title: string;
  /** npm package whose version the report gives; none for what Node has. */
  package?: string;
  cache: any;
  /** Stores an entry before the duel. */
  fill(key: string, value: unknown): unknown;
  /** How a read is checked before the duel. */
  read(key: string): unknown;
  close(): unknown;
}
