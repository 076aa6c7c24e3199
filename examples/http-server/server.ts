/**
 * One thread of the service: fastify on a port of its own, and the load goes to all four, as a balancer would send it.
 * Worker threads cannot be handed a socket. They can share a port by `reusePort`, but not on Node 20 nor on every
 * system, and the kernel deals connections out by chance, so that no two runs would load the threads alike.
 */
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { fastify } from 'fastify';
import { LRUCache } from 'lru-cache';
import { attachRegion, type RegionHandle } from '../../src/index.ts';

export const WAYS = ['none', 'lru', 'cairn'] as const;
export type Way = (typeof WAYS)[number];

/** How long an item is fresh, in every way of caching it. */
export const EXPIRATION_MS = 2_000;

export interface Item {
  readonly id: number;
  readonly name: string;
  readonly price: number;
}

export interface ServerData {
  readonly way: Way;
  readonly upstream: string;
  /** For `cairn`. */
  readonly items: RegionHandle | null;
}

/** Asks the upstream. */
async function loadItem(upstream: string, id: string, signal?: AbortSignal): Promise<Item> {
  const response = await fetch(`${upstream}/items/${id}`, signal === undefined ? {} : { signal });
  const body = await response.json();
  if (!response.ok) throw new Error(`upstream: ${response.status}`);
  return body as Item;
}

/** How an item is got: each time from the upstream, through a cache of this thread, or through the shared region. */
function lookup({ way, upstream, items }: ServerData): (id: string) => Promise<Item> {
  if (way === 'none') return (id) => loadItem(upstream, id);
  if (way === 'lru') {
    const cache = new LRUCache<string, Item>({
      max: 100_000,
      ttl: EXPIRATION_MS,
      // the best that lru-cache offers: one load per key and thread, the old item meanwhile, and also if that fails
      allowStale: true,
      allowStaleOnFetchRejection: true,
      fetchMethod: (id, _stale, { signal }) => loadItem(upstream, id, signal),
    });
    return async (id) => {
      const item = await cache.fetch(id);
      // which it answers where the load failed and there is no old item
      if (item === undefined) throw new Error('the load failed');
      return item;
    };
  }
  const region = attachRegion<Item>(items!);
  return (id) =>
    region.getOrCreate(`item:${id}`, ({ signal }) => loadItem(upstream, id, signal), { staleOnError: true });
}

async function serve(data: ServerData): Promise<void> {
  const get = lookup(data);
  const app = fastify();
  app.get<{ Params: { id: string } }>('/items/:id', async (request, reply) => {
    try {
      return await get(request.params.id);
    } catch (error) {
      return reply.code(502).send({ error: (error as Error).message });
    }
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  parentPort!.postMessage((app.server.address() as AddressInfo).port);
}

if (workerData?.way !== undefined) await serve(workerData as ServerData);
