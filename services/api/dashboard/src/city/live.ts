/** Loads the city and keeps it true: the stream for speed, the lists as the truth after every loss. */
import type { FeatureCollection } from "geojson";
import { get, getAll, RefusedError } from "../api/client";
import { connection, follow } from "../api/stream";
import type {
  AlertAnswer,
  AssetCollection,
  LatestAnswer,
  LifelineAnswer,
  SensorAnswer,
  WarningAnswer,
  WorkOrderAnswer,
  ZoneAnswer,
} from "../api/types";
import * as store from "./store";
import { soundFor } from "./sound";

/** How often the lists are read again: rarely while live, often while the stream is away. */
const POLL_LIVE_MS = 60_000;
const POLL_LOST_MS = 10_000;
const TICK_MS = 2_000;
/** Lifelines, alerts, orders, newest values, zones, assets, background, sensors. */
const PARTS = 8;

export type News =
  | { event: "alert"; body: AlertAnswer }
  | { event: "warning"; body: WarningAnswer }
  | { event: "work-order"; body: WorkOrderAnswer };

const listeners = new Set<(news: News) => void>();

/** Runs `listener` at every alert, warning or work order that arrives; returns how to stop. */
export function onNews(listener: (news: News) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function part<Answer>(name: string, answer: Promise<Answer>, keep: (answer: Answer) => void): Promise<void> {
  try {
    keep(await answer);
    store.arrived(name);
  } catch (error) {
    // The connection state already tells, and the next round tries again; a city may simply have no background.
    if (name === "background" && error instanceof RefusedError) store.arrived(name);
  }
}

/** What a person waits for first: counters, open alerts, open orders. */
async function readLists(): Promise<void> {
  // What the stream brings while an answer is on its way must survive that answer.
  const knownAlerts = new Set(store.alerts.value.keys());
  const knownOrders = new Set(store.workOrders.value.keys());
  await Promise.all([
    part("lifelines", get<LifelineAnswer[]>("lifelines"), store.replaceLifelines),
    part("alerts", getAll<AlertAnswer>("alerts", { open: true, limit: 200 }, 2_000), (open) =>
      store.replaceOpenAlerts(open, knownAlerts),
    ),
    part("orders", getAll<WorkOrderAnswer>("work-orders", { open: true, limit: 200 }, 2_000), (open) =>
      store.replaceWorkOrders(open, knownOrders),
    ),
  ]);
}

function readLatest(): Promise<void> {
  return part("latest", get<{ items: LatestAnswer[] }>("latest"), (newest) => store.learnLatest(newest.items));
}

/** What changes: counters, open alerts, open orders, newest values. */
export async function refresh(): Promise<void> {
  await Promise.all([readLists(), readLatest()]);
}

const asked = new Set<string>();

/** Reads what hardly ever changes, once. */
async function place<Answer>(path: string, read: () => Promise<Answer>, keep: (answer: Answer) => void): Promise<void> {
  if (store.loaded.value.has(path) || asked.has(path)) return;
  asked.add(path);
  await part(path, read(), keep);
  asked.delete(path);
}

async function loadPlaces(): Promise<void> {
  await Promise.all([
    place("zones", () => get<ZoneAnswer[]>("zones"), (all) => (store.zones.value = new Map(all.map((zone) => [zone.id, zone])))),
    place("assets", () => get<AssetCollection>("assets"), (all) => (store.assets.value = all)),
    place("background", () => get<FeatureCollection>("background"), (shapes) => (store.background.value = shapes)),
    place("sensors", () => getAll<SensorAnswer>("sensors", { limit: 1000 }), (all) => {
      store.sensors.value = new Map(all.map((sensor) => [sensor.id, sensor]));
    }),
  ]);
}

/** Values wait for one another so long: every taking of them looks at the whole city. */
const GATHER_MS = 1_000;
let gathered: LatestAnswer[] = [];
let gathering: ReturnType<typeof setTimeout> | undefined;

function gatherLatest(news: readonly LatestAnswer[]): void {
  gathered.push(...news);
  gathering ??= setTimeout(() => {
    gathering = undefined;
    store.learnLatest(gathered);
    gathered = [];
  }, GATHER_MS);
}

let counting: ReturnType<typeof setTimeout> | undefined;

/** Reads the counters again shortly after an alert changed, once for many changes. */
function countAgain(): void {
  clearTimeout(counting);
  counting = setTimeout(() => void part("lifelines", get<LifelineAnswer[]>("lifelines"), store.replaceLifelines), 400);
}

function take(event: string, body: unknown): void {
  if (event === "latest") return gatherLatest((body as { items: LatestAnswer[] }).items);
  if (event === "alert") {
    const alert = body as AlertAnswer;
    if (!store.alerts.value.has(alert.id) && alert.state === "open") soundFor(alert);
    store.learnAlerts([alert]);
    countAgain();
    listeners.forEach((listener) => listener({ event: "alert", body: alert }));
  } else if (event === "warning") {
    listeners.forEach((listener) => listener({ event: "warning", body: body as WarningAnswer }));
  } else if (event === "work-order") {
    store.learnWorkOrders([body as WorkOrderAnswer]);
    listeners.forEach((listener) => listener({ event: "work-order", body: body as WorkOrderAnswer }));
  }
}

/** Starts everything; returns how to stop it. */
export function start(): () => void {
  const stop = new AbortController();
  let last = 0;
  const poll = async (): Promise<void> => {
    last = Date.now();
    // The whole city weighs a hundred times the lists, and would keep them waiting.
    await readLists();
    await Promise.all([readLatest(), loadPlaces()]);
  };
  // Read at once, and again when the stream stands: what was committed in between is in neither otherwise.
  void readLists();
  void follow(take, () => void poll(), stop.signal);
  const timer = setInterval(() => {
    const every = connection.value.state === "live" && store.loaded.value.size >= PARTS ? POLL_LIVE_MS : POLL_LOST_MS;
    if (Date.now() - last >= every) void poll();
  }, TICK_MS);
  return () => {
    stop.abort();
    clearInterval(timer);
  };
}
