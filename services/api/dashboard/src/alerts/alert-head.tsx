/** The headline of an alert: how bad in the words of its scheme, what, where, since when, and why. */
import type { ComponentChildren, JSX } from "preact";
import type { AlertDetailAnswer } from "../api/types";
import { cityNow, zones } from "../city/store";
import { bridgeAddress } from "../route";
import { LifelineMark, Time } from "../shell/marks";
import { duration, percent, withUnit } from "../words/format";
import { say, word } from "../words/language";
import { CrewPageButton } from "./crew-page-button";
import { QuietReason } from "./quiet-panel";
import { AcknowledgeButton } from "./acknowledge-button";
import { currentReading, SeverityBadge, toldWord } from "./alert-row";

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ alert }: { alert: AlertDetailAnswer }): JSX.Element {
  const end = alert.cleared_at ? Date.parse(alert.cleared_at) : cityNow.value;
  const reading = currentReading(alert);
  const source = alert.trace?.candidates[0];
  return (
    <dl class="facts">
      {reading && alert.unit !== null && <Fact name={word("alert.now")}>{withUnit(reading.value, alert.unit)}</Fact>}
      {alert.peak_value !== null && alert.unit !== null && <Fact name={word(toldWord(alert))}>{withUnit(alert.peak_value, alert.unit)}</Fact>}
      {alert.threshold !== null && <Fact name={word("alert.limit")}>{withUnit(alert.threshold, alert.unit)}</Fact>}
      <Fact name={word("alert.started")}>
        <Time at={alert.started_at} />
      </Fact>
      {alert.cleared_at && (
        <Fact name={word("alert.cleared")}>
          <Time at={alert.cleared_at} />
        </Fact>
      )}
      <Fact name={word("alert.duration")}>{duration(end - Date.parse(alert.started_at))}</Fact>
      <Fact name={word("alert.zone")}>{say(zones.value.get(alert.zone)?.name) || alert.zone}</Fact>
      {source && (
        <Fact name={word("trace.likely")}>
          {say(source.name)} <b>{percent(source.probability)}</b>
        </Fact>
      )}
    </dl>
  );
}

export function AlertHead({ alert, changed }: { alert: AlertDetailAnswer; changed: () => void }): JSX.Element {
  return (
    <div class="alert-head panel">
      <a class="back" href="#/">
        ← {word("back")}
      </a>
      <div class="alert-title">
        <SeverityBadge alert={alert} />
        <h1 data-testid="alert-headline">
          <LifelineMark lifeline={alert.lifeline} /> {say(alert.kind_label)} <span>{say(alert.asset_name)}</span>
        </h1>
        {alert.sensor_fault && <span class="tag">{word("alert.fault")}</span>}
        <span class={`state ${alert.state}`} data-testid="alert-state">
          {word(`alert.state.${alert.state}`)}
          {alert.acknowledged_by && ` · ${word("alert.acknowledged.by", { person: alert.acknowledged_by })}`}
        </span>
        {alert.severity < alert.highest_severity && alert.state !== "cleared" && (
          <span class="tag">{word("severity.now", { severity: word(`severity.${alert.severity}`) })}</span>
        )}
        {alert.reopened > 0 && <span class="tag">{word("alert.reopened", { count: String(alert.reopened) })}</span>}
        <AcknowledgeButton alert={alert} changed={changed} />
        <CrewPageButton id={alert.id} />
        {alert.lifeline === "bridge" && (
          <a href={bridgeAddress(alert.zone)} data-testid="bridge-link">
            {word("bridge.page")}
          </a>
        )}
      </div>
      <p class="explanation" data-testid="alert-explanation">
        {say(alert.explanation)}
      </p>
      <QuietReason alert={alert} />
      <Facts alert={alert} />
      <p class="provenance quiet">
        {word("alert.rule")} <code>{alert.rule}</code> · {word("alert.detector")}{" "}
        <code>
          {alert.detector} {alert.detector_version}
        </code>
      </p>
    </div>
  );
}
