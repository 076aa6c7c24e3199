/** Stands for whatever is slow: a query, a template, a model. */
import { setTimeout } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

export interface Page {
  html: string;
  renderedBy: number;
}

export async function render(title: string): Promise<Page> {
  await setTimeout(100);
  return { html: `<h1>${title}</h1>`, renderedBy: threadId };
}
