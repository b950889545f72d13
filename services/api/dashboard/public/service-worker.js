// Serves the files of the dashboard where there is no signal. It never touches the API: what a crew did waits in
// the page's own outbox, and an old answer of the service must not pass for a new one.
const KEPT = "lifeline-shell";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The page names the files of the version that runs; those of older versions go.
async function keep(addresses) {
  const cache = await caches.open(KEPT);
  const wanted = new Set(addresses);
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request);
  }
  for (const address of wanted) {
    if (!(await cache.match(address)) || !address.includes("/assets/")) await cache.add(address).catch(() => undefined);
  }
}

self.addEventListener("message", (event) => {
  if (Array.isArray(event.data?.keep)) event.waitUntil(keep(event.data.keep));
});

// The page itself comes from the service while that answers, so that a new version is seen at once.
async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(new URL("./", self.registration.scope).href, { cacheName: KEPT });
    if (kept) return kept;
    throw error;
  }
}

// Files below assets/ bear a digest of their content in their name and never change.
async function file(request) {
  return (await caches.match(request, { cacheName: KEPT })) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request));
  else if (address.pathname.includes("/assets/")) event.respondWith(file(event.request));
});
