/** Who is heard: sensors by state, gateways, and the orders that are late. */
import type { JSX } from "preact";
import type { GatewayAnswer, Page } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { conditions, STATES, type SensorState } from "../city/sensor-state";
import { workOrders } from "../city/store";
import { useEvery } from "../records/use-every";
import { StateMark } from "../shell/marks";
import { word } from "../words/language";

function SensorsByState(): JSX.Element {
  const counts = new Map<SensorState, number>();
  for (const { state } of conditions.value.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return (
    <ul class="wall-states">
      {STATES.map((state) => (
        <li key={state} data-testid={`wall-sensors-${state}`} data-count={counts.get(state) ?? 0}>
          <StateMark state={state} /> {word(`sensor.state.${state}`)} <b>{counts.get(state) ?? 0}</b>
        </li>
      ))}
    </ul>
  );
}

function Share({ name, value, of, bad }: { name: string; value: number; of: number; bad: boolean }): JSX.Element {
  return (
    <p class={bad ? "wall-number beyond" : "wall-number"}>
      <span>{name}</span>{" "}
      <b>
        {bad && <span aria-hidden="true">▲ </span>}
        {value}
      </b>{" "}
      <span class="quiet">/ {of}</span>
    </p>
  );
}

export function WallHealth({ now }: { now: number }): JSX.Element {
  const { answer, again } = useAnswer<Page<GatewayAnswer>>("gateways", { limit: 5000 });
  useEvery(again);
  const gateways = answer?.items ?? [];
  const silent = gateways.filter((one) => one.state !== "heard").length;
  const orders = [...workOrders.value.values()];
  const late = orders.filter((order) => order.deadline?.due_at && Date.parse(order.deadline.due_at) < now).length;
  return (
    <section class="wall-health" aria-label={word("wall.health")} data-testid="wall-health">
      <SensorsByState />
      <div class="wall-numbers">
        <Share name={word("wall.gateways.silent")} value={silent} of={gateways.length} bad={silent > 0} />
        <Share name={word("wall.orders.late")} value={late} of={orders.length} bad={late > 0} />
      </div>
    </section>
  );
}
