/**
 * A region's life: from options to a backend, and to its end.
 *
 * A region is unconfigured, loading (its backend's class comes by a promise), configured or closed: `core` stands
 * exactly while it is configured, `#loading` while asynchronous operations wait for it.
 */
import type { Awaitable, BackendClass, BackendContext, CacheBackend } from '../backend/types.ts';
import {
  EngineClosedError,
  RegionAlreadyConfiguredError,
  RegionNotConfiguredError,
  RegionNotReadyError,
} from '../errors.ts';
import { buildCore, type MakeBackend } from './build.ts';
import { type RegionConfig, readConfig } from './config.ts';
import type { RegionCore } from './core.ts';
import { handleOf } from './handle.ts';
import { checkConfigureOptions, checkRegionOptions } from './options.ts';
import type { CacheRegion } from './region.ts';
import { isThenable } from './steps.ts';
import type { ConfigureOptions, RegionHandle, RegionOptions } from './types.ts';

/** The core of a configured region. */
export let coreOf: <V>(region: RegionLife<V>) => RegionCore<V>;
/** Configures a region with a core that was built elsewhere. */
export let adoptCore: <V>(region: RegionLife<V>, built: Awaitable<RegionCore<V>>) => void;
/** The options that a region was made with. */
export let optionsOf: <V>(region: RegionLife<V>) => RegionOptions<V>;

export abstract class RegionLife<V> {
  static {
    coreOf = (region) => region.ready();
    adoptCore = (region, built) => region.#adopt(built, null);
    optionsOf = (region) => region.#options;
  }

  readonly #options: RegionOptions<V>;
  /** @internal */
  protected core: RegionCore<V> | null = null;
  #loading: Promise<void> | null = null;
  #loadError: unknown;
  #closed = false;

  /** As {@link createRegion}, without its `backend`. */
  constructor(options: RegionOptions<V>) {
    checkRegionOptions(options);
    this.#options = { ...options };
  }

  get name(): string {
    return this.#options.name;
  }

  /**
   * Gives the region its backend, by the name under which the class is registered, and its policies. Returns the
   * region. If the class comes by a promise, the first asynchronous operation waits for it, and fails as it does.
   *
   * With `replaceExistingBackend` a configured region gets another backend. The old one is closed; what runs on it gives
   * its values to its callers, and no longer stores them. A `regionInvalidator` stays unless there is a new one, and so do
   * invalidations that the region itself keeps. Other threads, and handles that were taken, stay with the old one.
   *
   * @throws {RegionAlreadyConfiguredError} `ERR_CAIRN_CONFIGURED`.
   * @throws {BackendNotFoundError} `ERR_CAIRN_BACKEND`: no such name.
   * @throws {OptionError} `ERR_CAIRN_OPTION`. After any error the region is as it was.
   */
  configure(backend: string, options: ConfigureOptions = {}): this {
    const make = options?.arguments ?? {};
    return this.#configure(backend, options, (Backend, context) => new Backend(make, context));
  }

  /**
   * {@link configure} out of a flat configuration: `<prefix>backend`, `<prefix>expirationTime`, `<prefix>wrap`,
   * `<prefix>regionInvalidator`, `<prefix>replaceExistingBackend`, and `<prefix>arguments.*` for the backend (its
   * `static fromConfig`, if it has one). Strings that are numbers, `true`, `false`, `None` or `null` are taken for
   * that; other members are ignored.
   * Source: dogpile.cache `configure_from_config`.
   *
   * @throws As {@link configure}; {@link OptionError} also if there is no `<prefix>backend`.
   */
  configureFromConfig(config: RegionConfig, prefix: string): this {
    const { backend, options, coerced, argumentsPrefix } = readConfig(config, prefix);
    return this.#configure(backend, options, (Backend, context) =>
      fromConfig(Backend, coerced, argumentsPrefix, context),
    );
  }

  #configure(backend: string, options: ConfigureOptions, make: MakeBackend): this {
    if (this.#closed) throw this.#refusal();
    checkConfigureOptions(options);
    if (this.isConfigured && options.replaceExistingBackend !== true) {
      throw new RegionAlreadyConfiguredError(this.name);
    }
    const before = this.core;
    this.#adopt(buildCore<V>(this.#options, options, backend, make, before), before);
    return this;
  }

  /** `before`: the core whose place this one takes. */
  #adopt(built: Awaitable<RegionCore<V>>, before: RegionCore<V> | null): void {
    this.#loadError = undefined;
    const use = (core: RegionCore<V>) => {
      core.region = this as unknown as CacheRegion<V>;
      this.core = core;
      if (before !== null) end(before);
    };
    if (!isThenable(built)) {
      this.#loading = null;
      use(built as RegionCore<V>);
      return;
    }
    const loading: Promise<void> = Promise.resolve(built).then(
      (core) => {
        const wanted = this.#loading === loading && !this.#closed;
        if (this.#loading === loading) this.#loading = null;
        if (wanted) use(core);
        else core.backend.close?.();
      },
      (error) => {
        if (this.#loading !== loading) return;
        this.#loading = null;
        this.#loadError = error;
        // A region that goes on with what it has must not do so in silence.
        if (!this.#closed) before?.report(error);
        throw error;
      },
    );
    this.#loading = loading;
    // Operations that wait get the error; if there is none, the next one does.
    loading.catch(() => {});
  }

  /** Whether it has a backend, or is loading one. */
  get isConfigured(): boolean {
    return this.core !== null || this.#loading !== null;
  }

  /** The backend as the region uses it: the outermost proxy, if there are any. Throws as the `Sync` forms do. */
  get backend(): CacheBackend<V> {
    return this.ready().backend;
  }

  /** The backend within all proxies. Throws as the `Sync` forms do. */
  get actualBackend(): CacheBackend<V> {
    return this.ready().actualBackend;
  }

  /**
   * What another thread hands to `attachRegion`; structured-cloneable.
   *
   * @throws {RegionHandleError} `ERR_CAIRN_HANDLE`: the backend cannot be shared with other threads.
   */
  get handle(): RegionHandle {
    return handleOf(this.ready());
  }

  /**
   * Ends this thread's use of the region, and the engine if the region created it. Creators that run still give
   * their values to their callers. Does nothing on a region that is not configured, or closed.
   */
  close(): void {
    if (!this.isConfigured) return;
    const { core } = this;
    this.#closed = true;
    this.core = null;
    if (core !== null) end(core);
  }

  /** @internal */
  protected ready(): RegionCore<V> {
    if (this.core === null) throw this.#refusal();
    return this.core;
  }

  /** @internal */
  protected async whenReady(): Promise<void> {
    while (this.core === null && this.#loading !== null) await this.#loading;
    this.ready();
  }

  #refusal(): unknown {
    if (this.#closed) return new EngineClosedError(`the region '${this.name}' is closed`);
    if (this.#loading !== null) return new RegionNotReadyError(this.name);
    return this.#loadError ?? new RegionNotConfiguredError(this.name);
  }
}

function end<V>(core: RegionCore<V>): void {
  core.closed = true;
  core.backend.close?.();
}

type FromConfig = (config: object, prefix: string, context: BackendContext) => CacheBackend<any>;

function fromConfig(
  Backend: BackendClass,
  config: Record<string, unknown>,
  prefix: string,
  context: BackendContext,
): CacheBackend<any> {
  const make = (Backend as { fromConfig?: FromConfig }).fromConfig;
  if (typeof make === 'function') return make.call(Backend, config, prefix, context);
  const args = Object.entries(config).filter(([name]) => name.startsWith(prefix));
  return new Backend(
    Object.fromEntries(args.map(([name, value]) => [name.slice(prefix.length), value])),
    context,
  );
}
