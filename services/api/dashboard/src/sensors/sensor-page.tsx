/** One sensor: its newest value, history, limits and what it is. */
import type { ComponentChildren, JSX } from "preact";
import { isGone, useAnswer } from "../api/use-answer";
import type { SensorAnswer } from "../api/types";
import { conditions } from "../city/sensor-state";
import { assetsById, latest, zones } from "../city/store";
import { alertAddress, assetAddress } from "../route";
import { LifelineMark, Loading, StateMark, Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { amount, duration, withUnit } from "../words/format";
import { say, word, wordFor } from "../words/language";
import { AvailabilityPanel } from "./availability-panel";
import { HistoryPanel } from "./history-panel";
import { ThresholdsPanel } from "./thresholds-panel";

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Head({ sensor }: { sensor: SensorAnswer }): JSX.Element {
  const reading = latest.value.get(sensor.id);
  const condition = conditions.value.get(sensor.id);
  const state = condition?.state ?? "silent";
  return (
    <>
      <h1>
        <LifelineMark lifeline={sensor.lifeline} /> {say(sensor.label)} <code>{sensor.id}</code>
      </h1>
      <p class="sensor-now" data-testid="sensor-now">
        <StateMark state={state} severity={condition?.severity || 1} /> <span>{wordFor("sensor.state", state)}</span>
        <strong>{reading ? withUnit(reading.value, sensor.unit) : word("sensor.nothing")}</strong>
        {reading && <Time at={reading.time} />}
        {reading && reading.quality > 0 && (
          <span class="tag">
            {wordFor("quality", String(reading.quality))} {reading.reason && wordFor("quality-reason", reading.reason)}
          </span>
        )}
        {condition?.alert && <a href={alertAddress(condition.alert.id)}>{word("sensor.alert")}</a>}
      </p>
      <dl class="facts small">
        <Fact name={word("sensor.asset")}>
          <a href={assetAddress(sensor.asset)}>{say(assetsById.value.get(sensor.asset)?.properties.name) || sensor.asset}</a>
        </Fact>
        <Fact name={word("sensor.zone")}>{say(zones.value.get(sensor.zone)?.name) || sensor.zone}</Fact>
        <Fact name={word("sensor.interval")}>{duration(sensor.interval_s * 1000)}</Fact>
        <Fact name={word("sensor.gateway")}>{sensor.gateway ?? "–"}</Fact>
        <Fact name={word("sensor.plausible")}>
          {amount(sensor.plausible[0])} … {withUnit(sensor.plausible[1], sensor.unit)}
        </Fact>
      </dl>
    </>
  );
}

export function SensorPage({ id }: { id: string }): JSX.Element {
  const { answer: sensor, problem, again } = useAnswer<SensorAnswer>(`sensors/${encodeURIComponent(id)}`);
  if (!sensor && problem) {
    return isGone(problem) ? <p class="trouble">{word("sensor.gone")}</p> : <Trouble problem={problem} again={again} />;
  }
  if (!sensor) return <Loading />;
  return (
    <article class="record" data-testid="sensor-page">
      <section class="panel">
        <a class="back" href="#/sensors">
          ← {word("nav.sensors")}
        </a>
        <Head sensor={sensor} />
      </section>
      <HistoryPanel sensor={sensor} />
      <AvailabilityPanel sensor={sensor.id} />
      <ThresholdsPanel sensor={sensor} changed={again} />
    </article>
  );
}
