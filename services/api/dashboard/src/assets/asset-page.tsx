/** One asset: what it is, what measures it, what happened at it. */
import type { JSX } from "preact";
import type { AlertAnswer, AssetFeature, Page } from "../api/types";
import { isGone, useAnswer } from "../api/use-answer";
import { organisationName, useDirectory, zoneName } from "../city/directory";
import { conditions } from "../city/sensor-state";
import { latest, sensors } from "../city/store";
import { alertAddress, sensorAddress } from "../route";
import { SensorNavigation } from "../sensors/sensor-navigation";
import { LifelineMark, Loading, SeverityMark, StateMark, Time } from "../shell/marks";
import { Trouble } from "../shell/trouble";
import { withUnit } from "../words/format";
import { say, word, wordFor } from "../words/language";
import { RiskPanel } from "./risk-panel";

/** The single facts of the register; lists and shapes are for machines. */
function facts(asset: AssetFeature): [string, string][] {
  return Object.entries(asset.properties.facts).flatMap(([name, value]): [string, string][] =>
    ["string", "number", "boolean"].includes(typeof value) ? [[wordFor("fact", name), wordFor("fact-value", String(value))]] : [],
  );
}

function Sensors({ asset }: { asset: string }): JSX.Element {
  const here = [...sensors.value.values()].filter((sensor) => sensor.asset === asset);
  if (!here.length) return <p class="quiet">{word("asset.sensors.none")}</p>;
  return (
    <ul class="plain">
      {here.map((sensor) => {
        const condition = conditions.value.get(sensor.id);
        const reading = latest.value.get(sensor.id);
        return (
          <li key={sensor.id} data-testid="asset-sensor">
            <StateMark state={condition?.state ?? "silent"} severity={condition?.severity || 1} />{" "}
            <a href={sensorAddress(sensor.id)}>{sensor.id}</a> {say(sensor.label)}{" "}
            <b>{reading ? withUnit(reading.value, sensor.unit) : "–"}</b> <Time at={reading?.time} empty="" />
          </li>
        );
      })}
    </ul>
  );
}

export function AssetPage({ id }: { id: string }): JSX.Element {
  useDirectory();
  const { answer: asset, problem, again } = useAnswer<AssetFeature>(`assets/${encodeURIComponent(id)}`);
  const past = useAnswer<Page<AlertAnswer>>("alerts", { asset: id, limit: 20 });
  if (!asset && problem) return isGone(problem) ? <p class="trouble">{word("asset.gone")}</p> : <Trouble problem={problem} again={again} />;
  if (!asset) return <Loading />;
  const { properties } = asset;
  return (
    <div class="office" data-testid="asset-page">
      <SensorNavigation />
      <article class="record panel">
        <h1>
          <LifelineMark lifeline={properties.lifeline} /> {say(properties.name)} <code>{properties.id}</code>
        </h1>
        <dl class="facts">
          <div>
            <dt>{word("asset.kind")}</dt>
            <dd>{wordFor("asset.kind", properties.kind)}</dd>
          </div>
          <div>
            <dt>{word("sensor.zone")}</dt>
            <dd>{zoneName(properties.zone)}</dd>
          </div>
          {properties.organisation && (
            <div>
              <dt>{word("asset.owner")}</dt>
              <dd>{organisationName(properties.organisation)}</dd>
            </div>
          )}
          {facts(asset).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <RiskPanel asset={id} />
        <section class="boxed" aria-label={word("nav.sensors")}>
          <h2>{word("nav.sensors")}</h2>
          <Sensors asset={id} />
        </section>
        <section class="boxed" aria-label={word("alerts")}>
          <h2>{word("alerts")}</h2>
          {past.answer && !past.answer.items.length && <p class="quiet">{word("alerts.none")}</p>}
          <ul class="plain">
            {past.answer?.items.map((alert) => (
              <li key={alert.id}>
                <SeverityMark severity={alert.highest_severity} /> <a href={alertAddress(alert.id)}>{say(alert.kind_label)}</a>{" "}
                <Time at={alert.started_at} /> <span class="quiet">{word(`alert.state.${alert.state}`)}</span>
                {alert.verdict && ` ${word(`verdict.${alert.verdict}`)}`}
              </li>
            ))}
          </ul>
        </section>
      </article>
    </div>
  );
}
