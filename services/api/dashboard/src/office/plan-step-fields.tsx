/** One step of a plan that is written: what, by whom, by when. */
import type { JSX } from "preact";
import type { OrganisationRole } from "../api/office";
import { organisationName, organisations } from "../city/directory";
import { say, word } from "../words/language";
import { BothLanguages } from "./both-languages";
import type { StepDraft } from "./plan-draft";

const ROLES: readonly OrganisationRole[] = ["centre", "owner", "regulator", "emergency"];
const LONGEST_MIN = 30 * 24 * 60;

interface Given {
  number: number;
  step: StepDraft;
  change: (part: Partial<StepDraft>) => void;
  up: () => void;
  remove: (() => void) | null;
}

export function PlanStepFields({ number, step, change, up, remove }: Given): JSX.Element {
  const people = organisations.value.find((one) => one.id === step.organisation)?.people ?? [];
  // Somebody who has left is still named by the plan, until it says somebody else.
  const gone = step.person && !people.some((one) => one.id === step.person?.id) ? [step.person] : [];
  const choosePerson = (id: string): void => {
    const person = [...people, ...gone].find((one) => one.id === id);
    change({ person: person ? { id: person.id, name: person.name, post: person.post } : null });
  };
  return (
    <li class="fields" data-testid="plan-step">
      <BothLanguages
        what={`${number}. ${word("plan.step.label")}`}
        text={step.label}
        name="plan-step-label"
        required
        long
        change={(label) => change({ label })}
      />
      <label>
        {word("plan.step.role")}
        <select value={step.role} data-testid="plan-step-role" onChange={(event) => change({ role: event.currentTarget.value as OrganisationRole })}>
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {word(`organisation.${role}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {word("plan.step.organisation")}
        <select
          value={step.organisation ?? ""}
          data-testid="plan-step-organisation"
          onChange={(event) => change({ organisation: event.currentTarget.value || null, person: null })}
        >
          <option value="">{word("plan.step.organisation.any")}</option>
          {organisations.value.map((one) => (
            <option key={one.id} value={one.id}>
              {organisationName(one.id)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {word("plan.step.person")}
        <select value={step.person?.id ?? ""} data-testid="plan-step-person" onChange={(event) => choosePerson(event.currentTarget.value)}>
          <option value="">{word("plan.step.person.any")}</option>
          {[...people, ...gone].map((one) => (
            <option key={one.id} value={one.id}>
              {one.name} ({say(one.post)})
            </option>
          ))}
        </select>
      </label>
      <label>
        {word("plan.step.minutes")}
        <input
          type="number"
          min={0.5}
          max={LONGEST_MIN}
          step="any"
          required
          data-testid="plan-step-minutes"
          value={step.minutes}
          onInput={(event) => change({ minutes: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
      <div class="row">
        {number > 1 && (
          <button type="button" aria-label={word("plan.step.up", { number })} title={word("plan.step.up", { number })} onClick={up}>
            ↑
          </button>
        )}
        {remove && (
          <button type="button" onClick={remove}>
            {word("remove")}
          </button>
        )}
      </div>
    </li>
  );
}
