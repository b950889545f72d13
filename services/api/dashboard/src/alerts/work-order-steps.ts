/** The seven steps of a work order, when each was taken, and where one stands that waits beside them. */
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

/** The step that an order on hold goes on with; a draft and a rejected one stand before the first. */
export function standing(order: WorkOrderAnswer): WorkOrderState {
  return order.held_from ?? order.state;
}

export function enteredAt(order: WorkOrderAnswer, step: WorkOrderState): string | null {
  const times: Record<WorkOrderState, string | null> = {
    "dispatched": order.dispatched_at ?? order.created_at,
    "received": order.received_at,
    "on-site": order.on_site_at,
    "under-control": order.under_control_at,
    "handled": order.handled_at,
    "verified": order.verified_at,
    "closed": order.closed_at,
    "draft": order.created_at,
    "rejected": null,
    "on-hold": null,
  };
  return times[step];
}
