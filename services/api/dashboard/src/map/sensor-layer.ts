/** The sensors as signs on a map, redrawn only when a sign changed and not at every value. */
import { effect } from "@preact/signals";
import type { Feature, FeatureCollection, Point } from "geojson";
import type { Map as GlMap } from "maplibre-gl";
import { conditions, type SensorState } from "../city/sensor-state";
import { chosenLifeline, sensors } from "../city/store";
import { show } from "./base";

/** The more urgent lies above. */
const URGENCY: Record<SensorState, number> = { normal: 0, silent: 1, fault: 2, attention: 3, alarm: 4 };

export const SENSOR_LAYER = {
  id: "sensors",
  type: "symbol",
  source: "sensors",
  layout: {
    "icon-image": ["get", "sign"],
    "icon-allow-overlap": true,
    "icon-ignore-placement": true,
    "symbol-sort-key": ["get", "urgency"],
    "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.55, 13, 0.8, 16, 1.1],
  },
};

function sensorShapes(every: boolean): FeatureCollection {
  const chosen = every ? null : chosenLifeline.value;
  const shapes: Feature<Point>[] = [];
  for (const [id, { state, severity }] of conditions.value) {
    const sensor = sensors.value.get(id);
    if (!sensor || (chosen && sensor.lifeline !== chosen)) continue;
    shapes.push({
      type: "Feature",
      geometry: { type: "Point", coordinates: [sensor.longitude, sensor.latitude] },
      properties: { id, sign: state === "alarm" ? `alarm-${severity || 1}` : state, urgency: URGENCY[state] * 10 + severity },
    });
  }
  return { type: "FeatureCollection", features: shapes };
}

/** Keeps the signs true; `every` also shows what the chosen lifeline would hide. */
export function followSensors(map: GlMap, every = false): () => void {
  let drawn = "";
  return effect(() => {
    const shapes = sensorShapes(every);
    const signs = shapes.features.map((shape) => `${shape.properties?.["id"]}${shape.properties?.["sign"]}`).join();
    if (signs === drawn) return;
    drawn = signs;
    show(map, "sensors", shapes);
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
