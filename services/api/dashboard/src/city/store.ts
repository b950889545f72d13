/** What the page knows about the city: loaded once, then kept true by the live stream. */
import { batch, computed, signal } from "@preact/signals";
import type { FeatureCollection } from "geojson";
import type {
  AlertAnswer,
  AssetCollection,
  AssetFeature,
  LatestAnswer,
  LifelineAnswer,
  LifelineId,
  SensorAnswer,
  WorkOrderAnswer,
  ZoneAnswer,
} from "../api/types";

/** Cleared alerts kept for the list; a page that stays open for weeks must not grow. */
const MOST_CLEARED = 500;

export const lifelines = signal<LifelineAnswer[]>([]);
export const zones = signal<ReadonlyMap<string, ZoneAnswer>>(new Map());
export const assets = signal<AssetCollection>({ type: "FeatureCollection", features: [] });
/** River and streets, to find one's way; a city without them is drawn without them. */
export const background = signal<FeatureCollection>({ type: "FeatureCollection", features: [] });
export const sensors = signal<ReadonlyMap<string, SensorAnswer>>(new Map());
export const latest = signal<ReadonlyMap<string, LatestAnswer>>(new Map());
export const alerts = signal<ReadonlyMap<string, AlertAnswer>>(new Map());
export const workOrders = signal<ReadonlyMap<string, WorkOrderAnswer>>(new Map());
/** Which parts have arrived at least once, so that an empty list is not mistaken for a quiet city. */
export const loaded = signal<ReadonlySet<string>>(new Set());
/** The lifeline the lists and the map are narrowed to. */
export const chosenLifeline = signal<LifelineId | null>(null);

export const assetsById = computed<ReadonlyMap<string, AssetFeature>>(
  () => new Map(assets.value.features.map((asset) => [asset.properties.id, asset])),
);
export const openAlerts = computed(() => [...alerts.value.values()].filter((alert) => alert.state !== "cleared"));

const newestMeasured_ms = signal(0);

/** The newest measurement of the city in milliseconds; a demo may play hours in minutes, so it is not the wall clock. */
export const cityNow = computed<number>(() => newestMeasured_ms.value || Date.now());

/** The order in which people name them, the same on every screen. */
const LIFELINE_ORDER: readonly LifelineId[] = ["gas", "water", "drainage", "bridge", "heat", "tunnel", "power", "telecom"];

export function replaceLifelines(all: readonly LifelineAnswer[]): void {
  const place = ({ id }: LifelineAnswer): number => LIFELINE_ORDER.indexOf(id);
  lifelines.value = [...all].sort((a, b) => place(a) - place(b));
}

export function arrived(part: string): void {
  if (!loaded.value.has(part)) loaded.value = new Set([...loaded.value, part]);
}

function withoutOldCleared(all: Map<string, AlertAnswer>): Map<string, AlertAnswer> {
  const cleared = [...all.values()].filter((alert) => alert.state === "cleared");
  if (cleared.length <= MOST_CLEARED) return all;
  cleared.sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
  for (const alert of cleared.slice(0, cleared.length - MOST_CLEARED)) all.delete(alert.id);
  return all;
}

/** Takes alerts in; an older version never replaces a newer one, in whatever order they arrive. */
export function learnAlerts(news: readonly AlertAnswer[]): void {
  const next = new Map(alerts.value);
  for (const alert of news) {
    const known = next.get(alert.id);
    if (!known || known.version <= alert.version) next.set(alert.id, alert);
  }
  alerts.value = withoutOldCleared(next);
}

/** Takes the list of all open alerts in; what was open `before` it was asked for and is not in it is dropped. */
export function replaceOpenAlerts(open: readonly AlertAnswer[], before: ReadonlySet<string>): void {
  const ids = new Set(open.map((alert) => alert.id));
  const stays = ([id, alert]: [string, AlertAnswer]): boolean =>
    alert.state === "cleared" || ids.has(id) || !before.has(id);
  alerts.value = new Map([...alerts.value].filter(stays));
  learnAlerts(open);
}

export function learnWorkOrders(news: readonly WorkOrderAnswer[]): void {
  const next = new Map(workOrders.value);
  for (const order of news) {
    const known = next.get(order.id);
    if (known && known.version > order.version) continue;
    if (order.state === "closed") next.delete(order.id);
    else next.set(order.id, order);
  }
  workOrders.value = next;
}

/** Takes the list of all open orders in, as `replaceOpenAlerts` does for alerts. */
export function replaceWorkOrders(open: readonly WorkOrderAnswer[], before: ReadonlySet<string>): void {
  const ids = new Set(open.map((order) => order.id));
  workOrders.value = new Map([...workOrders.value].filter(([id]) => ids.has(id) || !before.has(id)));
  learnWorkOrders(open);
}

export function learnLatest(news: readonly LatestAnswer[]): void {
  const next = new Map(latest.value);
  let newest = newestMeasured_ms.value;
  for (const reading of news) {
    const known = next.get(reading.sensor);
    const measured = Date.parse(reading.time);
    // A late value never becomes the current one.
    if (!known || Date.parse(known.time) <= measured) next.set(reading.sensor, reading);
    if (reading.quality < 2) newest = Math.max(newest, measured);
  }
  batch(() => {
    latest.value = next;
    newestMeasured_ms.value = newest;
  });
}
