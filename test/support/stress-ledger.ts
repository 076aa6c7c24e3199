/**
 * What every writer has begun and finished, key by key, in a SharedArrayBuffer beside the cache. A read of a value of
 * writer w must lie between the version that w had committed before the read began and the one that it had begun when
 * the read ended, and must not be older than what this thread read of w before: that is linearizability per writer.
 */
import { type Told, violation } from './stress-values.ts';

export interface LedgerData {
  writers: number;
  keys: number;
  tables: SharedArrayBuffer;
}

export function makeLedger(writers: number, keys: number): LedgerData {
  return { writers, keys, tables: new SharedArrayBuffer(writers * keys * 8) };
}

export class Ledger {
  readonly #writers: number;
  readonly #keys: number;
  readonly #me: number;
  readonly #started: Int32Array;
  readonly #committed: Int32Array;
  readonly #seen: Int32Array;

  constructor(data: LedgerData, me: number) {
    const { writers, keys, tables } = data;
    this.#writers = writers;
    this.#keys = keys;
    this.#me = me;
    this.#started = new Int32Array(tables, 0, writers * keys);
    this.#committed = new Int32Array(tables, writers * keys * 4, writers * keys);
    this.#seen = new Int32Array(writers * keys);
  }

  /** Before a write: the version to write. */
  begin(key: number): number {
    return Atomics.add(this.#started, this.#me * this.#keys + key, 1) + 1;
  }

  /** After a write that went in: from now on nobody may read an older one of this writer. */
  commit(key: number, version: number): void {
    Atomics.store(this.#committed, this.#me * this.#keys + key, version);
  }

  /** Before a read of `key`: what each writer has committed. */
  before(key: number, into: number[]): number[] {
    for (let w = 0; w < this.#writers; w++) into[w] = Atomics.load(this.#committed, w * this.#keys + key);
    return into;
  }

  /** After the read. @throws {Violation} */
  check(key: number, told: Told, before: number[]): void {
    const { writer, version } = told;
    if (writer < 0) return; // too small to tell
    if (!(writer < this.#writers)) throw violation(key, `writer ${writer}`);
    const at = writer * this.#keys + key;
    if (version < before[writer]!)
      throw violation(
        key,
        `stale: version ${version} of writer ${writer}, who had committed ${before[writer]} before the read`,
      );
    if (version > Atomics.load(this.#started, at))
      throw violation(key, `version ${version} of writer ${writer} was never begun`);
    if (version < this.#seen[at]!)
      throw violation(key, `went back: version ${version} of writer ${writer} after ${this.#seen[at]}`);
    this.#seen[at] = version;
  }
}
