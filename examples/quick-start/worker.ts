import { parentPort, workerData } from 'node:worker_threads';
import { attachRegion, SharedCache } from '../../src/index.ts';
import { type Page, render } from './render.ts';

const cache = SharedCache.attach<string>(workerData.cache);
const pages = attachRegion<Page>(workerData.pages);

const greeting = cache.get('greeting');
cache.set('reply', 'hello from worker');
const page = await pages.getOrCreate('home', () => render('Home'));
parentPort!.postMessage({ greeting, page });
