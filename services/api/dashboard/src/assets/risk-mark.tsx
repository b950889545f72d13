/** The risk of an asset: a colour, the shape that goes with it, and the word; colour is never the only sign. */
import type { JSX } from "preact";
import { RISK_SEVERITIES, type RiskColour } from "../api/judgements";
import { SEVERITY_SHAPES } from "../shell/marks";
import { word } from "../words/language";

export function RiskMark({ colour }: { colour: RiskColour }): JSX.Element {
  const severity = RISK_SEVERITIES[colour];
  return (
    <span class="nowrap" data-testid="risk-mark" data-colour={colour}>
      <svg class={`mark severity-${severity}`} viewBox="0 0 20 20" aria-hidden="true">
        <path d={SEVERITY_SHAPES[severity]} />
      </svg>{" "}
      {word(`risk.${colour}`)}
    </span>
  );
}
