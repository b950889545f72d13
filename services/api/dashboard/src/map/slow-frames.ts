/** Leaves the fine lines out while a machine moves the map that is too slow to draw them; at rest all are there. */
import type { Map as GlMap } from "maplibre-gl";

/** Slower than about fifteen frames a second a map drags behind the hand. */
const SLOW_FRAME_MS = 65;
/** Frames in a row that together are so late make a slow machine; one hiccup of the browser does not. */
const LATE_MS = 300;
/** A hand that drags again and again rests for less; drawing everything in between would only hold it up. */
const REST_MS = 400;

/** What was found out about this machine; it stays so while other pages are read. */
let isSlow = false;

/** `leaveOut` is told true when the fine lines shall go and false when they shall be back; returns how to stop. */
export function followSlowFrames(map: GlMap, leaveOut: (out: boolean) => void): () => void {
  let late_ms = 0;
  let resting: ReturnType<typeof setTimeout> | undefined;
  const start = (): void => {
    clearTimeout(resting);
    if (isSlow) leaveOut(true);
  };
  const rendered = (): void => {
    if (isSlow || !map.isMoving()) return;
    const drawn_ms = performance.now();
    // The browser asks for the next frame when the graphics are done with this one.
    requestAnimationFrame(() => {
      const took_ms = performance.now() - drawn_ms;
      late_ms = took_ms > SLOW_FRAME_MS ? late_ms + took_ms - SLOW_FRAME_MS : 0;
      if (late_ms < LATE_MS) return;
      isSlow = true;
      if (map.isMoving()) leaveOut(true);
    });
  };
  const end = (): void => {
    clearTimeout(resting);
    resting = setTimeout(() => leaveOut(false), REST_MS);
  };
  const following = [map.on("movestart", start), map.on("render", rendered), map.on("moveend", end)];
  return () => {
    clearTimeout(resting);
    following.forEach((one) => one.unsubscribe());
  };
}
