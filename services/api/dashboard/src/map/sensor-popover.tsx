/** What a click on a sensor shows: its newest value, its state and the last hour. */
import { type Map as GlMap, Popup } from "maplibre-gl";
import { type JSX, render } from "preact";
import type { SensorAnswer } from "../api/types";
import { SensorChart } from "../chart/sensor-chart";
import { conditions } from "../city/sensor-state";
import { assetsById, cityNow, latest, zones } from "../city/store";
import { alertAddress, sensorAddress } from "../route";
import { LifelineMark, StateMark, Time } from "../shell/marks";
import { withUnit } from "../words/format";
import { say, word, wordFor } from "../words/language";

const HOUR_MS = 3_600_000;

function Popover({ sensor }: { sensor: SensorAnswer }): JSX.Element {
  const reading = latest.value.get(sensor.id);
  const condition = conditions.value.get(sensor.id);
  const asset = assetsById.value.get(sensor.asset);
  const state = condition?.state ?? "silent";
  return (
    <div class="popover" data-testid="sensor-popover">
      <h3>
        <LifelineMark lifeline={sensor.lifeline} /> {say(sensor.label)}
      </h3>
      <p class="quiet">
        {asset ? say(asset.properties.name) : sensor.asset}, {say(zones.value.get(sensor.zone)?.name)}
      </p>
      <p class="popover-value">
        <StateMark state={state} severity={condition?.severity || 1} />
        <strong>{reading ? withUnit(reading.value, sensor.unit) : "–"}</strong>
        <span>{wordFor("sensor.state", state)}</span>
        {reading ? <Time at={reading.time} /> : <span class="quiet">{word("sensor.nothing")}</span>}
      </p>
      {reading && reading.quality > 0 && (
        <p class="quiet">
          {word("sensor.quality")}: {wordFor("quality", String(reading.quality))} {reading.reason ?? ""}
        </p>
      )}
      <SensorChart sensors={[sensor]} start={cityNow.value - HOUR_MS} end={cityNow.value} height={110} small />
      <p class="popover-links">
        <a href={sensorAddress(sensor.id)}>{word("sensor.open")}</a>
        {condition?.alert && <a href={alertAddress(condition.alert.id)}>{word("sensor.alert")}</a>}
        <code>{sensor.id}</code>
      </p>
    </div>
  );
}

let current: Popup | null = null;

export function openPopover(map: GlMap, sensor: SensorAnswer): void {
  current?.remove();
  const content = document.createElement("div");
  render(<Popover sensor={sensor} />, content);
  const popup = new Popup({ maxWidth: "340px", offset: 12, focusAfterOpen: false });
  popup.setLngLat([sensor.longitude, sensor.latitude]).setDOMContent(content).addTo(map);
  popup.on("close", () => render(null, content));
  current = popup;
}
