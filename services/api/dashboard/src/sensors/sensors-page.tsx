/** Every sensor with its newest value, to be searched. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { SensorAnswer } from "../api/types";
import { conditions, type SensorState } from "../city/sensor-state";
import { assetsById, chosenLifeline, latest, loaded, sensors, zones } from "../city/store";
import { sensorAddress } from "../route";
import { LifelineMark, Loading, StateMark, Time } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { withUnit } from "../words/format";
import { say, word, wordFor } from "../words/language";
import { SensorNavigation } from "./sensor-navigation";

/** Rows drawn at once; a prefecture has tens of thousands of sensors. */
const ROWS = 200;
const URGENCY: Record<SensorState, number> = { alarm: 0, attention: 1, fault: 2, silent: 3, normal: 4 };

function words(sensor: SensorAnswer): string {
  const asset = assetsById.value.get(sensor.asset)?.properties.name;
  const zone = zones.value.get(sensor.zone)?.name;
  const texts = [sensor.label, asset, zone].flatMap((text) => (text ? [text.en, text.zh] : []));
  return [sensor.id, sensor.asset, sensor.zone, sensor.quantity, sensor.gateway, ...texts].join(" ").toLowerCase();
}

function found(search: string): SensorAnswer[] {
  const parts = search.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = chosenLifeline.value;
  const urgency = (sensor: SensorAnswer): number => {
    const condition = conditions.value.get(sensor.id);
    return URGENCY[condition?.state ?? "silent"] * 10 - (condition?.severity ?? 0);
  };
  return [...sensors.value.values()]
    .filter((sensor) => !chosen || sensor.lifeline === chosen)
    .filter((sensor) => !parts.length || parts.every((part) => words(sensor).includes(part)))
    .sort((a, b) => urgency(a) - urgency(b) || a.id.localeCompare(b.id));
}

function SensorRow({ sensor }: { sensor: SensorAnswer }): JSX.Element {
  const reading = latest.value.get(sensor.id);
  const condition = conditions.value.get(sensor.id);
  const state = condition?.state ?? "silent";
  return (
    <tr data-testid="sensor-row" data-sensor={sensor.id} data-state={state}>
      <td class="nowrap">
        <StateMark state={state} severity={condition?.severity || 1} /> {wordFor("sensor.state", state)}
      </td>
      <td class="nowrap">
        <LifelineMark lifeline={sensor.lifeline} /> <a href={sensorAddress(sensor.id)}>{sensor.id}</a>
      </td>
      <td>{say(sensor.label)}</td>
      <td class="number nowrap">{reading ? withUnit(reading.value, sensor.unit) : "–"}</td>
      <td class="nowrap">
        <Time at={reading?.time} />
      </td>
      <td>
        {reading ? wordFor("quality", String(reading.quality)) : "–"} <span class="quiet">{reading?.reason && wordFor("quality-reason", reading.reason)}</span>
      </td>
      <td>{say(assetsById.value.get(sensor.asset)?.properties.name) || sensor.asset}</td>
      <td>{say(zones.value.get(sensor.zone)?.name) || sensor.zone}</td>
    </tr>
  );
}

export function SensorsPage(): JSX.Element {
  const search = useSignal("");
  const most = useSignal(ROWS);
  const all = found(search.value);
  const look = (text: string): void => {
    search.value = text;
    most.value = ROWS;
  };
  return (
    <div class="office">
      <SensorNavigation />
      <article class="record panel">
        <div class="record-head">
          <h1>{word("nav.sensors")}</h1>
          <input
            type="search"
            data-testid="sensor-search"
            aria-label={word("sensors.search")}
            placeholder={word("sensors.search")}
            value={search.value}
            onInput={(event) => look(event.currentTarget.value)}
          />
          <span class="quiet" role="status">
            {word("sensors.shown", { shown: Math.min(all.length, most.value), count: all.length })}
          </span>
        </div>
        {!loaded.value.has("sensors") && <Loading />}
        {loaded.value.has("sensors") && !all.length && <p class="quiet">{word("sensors.none")}</p>}
        <WideTable label={word("nav.sensors")}>
          <table data-testid="sensor-table">
            <thead>
              <tr>
                <th>{word("sensor.state")}</th>
                <th>{word("sensor")}</th>
                <th>{word("sensor.quantity")}</th>
                <th class="number">{word("sensor.latest")}</th>
                <th>{word("sensor.time")}</th>
                <th>{word("sensor.quality")}</th>
                <th>{word("sensor.asset")}</th>
                <th>{word("sensor.zone")}</th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, most.value).map((sensor) => (
                <SensorRow key={sensor.id} sensor={sensor} />
              ))}
            </tbody>
          </table>
        </WideTable>
        {all.length > most.value && (
          <button type="button" class="more" onClick={() => (most.value += ROWS)}>
            {word("sensors.more")}
          </button>
        )}
      </article>
    </div>
  );
}
