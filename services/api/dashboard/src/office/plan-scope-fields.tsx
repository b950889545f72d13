/** What a plan is for: lifeline, kind, severity and place. */
import type { JSX } from "preact";
import type { LifelineId, Severity } from "../api/types";
import { alertKinds, kindName, lifelineName } from "../city/directory";
import { lifelines, zones } from "../city/store";
import { say, word } from "../words/language";
import { BothLanguages } from "./both-languages";
import type { PlanDraft } from "./plan-draft";

export function PlanScopeFields({ draft, change }: { draft: PlanDraft; change: (part: Partial<PlanDraft>) => void }): JSX.Element {
  return (
    <>
      <BothLanguages what={word("plan.title")} text={draft.title} name="plan-title" required change={(title) => change({ title })} />
      <label>
        {word("filter.lifeline")}
        <select
          value={draft.lifeline}
          data-testid="plan-lifeline"
          onChange={(event) => change({ lifeline: event.currentTarget.value as LifelineId, kind: null, zone: null })}
        >
          {lifelines.value.map((one) => (
            <option key={one.id} value={one.id}>
              {lifelineName(one.id)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {word("silence.kind-of-alert")}
        <select value={draft.kind ?? ""} data-testid="plan-kind" onChange={(event) => change({ kind: event.currentTarget.value || null })}>
          <option value="">{word("every")}</option>
          {alertKinds.value
            .filter((one) => one.lifeline === draft.lifeline)
            .map((one) => (
              <option key={one.kind} value={one.kind}>
                {kindName(one.kind, one.lifeline)}
              </option>
            ))}
        </select>
      </label>
      <label>
        {word("plan.from")}
        <select
          value={draft.severity_from}
          data-testid="plan-severity"
          onChange={(event) => change({ severity_from: Number(event.currentTarget.value) as Severity })}
        >
          {([1, 2, 3, 4] as const).map((severity) => (
            <option key={severity} value={severity}>
              {word(`severity.${severity}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {word("alert.zone")}
        <select value={draft.zone ?? ""} onChange={(event) => change({ zone: event.currentTarget.value || null })}>
          <option value="">{word("every")}</option>
          {[...zones.value.values()]
            .filter((one) => one.lifeline === draft.lifeline)
            .map((one) => (
              <option key={one.id} value={one.id}>
                {say(one.name)} ({one.id})
              </option>
            ))}
        </select>
      </label>
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
