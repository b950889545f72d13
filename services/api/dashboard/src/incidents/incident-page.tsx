/** One incident: its alerts, its orders, the plans that run for it, what it cost and what is to be learnt. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { WorkOrderRow } from "../alerts/work-order-list";
import type { ActivationAnswer, IncidentDetailAnswer } from "../api/disposal";
import type { AlertAnswer } from "../api/types";
import { isGone, useAnswer } from "../api/use-answer";
import { assetName, useDirectory } from "../city/directory";
import { onNews } from "../city/live";
import { useEvery } from "../records/use-every";
import { alertAddress, assetAddress } from "../route";
import { DocumentButton } from "../shell/document-button";
import { LifelineMark, Loading, SeverityMark, Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { language, say, word } from "../words/language";
import { ActivationPanel } from "./activation-panel";
import { CostForm, Costs, JointOrderForm, Lessons, PlanStart } from "./incident-deeds";
import { IncidentNavigation } from "./incident-navigation";
import { Exercise } from "./incidents-page";

function AlertLine({ id }: { id: string }): JSX.Element {
  const { answer } = useAnswer<AlertAnswer>(`alerts/${encodeURIComponent(id)}`);
  return (
    <li data-testid="incident-alert">
      <a href={alertAddress(id)}>
        {answer ? (
          <>
            <SeverityMark severity={answer.highest_severity} /> {say(answer.kind_label)} {say(answer.asset_name)}
          </>
        ) : (
          id
        )}
      </a>{" "}
      {answer && (
        <span class="quiet">
          <Time at={answer.started_at} /> {word(`alert.state.${answer.state}`)}
        </span>
      )}
    </li>
  );
}

export function IncidentPage({ id }: { id: string }): JSX.Element {
  useDirectory();
  const { answer: incident, problem, again } = useAnswer<IncidentDetailAnswer>(`incidents/${encodeURIComponent(id)}`);
  const activations = useAnswer<ActivationAnswer[]>("plan-activations", { running: false, limit: 500 });
  useEvery(activations.again);
  useEffect(() => onNews((news) => void (news.event === "work-order" && news.body.incident === id && again())), [id, again]);
  if (!incident && problem) {
    return isGone(problem) ? <p class="trouble">{word("incident.gone")}</p> : <Trouble problem={problem} again={again} />;
  }
  if (!incident) return <Loading />;
  const plans = (activations.answer ?? []).filter((activation) => activation.incident === id);
  return (
    <div class="office" data-testid="incident-page" data-exercise={incident.is_exercise}>
      <IncidentNavigation />
      <article class="record panel">
        <div class="record-head">
          <h1>
            <LifelineMark lifeline={incident.lifeline} /> {say(incident.title)} <Exercise shown={incident.is_exercise} />
          </h1>
          <DocumentButton name="incident-report" path={`incidents/${id}/report`} query={{ lang: language.value }} label={word("incident.report")} />
        </div>
        <dl class="facts">
          <div>
            <dt>{word("filter.state")}</dt>
            <dd>{word(incident.closed_at ? "incident.closed" : "incident.open")}</dd>
          </div>
          <div>
            <dt>{word("sensor.asset")}</dt>
            <dd>
              <a href={assetAddress(incident.asset)}>{assetName(incident.asset)}</a>
            </dd>
          </div>
          <div>
            <dt>{word("incident.opened")}</dt>
            <dd>
              <Time at={incident.opened_at} />
            </dd>
          </div>
          {incident.closed_at && (
            <div>
              <dt>{word("incident.ended")}</dt>
              <dd>
                <Time at={incident.closed_at} />
              </dd>
            </div>
          )}
        </dl>
        <div class="parts">
          <section class="boxed" aria-label={word("orders.all")}>
            <h2>{word("orders.all")}</h2>
            <ul class="rows">
              {incident.orders.map((order) => (
                <WorkOrderRow key={order.id} order={order} />
              ))}
            </ul>
            {!incident.closed_at && <JointOrderForm incident={incident} changed={again} />}
          </section>
          <section class="boxed" aria-label={word("alerts")}>
            <h2>{word("alerts")}</h2>
            <ul class="plain">
              {incident.alerts.map((alert) => (
                <AlertLine key={alert} id={alert} />
              ))}
            </ul>
          </section>
        </div>
        {plans.map((activation) => (
          <ActivationPanel key={activation.id} activation={activation} changed={activations.again} />
        ))}
        {!incident.closed_at && <PlanStart incident={incident} changed={activations.again} />}
        <div class="parts">
          <section class="boxed" aria-label={word("incident.costs")}>
            <h2>{word("incident.costs")}</h2>
            <Costs costs={incident.costs} />
            <CostForm incident={incident} changed={again} />
          </section>
          <section class="boxed" aria-label={word("incident.lessons")}>
            <h2>{word("incident.lessons")}</h2>
            <Lessons incident={incident} changed={again} />
          </section>
        </div>
      </article>
    </div>
  );
}
