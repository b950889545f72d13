/** How much is at risk at one asset, and why. */
import type { JSX } from "preact";
import type { AssetRiskAnswer } from "../api/judgements";
import { useAnswer } from "../api/use-answer";
import { say, word } from "../words/language";
import { RiskMark } from "./risk-mark";

export function RiskPanel({ asset }: { asset: string }): JSX.Element {
  const { answer, problem } = useAnswer<AssetRiskAnswer>(`assets/${encodeURIComponent(asset)}/risk`);
  return (
    <section class="boxed" aria-label={word("risk")} data-testid="asset-risk">
      <h2>{word("risk")}</h2>
      {problem && !answer && <p class="quiet">{problem.message}</p>}
      {answer && (
        <>
          <p>
            <RiskMark colour={answer.colour} /> <span class="quiet">{word("risk.score", { score: answer.score.toFixed(1) })}</span>
          </p>
          {!answer.reasons.length && <p class="quiet">{word("risk.reasons.none")}</p>}
          <ul class="plain">
            {answer.reasons.map((reason) => (
              <li key={reason.en}>{say(reason)}</li>
            ))}
          </ul>
          <p class="quiet">{word("risk.default")}</p>
        </>
      )}
    </section>
  );
}
