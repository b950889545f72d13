/** The map of the whole city with every sensor and every open alert. */
import { effect, signal } from "@preact/signals";
import { type ExpressionSpecification, type LngLatLike, type Map as GlMap, Marker } from "maplibre-gl";
import type { JSX } from "preact";
import { assets, chosenLifeline, sensors, zones } from "../city/store";
import { colour } from "../shell/theme";
import { say, word } from "../words/language";
import { followAlerts } from "./alert-markers";
import { boxAround, middle, openMap, type Opened, overlay, showBase } from "./base";
import { Legend } from "./legend";
import { MapFrame } from "./map-frame";
import { followSensors, onSensorClick, SENSOR_LAYER } from "./sensor-layer";
import { openPopover } from "./sensor-popover";
import { followSlowFrames } from "./slow-frames";

/** How much larger the words of a marker are on the wall, as the style sheet has it. */
const WALL_SCALE = 1.45;

/** Where the officer left the map; it stays so while other pages are read. */
let lastView: { center: LngLatLike; zoom: number } | null = null;

/** Brings the whole city into view; false while nothing of it is known that has a place. */
function whole(map: GlMap, animate = true): boolean {
  const shapes = [...zones.value.values()].flatMap((zone) => (zone.geometry ? [zone.geometry] : []));
  const box = boxAround(shapes.length ? shapes : assets.value.features.map((asset) => asset.geometry));
  if (box) map.fitBounds(box, { padding: 36, animate });
  return box !== null;
}

/** Names of the zones of the chosen lifeline, and of the bridges, as plain page text. */
function followLabels(map: GlMap): () => void {
  let labels: Marker[] = [];
  const stop = effect(() => {
    labels.forEach((label) => label.remove());
    const chosen = chosenLifeline.value;
    const named = [...zones.value.values()].filter((zone) => zone.lifeline === (chosen ?? "bridge"));
    labels = named.flatMap((zone) => {
      const at = zone.geometry && middle(zone.geometry);
      if (!at) return [];
      const element = document.createElement("span");
      element.className = "map-label";
      element.textContent = say(zone.name);
      // A bridge is drawn itself, so its name stands beside it.
      const beside = zone.lifeline === "bridge";
      const marker = new Marker({ element, anchor: beside ? "left" : "center", offset: beside ? [14, 0] : [0, 0] });
      return [marker.setLngLat(at).addTo(map)];
    });
  });
  return () => (stop(), labels.forEach((label) => label.remove()));
}

/** Draws what is not of the chosen lifeline faintly; `coarse` leaves out the pipes that are no mains. */
function narrow(map: GlMap, coarse: boolean): void {
  const chosen = chosenLifeline.value;
  const dim = (full: number, faint: number): number | ExpressionSpecification =>
    chosen ? ["case", ["==", ["get", "lifeline"], chosen], full, faint] : full;
  map.setPaintProperty("mains", "line-opacity", dim(0.85, 0.1));
  map.setPaintProperty("pipes", "line-opacity", coarse ? 0 : dim(0.85, 0.1));
  map.setPaintProperty("bridges", "line-opacity", dim(0.85, 0.15));
  map.setPaintProperty("points", "circle-stroke-opacity", dim(1, 0.1));
  map.setPaintProperty("zone-area", "fill-opacity", chosen ? dim(0.07, 0) : 0);
  map.setPaintProperty("zone-edge", "line-color", chosen ? colour(`lifeline-${chosen}`) : colour("map-zone"));
  map.setPaintProperty("zone-edge", "line-opacity", chosen ? dim(0.7, 0) : 0.5);
}

/** On the wall the whole city stays in view, larger, and remembers nothing of what a desk looked at. */
function open(container: HTMLElement, wall: boolean): Opened & { whole: () => void } {
  const stops: (() => void)[] = [];
  const opened = openMap(container, overlay(["sensors"], [SENSOR_LAYER]), (map) => {
    const coarse = signal(false);
    let fitted = false;
    stops.push(
      effect(() => {
        showBase(map);
        if (!fitted && (wall || !lastView)) fitted = whole(map, false);
      }),
      effect(() => narrow(map, coarse.value)),
      followSlowFrames(map, (out) => (coarse.value = out)),
      followSensors(map),
      followLabels(map),
      followAlerts(map, wall ? WALL_SCALE : 1),
    );
    onSensorClick(map, (id) => {
      const sensor = sensors.value.get(id);
      if (sensor) openPopover(map, sensor);
    });
  });
  if (lastView && !wall) opened.map.jumpTo(lastView);
  opened.map.on("moveend", (event) => {
    // Only what a hand did is worth remembering; the first fit is not.
    if (event.originalEvent && !wall) lastView = { center: opened.map.getCenter(), zoom: opened.map.getZoom() };
  });
  const close = (): void => {
    stops.forEach((stop) => stop());
    opened.close();
  };
  return { map: opened.map, close, whole: () => void ((lastView = null), whole(opened.map)) };
}

export function CityMap({ wall = false }: { wall?: boolean }): JSX.Element {
  return (
    <MapFrame label={word("map")} open={(container) => open(container, wall)}>
      {!wall && <Legend />}
    </MapFrame>
  );
}
