// Listens for the results of a product while somebody looks at the page. A hidden tab holds no connection.

import { ask } from "./api";

const AGAIN_MS = 3000;
let listening = new AbortController();

// product: the one that the page shows. news: called when results were put on record.
export function startNews(product: () => string, news: () => void): () => void {
  const begin = () => {
    listening.abort();
    listening = new AbortController();
    if (!document.hidden && product()) void follow(product(), news, listening.signal);
  };
  document.addEventListener("visibilitychange", begin);
  return begin;
}

async function follow(product: string, news: () => void, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await listen(product, news, ended).catch(() => {}); // a server that does not answer is told elsewhere
    await new Promise((again) => window.setTimeout(again, AGAIN_MS));
  }
}

async function listen(product: string, news: () => void, ended: AbortSignal): Promise<void> {
  const answer = await ask(`v1/results/events?product=${encodeURIComponent(product)}`, { signal: ended });
  const lines = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let read = await lines.read(); !read.done; read = await lines.read()) {
    if (!read.value.startsWith(": still there")) news(); // the first words, too: results may have come before
  }
}
