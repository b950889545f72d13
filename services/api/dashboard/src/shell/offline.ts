/** Whether the device itself says that it has no network. */
import { signal } from "@preact/signals";

export const isOffline = signal(!navigator.onLine);

addEventListener("online", () => (isOffline.value = false));
addEventListener("offline", () => (isOffline.value = true));
