/** One kind of trouble of one sender: what arrived, read again, dismissed. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post, remove } from "../api/client";
import type { RejectionAnswer, RejectionDetailAnswer } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Loading, Time } from "../shell/marks";
import { Refusal, Trouble, useDeed } from "../shell/trouble";
import { word, wordFor } from "../words/language";

function Kept({ id }: { id: number }): JSX.Element {
  const { answer, problem, again } = useAnswer<RejectionDetailAnswer>(`rejections/${id}`);
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!answer) return <Loading />;
  return (
    <ul class="plain" data-testid="rejection-kept">
      {answer.payloads.map((payload) => (
        <li key={payload.received_at + (payload.text ?? payload.base64 ?? "")}>
          <Time at={payload.received_at} /> {payload.is_cut && <span class="quiet">{word("rejection.cut")}</span>}
          <pre class="payload">{payload.text ?? payload.base64}</pre>
          {payload.obstacle && <p class="quiet">{wordFor("rejection.obstacle", payload.obstacle)}</p>}
        </li>
      ))}
    </ul>
  );
}

interface Row {
  rejection: RejectionAnswer;
  /** Whether the caller may do something about it. */
  may: boolean;
  asked: (rejection: RejectionAnswer) => void;
  changed: () => void;
}

export function RejectionRow({ rejection, may, asked, changed }: Row): JSX.Element {
  const open = useSignal(false);
  const deed = useDeed();
  const isAsked = rejection.reprocess_requested_at !== null;
  const readAgain = async (): Promise<void> => {
    if (await deed.run(() => post(`rejections/${rejection.id}/reprocess`, {}))) asked(rejection);
    changed();
  };
  const dismiss = async (): Promise<void> => {
    await deed.run(() => remove(`rejections/${rejection.id}`));
    changed();
  };
  return (
    <tr data-testid="rejection-row" data-reason={rejection.reason} data-asked={isAsked}>
      <td class="nowrap">
        <Time at={rejection.last_seen} />
        <br />
        <span class="quiet">{word("rejection.count", { count: rejection.count, kept: rejection.kept })}</span>
      </td>
      <td>
        <b>{wordFor("reason", rejection.reason)}</b>
        <br />
        <code class="quiet">{rejection.reason}</code>
      </td>
      <td>
        <code class="topic">{rejection.topic}</code>
      </td>
      <td>
        {rejection.detail}
        {isAsked && <p class="quiet">{word("rejection.reprocessing")}</p>}
        {!isAsked && rejection.reprocessed_at && (
          <p class="quiet" data-testid="rejection-again">
            {word("rejection.reprocessed")} <Time at={rejection.reprocessed_at} />
          </p>
        )}
      </td>
      <td>
        <pre class="payload">{rejection.payload}</pre>
        <details onToggle={(event) => (open.value = event.currentTarget.open)}>
          <summary data-testid="rejection-look">{word("rejection.look")}</summary>
          {open.value && <Kept id={rejection.id} />}
        </details>
        {may && (
          <p>
            <button type="button" data-testid="rejection-reprocess" disabled={deed.busy || isAsked || !rejection.kept} onClick={() => void readAgain()}>
              {word("rejection.reprocess")}
            </button>{" "}
            <ConfirmedButton
              name="rejection-dismiss"
              label={word("rejection.dismiss")}
              meaning={word("rejection.dismiss.means")}
              busy={deed.busy}
              run={() => void dismiss()}
            />
          </p>
        )}
        <Refusal deed={deed} />
      </td>
    </tr>
  );
}
