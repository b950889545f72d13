/** What the signs mean and how many sensors carry each. */
import type { JSX } from "preact";
import type { Severity } from "../api/types";
import { conditions, STATES, type SensorState } from "../city/sensor-state";
import { chosenLifeline, sensors } from "../city/store";
import { SeverityMark, StateMark } from "../shell/marks";
import { word } from "../words/language";

export function Legend(): JSX.Element {
  const chosen = chosenLifeline.value;
  const counts = new Map<SensorState, number>();
  let total = 0;
  for (const [id, condition] of conditions.value) {
    if (chosen && sensors.value.get(id)?.lifeline !== chosen) continue;
    counts.set(condition.state, (counts.get(condition.state) ?? 0) + 1);
    total += 1;
  }
  const severities: Severity[] = [1, 2, 3, 4];
  return (
    <aside class="legend" aria-label={word("map.legend")}>
      <strong data-testid="sensor-dot-count" data-count={total}>
        {word("sensors.count", { count: total })}
      </strong>
      <ul>
        {STATES.map((state) => (
          <li key={state} data-testid={`sensor-count-${state}`} data-count={counts.get(state) ?? 0}>
            <StateMark state={state} /> {word(`sensor.state.${state}`)} <b>{counts.get(state) ?? 0}</b>
          </li>
        ))}
      </ul>
      <ul class="legend-severities">
        {severities.map((severity) => (
          <li key={severity}>
            <SeverityMark severity={severity} /> {word(`severity.${severity}`)}
          </li>
        ))}
      </ul>
    </aside>
  );
}
