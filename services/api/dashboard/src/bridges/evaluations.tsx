/** A bridge's grade now, with its reasons and the proposal to close it, and how it was before. */
import type { JSX } from "preact";
import type { Severity } from "../api/types";
import { alerts } from "../city/store";
import { alertAddress } from "../route";
import { SeverityMark, Time } from "../shell/marks";
import { say, word } from "../words/language";
import type { HealthEvaluationAnswer, HealthGrade } from "./answers";
import { WideTable } from "../shell/wide-table";

/** The mark of a severity says a grade too: sound and unknown have none to show. */
const MARKS: Record<HealthGrade, Severity> = { 0: 0, 1: 0, 2: 2, 3: 3, 4: 4 };

export function GradeMark({ grade }: { grade: HealthGrade }): JSX.Element {
  return (
    <span class={`grade grade-${grade}`} data-testid="bridge-grade" data-grade={grade}>
      {grade > 1 && <SeverityMark severity={MARKS[grade]} />} {word(`bridge.grade.${grade}`)}
    </span>
  );
}

function Reasons({ of }: { of: HealthEvaluationAnswer }): JSX.Element {
  return (
    <ul class="plain" data-testid="bridge-reasons">
      {of.reasons.map((reason) => (
        <li key={reason.en}>{say(reason)}</li>
      ))}
    </ul>
  );
}

function Standing({ ids }: { ids: readonly string[] }): JSX.Element {
  return (
    <ul class="plain" data-testid="bridge-alerts">
      {ids.map((id) => {
        const known = alerts.value.get(id);
        return (
          <li key={id}>
            {known && <SeverityMark severity={known.severity} />}{" "}
            <a href={alertAddress(id)}>{known ? `${say(known.kind_label)} · ${say(known.asset_name)}` : word("bridge.alert")}</a>
          </li>
        );
      })}
    </ul>
  );
}

function Closure({ alerts }: { alerts: readonly string[] }): JSX.Element {
  return (
    <section class="closure" role="alert" data-testid="bridge-closure">
      <h2>
        <SeverityMark severity={4} /> {word("bridge.closure")}
      </h2>
      <p>{word("bridge.closure.why")}</p>
      <Standing ids={alerts} />
    </section>
  );
}

export function Now({ evaluation }: { evaluation: HealthEvaluationAnswer }): JSX.Element {
  return (
    <>
      {evaluation.proposes_closure && <Closure alerts={evaluation.alerts} />}
      <section class="bridge-now" data-testid="bridge-now">
        <p class="bridge-grade-now">
          <GradeMark grade={evaluation.grade} /> <Time at={evaluation.evaluated_at} />{" "}
          <span class="quiet">{word("bridge.heard", { heard: evaluation.heard, sensors: evaluation.sensors })}</span>
        </p>
        <Reasons of={evaluation} />
        {!evaluation.proposes_closure && evaluation.alerts.length > 0 && (
          <>
            <h2>{word("bridge.alerts")}</h2>
            <Standing ids={evaluation.alerts} />
          </>
        )}
      </section>
    </>
  );
}

export function Evaluations({ all }: { all: readonly HealthEvaluationAnswer[] }): JSX.Element {
  return (
    <WideTable label={word("bridge.history")}>
      <table data-testid="bridge-evaluations">
        <thead>
          <tr>
            <th>{word("bridge.evaluated")}</th>
            <th>{word("bridge.grade")}</th>
            <th>{word("bridge.reasons")}</th>
          </tr>
        </thead>
        <tbody>
          {all.map((each) => (
            <tr key={each.evaluated_at}>
              <td class="nowrap">
                <Time at={each.evaluated_at} />
              </td>
              <td class="nowrap">
                <GradeMark grade={each.grade} />
              </td>
              <td>
                <Reasons of={each} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}
