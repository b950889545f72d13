/** Leaves the fine lines out while a machine moves the map that is too slow to draw them; at rest all are there. */
import type { Map as GlMap } from "maplibre-gl";

/** Slower than about fifteen frames a second a map drags behind the hand. */
const SLOW_FRAME_MS = 65;
const SLOW_FRAMES = 3;

/** What was found out about this machine; it stays so while other pages are read. */
let isSlow = false;

/** `leaveOut` is told true when the fine lines shall go and false when they shall be back; returns how to stop. */
export function followSlowFrames(map: GlMap, leaveOut: (out: boolean) => void): () => void {
  let [last, slow, out] = [0, 0, false];
  const tell = (now: boolean): void => {
    if (out !== now) leaveOut((out = now));
  };
  const start = (): void => {
    [last, slow] = [0, 0];
    if (isSlow) tell(true);
  };
  const frame = (): void => {
    if (!map.isMoving()) return;
    const now = performance.now();
    slow = last && now - last > SLOW_FRAME_MS ? slow + 1 : 0;
    last = now;
    if (slow < SLOW_FRAMES) return;
    isSlow = true;
    tell(true);
  };
  const end = (): void => tell(false);
  const following = [map.on("movestart", start), map.on("render", frame), map.on("moveend", end)];
  return () => following.forEach((one) => one.unsubscribe());
}
