/** Payloads that could not become a reading, with their reason. */
import type { JSX } from "preact";
import { useAnswer } from "../api/use-answer";
import type { Page, RejectionAnswer } from "../api/types";
import { OfficePage } from "../office/office-page";
import { Time } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { word, wordFor } from "../words/language";
import { useEvery } from "./use-every";

export function RejectionsPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<Page<RejectionAnswer>>("rejections", { limit: 200 });
  useEvery(again);
  return (
    <OfficePage page="rejections" loading={!answer} problem={problem} again={again}>
      {answer && !answer.items.length && <p class="quiet">{word("rejections.none")}</p>}
      {answer && answer.items.length > 0 && (
        <WideTable label={word("office.rejections")}>
          <table data-testid="rejection-table">
            <thead>
              <tr>
                <th>{word("rejection.received")}</th>
                <th>{word("rejection.reason")}</th>
                <th>{word("rejection.topic")}</th>
                <th>{word("rejection.detail")}</th>
                <th>{word("rejection.payload")}</th>
              </tr>
            </thead>
            <tbody>
              {answer.items.map((rejection) => (
                <tr key={rejection.id} data-testid="rejection-row" data-reason={rejection.reason}>
                  <td class="nowrap">
                    <Time at={rejection.received_at} />
                  </td>
                  <td>
                    <b>{wordFor("reason", rejection.reason)}</b>
                    <br />
                    <code class="quiet">{rejection.reason}</code>
                  </td>
                  <td>
                    <code class="topic">{rejection.topic}</code>
                  </td>
                  <td>{rejection.detail}</td>
                  <td>
                    <pre class="payload">{rejection.payload}</pre>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
    </OfficePage>
  );
}
