/** What a test of a backend works with: instances, values for them, and regions above them. */
import { CachedValue, type Metadata, NO_VALUE, VALUE_VERSION } from '../backend/cached-value.ts';
import type { ProxyBackend } from '../backend/proxy-backend.ts';
import { loadBackend, registerBackend } from '../backend/registry.ts';
import type { BackendClass, CacheBackend, ShareableBackend } from '../backend/types.ts';
import { type CacheRegion, createRegion } from '../region/region.ts';
import type { ConfigureOptions, RegionOptions } from '../region/types.ts';
import { type BackendSuiteOptions, nameOf, type Traits, traitsOf } from './backend-options.ts';
import type { Check } from './check.ts';
import { keyed } from './keyed.ts';
import { Scope, Suite } from './suite.ts';
import { SuiteClock, VALUES } from './tools.ts';

/** An instance as the tests use it. */
export interface Subject {
  /** With all proxies of the suite's option `wrap`, and keys as an application writes them. */
  readonly backend: CacheBackend<any>;
  /** The same with keys as they are. */
  readonly raw: CacheBackend<any>;
  /** A value that a region could store in it now; `metadata` adds or replaces members. */
  value(payload: unknown, metadata?: Partial<Metadata>): CachedValue;
  /** The generation that the backend itself gives out now, if it has generations. */
  ownGeneration(): number | undefined;
  /** The key that `raw` gets for one of an application. */
  key(name: string): string;
}

export type RegionSetup = Partial<Omit<RegionOptions, 'name'>> & Omit<ConfigureOptions, 'arguments'>;

const HANDED = 'cairn-cache/testing';
let handed: CacheBackend<any> | null = null;
let regions = 0;

/** A class whose instance is what was made before: so a region is built over it as over any other. */
function Handed(): CacheBackend<any> {
  return handed!;
}

export class BackendScope<S> extends Scope<S> {
  readonly clock = new SuiteClock();
  readonly traits: Traits;
  /** Name of the region of this test. */
  readonly region = `suite-${++regions}`;
  readonly #options: BackendSuiteOptions<S>;

  constructor(store: S, check: Check, options: BackendSuiteOptions<S>) {
    super(store, check);
    this.#options = options;
    this.traits = traitsOf(options);
  }

  get values(): Readonly<Record<string, unknown>> {
    return this.#options.values ?? VALUES;
  }

  /** The class itself, when the suite was given one. */
  async classOf(): Promise<BackendClass> {
    const { backend } = this.#options;
    return typeof backend === 'string' ? await loadBackend(backend) : backend!;
  }

  arguments(): object {
    const given = this.#options.arguments;
    return typeof given === 'function' ? given(this.store) : (given ?? {});
  }

  /** A name that no other region has. */
  otherRegion(): string {
    return `suite-${++regions}`;
  }

  context(region = this.region) {
    return { region, clock: this.clock.read };
  }

  /** An instance for `region`, without proxies. */
  async #make(region: string): Promise<CacheBackend<any>> {
    const { create } = this.#options;
    const context = this.context(region);
    if (create !== undefined) return create(context, this.store);
    return new (await this.classOf())(this.arguments(), context);
  }

  /** A backend by itself. */
  async subject(region = this.region): Promise<Subject> {
    const actual = await this.#make(region);
    this.atEnd(() => actual.close?.());
    let backend = actual;
    for (const Wrapper of (this.#options.wrap ?? []).toReversed()) {
      backend = new Wrapper().wrap(backend);
    }
    return this.subjectOf(backend, actual);
  }

  subjectOf(backend: CacheBackend<any>, actual: CacheBackend<any>): Subject {
    // A backend with generations of its own need not hold those that it did not give out.
    const { generations } = actual as Partial<ShareableBackend>;
    const ownGeneration = () => generations?.current();
    return {
      backend: keyed(backend),
      raw: backend,
      ownGeneration,
      value: (payload, metadata) =>
        new CachedValue(payload, {
          ct: this.clock.time,
          v: VALUE_VERSION,
          generation: ownGeneration() ?? 2 ** 51 + 7,
          ...metadata,
        }),
      key: (name) => backend.keyMangler?.(name) ?? name,
    };
  }

  /** A region over a new instance, with the suite's proxies inside those that are given. */
  async newRegion(setup: RegionSetup = {}, name = this.region): Promise<CacheRegion<any>> {
    const actual = await this.#make(name);
    const { wrap = [], ...rest } = setup;
    const inner = (this.#options.wrap ?? []) as (new () => ProxyBackend<any>)[];
    registerBackend(HANDED, () => Handed as unknown as BackendClass);
    handed = actual;
    const region = createRegion<any>({
      name,
      clock: this.clock.read,
      ...rest,
      backend: HANDED,
      wrap: [...wrap, ...inner],
    });
    handed = null;
    this.atEnd(() => region.close());
    return region;
  }

  /** What stands under `key` in the region's backend. */
  async stored(region: CacheRegion<any>, key: string): Promise<CachedValue | typeof NO_VALUE> {
    return keyed(region.backend).get(key);
  }
}

/** Tests of one backend: those of its own, and of regions above it. */
export class BackendSuite<S> extends Suite<S, BackendScope<S>> {
  readonly options: BackendSuiteOptions<S>;
  readonly traits: Traits;

  constructor(options: BackendSuiteOptions<S>) {
    super(options, nameOf(options), (store, check) => new BackendScope(store, check, options));
    this.options = options;
    this.traits = traitsOf(options);
  }
}

/** The payload of what a backend answered, or `NO_VALUE`. */
export function payloadOf(found: CachedValue | typeof NO_VALUE): unknown {
  return found === NO_VALUE ? NO_VALUE : found.payload;
}
