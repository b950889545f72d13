/** Incidents, newest first; exercises are marked. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { IncidentAnswer } from "../api/disposal";
import type { Page } from "../api/types";
import { useAnswer } from "../api/use-answer";
import { assetName } from "../city/directory";
import { useEvery } from "../records/use-every";
import { incidentAddress } from "../route";
import { LifelineMark, Loading, Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { say, word } from "../words/language";
import { IncidentNavigation } from "./incident-navigation";

export function Exercise({ shown }: { shown: boolean }): JSX.Element | null {
  return shown ? <b class="exercise">{word("storm.exercise")}</b> : null;
}

function IncidentRow({ incident }: { incident: IncidentAnswer }): JSX.Element {
  return (
    <tr data-testid="incident-row" data-incident={incident.id} data-open={incident.closed_at === null}>
      <td class="nowrap">{word(incident.closed_at ? "incident.closed" : "incident.open")}</td>
      <td>
        <LifelineMark lifeline={incident.lifeline} /> <a href={incidentAddress(incident.id)}>{say(incident.title)}</a>{" "}
        <Exercise shown={incident.is_exercise} />
      </td>
      <td>{assetName(incident.asset)}</td>
      <td class="nowrap">
        <Time at={incident.opened_at} />
      </td>
      <td class="nowrap">
        <Time at={incident.closed_at} />
      </td>
      <td>{incident.lessons ? "✓" : "–"}</td>
    </tr>
  );
}

export function IncidentsPage(): JSX.Element {
  const every = useSignal(false);
  const { answer, problem, again } = useAnswer<Page<IncidentAnswer>>("incidents", { limit: 200, open: every.value ? null : true });
  useEvery(again);
  return (
    <div class="office" data-testid="incidents-page">
      <IncidentNavigation />
      <article class="record panel">
        <div class="record-head">
          <h1>{word("nav.incidents")}</h1>
          <div class="choice" role="group" aria-label={word("filter.state")}>
            <button type="button" aria-pressed={!every.value} data-testid="incidents-open" onClick={() => (every.value = false)}>
              {word("alerts.open")}
            </button>
            <button type="button" aria-pressed={every.value} data-testid="incidents-all" onClick={() => (every.value = true)}>
              {word("alerts.all")}
            </button>
          </div>
        </div>
        {problem && <Trouble problem={problem} again={again} />}
        {!answer && !problem && <Loading />}
        {answer && !answer.items.length && <p class="quiet">{word(every.value ? "incidents.none" : "incidents.none.open")}</p>}
        {answer && answer.items.length > 0 && (
          <WideTable label={word("nav.incidents")}>
            <table>
              <thead>
                <tr>
                  <th>{word("filter.state")}</th>
                  <th>{word("incident")}</th>
                  <th>{word("sensor.asset")}</th>
                  <th>{word("incident.opened")}</th>
                  <th>{word("incident.ended")}</th>
                  <th>{word("incident.lessons")}</th>
                </tr>
              </thead>
              <tbody>
                {answer.items.map((incident) => (
                  <IncidentRow key={incident.id} incident={incident} />
                ))}
              </tbody>
            </table>
          </WideTable>
        )}
      </article>
    </div>
  );
}
