/** Whether the service answered when it was last asked. */
import { signal } from "@preact/signals";

export const isAway = signal(!navigator.onLine);
