/** How the page is let in: a key, taken once from the address and kept for this tab only, or a session. */
import { computed, signal } from "@preact/signals";

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

/** What a session's changes carry; the session itself is in a cookie that no script can read. */
export const sessionToken = signal<string | null>(null);

export const signedIn = computed(() => apiKey.value !== null || sessionToken.value !== null);

export function useKey(key: string): void {
  sessionStorage.setItem(STORED, key);
  apiKey.value = key;
}

/** What requests are let in by now. */
export function access(): string | null {
  return apiKey.value ?? sessionToken.value;
}

export function forgetKey(): void {
  sessionStorage.removeItem(STORED);
  apiKey.value = null;
  sessionToken.value = null;
}

// A link with a key may also be opened in a tab where the page is already running.
addEventListener("hashchange", () => {
  const key = fromAddress();
  if (key) useKey(key);
});
