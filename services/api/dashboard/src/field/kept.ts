/** What a phone keeps in its own database: deeds not yet sent, and the orders as they were last read. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { WorkOrderAnswer } from "../api/types";
import type { Deed, KeptDeed } from "./deed";

export interface Place {
  position: [number, number] | null;
  name: { en: string; zh: string };
  explanation: { en: string; zh: string };
}

export interface KeptOrders {
  read_at: string;
  orders: WorkOrderAnswer[];
  /** By alert. */
  places: Record<string, Place>;
}

interface Kept extends DBSchema {
  deeds: { key: number; value: Omit<KeptDeed, "place"> & { place?: number } };
  orders: { key: string; value: KeptOrders };
}

const NAME = "lifeline-field";
const ORDERS = "mine";

let opened: Promise<IDBPDatabase<Kept>> | null = null;

function database(): Promise<IDBPDatabase<Kept>> {
  opened ??= openDB<Kept>(NAME, 1, {
    upgrade(made) {
      made.createObjectStore("deeds", { keyPath: "place", autoIncrement: true });
      made.createObjectStore("orders");
    },
  });
  return opened;
}

/** Keeps a deed behind all others. */
export async function keepDeed(deed: Deed): Promise<void> {
  await (await database()).add("deeds", { ...deed, refused: null });
}

/** Every deed in the order in which it was done. */
export async function keptDeeds(): Promise<KeptDeed[]> {
  return (await (await database()).getAll("deeds")) as KeptDeed[];
}

export async function refuseDeed(deed: KeptDeed, why: string): Promise<void> {
  await (await database()).put("deeds", { ...deed, refused: why });
}

export async function dropDeed(deed: KeptDeed): Promise<void> {
  await (await database()).delete("deeds", deed.place);
}

export async function keepOrders(orders: KeptOrders): Promise<void> {
  await (await database()).put("orders", orders, ORDERS);
}

export async function keptOrders(): Promise<KeptOrders | null> {
  return (await (await database()).get("orders", ORDERS)) ?? null;
}
