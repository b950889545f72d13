/** The charts of an alert's sensors, one for each unit, from two hours before it began. */
import type { JSX } from "preact";
import type { AlertAnswer, SensorAnswer } from "../api/types";
import { SensorChart } from "../chart/sensor-chart";
import { cityNow, sensors } from "../city/store";
import { sensorAddress } from "../route";
import { Loading } from "../shell/marks";
import { unitText } from "../words/format";
import { say, word } from "../words/language";

const BEFORE_MS = 2 * 3_600_000;
const AFTER_MS = 30 * 60_000;
/** More units than this belong on the sensor pages; more lines than this cannot be told apart. */
const MOST_CHARTS = 3;
const MOST_LINES = 4;

function byUnit(ids: readonly string[]): [string, SensorAnswer[]][] {
  const groups = new Map<string, SensorAnswer[]>();
  for (const id of ids) {
    const sensor = sensors.value.get(id);
    if (sensor) groups.set(sensor.unit, [...(groups.get(sensor.unit) ?? []), sensor]);
  }
  return [...groups];
}

export function AlertCharts({ alert }: { alert: AlertAnswer }): JSX.Element {
  const start = Date.parse(alert.started_at);
  const cleared = alert.cleared_at ? Date.parse(alert.cleared_at) : null;
  const end = cleared === null ? Math.max(cityNow.value, start) : Math.min(cleared + AFTER_MS, Math.max(cityNow.value, cleared));
  const groups = byUnit(alert.sensors).slice(0, MOST_CHARTS);
  if (!groups.length) return <Loading />;
  return (
    <>
      {groups.map(([unit, group]) => (
        <div key={unit}>
          <h2 class="chart-title">
            {say(group[0]?.label)} <span class="quiet">{unitText(unit)}</span>
            <span class="chart-sensors">
              {group.map((sensor) => (
                <a key={sensor.id} href={sensorAddress(sensor.id)}>
                  {sensor.id}
                </a>
              ))}
            </span>
          </h2>
          <SensorChart
            sensors={group.slice(0, MOST_LINES)}
            start={start - BEFORE_MS}
            end={end}
            height={groups.length > 1 ? 170 : 240}
            alert={{ start, end: cleared ?? end, threshold: unit === alert.unit ? alert.threshold : null }}
          />
        </div>
      ))}
      {alert.sensors.length > MOST_LINES && (
        <p class="quiet">{word("sensors.count", { count: alert.sensors.length })}</p>
      )}
    </>
  );
}
