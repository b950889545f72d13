/** The sensors as signs on a map, redrawn only when a sign changed and not at every value; the common ones thin out from afar. */
import { effect } from "@preact/signals";
import type { Feature, Point } from "geojson";
import type { Map as GlMap } from "maplibre-gl";
import { conditions, type SensorState } from "../city/sensor-state";
import { chosenLifeline, loaded, sensors } from "../city/store";
import { show } from "./base";
import { shownFrom } from "./thinning";

/** The more urgent lies above. */
const URGENCY: Record<SensorState, number> = { normal: 0, silent: 1, fault: 2, attention: 3, alarm: 4 };

export const SENSOR_LAYER = {
  id: "sensors",
  type: "symbol",
  source: "sensors",
  filter: ["<=", ["get", "from"], ["zoom"]],
  layout: {
    "icon-image": ["get", "sign"],
    "icon-allow-overlap": true,
    "icon-ignore-placement": true,
    "symbol-sort-key": ["get", "urgency"],
    "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.55, 13, 0.8, 16, 1.1],
  },
};

/** States of so many sensors that single ones say nothing from afar; an alarm never is one of them. */
const CROWD = 2_000;

function crowded(): ReadonlySet<SensorState> {
  const counts = new Map<SensorState, number>();
  for (const { state } of conditions.value.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return new Set([...counts].filter(([state, count]) => state !== "alarm" && count > CROWD).map(([state]) => state));
}

type SensorShape = Feature<Point, { id: string; sign: string; urgency: number; from: number }>;

function sensorShapes(every: boolean): SensorShape[] {
  const chosen = every ? null : chosenLifeline.value;
  const thinned = crowded();
  const shapes: SensorShape[] = [];
  for (const [id, { state, severity }] of conditions.value) {
    const sensor = sensors.value.get(id);
    if (!sensor || (chosen && sensor.lifeline !== chosen)) continue;
    shapes.push({
      type: "Feature",
      geometry: { type: "Point", coordinates: [sensor.longitude, sensor.latitude] },
      properties: {
        id,
        sign: state === "alarm" ? `alarm-${severity || 1}` : state,
        urgency: URGENCY[state] * 10 + severity,
        from: thinned.has(state) ? (shownFrom.value.get(id) ?? 0) : 0,
      },
    });
  }
  return shapes;
}

function looksLike(one: SensorShape, other: SensorShape | undefined): boolean {
  const [a, b] = [one.properties, other?.properties];
  return a.id === b?.id && a.sign === b.sign && a.from === b.from;
}

/** Keeps the signs true; `every` also shows what the chosen lifeline would hide. */
export function followSensors(map: GlMap, every = false): () => void {
  let drawn: readonly SensorShape[] = [];
  return effect(() => {
    // Before the first values have come every sensor would look silent.
    const shapes = loaded.value.has("latest") ? sensorShapes(every) : [];
    if (shapes.length === drawn.length && shapes.every((shape, index) => looksLike(shape, drawn[index]))) return;
    drawn = shapes;
    show(map, "sensors", { type: "FeatureCollection", features: shapes });
  });
}

/** Calls `open` with the most urgent sensor under a click or tap. */
export function onSensorClick(map: GlMap, open: (sensor: string) => void): void {
  const reach = 7;
  const near = ({ x, y }: { x: number; y: number }) =>
    map.queryRenderedFeatures([[x - reach, y - reach], [x + reach, y + reach]], { layers: ["sensors"] });
  map.on("mousemove", ({ point }) => {
    map.getCanvas().style.cursor = near(point).length ? "pointer" : "";
  });
  map.on("click", ({ point }) => {
    const found = near(point).sort((a, b) => Number(b.properties["urgency"]) - Number(a.properties["urgency"]));
    if (found[0]) open(String(found[0].properties["id"]));
  });
}
