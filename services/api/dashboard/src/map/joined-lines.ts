/** Lines that meet end to end as few long ones: they look the same, and from afar most of their points can be left out. */
import type { Position } from "geojson";

type Line = readonly Position[];

const keyOf = (at: Position): string => `${at[0]},${at[1]}`;

/** The direction of `a` to `b`, one long; of two equal points none. */
function direction(a: Position, b: Position): [number, number] {
  const [x, y] = [b[0]! - a[0]!, b[1]! - a[1]!];
  const length = Math.hypot(x, y) || 1;
  return [x / length, y / length];
}

/** Every line is in exactly one of the answers; at a crossing the straightest way goes on. */
export function joinedLines(lines: readonly Line[]): Position[][] {
  const meeting = new Map<string, number[]>();
  lines.forEach((line, index) => {
    for (const key of [keyOf(line[0]!), keyOf(line.at(-1)!)]) {
      const known = meeting.get(key);
      if (known) known.push(index);
      else meeting.set(key, [index]);
    }
  });
  const used = new Uint8Array(lines.length);

  /** Takes the line that goes on most straightly from the end of `path`, if there is one. */
  function goOn(path: Position[]): boolean {
    const end = path.at(-1)!;
    const [x, y] = direction(path.at(-2) ?? end, end);
    let best: Position[] | null = null;
    let [bestIndex, straightest] = [-1, -Infinity];
    for (const index of meeting.get(keyOf(end)) ?? []) {
      if (used[index]) continue;
      const line = lines[index]!;
      const next = keyOf(line[0]!) === keyOf(end) ? [...line] : [...line].reverse();
      const [nextX, nextY] = direction(next[0]!, next[1] ?? next[0]!);
      const straight = x * nextX + y * nextY;
      if (straight > straightest) [best, bestIndex, straightest] = [next, index, straight];
    }
    if (!best) return false;
    used[bestIndex] = 1;
    for (const at of best.slice(1)) path.push(at);
    return true;
  }

  const paths: Position[][] = [];
  lines.forEach((line, index) => {
    if (used[index]) return;
    used[index] = 1;
    const path = [...line];
    while (goOn(path));
    path.reverse();
    while (goOn(path));
    paths.push(path);
  });
  return paths;
}
