/** Finds a side for each label on a map where it covers no label before it. */
import type { PositionAnchor } from "maplibre-gl";

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Anchor of the label and where its box then lies from the point, in label widths and heights. */
const SIDES: readonly [PositionAnchor, number, number][] = [
  ["bottom", -0.5, -1],
  ["left", 0, -0.5],
  ["right", -1, -0.5],
  ["top", -0.5, 0],
  ["bottom-left", 0, -1],
  ["top-right", -1, 0],
  ["bottom-right", -1, -1],
  ["top-left", 0, 0],
];
const HEIGHT = 24;
const GAP = 9;

export interface Side {
  anchor: PositionAnchor;
  offset: [number, number];
}

export function placer(taken: Box[] = []): (x: number, y: number, letters: number) => Side {
  return (x, y, letters) => {
    const width = letters * 7.5 + 20;
    const options = SIDES.map(([anchor, across, down]) => {
      const offset: [number, number] = [GAP * Math.sign(across + 0.5), GAP * Math.sign(down + 0.5)];
      const left = x + across * width + offset[0];
      const top = y + down * HEIGHT + offset[1];
      return { anchor, offset, box: { left, top, right: left + width, bottom: top + HEIGHT } };
    });
    const covers = (box: Box): boolean =>
      taken.some((one) => box.left < one.right && box.right > one.left && box.top < one.bottom && box.bottom > one.top);
    const side = options.find((option) => !covers(option.box)) ?? options[0]!;
    taken.push(side.box);
    return { anchor: side.anchor, offset: side.offset };
  };
}
