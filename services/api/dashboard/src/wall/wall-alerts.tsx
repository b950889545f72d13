/** What needs a person now, the worst first, with the clocks that run: open alerts, and orders that outlive theirs. */
import type { JSX } from "preact";
import { byUrgency } from "../alerts/alert-list";
import type { AlertAnswer, LifelineId, Severity, WorkOrderAnswer } from "../api/types";
import { assetName } from "../city/directory";
import { cityNow, loaded, openAlerts, workOrders } from "../city/store";
import { alertAddress } from "../route";
import { LifelineMark, SeverityMark } from "../shell/marks";
import { duration } from "../words/format";
import { say, word } from "../words/language";
import { type LoopClock, loopClocks, orderClock } from "./loop-clock";

/** What fits a wall in letters that are read from five metres. */
const ROWS = 5;
const SEVERITIES: readonly Severity[] = [4, 3, 2, 1];

export function SeverityCounts(): JSX.Element {
  return (
    <ul class="wall-severities" aria-label={word("wall.severities")}>
      {SEVERITIES.map((severity) => {
        const count = openAlerts.value.filter((alert) => alert.highest_severity === severity).length;
        return (
          <li key={severity} class={count ? `severity-${severity}` : "none"} data-testid={`wall-count-${severity}`} data-count={count}>
            <b>{count}</b>
            <span>
              <SeverityMark severity={severity} /> {word(`severity.${severity as 1 | 2 | 3 | 4}`)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** A line of the wall. */
interface Matter {
  alert: string;
  lifeline: LifelineId;
  severity: Severity;
  what: string;
  where: string;
  clocks: LoopClock[];
  /** What is said where no clock runs. */
  state: string;
}

function ofAlert(alert: AlertAnswer, now: number): Matter {
  const order = alert.work_order ? workOrders.value.get(alert.work_order) : undefined;
  return {
    alert: alert.id,
    lifeline: alert.lifeline,
    severity: alert.highest_severity,
    what: say(alert.kind_label),
    where: say(alert.asset_name),
    clocks: loopClocks(alert, order, cityNow.value, now),
    state: word(`alert.state.${alert.state}`),
  };
}

function ofOrder(order: WorkOrderAnswer, now: number): Matter {
  const clock = orderClock(order, now);
  return {
    alert: order.alert,
    lifeline: order.lifeline,
    severity: order.severity,
    what: say(order.title),
    where: assetName(order.asset),
    clocks: clock ? [clock] : [],
    state: word(`order.state.${order.state}`),
  };
}

function matters(now: number): Matter[] {
  const open = openAlerts.value.filter((alert) => !alert.suppression).sort(byUrgency);
  const shown = new Set(open.map((alert) => alert.id));
  const left = [...workOrders.value.values()]
    .filter((order) => !shown.has(order.alert))
    .sort((a, b) => b.severity - a.severity || Date.parse(a.created_at) - Date.parse(b.created_at));
  return [...open.map((alert) => ofAlert(alert, now)), ...left.map((order) => ofOrder(order, now))];
}

function Row({ matter }: { matter: Matter }): JSX.Element {
  return (
    <li class="wall-alert" data-testid="wall-alert" data-alert={matter.alert}>
      <a href={alertAddress(matter.alert)}>
        <SeverityMark severity={matter.severity} />
        <span class="wall-alert-name">
          <LifelineMark lifeline={matter.lifeline} /> <b>{matter.what}</b> {matter.what.includes(matter.where) ? "" : matter.where}
        </span>
        <span class="wall-clocks">
          {matter.clocks.length === 0 && <span class="quiet">{matter.state}</span>}
          {matter.clocks.map((clock) => (
            <span key={clock.waits} class={clock.overdue ? "overdue" : ""} data-waits={clock.waits}>
              {clock.overdue && <span aria-hidden="true">▲ </span>}
              {word(`wall.waits.${clock.waits}`)} <b>{duration(clock.waited_ms)}</b>
              {clock.overdue && `, ${word("wall.overdue")}`}
            </span>
          ))}
        </span>
      </a>
    </li>
  );
}

export function WallAlerts({ now }: { now: number }): JSX.Element {
  const all = matters(now);
  const rest = all.length - ROWS;
  return (
    <section class="wall-alerts" aria-label={word("alerts")}>
      {loaded.value.has("alerts") && !all.length && <p class="wall-quiet">{word("alerts.none.open")}</p>}
      <ul>
        {all.slice(0, ROWS).map((matter) => (
          <Row key={matter.alert + matter.what} matter={matter} />
        ))}
      </ul>
      {rest > 0 && <p class="quiet wall-rest">{word("wall.rest", { count: rest })}</p>}
    </section>
  );
}
