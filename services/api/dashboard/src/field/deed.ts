/** What a crew did, as it is kept until the service has it. Pure. */
import type { MeasurementAnswer } from "../api/disposal";
import type { WorkOrderAnswer, WorkOrderMove } from "../api/types";
import { standing, STEPS } from "../alerts/work-order-steps";

/** Steps that a crew takes; verifying and closing are for somebody who did not do the work. */
export const FIELD_MOVES = ["receive", "arrive", "control", "hand-back"] as const satisfies readonly WorkOrderMove[];
export type FieldMove = (typeof FIELD_MOVES)[number];

interface Told {
  /** Made on the phone, so that the same deed sent twice is one deed. */
  id: string;
  order: string;
  /** When it was done, RFC 3339. */
  at: string;
}

export interface MoveDeed extends Told {
  kind: "move";
  move: FieldMove;
  /** What was found and done, when handing back. */
  text: string;
}

export interface FeedbackDeed extends Told {
  kind: "feedback";
  text: string;
  measurements: MeasurementAnswer[];
  position: [number, number] | null;
}

export interface PhotoDeed extends Told {
  kind: "photo";
  photo: Blob;
}

export type Deed = MoveDeed | FeedbackDeed | PhotoDeed;

/** A deed in the outbox: its place in the order of doing, and why the service would not have it. */
export type KeptDeed = Deed & { place: number; refused: string | null };

/** A random identifier; `crypto.randomUUID` is missing where a phone reaches the service without TLS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Where a step leads. */
const LEADS_TO: Record<FieldMove, WorkOrderAnswer["state"]> = {
  "receive": "received",
  "arrive": "on-site",
  "control": "under-control",
  "hand-back": "handled",
};

/** Whether the order already stands where the step leads, or beyond: then a second sending changes nothing. */
export function hasReached(order: WorkOrderAnswer, move: FieldMove): boolean {
  return STEPS.indexOf(standing(order)) >= STEPS.indexOf(LEADS_TO[move]);
}

/** The step a crew may take next, counting what it has done and not yet sent. */
export function nextMove(order: WorkOrderAnswer, kept: readonly KeptDeed[]): FieldMove | null {
  const done = kept.flatMap((deed) => (deed.kind === "move" && deed.order === order.id && deed.refused === null ? [deed.move] : []));
  const last = done.at(-1);
  if (last) return FIELD_MOVES[FIELD_MOVES.indexOf(last) + 1] ?? null;
  const allowed: readonly WorkOrderMove[] = order.moves;
  return FIELD_MOVES.find((move) => allowed.includes(move)) ?? null;
}
