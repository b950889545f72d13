/** Hash addresses of the pages, so that the whole front end is one static file. */
import { signal } from "@preact/signals";

/** Pages of the back office, in the order of its navigation. */
export const OFFICE_PAGES = ["figures", "silences", "duty", "receivers", "notifications", "policies", "rejections"] as const;
export type OfficePage = (typeof OFFICE_PAGES)[number];

export type Route =
  | { page: "overview" }
  | { page: "alert"; id: string }
  | { page: "storm" }
  | { page: "bridges"; zone: string | null }
  | { page: "sensors" }
  | { page: "sensor"; id: string }
  | { page: OfficePage };

export function isOffice(page: string | undefined): page is OfficePage {
  return OFFICE_PAGES.some((known) => known === page);
}

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
  if (page === "bridges") return { page, zone: id || null };
  if (page === "storm" || isOffice(page)) return { page };
  return { page: "overview" };
}

export const route = signal<Route>(parse(location.hash));

addEventListener("hashchange", () => (route.value = parse(location.hash)));

export const alertAddress = (id: string): string => `#/alerts/${encodeURIComponent(id)}`;
export const bridgeAddress = (zone: string): string => `#/bridges/${encodeURIComponent(zone)}`;
export const sensorAddress = (id: string): string => `#/sensors/${encodeURIComponent(id)}`;
