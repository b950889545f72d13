/** The modes of a bridge: their frequency beside its usual one, how alike the shape is, and the course of it. */
import type { JSX } from "preact";
import { Time } from "../shell/marks";
import { withUnit } from "../words/format";
import { word } from "../words/language";
import type { BridgeModeAnswer, ModeSightingAnswer } from "./answers";
import { WideTable } from "../shell/wide-table";

const [WIDTH, HEIGHT, EDGE] = [180, 32, 3];
/** A course that moves by less than this share is drawn as flat as it is. */
const LEAST_SPAN = 0.02;

function points(course: readonly ModeSightingAnswer[]): string {
  const times = course.map((seen) => Date.parse(seen.seen_at));
  const values = course.map((seen) => seen.frequency_hz);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  const span = Math.max(Math.max(...values) - Math.min(...values), LEAST_SPAN * middle);
  return course
    .map((_, at) => {
      const x = EDGE + ((WIDTH - 2 * EDGE) * (times[at]! - first)) / Math.max(1, last - first);
      const y = HEIGHT / 2 - ((HEIGHT - 2 * EDGE) * (values[at]! - middle)) / span;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}

function Course({ course }: { course: readonly ModeSightingAnswer[] }): JSX.Element {
  return (
    <svg class="course" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      {course.length > 1 && <polyline points={points(course)} />}
    </svg>
  );
}

function signed(share: number): string {
  const shown = (100 * share).toFixed(1);
  return `${share > 0 ? "+" : ""}${shown} %`;
}

function Mode({ mode }: { mode: BridgeModeAnswer }): JSX.Element {
  const last = mode.recent.at(-1);
  return (
    <tr data-testid="bridge-mode" data-mode={mode.number}>
      <td class="number">{mode.number}</td>
      <td class="number">
        <b>{withUnit(last?.frequency_hz ?? mode.frequency_hz, "Hz")}</b>
      </td>
      <td class="number">{last ? signed(last.frequency_hz / mode.frequency_hz - 1) : "–"}</td>
      <td class="number">{last ? last.likeness.toFixed(2) : "–"}</td>
      <td class="number">{mode.sightings}</td>
      <td class="nowrap">
        <Time at={mode.last_seen_at} />
      </td>
      <td>
        <Course course={mode.recent} />
      </td>
    </tr>
  );
}

export function Modes({ modes }: { modes: readonly BridgeModeAnswer[] }): JSX.Element {
  if (!modes.length) return <p class="quiet">{word("bridge.modes.none")}</p>;
  return (
    <>
      <p class="quiet">{word("bridge.modes.why")}</p>
      <WideTable label={word("bridge.modes")}>
        <table data-testid="bridge-modes">
          <thead>
            <tr>
              <th class="number">{word("bridge.mode")}</th>
              <th class="number">{word("bridge.mode.frequency")}</th>
              <th class="number">{word("bridge.mode.change")}</th>
              <th class="number">{word("bridge.mode.likeness")}</th>
              <th class="number">{word("bridge.mode.sightings")}</th>
              <th>{word("bridge.mode.last")}</th>
              <th>{word("bridge.mode.course")}</th>
            </tr>
          </thead>
          <tbody>
            {modes.map((mode) => (
              <Mode key={mode.number} mode={mode} />
            ))}
          </tbody>
        </table>
      </WideTable>
    </>
  );
}
