/// <reference lib="webworker" />
/** Keeps every file of one build, so that the page opens and reads without a network. */
import { engineFile } from "./recognizer/engine_file";

declare const self: ServiceWorkerGlobalScope;
/** Path and hash of each file of the build; set by build.mjs. */
declare const FILES: readonly (readonly [path: string, hash: string])[];
declare const VERSION: string;

// Other pages of the same host have caches of their own.
const PREFIX = `spin-web:${new URL(self.registration.scope).pathname}:`;
const CACHE = PREFIX + VERSION;

/** What is kept, by the address that pages ask for. A file that stays the same keeps its key from build to build. */
const keys = new Map(
  FILES.filter(([path]) => isUsed(path)).map(([path, hash]) => {
    const url = new URL(path, self.registration.scope);
    return [url.href, `${url.href}?hash=${hash}`] as const;
  }),
);

/** Of the two builds of LiteRT, this browser runs one. */
function isUsed(path: string): boolean {
  const engine = engineFile().replace(".js", "");
  return !path.startsWith("litert/") || path === `litert/${engine}.js` || path === `litert/${engine}.wasm`;
}

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    [...keys].map(async ([url, key]) => {
      const kept = await caches.match(key);
      // Asks the host whether what the browser's own cache holds is still right, and downloads only what is not.
      const response = kept ?? (await fetch(url, { cache: "no-cache" }));
      if (!response.ok) {
        throw new Error(`Not to be had. Received: ${url}, status ${response.status}`);
      }
      await cache.put(key, response);
    }),
  );
}

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) {
      await caches.delete(name);
    }
  }
  await self.clients.claim();
}

async function answer(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(key)) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  url.search = "";
  url.hash = "";
  const key = keys.get(url.href.replace(/\/index\.html$/, "/"));
  if (event.request.method === "GET" && key !== undefined) {
    event.respondWith(answer(event.request, key));
  }
});
// A new version waits until its reader asks for it: a page in use never changes under the hand.
self.addEventListener("message", (event) => {
  if (event.data === "take over") {
    void self.skipWaiting();
  }
});
