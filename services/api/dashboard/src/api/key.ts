/** The API key: taken once from the address, kept for this tab only. */
import { signal } from "@preact/signals";

const STORED = "lifeline.key";

function fromAddress(): string | null {
  const key = new URLSearchParams(location.hash.replace(/^#\/?/, "")).get("key");
  if (!key) return null;
  // The key must not stay in the address bar, the history or a screenshot of the control room.
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  return key;
}

function remembered(): string | null {
  const key = fromAddress() ?? sessionStorage.getItem(STORED);
  if (key) sessionStorage.setItem(STORED, key);
  return key;
}

export const apiKey = signal<string | null>(remembered());

export function useKey(key: string): void {
  sessionStorage.setItem(STORED, key);
  apiKey.value = key;
}

export function forgetKey(): void {
  sessionStorage.removeItem(STORED);
  apiKey.value = null;
}

// A link with a key may also be opened in a tab where the page is already running.
addEventListener("hashchange", () => {
  const key = fromAddress();
  if (key) useKey(key);
});
