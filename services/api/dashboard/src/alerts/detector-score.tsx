/** How the alerts like this one turned out: what people judged, and the confidence that gives. */
import type { JSX } from "preact";
import type { DetectorScoreAnswer } from "../api/judgements";
import { useAnswer } from "../api/use-answer";
import { percent } from "../words/format";
import { word } from "../words/language";

export function DetectorScore({ alert }: { alert: string }): JSX.Element | null {
  const { answer } = useAnswer<DetectorScoreAnswer>(`alerts/${encodeURIComponent(alert)}/detector-score`);
  if (!answer) return null;
  if (!answer.judged) {
    return (
      <p class="quiet" data-testid="detector-score">
        {word("score.none")}
      </p>
    );
  }
  return (
    <p data-testid="detector-score">
      {word("score.told", { judged: String(answer.judged), real: String(answer.true_alarms) })}{" "}
      <b>{word("score.confidence", { share: percent(answer.precision) })}</b>{" "}
      <span class="quiet">{word("score.span", { low: percent(answer.precision_low), high: percent(answer.precision_high) })}</span>
    </p>
  );
}
