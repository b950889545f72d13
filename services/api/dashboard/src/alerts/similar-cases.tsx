/** What was done last time, here or somewhere like it: cases that people have judged or closed. */
import type { JSX } from "preact";
import type { CaseAnswer } from "../api/disposal";
import { useAnswer } from "../api/use-answer";
import { kindName } from "../city/directory";
import { alertAddress } from "../route";
import { SeverityMark, Time } from "../shell/marks";
import { percent } from "../words/format";
import { say, word } from "../words/language";

function Case({ one }: { one: CaseAnswer }): JSX.Element {
  return (
    <li data-testid="similar-case" data-alert={one.alert}>
      <SeverityMark severity={one.severity} /> <a href={alertAddress(one.alert)}>{say(one.asset_name)}</a>{" "}
      {kindName(one.kind, one.lifeline)} <Time at={one.started_at} /> <span class="quiet">{word("cases.like", { share: percent(one.likeness) })}</span>
      {one.verdict && <b> {word(`verdict.${one.verdict}`)}</b>}
      {one.told && <q>{one.told}</q>}
    </li>
  );
}

export function SimilarCases({ alert }: { alert: string }): JSX.Element {
  const { answer, problem } = useAnswer<CaseAnswer[]>(`alerts/${encodeURIComponent(alert)}/similar-cases`, { limit: 5 });
  return (
    <section class="panel" aria-label={word("cases")} data-testid="similar-cases">
      <h2>
        {word("cases")} {answer && <span class="count">{answer.length}</span>}
      </h2>
      {problem && <p class="quiet">{problem.message}</p>}
      {answer && !answer.length && <p class="quiet">{word("cases.none")}</p>}
      <ul class="cases">
        {answer?.map((one) => (
          <Case key={one.alert} one={one} />
        ))}
      </ul>
    </section>
  );
}
