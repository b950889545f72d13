/** What a rule, a plan or a silence is for, chosen from what the city has: lifeline, kind of alert, zone, severity. */
import type { ComponentChildren, JSX } from "preact";
import type { LifelineId, Severity } from "../api/types";
import { alertKinds, kindName, lifelineName } from "../city/directory";
import { lifelines, zones } from "../city/store";
import { say, word } from "../words/language";

const SEVERITIES = [1, 2, 3, 4] as const;

interface ChoiceParts {
  name: string;
  value: string;
  testid?: string | undefined;
  change: (value: string) => void;
  children: ComponentChildren;
}

function Choice({ name, value, testid, change, children }: ChoiceParts): JSX.Element {
  return (
    <label>
      {name}
      <select value={value} data-testid={testid} onChange={(event) => change(event.currentTarget.value)}>
        {children}
      </select>
    </label>
  );
}

interface ScopeParts<Value> {
  value: Value | null;
  testid?: string | undefined;
  change: (value: Value | null) => void;
}

/** Without `every` one has to be chosen. */
export function LifelineSelect({ value, testid, change, every = true }: ScopeParts<LifelineId> & { every?: boolean }): JSX.Element {
  return (
    <Choice name={word("filter.lifeline")} value={value ?? ""} testid={testid} change={(chosen) => change((chosen || null) as LifelineId | null)}>
      {every && <option value="">{word("every")}</option>}
      {lifelines.value.map((one) => (
        <option key={one.id} value={one.id}>
          {lifelineName(one.id)}
        </option>
      ))}
    </Choice>
  );
}

/** The kinds of one lifeline, or of all. */
export function KindSelect({ lifeline, value, testid, change }: ScopeParts<string> & { lifeline: LifelineId | null }): JSX.Element {
  return (
    <Choice name={word("silence.kind-of-alert")} value={value ?? ""} testid={testid} change={(chosen) => change(chosen || null)}>
      <option value="">{word("every")}</option>
      {alertKinds.value
        .filter((one) => !lifeline || one.lifeline === lifeline)
        .map((one) => (
          <option key={`${one.lifeline} ${one.kind}`} value={one.kind}>
            {kindName(one.kind, one.lifeline)}
          </option>
        ))}
    </Choice>
  );
}

/** The zones of one lifeline, or of all. */
export function ZoneSelect({ lifeline, value, testid, change }: ScopeParts<string> & { lifeline: LifelineId | null }): JSX.Element {
  return (
    <Choice name={word("alert.zone")} value={value ?? ""} testid={testid} change={(chosen) => change(chosen || null)}>
      <option value="">{word("every")}</option>
      {[...zones.value.values()]
        .filter((one) => !lifeline || one.lifeline === lifeline)
        .map((one) => (
          <option key={one.id} value={one.id}>
            {say(one.name)} ({one.id})
          </option>
        ))}
    </Choice>
  );
}

interface SeverityParts {
  name: string;
  value: number;
  testid?: string | undefined;
  change: (severity: Severity) => void;
}

export function SeveritySelect({ name, value, testid, change }: SeverityParts): JSX.Element {
  return (
    <Choice name={name} value={String(value)} testid={testid} change={(chosen) => change(Number(chosen) as Severity)}>
      {SEVERITIES.map((severity) => (
        <option key={severity} value={severity}>
          {word(`severity.${severity}`)}
        </option>
      ))}
    </Choice>
  );
}
