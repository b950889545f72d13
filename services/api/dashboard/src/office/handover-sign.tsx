/** Where a change of shift or a hand-over stands: a shape and a word. */
import type { JSX } from "preact";
import type { HandoverAnswer, ShiftChangeAnswer } from "../api/planning";
import { word } from "../words/language";

type State = HandoverAnswer["state"] | ShiftChangeAnswer["state"];

const SIGNS: Record<State, readonly [sign: string, look: string]> = {
  ahead: ["○", "unknown"],
  waiting: ["◐", "in-force"],
  confirmed: ["✓", "ok"],
  withdrawn: ["■", "off"],
  missing: ["▲", "failing"],
  nobody: ["▲", "failing"],
};

export function ChangeSign({ state }: { state: State }): JSX.Element {
  const [sign, look] = SIGNS[state];
  return (
    <span class={`office-state ${look}`}>
      <span aria-hidden="true">{sign}</span> {word(`handover.state.${state}`)}
    </span>
  );
}
