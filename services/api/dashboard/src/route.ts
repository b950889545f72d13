/** Hash addresses of the pages, so that the whole front end is one static file. */
import { signal } from "@preact/signals";

export type Route =
  | { page: "overview" }
  | { page: "alert"; id: string }
  | { page: "storm" }
  | { page: "sensors" }
  | { page: "sensor"; id: string }
  | { page: "rejections" }
  | { page: "notifications" };

export function parse(hash: string): Route {
  const [page, ...rest] = hash.replace(/^#\/?/, "").split("/");
  let id = rest.join("/");
  try {
    id = decodeURIComponent(id);
  } catch {
    // A half-written escape in the address is looked up as it stands.
  }
  if (page === "alerts" && id) return { page: "alert", id };
  if (page === "sensors") return id ? { page: "sensor", id } : { page: "sensors" };
  if (page === "storm" || page === "rejections" || page === "notifications") return { page };
  return { page: "overview" };
}

export const route = signal<Route>(parse(location.hash));

addEventListener("hashchange", () => (route.value = parse(location.hash)));

export const alertAddress = (id: string): string => `#/alerts/${encodeURIComponent(id)}`;
export const sensorAddress = (id: string): string => `#/sensors/${encodeURIComponent(id)}`;
