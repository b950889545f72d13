/** What a plan is for: lifeline, kind, severity and place. */
import type { JSX } from "preact";
import { word } from "../words/language";
import { BothLanguages } from "./both-languages";
import type { PlanDraft } from "./plan-draft";
import { KindSelect, LifelineSelect, SeveritySelect, ZoneSelect } from "./scope-selects";

export function PlanScopeFields({ draft, change }: { draft: PlanDraft; change: (part: Partial<PlanDraft>) => void }): JSX.Element {
  return (
    <>
      <BothLanguages what={word("plan.title")} text={draft.title} name="plan-title" required change={(title) => change({ title })} />
      <LifelineSelect
        every={false}
        value={draft.lifeline}
        testid="plan-lifeline"
        change={(lifeline) => lifeline && change({ lifeline, kind: null, zone: null })}
      />
      <KindSelect lifeline={draft.lifeline} value={draft.kind} testid="plan-kind" change={(kind) => change({ kind })} />
      <SeveritySelect name={word("plan.from")} value={draft.severity_from} testid="plan-severity" change={(severity_from) => change({ severity_from })} />
      <ZoneSelect lifeline={draft.lifeline} value={draft.zone} change={(zone) => change({ zone })} />
      <label>
        {word("plan.asset")}
        <input maxLength={200} placeholder={word("every")} value={draft.asset ?? ""} onInput={(event) => change({ asset: event.currentTarget.value })} />
      </label>
      <label>
        {word("plan.radius.m")}
        <input
          type="number"
          min={0}
          max={10_000}
          step="any"
          required
          data-testid="plan-radius"
          value={draft.exclusion_radius_m}
          onInput={(event) => change({ exclusion_radius_m: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
    </>
  );
}
