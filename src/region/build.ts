/** From options to a region's core: the backend, its proxies around it, and what the region keeps beside them. */
import { ProxyBackend } from '../backend/proxy-backend.ts';
import { loadBackend } from '../backend/registry.ts';
import type { Awaitable, BackendClass, BackendContext, CacheBackend } from '../backend/types.ts';
import { OptionError } from '../errors.ts';
import { monotone } from './clock.ts';
import { RegionCore } from './core.ts';
import { isThenable } from './steps.ts';
import type { ConfigureOptions, RegionOptions, Wrap } from './types.ts';

/** Makes the innermost backend from its class. */
export type MakeBackend = (backendClass: BackendClass, context: BackendContext) => CacheBackend<any>;

/** `before`: the core whose place it takes. Builds the core at once, or by a promise where the backend's class comes by one. */
export function buildCore<V>(
  options: RegionOptions,
  configured: ConfigureOptions,
  backendName: string,
  make: MakeBackend,
  before: RegionCore<V> | null = null,
): Awaitable<RegionCore<V>> {
  const proxies = proxiesOf(configured.wrap);
  const build = (backendClass: BackendClass): RegionCore<V> => {
    const clock = options.clock && monotone(options.clock);
    const own: RegionOptions = { ...options, clock };
    const context = clock === undefined ? { region: options.name } : { region: options.name, clock };
    return buildOver(own, configured, backendName, make(backendClass, context), proxies, before);
  };
  const loaded = loadBackend(backendName);
  return isThenable(loaded)
    ? loaded.then(build as (loaded: unknown) => RegionCore<V>)
    : build(loaded as BackendClass);
}

/** `options.clock` is monotone already. A backend that cannot be used after all is closed. */
function buildOver<V>(
  options: RegionOptions,
  configured: ConfigureOptions,
  backendName: string,
  actual: CacheBackend<V>,
  proxies: ProxyBackend<V>[],
  before: RegionCore<V> | null,
): RegionCore<V> {
  try {
    let backend = actual;
    for (const proxy of proxies.toReversed()) backend = proxy.wrap(backend);
    return new RegionCore(options, configured, backendName, backend, actual, before);
  } catch (error) {
    actual.close?.();
    throw error;
  }
}

function proxiesOf(wrap: readonly Wrap[] = []): ProxyBackend<any>[] {
  return wrap.map((proxy: unknown, index) => {
    if (proxy instanceof ProxyBackend) return proxy;
    if (proxy === ProxyBackend || (typeof proxy === 'function' && proxy.prototype instanceof ProxyBackend)) {
      return new (proxy as new () => ProxyBackend<any>)();
    }
    throw new OptionError(`wrap[${index}]`, proxy, 'must be a ProxyBackend, a class or an instance');
  });
}
