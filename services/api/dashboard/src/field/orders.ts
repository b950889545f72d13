/** The open orders as a phone knows them: read when there is a connection, kept for when there is none. */
import { signal } from "@preact/signals";
import { get, getAll, UnreachableError } from "../api/client";
import type { AlertAnswer, WorkOrderAnswer } from "../api/types";
import { isAway } from "./away";
import { type KeptOrders, keepOrders, keptOrders, type Place } from "./kept";

export const mine = signal<KeptOrders | null>(null);
export const trouble = signal<string | null>(null);

const MOST = 200;

async function placeOf(alert: string): Promise<Place> {
  const known = mine.value?.places[alert];
  if (known) return known;
  const { position, asset_name, explanation } = await get<AlertAnswer>(`alerts/${alert}`);
  return { position, name: asset_name, explanation };
}

/** Orders that a crew has to do with: whatever waits for the centre alone is left out. */
function isForCrew(order: WorkOrderAnswer): boolean {
  return !["draft", "verified", "closed", "rejected"].includes(order.state);
}

/** Takes a newer state of one of the orders in. */
export async function learnOrder(news: WorkOrderAnswer): Promise<void> {
  if (!mine.value) return;
  const orders = mine.value.orders.map((order) => (order.id === news.id && order.version <= news.version ? news : order));
  mine.value = { ...mine.value, orders };
  await keepOrders(mine.value);
}

export async function readOrders(): Promise<void> {
  mine.value ??= await keptOrders();
  try {
    const orders = (await getAll<WorkOrderAnswer>("work-orders", { open: true, limit: MOST }, MOST)).filter(isForCrew);
    const places: Record<string, Place> = {};
    for (const { alert } of orders) places[alert] ??= await placeOf(alert);
    mine.value = { read_at: new Date().toISOString(), orders, places };
    isAway.value = false;
    trouble.value = null;
    await keepOrders(mine.value);
  } catch (error) {
    isAway.value = error instanceof UnreachableError;
    trouble.value = error instanceof UnreachableError ? null : (error as Error).message;
  }
}
