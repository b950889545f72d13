/** Who is told by which way, whether it works, and how well messages arrive. */
import type { JSX } from "preact";
import type { DeliveryFiguresAnswer, ReceiverAnswer, ReceiverHealthAnswer } from "../api/office";
import { useAnswer } from "../api/use-answer";
import { organisationName } from "../city/directory";
import { useEvery } from "../records/use-every";
import { Time } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { amount, percent } from "../words/format";
import { word } from "../words/language";
import { OfficePage } from "./office-page";
import { ReceiverDeeds } from "./receiver-deeds";
import { ReceiverForm } from "./receiver-form";

const SIGNS: Record<ReceiverHealthAnswer["state"] | "off", string> = { ok: "✓", failing: "▲", paused: "⏸", unknown: "○", off: "■" };

function Health({ receiver }: { receiver: ReceiverAnswer }): JSX.Element {
  const { health } = receiver;
  const state = receiver.enabled ? health.state : "off";
  return (
    <>
      <span class={`office-state ${state}`} data-testid="receiver-health" data-state={state}>
        <span aria-hidden="true">{SIGNS[state]}</span> {word(`receiver.health.${state}`)}
      </span>
      {health.paused_until && state === "paused" && (
        <div>
          {word("receiver.paused-until")} <Time at={health.paused_until} />
        </div>
      )}
      {health.failures > 0 && <div>{word("receiver.failures", { count: health.failures })}</div>}
      {health.last_error && health.failures > 0 && <code class="wrap">{health.last_error}</code>}
    </>
  );
}

interface Row {
  receiver: ReceiverAnswer;
  figures: DeliveryFiguresAnswer | undefined;
  changed: () => void;
}

function ReceiverRow({ receiver, figures, changed }: Row): JSX.Element {
  return (
    <tr data-testid="receiver-row" data-receiver={receiver.id}>
      <td>
        <b>{receiver.id}</b>
        <div class="quiet">{organisationName(receiver.organisation)}</div>
      </td>
      <td>
        {word(`channel.${receiver.channel}`)}
        <div>
          <code class="wrap quiet">{receiver.url}</code>
        </div>
        <div class="quiet">
          {word("receiver.from")} {word(`severity.${receiver.minimum_severity}`)}
          {receiver.is_signed && ` · ${word(receiver.has_previous_secret ? "receiver.signed.twice" : "receiver.signed")}`}
        </div>
      </td>
      <td>
        <Health receiver={receiver} />
      </td>
      <td class="nowrap">
        <Time at={receiver.health.last_success_at} empty={word("receiver.never")} />
      </td>
      <td class="nowrap">
        {figures ? (
          <>
            <b>{figures.success === null ? "–" : percent(figures.success)}</b>{" "}
            <span class="quiet">
              ({figures.delivered}/{figures.messages})
            </span>
            {figures.median_delay_s !== null && <div class="quiet">{word("receiver.delay", { seconds: amount(figures.median_delay_s) })}</div>}
          </>
        ) : (
          <span class="quiet">{word("receiver.nothing-sent")}</span>
        )}
      </td>
      <td>
        <ReceiverDeeds receiver={receiver} changed={changed} />
      </td>
    </tr>
  );
}

export function ReceiversPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<ReceiverAnswer[]>("receivers");
  const figures = useAnswer<DeliveryFiguresAnswer[]>("delivery-figures");
  const all = (): void => {
    again();
    figures.again();
  };
  useEvery(again);
  useEvery(figures.again);
  return (
    <OfficePage page="receivers" loading={!answer} problem={problem} again={again}>
      <ReceiverForm changed={all} />
      {answer && !answer.length && <p class="quiet">{word("receivers.none")}</p>}
      {answer && answer.length > 0 && (
        <WideTable label={word("office.receivers")}>
          <table data-testid="receiver-table">
            <thead>
              <tr>
                <th>{word("notification.receiver")}</th>
                <th>{word("receiver.channel")}</th>
                <th>{word("receiver.health")}</th>
                <th>{word("receiver.last")}</th>
                <th>{word("receiver.day")}</th>
                <th>{word("deeds")}</th>
              </tr>
            </thead>
            <tbody>
              {answer.map((receiver) => (
                <ReceiverRow
                  key={receiver.id}
                  receiver={receiver}
                  figures={figures.answer?.find((one) => one.receiver === receiver.id)}
                  changed={all}
                />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
    </OfficePage>
  );
}
