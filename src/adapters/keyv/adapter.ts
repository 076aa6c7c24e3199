/** What the adapters for Keyv 5 and Keyv 6 have in common: all but the forms of names, expiry and iteration. */
import { EventEmitter } from 'node:events';
import { OptionError } from '../../errors.ts';
import { SharedCache } from '../../store/shared-cache.ts';
import { KeyvEntries } from './entries.ts';

type Listener = (...args: any[]) => void;

/**
 * A Keyv store on a {@link SharedCache}, which stays the application's: the adapter never closes it. What the cache throws
 * (`EngineClosedError`, `CodecError`) rejects the promise, and Keyv does with it what it does with any store's errors.
 *
 * It is an event emitter because Keyv listens to its store; it emits nothing by itself.
 */
export abstract class CairnAdapter extends EventEmitter {
  /** @internal */
  protected readonly entries: KeyvEntries;

  constructor(cache: SharedCache<any>) {
    super();
    if (!(cache instanceof SharedCache)) {
      throw new OptionError('cache', cache, 'expected a SharedCache, made by SharedCache.create or attach');
    }
    this.entries = new KeyvEntries(cache);
  }

  /** @internal The name of Keyv's key among the entries. */
  protected abstract nameOf(key: string): string;

  /** What Keyv stored under `key`, or `undefined`. */
  async get(key: string): Promise<any> {
    return this.entries.read(this.nameOf(key));
  }

  /** What Keyv stored under `keys`, in their order, `undefined` in gaps. */
  async getMany(keys: string[]): Promise<any[]> {
    return keys.map((key) => this.entries.read(this.nameOf(key)));
  }

  /** Whether something stands under `key`. */
  async has(key: string): Promise<boolean> {
    return this.entries.has(this.nameOf(key));
  }

  /** Removes `key`: `true` if something stood there. */
  async delete(key: string): Promise<boolean> {
    return this.entries.delete(this.nameOf(key));
  }

  /** As in `EventEmitter`; typed as Keyv 6 types it. */
  override listeners(event: string | symbol): Listener[] {
    return super.listeners(event) as Listener[];
  }

  /** As in `EventEmitter`; typed as Keyv 6 types it. */
  override rawListeners(event: string | symbol): Listener[] {
    return super.rawListeners(event) as Listener[];
  }

  /** Does nothing: the cache belongs to the application, and other threads use it. Close the cache itself. */
  async disconnect(): Promise<void> {}
}
