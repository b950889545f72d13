/** The seven steps of a work order and when each was taken. */
import type { WorkOrderAnswer, WorkOrderState } from "../api/types";

export const STEPS: readonly WorkOrderState[] = [
  "dispatched",
  "received",
  "on-site",
  "under-control",
  "handled",
  "verified",
  "closed",
];

export function enteredAt(order: WorkOrderAnswer, step: WorkOrderState): string | null {
  const times: Record<WorkOrderState, string | null> = {
    "dispatched": order.dispatched_at ?? order.created_at,
    "received": order.received_at,
    "on-site": order.on_site_at,
    "under-control": order.under_control_at,
    "handled": order.handled_at,
    "verified": order.verified_at,
    "closed": order.closed_at,
  };
  return times[step];
}
