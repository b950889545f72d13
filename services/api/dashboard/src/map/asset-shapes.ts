/** What is drawn of the assets: shapes with what decides about colour and layer, and nothing else that a tile would carry. */
import { computed } from "@preact/signals";
import type { Feature, FeatureCollection, LineString, Position } from "geojson";
import type { AssetFeature } from "../api/types";
import { assets } from "../city/store";
import { joinedLines } from "./joined-lines";

/** From this diameter on a pipe is a main, which stays in view while a slow machine moves the map. */
const MAIN_MM = 300;

function isMain(asset: AssetFeature): boolean {
  return Number(asset.properties.facts["diameter_mm"] ?? 0) >= MAIN_MM;
}

function isPipe(asset: AssetFeature): boolean {
  return asset.geometry.type === "LineString" && asset.properties.kind !== "bridge" && asset.geometry.coordinates.length > 1;
}

function pipes(all: readonly AssetFeature[]): Feature[] {
  const alike = new Map<string, { properties: object; lines: Position[][] }>();
  for (const asset of all) {
    const properties = { lifeline: asset.properties.lifeline, kind: "pipe", main: isMain(asset) };
    const key = `${properties.lifeline} ${properties.main}`;
    const { lines } = alike.get(key) ?? alike.set(key, { properties, lines: [] }).get(key)!;
    lines.push((asset.geometry as LineString).coordinates);
  }
  return [...alike.values()].flatMap(({ properties, lines }) =>
    joinedLines(lines).map((coordinates): Feature => ({ type: "Feature", properties, geometry: { type: "LineString", coordinates } })),
  );
}

/** Pipes of one lifeline are joined; an asset without a place is left out. */
export const assetShapes = computed<FeatureCollection>(() => {
  const placed = assets.value.features.filter(({ geometry }) => "type" in geometry);
  const others = placed
    .filter((asset) => !isPipe(asset))
    .map(({ geometry, properties: { kind, lifeline } }): Feature => ({ type: "Feature", properties: { kind, lifeline }, geometry }));
  return { type: "FeatureCollection", features: [...pipes(placed.filter(isPipe)), ...others] };
});
