/** The live event stream: one connection, its state, and its return after every loss. */
import { signal } from "@preact/signals";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { API, authorization } from "./client";
import { access, forgetKey, signedIn } from "./key";

export interface Connection {
  state: "connecting" | "live" | "lost";
  /** Since when it is so, milliseconds of the wall clock. */
  since: number;
}

export const connection = signal<Connection>({ state: "connecting", since: Date.now() });

export type Listener = (event: string, body: unknown) => void;

/** After so long without a byte the connection counts as dead, though nobody closed it. */
const SILENCE_MS = 60_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

function now(state: Connection["state"]): void {
  if (connection.value.state !== state) connection.value = { state, since: Date.now() };
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** Restarts a countdown at every byte, also at the comments that only keep the connection alive. */
function heartbeat(dead: () => void): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let timer = setTimeout(dead, SILENCE_MS);
  return new TransformStream({
    transform(chunk, out) {
      clearTimeout(timer);
      timer = setTimeout(dead, SILENCE_MS);
      out.enqueue(chunk);
    },
    flush: () => clearTimeout(timer),
  });
}

/** Follows the stream until `stop`; `opened` runs at every (re)connection, before the first event. */
export async function follow(listener: Listener, opened: () => void, stop: AbortSignal): Promise<void> {
  let lastId: string | null = null;
  now("connecting");
  let failures = 0;
  while (!stop.aborted) {
    const attempt = new AbortController();
    const end = (): void => attempt.abort();
    stop.addEventListener("abort", end, { once: true });
    try {
      const headers = { ...authorization(), Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
      const by = access();
      const response = await fetch(`${API}stream`, { headers, cache: "no-store", signal: attempt.signal });
      if (response.status === 401 && by === access()) forgetKey();
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      now("live");
      failures = 0;
      opened();
      const events = response.body
        .pipeThrough(heartbeat(end))
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream())
        .getReader();
      for (let next = await events.read(); !next.done; next = await events.read()) {
        if (next.value.id) lastId = next.value.id;
        listener(next.value.event ?? "message", JSON.parse(next.value.data));
      }
    } catch {
      // Whatever went wrong, the answer is the same: say so on the page and try again.
    } finally {
      stop.removeEventListener("abort", end);
      attempt.abort();
    }
    now("lost");
    if (!signedIn.value) return;
    await pause(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 10_000, stop);
  }
}
