/** What an alert waits for and for how long: the clocks of the loop, as the wall and the desk show them. Pure. */
import type { AlertAnswer, WorkOrderAnswer, WorkOrderMove } from "../api/types";

export interface LoopClock {
  /** Not yet acknowledged, a step of its order, or (order on hold, alert acknowledged) nothing that is timed. */
  waits: "acknowledge" | WorkOrderMove;
  waited_ms: number;
  /** Beyond the moment by which the step was due. */
  overdue: boolean;
}

/** When an order came to where it stands: the moment from which its next step is waited for. */
function standsSince(order: WorkOrderAnswer): string {
  const times = [
    order.verified_at,
    order.handled_at,
    order.under_control_at,
    order.on_site_at,
    order.received_at,
    order.dispatched_at,
  ];
  return times.find((at) => at !== null) ?? order.created_at;
}

/** How long an order waits for its next step; null where none can be taken. */
export function orderClock(order: WorkOrderAnswer, wallNow: number): LoopClock | null {
  const move = order.moves[0];
  if (!move) return null;
  const due = order.deadline?.due_at;
  return {
    waits: move,
    waited_ms: wallNow - Date.parse(standsSince(order)),
    overdue: due ? Date.parse(due) < wallNow : false,
  };
}

/** The clocks of an open alert, the desk's first. Alerts are timed by the city's clock, orders by the wall's. */
export function loopClocks(
  alert: AlertAnswer,
  order: WorkOrderAnswer | undefined,
  cityNow: number,
  wallNow: number,
): LoopClock[] {
  const clocks: LoopClock[] = [];
  if (alert.state === "open") {
    clocks.push({ waits: "acknowledge", waited_ms: cityNow - Date.parse(alert.detected_at), overdue: false });
  }
  const clock = order && orderClock(order, wallNow);
  if (clock) clocks.push(clock);
  return clocks;
}
