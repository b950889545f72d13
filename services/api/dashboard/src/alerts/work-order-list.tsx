/** The open work orders with their step and its clock. */
import type { JSX } from "preact";
import type { WorkOrderAnswer } from "../api/types";
import { assetsById, loaded, workOrders } from "../city/store";
import { chosenLifeline } from "../city/store";
import { alertAddress } from "../route";
import { LifelineMark, Loading, SeverityMark, Time } from "../shell/marks";
import { say, word } from "../words/language";
import { enteredAt, standing, STEPS } from "./work-order-steps";

export function WorkOrderRow({ order }: { order: WorkOrderAnswer }): JSX.Element {
  const step = STEPS.indexOf(standing(order));
  const asset = assetsById.value.get(order.asset);
  return (
    <li class="order-row" data-testid="work-order-row" data-state={order.state}>
      <a href={alertAddress(order.alert)}>
        <span class="row-title">
          <SeverityMark severity={order.severity} />
          <LifelineMark lifeline={order.lifeline} />
          <b>{say(order.title)}</b>
        </span>
        <span class="row-facts">
          <span class="steps-small" role="img" aria-label={word("order.step", { step: step + 1 })}>
            {STEPS.map((name, index) => (
              <i key={name} class={index <= step ? "done" : ""} />
            ))}
          </span>
          <b>{word(`order.state.${order.state}`)}</b>
          <Time at={enteredAt(order, order.state)} />
          <span class="quiet">
            {order.organisation_name ? say(order.organisation_name) : order.organisation}
            {asset && !say(order.title).includes(say(asset.properties.name)) && ` · ${say(asset.properties.name)}`}
          </span>
        </span>
      </a>
    </li>
  );
}

export function WorkOrderList(): JSX.Element {
  const chosen = chosenLifeline.value;
  const shown = [...workOrders.value.values()]
    .filter((order) => !chosen || order.lifeline === chosen)
    .sort((a, b) => b.severity - a.severity || Date.parse(b.created_at) - Date.parse(a.created_at));
  return (
    <section class="panel order-list" aria-label={word("orders")} data-testid="work-order-list">
      <div class="panel-head">
        <h2>
          {word("orders")} <span class="count">{shown.length}</span>
        </h2>
      </div>
      <div class="panel-body">
        {!loaded.value.has("orders") && <Loading />}
        {loaded.value.has("orders") && !shown.length && <p class="quiet pad">{word("orders.none")}</p>}
        <ul class="rows">
          {shown.map((order) => (
            <WorkOrderRow key={order.id} order={order} />
          ))}
        </ul>
      </div>
    </section>
  );
}
