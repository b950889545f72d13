/** From which zoom each sensor is drawn where its state is common: from afar one stands for its neighbours. */
import { computed } from "@preact/signals";
import type { SensorAnswer } from "../api/types";
import { sensors } from "../city/store";

/** So close together, in pixels, dots become a carpet that hides what matters and costs every frame. */
const APART_PIXELS = 22;
const TILE_PIXELS = 512;
const FARTHEST = 8;
/** From here on every sensor is drawn. */
const NEAREST = 16;

/** The place on a Web Mercator world one unit wide; where rounds do not matter, the plain form will do. */
function onWorld({ longitude, latitude }: SensorAnswer): [number, number] {
  const sine = Math.sin((latitude * Math.PI) / 180);
  return [longitude / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

/** The first sensor in a cell of the screen stands there from that zoom on, and at every nearer one. */
function zoomsOf(all: Iterable<[string, SensorAnswer]>): ReadonlyMap<string, number> {
  const levels = Array.from({ length: NEAREST - FARTHEST }, (_, index) => ({
    zoom: FARTHEST + index,
    cells: (TILE_PIXELS * 2 ** (FARTHEST + index)) / APART_PIXELS,
    taken: new Set<number>(),
  }));
  const zooms = new Map<string, number>();
  for (const [id, sensor] of all) {
    const [x, y] = onWorld(sensor);
    let from = NEAREST;
    for (const { zoom, cells, taken } of levels) {
      const cell = Math.floor(x * cells) * Math.ceil(cells) + Math.floor(y * cells);
      if (taken.has(cell)) continue;
      taken.add(cell);
      from = Math.min(from, zoom);
    }
    zooms.set(id, from);
  }
  return zooms;
}

export const shownFrom = computed(() => zoomsOf(sensors.value));
