/** What was sent to whom, every attempt, and what the receiver answered. */
import type { JSX } from "preact";
import { useAnswer } from "../api/use-answer";
import type { NotificationAnswer, Page } from "../api/types";
import { Loading, Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { word, wordFor } from "../words/language";
import { Attempts, DeliveryState } from "./deliveries";
import { useEvery } from "./use-every";

export function NotificationsPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<Page<NotificationAnswer>>("notifications", { limit: 200 });
  useEvery(again);
  return (
    <article class="record panel">
      <h1>{word("nav.notifications")}</h1>
      <p class="quiet">{word("notifications.why")}</p>
      {problem && <Trouble problem={problem} again={again} />}
      {!answer && !problem && <Loading />}
      {answer && !answer.items.length && <p class="quiet">{word("notifications.none")}</p>}
      {answer && answer.items.length > 0 && (
        <div class="table-scroll">
          <table data-testid="notification-table">
            <thead>
              <tr>
                <th>{word("notification.created")}</th>
                <th>{word("notification.receiver")}</th>
                <th>{word("notification.type")}</th>
                <th>{word("notification.state")}</th>
                <th>{word("notification.attempts")}</th>
              </tr>
            </thead>
            <tbody>
              {answer.items.map((one) => (
                <tr key={one.id} data-testid="notification-row" data-state={one.state}>
                  <td class="nowrap">
                    <Time at={one.created_at} />
                  </td>
                  <td>
                    <b>{one.receiver}</b>
                  </td>
                  <td>
                    {wordFor("message", one.type)} <code class="quiet">{one.type}</code>
                  </td>
                  <td class="nowrap">
                    <DeliveryState state={one.state} /> <Time at={one.delivered_at} empty="" />
                  </td>
                  <td>{one.deliveries.length ? <Attempts deliveries={one.deliveries} /> : one.attempts}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </article>
  );
}
