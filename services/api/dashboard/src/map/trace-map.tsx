/** The surroundings of an alert: candidates by probability, what is upstream, and what isolates it. */
import { effect } from "@preact/signals";
import type { Feature, FeatureCollection, Geometry } from "geojson";
import { type Map as GlMap, Marker } from "maplibre-gl";
import { h, type ComponentChild, type JSX, render } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { AlertDetailAnswer } from "../api/types";
import { assetsById, sensors } from "../city/store";
import { SeverityMark } from "../shell/marks";
import { colour } from "../shell/theme";
import { percent } from "../words/format";
import { say, word } from "../words/language";
import { boxAround, middle, openMap, type Opened, overlay, show, showBase } from "./base";
import { placer, type Side } from "./label-place";
import { MapFrame } from "./map-frame";
import { followSensors, onSensorClick, SENSOR_LAYER } from "./sensor-layer";
import { openPopover } from "./sensor-popover";

/** Labels on the map; the list beside it names the rest. */
const MOST_LABELS = 5;

function layers(): unknown[] {
  const line = { "line-cap": "round", "line-join": "round" };
  return [
    {
      id: "upstream",
      type: "line",
      source: "upstream",
      layout: line,
      paint: { "line-color": colour("upstream"), "line-width": 4, "line-opacity": 0.55, "line-dasharray": [1, 1.6] },
    },
    {
      id: "candidates",
      type: "line",
      source: "candidates",
      filter: ["==", ["geometry-type"], "LineString"],
      layout: line,
      paint: {
        "line-color": colour("candidate"),
        "line-width": ["interpolate", ["linear"], ["get", "probability"], 0, 4, 1, 12],
        "line-opacity": ["interpolate", ["linear"], ["get", "probability"], 0, 0.35, 0.5, 0.95],
      },
    },
    {
      id: "candidate-points",
      type: "circle",
      source: "candidates",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": colour("candidate"),
        "circle-radius": ["interpolate", ["linear"], ["get", "probability"], 0, 6, 1, 14],
        "circle-opacity": ["interpolate", ["linear"], ["get", "probability"], 0, 0.35, 0.5, 0.95],
      },
    },
  ];
}

const feature = (geometry: Geometry, properties: Record<string, unknown> = {}): Feature => ({ type: "Feature", geometry, properties });
const collection = (features: Feature[]): FeatureCollection => ({ type: "FeatureCollection", features });

function geometryOf(id: string): Geometry | null {
  return assetsById.value.get(id)?.geometry ?? null;
}

/** What must be in view: the alert, its candidates and the valves, or the asset alone. */
function inView(alert: AlertDetailAnswer): Geometry[] {
  const shapes: (Geometry | null)[] = [
    geometryOf(alert.asset),
    alert.position && { type: "Point", coordinates: alert.position },
    ...(alert.trace?.candidates.map((candidate) => candidate.geometry) ?? []),
    ...(alert.trace?.isolation.map(geometryOf) ?? []),
  ];
  return shapes.filter((shape) => shape !== null);
}

function sign(map: GlMap, at: [number, number], className: string, content: ComponentChild, side: Side): Marker {
  const element = document.createElement("span");
  element.className = className;
  render(content, element);
  return new Marker({ element, ...side }).setLngLat(at).addTo(map);
}

function signs(map: GlMap, alert: AlertDetailAnswer): Marker[] {
  const centred: Side = { anchor: "center", offset: [0, 0] };
  const beside = placer();
  const made: Marker[] = [];
  const label = (at: [number, number], className: string, text: string): void => {
    const { x, y } = map.project(at);
    made.push(sign(map, at, className, text, beside(x, y, text.length)));
  };
  alert.trace?.candidates.slice(0, MOST_LABELS).forEach((candidate, index) => {
    const at = candidate.geometry && middle(candidate.geometry);
    if (at) label(at, "candidate-label", `${index + 1} · ${percent(candidate.probability)}`);
  });
  alert.trace?.isolation.forEach((id) => {
    const shape = geometryOf(id);
    const at = shape && middle(shape);
    if (!at) return;
    made.push(sign(map, at, "valve-sign", "⨯", centred));
    label(at, "valve-label", id);
  });
  if (alert.position) {
    const mark = h(SeverityMark, { severity: alert.highest_severity });
    const place = h("span", { title: say(alert.asset_name) }, mark);
    made.push(sign(map, alert.position, "alert-place", place, centred));
  }
  return made;
}

function fit(map: GlMap, alert: AlertDetailAnswer): void {
  const box = boxAround(inView(alert));
  if (!box) return;
  // A single place says little without the streets around it.
  const single = box.getNorth() === box.getSouth() && box.getEast() === box.getWest();
  map.fitBounds(box, { padding: 48, maxZoom: single ? 15.3 : 16.5, animate: false });
}

function draw(map: GlMap, alert: AlertDetailAnswer): Marker[] {
  const candidates = alert.trace?.candidates ?? [];
  // The most probable is drawn last, above the others.
  const shapes = [...candidates].reverse().flatMap((candidate) =>
    candidate.geometry ? [feature(candidate.geometry, { probability: candidate.probability })] : [],
  );
  show(map, "candidates", collection(shapes));
  const upstream = (alert.trace?.upstream ?? []).map(geometryOf).filter((shape) => shape?.type === "LineString");
  show(map, "upstream", collection(upstream.map((shape) => feature(shape as Geometry))));
  return signs(map, alert);
}

export function TraceMap({ alert }: { alert: AlertDetailAnswer }): JSX.Element {
  const held = useMemo(() => ({ alert, redraw: () => {} }), []);
  held.alert = alert;
  const drawn = JSON.stringify([alert.trace, alert.highest_severity, alert.position]);
  useEffect(() => held.redraw(), [drawn]);
  const open = (container: HTMLElement): Opened & { whole: () => void } => {
    let made: Marker[] = [];
    const stops: (() => void)[] = [];
    const opened = openMap(container, overlay(["upstream", "candidates", "sensors"], [...layers(), SENSOR_LAYER]), (map) => {
      const redraw = (): void => {
        made.forEach((marker) => marker.remove());
        fit(map, held.alert);
        made = draw(map, held.alert);
      };
      held.redraw = redraw;
      const base = effect(() => {
        showBase(map);
        redraw();
      });
      onSensorClick(map, (id) => {
        const sensor = sensors.value.get(id);
        if (sensor) openPopover(map, sensor);
      });
      stops.push(base, followSensors(map, true));
    });
    const close = (): void => {
      held.redraw = () => {};
      stops.forEach((stop) => stop());
      opened.close();
    };
    return { map: opened.map, close, whole: () => fit(opened.map, held.alert) };
  };
  return <MapFrame label={word("trace.map")} open={open} />;
}
