/** The state of a notification and the attempts behind it. */
import type { JSX } from "preact";
import type { DeliveryAnswer, NotificationState } from "../api/types";
import { Time } from "../shell/marks";
import { amount } from "../words/format";
import { word } from "../words/language";

const SIGNS: Record<NotificationState, string> = { pending: "…", delivered: "✓", failed: "✕" };

export function DeliveryState({ state }: { state: NotificationState }): JSX.Element {
  return (
    <span class={`delivery ${state}`}>
      <span aria-hidden="true">{SIGNS[state]}</span> {word(`notification.state.${state}`)}
    </span>
  );
}

export function Attempts({ deliveries }: { deliveries: readonly DeliveryAnswer[] }): JSX.Element {
  return (
    <ol class="attempts">
      {deliveries.map((delivery) => (
        <li key={delivery.attempt}>
          {word("notification.attempt", { number: delivery.attempt })} <Time at={delivery.started_at} />{" "}
          <b>{delivery.status ?? "–"}</b> <span class="quiet">{amount(delivery.duration_ms)} ms</span>{" "}
          {(delivery.error ?? delivery.response) && <code>{delivery.error ?? delivery.response}</code>}
        </li>
      ))}
    </ol>
  );
}
