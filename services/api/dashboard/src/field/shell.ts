/** Keeps the files of this page in the browser, so that it opens where there is no signal. */

/** Names every file that the page has loaded, for the service worker to keep. */
function tellWhatToKeep(worker: ServiceWorker): void {
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  const files = loaded.filter((name) => name.startsWith(`${location.origin}/`) && new URL(name).pathname.includes("/assets/"));
  worker.postMessage({ keep: [new URL("./", location.href).href.split("#")[0], ...files] });
}

/** Without TLS (but for this machine itself) browsers offer no service worker; the outbox works all the same. */
export async function keepShell(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI));
    const { active } = await navigator.serviceWorker.ready;
    if (active) tellWhatToKeep(active);
    await navigator.storage?.persist?.();
  } catch {
    // The page works without it as long as it stays open.
  }
}
