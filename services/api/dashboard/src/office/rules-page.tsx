/** By when each step of an order is to be done, for each lifeline. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type DisposalRuleAnswer, TIMED_STEPS } from "../api/planning";
import { may } from "../api/session";
import { useAnswer } from "../api/use-answer";
import { lifelineName } from "../city/directory";
import { lifelines } from "../city/store";
import { LifelineMark, SeverityMark } from "../shell/marks";
import { WideTable } from "../shell/wide-table";
import { duration, percent } from "../words/format";
import { word } from "../words/language";
import { Dated } from "./dated";
import { OfficePage } from "./office-page";
import { RULE_SEVERITIES } from "./rule-draft";
import { RuleForm } from "./rule-form";

function inWords(seconds: number | undefined): string {
  return seconds === undefined ? word("rule.none") : duration(seconds * 1000);
}

function Origin({ kept }: { kept: DisposalRuleAnswer }): JSX.Element {
  if (kept.version === 0) return <span class="quiet">{word("rule.default")}</span>;
  return (
    <span class="quiet">
      {word("rule.version", { version: kept.version })} · {kept.author}, <Dated at={kept.created_at} empty="" />: {kept.reason}
    </span>
  );
}

function Rule({ kept, again }: { kept: DisposalRuleAnswer; again: () => void }): JSX.Element {
  const writing = useSignal<DisposalRuleAnswer | null>(null);
  const { rule } = kept;
  const name = lifelineName(kept.lifeline);
  return (
    <section class="boxed" aria-label={name} data-testid="rule" data-lifeline={kept.lifeline} data-version={kept.version}>
      <h2>
        <LifelineMark lifeline={kept.lifeline} /> {name} <Origin kept={kept} />
      </h2>
      <WideTable label={name}>
        <table>
          <thead>
            <tr>
              <th>{word("rule.severity")}</th>
              {TIMED_STEPS.map((step) => (
                <th key={step}>{word(`rule.step.${step}`)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {RULE_SEVERITIES.map((severity) => (
              <tr key={severity}>
                <th scope="row" class="nowrap">
                  <SeverityMark severity={severity} /> {word(`severity.${severity}`)}
                </th>
                {TIMED_STEPS.map((step) => (
                  <td key={step} class="nowrap">
                    {inWords(rule.deadlines_s[String(severity)]?.[step])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </WideTable>
      <p>
        {word("rule.hold", { time: duration(rule.hold_s * 1000) })} · {word("rule.watch", { time: duration(rule.watch_s * 1000) })} ·{" "}
        {word("rule.warns", { share: percent(rule.warns_at) })}
      </p>
      {writing.value && <RuleForm kept={writing.value} done={() => (writing.value = null)} again={again} />}
      {!writing.value && may("approve") && (
        <button type="button" data-testid="rule-write" onClick={() => (writing.value = kept)}>
          {word("rule.write")}
        </button>
      )}
    </section>
  );
}

export function RulesPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<DisposalRuleAnswer[]>("disposal-rules");
  // Rules of lifelines that the city does not watch are nobody's concern.
  const watched = lifelines.value.filter((one) => one.sensors > 0 || one.assets > 0).map((one) => one.id);
  const shown = watched.flatMap((lifeline) => answer?.filter((one) => one.lifeline === lifeline) ?? []);
  return (
    <OfficePage page="rules" loading={!answer} problem={problem} again={again}>
      {shown.map((kept) => (
        <Rule key={kept.lifeline} kept={kept} again={again} />
      ))}
    </OfficePage>
  );
}
