/** Two threads, one cache. In a project of your own, import from 'cairn-cache'. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createRegion, SharedCache } from '../../src/index.ts';
import { type Page, render } from './render.ts';

// A cache: what one thread sets, the next get of any thread reads.
const cache = SharedCache.create<string>({ maxBytes: 64 * 2 ** 20 });
cache.set('greeting', 'hello from main');

// A region: values that are made where they are missing, each once for all threads.
const pages = createRegion<Page>({ name: 'pages' });
pages.configure('cairn.slab', { expirationTime: 60_000, arguments: { cache } });

const worker = new Worker(new URL('./worker.js', import.meta.url), {
  workerData: { cache: cache.handle, pages: pages.handle },
});

// Both threads ask for a page that nobody has rendered: one renders it, the other waits.
const [page, [answer]] = await Promise.all([
  pages.getOrCreate('home', () => render('Home')),
  once(worker, 'message'),
]);

console.log(`main read ${cache.get('reply')}`);
console.log(`worker read ${answer.greeting}`);
console.log(`main got ${page.html}, rendered by thread ${page.renderedBy}`);
console.log(`worker got ${answer.page.html}, rendered by thread ${answer.page.renderedBy}`);
pages.close();
cache.close();
