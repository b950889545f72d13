/** Puts other deadlines in force for the orders of one lifeline from now on. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { put } from "../api/client";
import { type DisposalRuleAnswer, TIMED_STEPS, type TimedStep } from "../api/planning";
import { lifelineName } from "../city/directory";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word } from "../words/language";
import { draftOfRule, RULE_SEVERITIES, type RuleDraft, ruleOf } from "./rule-draft";

const DAYS_90_MIN = 90 * 24 * 60;
const DAYS_30_MIN = 30 * 24 * 60;

interface Minutes {
  label: string;
  value: number | null;
  most: number;
  change: (minutes: number | null) => void;
  testid: string;
}

/** A field of a table: its head names it for the eye, its label for the screen reader. */
function MinutesCell({ label, value, most, change, testid }: Minutes): JSX.Element {
  return (
    <td>
      <input
        class="minutes"
        type="number"
        min={0}
        max={most}
        step="any"
        aria-label={label}
        data-testid={testid}
        value={value ?? ""}
        onInput={(event) => change(event.currentTarget.valueAsNumber > 0 ? event.currentTarget.valueAsNumber : null)}
      />
    </td>
  );
}

export function RuleForm({ kept, done, again }: { kept: DisposalRuleAnswer; done: () => void; again: () => void }): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const draft = useSignal<RuleDraft>(draftOfRule(kept.rule));
  const now = draft.value;
  const change = (part: Partial<RuleDraft>): void => void (draft.value = { ...draft.value, ...part });
  const allow = (severity: number, step: TimedStep, minutes: number | null): void => {
    const all = draft.value.deadlinesMin;
    change({ deadlinesMin: { ...all, [severity]: { ...all[severity], [step]: minutes } as Record<TimedStep, number | null> } });
  };
  const over = (): void => {
    again();
    done();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = JSON.stringify({ rule: ruleOf(draft.value, kept.rule), reason: draft.value.reason.trim() });
    if (await deed.run(() => put(`disposal-rules/${kept.lifeline}`, wanted, "application/json", kept.version))) over();
  };
  const title = word("rule.write.of", { lifeline: lifelineName(kept.lifeline) });
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="rule-form">
      <h3>{title}</h3>
      <WideTable label={title}>
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
                <th scope="row">{word(`severity.${severity}`)}</th>
                {TIMED_STEPS.map((step) => (
                  <MinutesCell
                    key={step}
                    label={`${word(`severity.${severity}`)}, ${word(`rule.step.${step}`)}`}
                    value={now.deadlinesMin[severity]?.[step] ?? null}
                    most={DAYS_90_MIN}
                    change={(minutes) => allow(severity, step, minutes)}
                    testid={`rule-${severity}-${step}`}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </WideTable>
      <div class="fields">
        <label>
          {word("rule.hold.min")}
          <input
            type="number"
            min={0}
            max={DAYS_30_MIN}
            step="any"
            required
            data-testid="rule-hold"
            value={now.holdMin}
            onInput={(event) => change({ holdMin: event.currentTarget.valueAsNumber || 0 })}
          />
        </label>
        <label>
          {word("rule.watch.min")}
          <input
            type="number"
            min={0}
            max={DAYS_30_MIN}
            step="any"
            required
            value={now.watchMin}
            onInput={(event) => change({ watchMin: event.currentTarget.valueAsNumber || 0 })}
          />
        </label>
        <label>
          {word("rule.warns.percent")}
          <input
            type="number"
            min={1}
            max={99}
            required
            value={now.warnsAtPercent}
            onInput={(event) => change({ warnsAtPercent: event.currentTarget.valueAsNumber || 1 })}
          />
        </label>
        <label>
          {word("rule.pauses")}
          <select value={now.pausesUpTo} onChange={(event) => change({ pausesUpTo: Number(event.currentTarget.value) })}>
            <option value={0}>{word("rule.pauses.never")}</option>
            {([1, 2, 3, 4] as const).map((severity) => (
              <option key={severity} value={severity}>
                {word("rule.pauses.to", { severity: word(`severity.${severity}`) })}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={now.pausesUnderControl}
            onChange={(event) => change({ pausesUnderControl: event.currentTarget.checked })}
          />
          {word("rule.pauses.control")}
        </label>
        <label class="wide">
          {word("rule.reason")}
          <input
            required
            maxLength={2000}
            data-testid="rule-reason"
            value={now.reason}
            onInput={(event) => change({ reason: event.currentTarget.value })}
          />
        </label>
      </div>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || !now.reason.trim()} data-testid="rule-save">
          {word("rule.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} again={over} />
    </form>
  );
}
