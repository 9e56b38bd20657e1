// After the first visit the page needs no connection: all its files are kept in the browser.
// It also adds the headers that let WebAssembly use several threads, which plain hosts do not send.

const CACHE = "dreamkit-@@HASH@@";
const FILES = @@FILES@@;
const LATER = @@LATER@@; // kept once they are asked for: only some machines need them

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("dreamkit-") && name !== CACHE) await caches.delete(name);
    }
    await clients.claim();
  };
  event.waitUntil(old());
});

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  const response = kept || (await fetch(request));
  if (!kept && response.ok && LATER.some((name) => request.url.endsWith(`/${name}`))) {
    await cache.put(request, response.clone());
  }
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
