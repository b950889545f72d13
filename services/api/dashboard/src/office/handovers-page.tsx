/** Changes of shift and what was left from one to the next. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { HandoverAnswer, ShiftChangeAnswer } from "../api/planning";
import { may } from "../api/session";
import { useAnswer } from "../api/use-answer";
import { organisationName, personName } from "../city/directory";
import { useEvery } from "../records/use-every";
import { WideTable } from "../shell/wide-table";
import { word, wordFor } from "../words/language";
import { Dated } from "./dated";
import { HandoverForm } from "./handover-form";
import { HandoverRecord } from "./handover-record";
import { ChangeSign } from "./handover-sign";
import { OfficePage } from "./office-page";

/** A hand-over belongs to a change from so long before it on, as `services/core/shift_change.py` has it. */
const OFFERED_FROM_MS = 4 * 3_600_000;

function people(change: ShiftChangeAnswer, side: "goes" | "comes"): string {
  return change[side].map((person) => personName(change.organisation, person)).join(word("comma")) || "–";
}

function ChangeRow({ change, offer }: { change: ShiftChangeAnswer; offer: (() => void) | null }): JSX.Element {
  return (
    <tr data-testid="shift-change" data-state={change.state}>
      <td class="nowrap">
        <Dated at={change.at} empty="" />
      </td>
      <td>
        {organisationName(change.organisation)} <span class="quiet">{wordFor("duty.role", change.role)}</span>
      </td>
      <td>{people(change, "goes")}</td>
      <td>{people(change, "comes")}</td>
      <td>
        <ChangeSign state={change.state} />
      </td>
      <td>
        {offer && (
          <button type="button" class="link" data-testid="change-offer" onClick={offer}>
            {word("handover.offer")}
          </button>
        )}
      </td>
    </tr>
  );
}

export function HandoversPage(): JSX.Element {
  const changes = useAnswer<ShiftChangeAnswer[]>("duty/changes");
  const { answer, problem, again } = useAnswer<HandoverAnswer[]>("duty/handovers");
  const about = useSignal<ShiftChangeAnswer | "new" | null>(null);
  const all = (): void => {
    again();
    changes.again();
  };
  useEvery(all);
  const open = about.value;
  const works = may("operate") || may("handle");
  const isDue = (change: ShiftChangeAnswer): boolean =>
    change.state === "missing" || (change.state === "ahead" && Date.parse(change.at) - Date.now() <= OFFERED_FROM_MS);
  const offered = (change: ShiftChangeAnswer): boolean => works && isDue(change) && change.goes.length > 0 && change.comes.length > 0;
  return (
    <OfficePage page="handovers" loading={!answer || !changes.answer} problem={problem ?? changes.problem} again={all}>
      {open === null && works && (
        <button type="button" class="primary begin" data-testid="handover-add" onClick={() => (about.value = "new")}>
          {word("handover.offer")}
        </button>
      )}
      {open !== null && (
        <HandoverForm
          key={open === "new" ? "" : `${open.organisation} ${open.role} ${open.at}`}
          change={open === "new" ? null : open}
          done={() => (about.value = null)}
          again={all}
        />
      )}
      {answer && <h2>{word("handover.kept")}</h2>}
      {answer && !answer.length && <p class="quiet">{word("handover.kept.none")}</p>}
      {answer?.map((handover) => (
        <HandoverRecord key={handover.id} handover={handover} again={all} />
      ))}
      {changes.answer && <h2>{word("handover.changes")}</h2>}
      {changes.answer && !changes.answer.length && <p class="quiet">{word("handover.changes.none")}</p>}
      {changes.answer && changes.answer.length > 0 && (
        <WideTable label={word("handover.changes")}>
          <table data-testid="change-table">
            <thead>
              <tr>
                <th>{word("handover.when")}</th>
                <th>{word("handover.post")}</th>
                <th>{word("handover.goes")}</th>
                <th>{word("handover.comes")}</th>
                <th>{word("handover.state")}</th>
                <th>{word("deeds")}</th>
              </tr>
            </thead>
            <tbody>
              {changes.answer.map((change) => (
                <ChangeRow
                  key={`${change.organisation} ${change.role} ${change.at}`}
                  change={change}
                  offer={offered(change) ? () => (about.value = change) : null}
                />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
    </OfficePage>
  );
}
