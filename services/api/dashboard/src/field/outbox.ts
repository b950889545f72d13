/** Sends what a crew did, in the order of doing, once each, whenever the service can be reached. */
import { signal } from "@preact/signals";
import { get, post, postFile, RefusedError } from "../api/client";
import type { OrderRecordAnswer } from "../api/disposal";
import type { WorkOrderAnswer } from "../api/types";
import { isAway } from "./away";
import { type Deed, hasReached, type KeptDeed } from "./deed";
import { dropDeed, keepDeed, keptDeeds, refuseDeed } from "./kept";
import { learnOrder } from "./orders";

/** What has not arrived at the service yet, oldest first. */
export const unsent = signal<readonly KeptDeed[]>([]);

/** From here on a step is sent so late that the record has to name the moment it was taken. */
const LATE_MS = 60_000;
const CONFLICT = 409;
/** These say that the service cannot just now, not that the deed is wrong. */
const PASSING = new Set([401, 408, 425, 429, 500, 502, 503, 504]);

async function look(): Promise<void> {
  unsent.value = await keptDeeds();
}

/** A step says in words when it was taken, for the service knows only when it was told. */
function lateNote(deed: KeptDeed): string | null {
  const late = Date.now() - Date.parse(deed.at) > LATE_MS;
  return late ? `${deed.at.slice(0, 16).replace("T", " ")} UTC, sent later / 补传` : null;
}

async function sendMove(deed: KeptDeed & { kind: "move" }): Promise<void> {
  const note = lateNote(deed);
  const body =
    deed.move === "hand-back" ? { text: note ? `${deed.text}\n(${note})` : deed.text } : note ? { note } : {};
  try {
    // Known at once, so that the page never offers a step again that was just taken.
    await learnOrder(await post<WorkOrderAnswer>(`work-orders/${deed.order}/${deed.move}`, body, { once: deed.id }));
  } catch (error) {
    if (!(error instanceof RefusedError) || error.problem.status !== CONFLICT) throw error;
    // The answer to an earlier sending may have been lost on the way: then the order stands there already.
    const order = await get<WorkOrderAnswer>(`work-orders/${deed.order}`);
    if (!hasReached(order, deed.move)) throw error;
    await learnOrder(order);
  }
}

async function sendPhoto(deed: KeptDeed & { kind: "photo" }): Promise<void> {
  const name = `${deed.id}.jpg`;
  const record = await get<OrderRecordAnswer>(`work-orders/${deed.order}/record`);
  // A photo has no identifier of its own at the service; its name, made on the phone, tells it apart.
  if (record.attachments.some((attachment) => attachment.name === name)) return;
  await postFile(`work-orders/${deed.order}/attachments`, { name }, deed.photo);
}

async function send(deed: KeptDeed): Promise<void> {
  if (deed.kind === "move") return sendMove(deed);
  if (deed.kind === "photo") return sendPhoto(deed);
  const { id, at, text, measurements, position } = deed;
  await post(`work-orders/${deed.order}/feedback`, { id, at, text, measurements, position }, { once: deed.id });
}

/** Sends until nothing waits or the service is away; answers whether anything was sent. */
async function sendWaiting(): Promise<boolean> {
  let sent = false;
  for (const deed of await keptDeeds()) {
    if (deed.refused !== null) continue;
    try {
      await send(deed);
      await dropDeed(deed);
      isAway.value = false;
      sent = true;
    } catch (error) {
      const lasting = error instanceof RefusedError && !PASSING.has(error.problem.status);
      if (!lasting) {
        isAway.value = !(error instanceof RefusedError);
        break;
      }
      await refuseDeed(deed, error.message);
    }
    await look();
  }
  await look();
  return sent;
}

let sending: Promise<boolean> | null = null;

/** Two tabs of a phone must not send the same deed side by side. */
async function alone(): Promise<boolean> {
  if (!("locks" in navigator)) return sendWaiting();
  return navigator.locks.request("lifeline-outbox", () => sendWaiting());
}

export function sendAll(): Promise<boolean> {
  sending ??= alone().finally(() => (sending = null));
  return sending;
}

/** Keeps the deed first and sends it then, so that nothing is lost in between. */
export async function doDeed(deed: Deed): Promise<void> {
  await keepDeed(deed);
  await look();
  void sendAll();
}

/** Gives up a deed that the service refused; the person has read why. */
export async function giveUp(deed: KeptDeed): Promise<void> {
  await dropDeed(deed);
  await look();
}
