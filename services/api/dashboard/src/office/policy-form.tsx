/** Writes the next version of the warning policy, beginning with the one in force. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import { DECISIONS, type Decision, type OrganisationRole, type PublishingRule, type WarningPolicy } from "../api/office";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";
import { draftOf, NEW_RULE, NEW_STEP, type PolicyDraft, policyOf } from "./policy-draft";
import { PolicyWords } from "./policy-words";
import { KindSelect, LifelineSelect, SeveritySelect, ZoneSelect } from "./scope-selects";

const ROLES: readonly OrganisationRole[] = ["centre", "owner", "regulator", "emergency"];
interface RuleParts {
  rule: PublishingRule;
  change: (part: Partial<PublishingRule>) => void;
  remove: () => void;
}

function RuleFields({ rule, change, remove }: RuleParts): JSX.Element {
  return (
    <li class="fields" data-testid="policy-rule">
      <LifelineSelect value={rule.lifeline} testid="policy-rule-lifeline" change={(lifeline) => change({ lifeline, kind: null, zone: null })} />
      <KindSelect lifeline={rule.lifeline} value={rule.kind} change={(kind) => change({ kind })} />
      <ZoneSelect lifeline={rule.lifeline} value={rule.zone} change={(zone) => change({ zone })} />
      <SeveritySelect value={rule.severity_from} name={word("policy.severity-from")} change={(severity_from) => change({ severity_from })} />
      <label>
        {word("policy.decision")}
        <select
          value={rule.decision}
          data-testid="policy-rule-decision"
          onChange={(event) => change({ decision: event.currentTarget.value as Decision })}
        >
          {DECISIONS.map((decision) => (
            <option key={decision} value={decision}>
              {word(`decision.${decision}`)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={remove}>
        {word("remove")}
      </button>
    </li>
  );
}

type Step = PolicyDraft["steps"][number];

function StepFields({ step, change, remove }: { step: Step; change: (part: Partial<Step>) => void; remove: () => void }): JSX.Element {
  const told = (role: OrganisationRole, on: boolean): void =>
    change({ tell: ROLES.filter((one) => (one === role ? on : step.tell.includes(one))) });
  return (
    <li class="fields" data-testid="policy-step">
      <label>
        {word("policy.after-min")}
        <input
          type="number"
          min={0}
          max={1440}
          step="any"
          required
          data-testid="policy-step-after"
          value={step.afterMin}
          onInput={(event) => change({ afterMin: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
      <fieldset class="checks">
        <legend>{word("policy.tell")}</legend>
        {ROLES.map((role) => (
          <label key={role} class="check">
            <input type="checkbox" checked={step.tell.includes(role)} onChange={(event) => told(role, event.currentTarget.checked)} />{" "}
            {word(`organisation.${role}`)}
          </label>
        ))}
      </fieldset>
      <SeveritySelect value={step.severityFrom} name={word("policy.severity-from")} change={(severityFrom) => change({ severityFrom })} />
      <label>
        {word("policy.repeat")}
        <input
          type="number"
          min={0}
          max={10}
          required
          value={step.repeats}
          onInput={(event) => change({ repeats: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
      <button type="button" onClick={remove}>
        {word("remove")}
      </button>
    </li>
  );
}

interface Editor {
  draft: PolicyDraft;
  change: (part: Partial<PolicyDraft>) => void;
}

function Fields({ draft, change }: Editor): JSX.Element {
  const with_ = <Item,>(items: readonly Item[], place: number, part: Partial<Item>): Item[] =>
    items.map((item, at) => (at === place ? { ...item, ...part } : item));
  const without = <Item,>(items: readonly Item[], place: number): Item[] => items.filter((_, at) => at !== place);
  return (
    <>
      <h3>{word("policy.rules")}</h3>
      <ol class="policy-fields">
        {draft.rules.map((rule, place) => (
          <RuleFields
            key={place}
            rule={rule}
            change={(part) => change({ rules: with_(draft.rules, place, part) })}
            remove={() => change({ rules: without(draft.rules, place) })}
          />
        ))}
      </ol>
      <button type="button" data-testid="policy-rule-add" onClick={() => change({ rules: [...draft.rules, NEW_RULE] })}>
        {word("policy.rule.add")}
      </button>
      <h3>{word("policy.escalation")}</h3>
      <ol class="policy-fields">
        {draft.steps.map((step, place) => (
          <StepFields
            key={place}
            step={step}
            change={(part) => change({ steps: with_(draft.steps, place, part) })}
            remove={() => change({ steps: without(draft.steps, place) })}
          />
        ))}
      </ol>
      <button type="button" data-testid="policy-step-add" onClick={() => change({ steps: [...draft.steps, NEW_STEP] })}>
        {word("policy.step.add")}
      </button>
      <div class="fields">
        <label>
          {word("policy.valid-hours")}
          <input
            type="number"
            min={0.1}
            max={720}
            step="any"
            data-testid="policy-valid"
            placeholder={word("policy.valid.unlimited.short")}
            value={draft.validHours}
            onInput={(event) => change({ validHours: event.currentTarget.value })}
          />
        </label>
      </div>
    </>
  );
}

interface Given {
  policy: WarningPolicy;
  /** 0: the default. */
  version: number;
  changed: () => void;
}

export function PolicyForm({ policy, version, changed }: Given): JSX.Element {
  const deed = useDeed();
  const draft = useSignal<PolicyDraft | null>(null);
  const seen = useSignal(0);
  const reason = useSignal("");
  if (!draft.value) {
    const begin = (): void => {
      seen.value = version;
      draft.value = draftOf(policy);
    };
    return (
      <button type="button" class="primary begin" data-testid="policy-write" onClick={begin}>
        {word("policy.write")}
      </button>
    );
  }
  const now = draft.value;
  const told = now.steps.every((step) => step.tell.length > 0);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = reason.value.trim();
    if (!said || !told) return;
    if (await deed.run(() => post("warning-policies", { policy: policyOf(now), reason: said }, { seen: seen.value }))) {
      draft.value = null;
      reason.value = "";
    }
    changed();
  };
  return (
    <form class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="policy-form">
      <Fields draft={now} change={(part) => (draft.value = { ...(draft.value ?? now), ...part })} />
      <section class="said" aria-label={word("policy.reads")} data-testid="policy-reads">
        <PolicyWords policy={policyOf(now)} />
      </section>
      {!told && <p class="refusal">{word("policy.tell.nobody")}</p>}
      <label>
        {word("verdict.reason")}
        <textarea
          rows={2}
          maxLength={2000}
          required
          data-testid="policy-reason"
          placeholder={word("policy.reason.hint")}
          value={reason.value}
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || !told} data-testid="policy-save">
          {word("policy.save")}
        </button>
        <button type="button" onClick={() => (draft.value = null)}>
          {word("cancel")}
        </button>
      </div>
      <Refusal
        deed={deed}
        again={() => {
          draft.value = null;
          changed();
        }}
      />
    </form>
  );
}
