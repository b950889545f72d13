/** What would have happened: the last weeks' readings graded by the limits that count and by those that are written. */
import type { JSX } from "preact";
import type { ExceedanceAnswer, SensorAnswer, ThresholdAnswer, ThresholdTrialAnswer, TrialSideAnswer } from "../api/types";
import { SensorChart } from "../chart/sensor-chart";
import { SeverityMark, Time } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { amount, duration, withUnit } from "../words/format";
import { word, wordFor } from "../words/language";

const SHOWN = 30;

function Counts({ trial }: { trial: ThresholdTrialAnswer }): JSX.Element {
  const rows: [string, TrialSideAnswer][] = [
    [word("threshold.trial.now"), trial.in_force],
    [word("threshold.trial.then"), trial.tried],
  ];
  return (
    <WideTable label={word("threshold.trial")}>
      <table data-testid="trial-counts">
        <thead>
          <tr>
            <th>{word("sensor.thresholds")}</th>
            <th class="number">{word("threshold.trial.alerts")}</th>
            <th class="number">{word("threshold.trial.per-day")}</th>
            <th class="number">{word("threshold.trial.only")}</th>
            {trial.tried.severities.map(({ severity }) => (
              <th key={severity} class="nowrap">
                <SeverityMark severity={severity} /> {wordFor("severity", String(severity))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, side]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{side.count}</td>
              <td class="number">{amount(side.per_day)}</td>
              <td class="number">{side.unshared}</td>
              {side.severities.map(({ severity, count, duration_s }) => (
                <td key={severity} class="nowrap">
                  {count ? `${count} · ${duration(duration_s * 1000)}` : "–"}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </WideTable>
  );
}

/** What one of both limits tells alone, the latest first: what would come, or what would go. */
function Alone({ name, told, unit }: { name: string; told: readonly ExceedanceAnswer[]; unit: string }): JSX.Element | null {
  const alone = told.filter((each) => !each.is_shared).reverse();
  if (!alone.length) return null;
  return (
    <details>
      <summary>{name}</summary>
      <ul class="small">
        {alone.slice(0, SHOWN).map((each) => (
          <li key={`${each.side} ${each.started_at}`}>
            <SeverityMark severity={each.severity} /> <Time at={each.started_at} /> –{" "}
            {each.ended_at ? <Time at={each.ended_at} /> : word("availability.lasts")}: {withUnit(each.peak_value, unit)}
          </li>
        ))}
      </ul>
    </details>
  );
}

interface Trial {
  sensor: SensorAnswer;
  trial: ThresholdTrialAnswer;
  limits: readonly ThresholdAnswer[];
}

export function ThresholdsTrial({ sensor, trial, limits }: Trial): JSX.Element {
  const both = { ...sensor, thresholds: [...sensor.thresholds, ...limits] };
  const days = Math.round((Date.parse(trial.end) - Date.parse(trial.start)) / 86_400_000);
  return (
    <section aria-label={word("threshold.trial")} aria-live="polite" data-testid="thresholds-trial">
      <h4>{word("threshold.trial.of", { days, readings: trial.readings })}</h4>
      <SensorChart sensors={[both]} start={Date.parse(trial.start)} end={Date.parse(trial.end)} height={200} />
      <Counts trial={trial} />
      <Alone name={word("threshold.trial.come", { count: trial.tried.unshared })} told={trial.tried.exceedances} unit={trial.unit} />
      <Alone name={word("threshold.trial.go", { count: trial.in_force.unshared })} told={trial.in_force.exceedances} unit={trial.unit} />
      <p class="quiet">{word("threshold.trial.meaning")}</p>
    </section>
  );
}
