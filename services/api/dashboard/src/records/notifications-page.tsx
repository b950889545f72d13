/** What was sent to whom, every attempt, and what the receiver answered. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { NotificationDetailAnswer } from "../api/office";
import { useAnswer } from "../api/use-answer";
import type { NotificationAnswer, Page } from "../api/types";
import { OfficePage } from "../office/office-page";
import { Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word, wordFor } from "../words/language";
import { Attempts, DeliveryState } from "./deliveries";
import { RedeliverButton } from "./redelivery";
import { useEvery } from "./use-every";

/** What was sent, read when somebody wants to see it. */
function Body({ id }: { id: string }): JSX.Element {
  const open = useSignal(false);
  const { answer, problem, again } = useAnswer<NotificationDetailAnswer>(open.value ? `notifications/${id}` : null);
  return (
    <details onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{word("notification.body")}</summary>
      {problem && <Trouble problem={problem} again={again} />}
      {answer && <pre class="payload">{answer.body}</pre>}
      {answer?.acknowledgements.map((one) => (
        <p key={one.device}>
          {one.done ? "✓" : "✕"} {one.device} <Time at={one.at} /> <span class="quiet">{one.reason}</span>
        </p>
      ))}
    </details>
  );
}

function Row({ notification, changed }: { notification: NotificationAnswer; changed: () => void }): JSX.Element {
  return (
    <tr data-testid="notification-row" data-state={notification.state} data-receiver={notification.receiver}>
      <td class="nowrap">
        <Time at={notification.created_at} />
      </td>
      <td>
        <b>{notification.receiver}</b>
      </td>
      <td>
        {wordFor("message", notification.type)} <code class="quiet">{notification.type}</code>
        <Body id={notification.id} />
      </td>
      <td class="nowrap">
        <DeliveryState state={notification.state} /> <Time at={notification.delivered_at} empty="" />
      </td>
      <td>{notification.deliveries.length ? <Attempts deliveries={notification.deliveries} /> : notification.attempts}</td>
      <td>
        <RedeliverButton notification={notification} changed={changed} />
      </td>
    </tr>
  );
}

export function NotificationsPage(): JSX.Element {
  const failed = useSignal(false);
  const query = { limit: 200, state: failed.value ? "failed" : null };
  const { answer, problem, again } = useAnswer<Page<NotificationAnswer>>("notifications", query);
  useEvery(again);
  return (
    <OfficePage page="notifications" loading={!answer} problem={problem} again={again}>
      <div class="choice" role="group" aria-label={word("filter.state")}>
        <button type="button" aria-pressed={!failed.value} data-testid="deliveries-all" onClick={() => (failed.value = false)}>
          {word("alerts.all")}
        </button>
        <button type="button" aria-pressed={failed.value} data-testid="deliveries-failed" onClick={() => (failed.value = true)}>
          {word("notifications.failed")}
        </button>
      </div>
      {answer && !answer.items.length && <p class="quiet">{word("notifications.none")}</p>}
      {answer && answer.items.length > 0 && (
        <WideTable label={word("office.notifications")}>
          <table data-testid="notification-table">
            <thead>
              <tr>
                <th>{word("notification.created")}</th>
                <th>{word("notification.receiver")}</th>
                <th>{word("notification.type")}</th>
                <th>{word("notification.state")}</th>
                <th>{word("notification.attempts")}</th>
                <th>{word("deeds")}</th>
              </tr>
            </thead>
            <tbody>
              {answer.items.map((one) => (
                <Row key={one.id} notification={one} changed={again} />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
    </OfficePage>
  );
}
