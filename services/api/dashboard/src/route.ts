/** Hash addresses of the pages, so that the whole front end is one static file. */
import { signal } from "@preact/signals";

/** Pages of the back office, in the order of its navigation. */
export const OFFICE_PAGES = [
  "figures",
  "silences",
  "duty",
  "handovers",
  "receivers",
  "notifications",
  "policies",
  "rules",
  "depots",
  "rejections",
  "audit",
  "users",
  "keys",
  "import",
] as const;
export type OfficePage = (typeof OFFICE_PAGES)[number];

/** Pages that only an administrator has a use for: others are not shown the way there. */
export const ADMINISTRATORS_PAGES: readonly OfficePage[] = ["users", "keys", "import"];

export type Route =
  | { page: "overview" }
  | { page: "wall" }
  | { page: "field"; id: string | null }
  | { page: "incidents" }
  | { page: "incident"; id: string }
  | { page: "plans" }
  | { page: "plan"; id: string }
  | { page: "assets" }
  | { page: "asset"; id: string }
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
  if (page === "incidents") return id ? { page: "incident", id } : { page };
  if (page === "plans") return id ? { page: "plan", id } : { page };
  if (page === "assets") return id ? { page: "asset", id } : { page };
  if (page === "field") return { page, id: id || null };
  if (page === "bridges") return { page, zone: id || null };
  if (page === "storm" || page === "wall" || isOffice(page)) return { page };
  return { page: "overview" };
}

export const route = signal<Route>(parse(location.hash));

addEventListener("hashchange", () => (route.value = parse(location.hash)));

export const alertAddress = (id: string): string => `#/alerts/${encodeURIComponent(id)}`;
export const assetAddress = (id: string): string => `#/assets/${encodeURIComponent(id)}`;
export const incidentAddress = (id: string): string => `#/incidents/${encodeURIComponent(id)}`;
export const planAddress = (id: string): string => `#/plans/${encodeURIComponent(id)}`;
export const fieldAddress = (id: string): string => `#/field/${encodeURIComponent(id)}`;
export const bridgeAddress = (zone: string): string => `#/bridges/${encodeURIComponent(zone)}`;
export const sensorAddress = (id: string): string => `#/sensors/${encodeURIComponent(id)}`;
