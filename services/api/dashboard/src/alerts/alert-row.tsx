/** One alert of the list: how bad, what, where, since when, how much, and who knows. */
import type { JSX } from "preact";
import type { AlertAnswer, LatestAnswer } from "../api/types";
import { cityNow, latest, sensors } from "../city/store";
import { alertAddress } from "../route";
import { refresh } from "../city/live";
import { LifelineMark, SeverityMark, Time } from "../shell/marks";
import { duration, withUnit } from "../words/format";
import { say, word } from "../words/language";
import { QuietPanel } from "./quiet-panel";

/** The newest reading of the first sensor of an open alert that is about a value, in the alert's unit. */
export function currentReading(alert: AlertAnswer): LatestAnswer | undefined {
  if (alert.state === "cleared" || alert.peak_value === null) return undefined;
  const sensor = alert.sensors.find((id) => sensors.value.get(id)?.unit === alert.unit);
  return sensor === undefined ? undefined : latest.value.get(sensor);
}

/** What the value beside the present one is: the peak of what a limit watches, else what a search saw when it told. */
export function toldWord(alert: AlertAnswer): "alert.peak" | "alert.told" {
  return alert.lifeline === "bridge" && alert.threshold === null ? "alert.told" : "alert.peak";
}

function Value({ alert }: { alert: AlertAnswer }): JSX.Element | null {
  const reading = currentReading(alert);
  if (alert.unit === null || alert.peak_value === null) return null;
  return (
    <span class="alert-value">
      {reading && (
        <>
          {word("alert.now")} <b>{withUnit(reading.value, alert.unit)}</b>{" "}
        </>
      )}
      {word(toldWord(alert))} <b>{withUnit(alert.peak_value, alert.unit)}</b>
    </span>
  );
}

export function SeverityBadge({ alert }: { alert: Pick<AlertAnswer, "highest_severity" | "label"> }): JSX.Element {
  return (
    <span class={`badge severity-${alert.highest_severity}`}>
      <SeverityMark severity={alert.highest_severity} /> {say(alert.label)}
    </span>
  );
}

export function AlertRow({ alert }: { alert: AlertAnswer }): JSX.Element {
  const open = alert.state !== "cleared";
  const end = alert.cleared_at ? Date.parse(alert.cleared_at) : cityNow.value;
  return (
    <li
      class={`alert-row severity-${alert.highest_severity} ${alert.state}`}
      data-testid="alert-row"
      data-alert={alert.id}
      data-state={alert.state}
      data-lifeline={alert.lifeline}
      data-severity={alert.highest_severity}
    >
      <a href={alertAddress(alert.id)}>
        <span class="row-top">
          <SeverityBadge alert={alert} />
          {alert.severity < alert.highest_severity && open && (
            <span class="quiet">{word("severity.now", { severity: word(`severity.${alert.severity}`) })}</span>
          )}
          {alert.suppression && (
            <span class="tag" title={say(alert.suppression.reason)} data-testid="alert-quiet">
              {word(`quiet.${alert.suppression.kind}`)}
            </span>
          )}
          {alert.sensor_fault && <span class="tag">{word("alert.fault")}</span>}
          <span class={`state ${alert.state}`}>{word(`alert.state.${alert.state}`)}</span>
        </span>
        <span class="row-title">
          <LifelineMark lifeline={alert.lifeline} />
          <b>{say(alert.kind_label)}</b> <span>{say(alert.asset_name)}</span>
        </span>
        <span class="row-facts">
          <span>
            <Time at={alert.started_at} /> <span class="quiet">({duration(end - Date.parse(alert.started_at))})</span>
          </span>
          <Value alert={alert} />
          {alert.acknowledged_by && <span class="quiet">{word("alert.acknowledged.by", { person: alert.acknowledged_by })}</span>}
        </span>
      </a>
      {open && (
        <div class="row-aside">
          <QuietPanel alert={alert} changed={refresh} />
        </div>
      )}
    </li>
  );
}
