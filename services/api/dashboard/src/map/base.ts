/** The map without tiles, fonts or anything from outside: the city's own shapes and drawn signs on the page's ground. */
import type { FeatureCollection, Geometry } from "geojson";
import { type GeoJSONSource, LngLatBounds, Map as GlMap, setWorkerUrl, type StyleSpecification } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerAddress from "virtual:map-worker-address";
import { background, zones } from "../city/store";
import { colour } from "../shell/theme";
import { assetShapes } from "./asset-shapes";
import { signImages } from "./signs";

setWorkerUrl(workerAddress);

export const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };
const source = { type: "geojson" as const, data: EMPTY };
/** Past this zoom tiles are stretched, not cut anew: the shapes are simple, and a street fills the screen by then. */
const FINEST_TILES = 16;

/** What can be drawn here; without WebGL 2 the page shows a notice instead. */
export function canDraw(): boolean {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return context !== null;
  } catch {
    return false;
  }
}

function byLifeline(): unknown[] {
  const known = ["gas", "water", "drainage", "bridge", "heat", "tunnel", "power", "telecom"];
  return ["match", ["get", "lifeline"], ...known.flatMap((id) => [id, colour(`lifeline-${id}`)]), colour("quiet")];
}

const wide = (far: number, near: number): unknown[] => ["interpolate", ["exponential", 1.6], ["zoom"], 11, far, 18, near];

function layers(): unknown[] {
  const line = { "line-cap": "round", "line-join": "round" };
  const structure = ["==", ["get", "kind"], "bridge"];
  return [
    {
      id: "streets",
      type: "line",
      source: "background",
      filter: ["==", ["get", "kind"], "street"],
      layout: line,
      paint: { "line-color": colour("map-street"), "line-width": wide(1.5, 26) },
    },
    {
      id: "river",
      type: "fill",
      source: "background",
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": colour("map-water") },
    },
    { id: "zone-area", type: "fill", source: "zones", paint: { "fill-color": byLifeline(), "fill-opacity": 0 } },
    {
      id: "zone-edge",
      type: "line",
      source: "zones",
      paint: { "line-color": colour("map-zone"), "line-width": 1, "line-dasharray": [3, 3], "line-opacity": 0.5 },
    },
    ...["mains", "pipes"].map((id) => ({
      id,
      type: "line",
      source: "assets",
      filter: ["all", ["==", ["geometry-type"], "LineString"], ["!", structure], ["==", ["get", "main"], id === "mains"]],
      layout: line,
      paint: { "line-color": byLifeline(), "line-width": wide(0.8, 5), "line-opacity": 0.85 },
    })),
    {
      id: "bridges",
      type: "line",
      source: "assets",
      filter: ["all", structure, ["!=", ["geometry-type"], "Point"]],
      paint: { "line-color": byLifeline(), "line-width": wide(5, 34), "line-opacity": 0.85 },
    },
    {
      id: "points",
      type: "circle",
      source: "assets",
      minzoom: 14.5,
      filter: ["all", ["==", ["geometry-type"], "Point"], ["!", ["in", ["get", "kind"], ["literal", ["junction", "service"]]]]],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 14.5, 1.2, 18, 4],
        "circle-color": colour("map-ground"),
        "circle-stroke-color": byLifeline(),
        "circle-stroke-width": 1.2,
        "circle-opacity": 0.8,
      },
    },
  ];
}

function style(extra: StyleSpecification): StyleSpecification {
  const tiled = { ...source, maxzoom: FINEST_TILES };
  const own = { version: 8, transition: { duration: 0 }, sources: { background: tiled, zones: tiled, assets: tiled }, layers: layers() };
  const base = own as unknown as StyleSpecification;
  return { ...base, sources: { ...base.sources, ...extra.sources }, layers: [...base.layers, ...extra.layers] };
}

/** Further sources and layers on top of the base, as untyped style JSON. */
export function overlay(sources: readonly string[], above: readonly unknown[]): StyleSpecification {
  const own = { version: 8, sources: Object.fromEntries(sources.map((name) => [name, source])), layers: above };
  return own as unknown as StyleSpecification;
}

export function show(map: GlMap, name: string, shapes: FeatureCollection): void {
  map.getSource<GeoJSONSource>(name)?.setData(shapes);
}

export function showBase(map: GlMap): void {
  show(map, "background", background.value);
  show(map, "assets", assetShapes.value);
  const shapes = [...zones.value.values()].flatMap((zone) =>
    zone.geometry
      ? [{ type: "Feature" as const, properties: { id: zone.id, lifeline: zone.lifeline }, geometry: zone.geometry }]
      : [],
  );
  show(map, "zones", { type: "FeatureCollection", features: shapes });
}

function coordinatesOf(geometry: Geometry): [number, number][] {
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(coordinatesOf);
  const flat = (part: unknown): [number, number][] =>
    Array.isArray(part) && typeof part[0] === "number"
      ? [[part[0], Number(part[1])]]
      : Array.isArray(part)
        ? part.flatMap(flat)
        : [];
  return flat(geometry.coordinates);
}

/** The box around shapes, or null when there is nothing to see. */
export function boxAround(shapes: readonly Geometry[]): LngLatBounds | null {
  const box = new LngLatBounds();
  for (const at of shapes.flatMap(coordinatesOf)) box.extend(at);
  return box.isEmpty() ? null : box;
}

/** The middle of a shape, good enough to hang a label on. */
export function middle(geometry: Geometry): [number, number] | null {
  const points = coordinatesOf(geometry);
  if (geometry.type === "LineString") {
    const at = Math.floor((points.length - 1) / 2);
    const [a, b] = [points[at], points[at + 1] ?? points[at]];
    return a && b ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : null;
  }
  return boxAround([geometry])?.getCenter().toArray() ?? null;
}

/**
 * A flat map has no sky, yet its pass covers every pixel with a blended one at each frame. Without a graphics card that
 * alone costs more than everything else that an empty map draws.
 */
function withoutSky(map: GlMap): void {
  map.painter.drawFunctions = { ...map.painter.drawFunctions, sky: () => undefined };
}

export interface Opened {
  map: GlMap;
  close: () => void;
}

/** Opens a map in `container`; `ready` runs once its layers take shapes. */
export function openMap(container: HTMLElement, extra: StyleSpecification, ready: (map: GlMap) => void): Opened {
  const map = new GlMap({
    container,
    style: style(extra),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    renderWorldCopies: false,
    canvasContextAttributes: { antialias: false, failIfMajorPerformanceCaveat: false },
    maxZoom: 19,
    zoom: 12,
  });
  withoutSky(map);
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.once("style.load", () => {
    for (const [name, image] of signImages()) map.addImage(name, image, { pixelRatio: 2 });
    ready(map);
  });
  return { map, close: () => map.remove() };
}
