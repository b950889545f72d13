/** Why nobody is told of an alert, and how a person puts one aside for a while. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { alertAddress } from "../route";
import { ReasonForm } from "../shell/reason-form";
import { say, word } from "../words/language";

const HOURS = [1, 2, 4, 8] as const;
const HOUR_MS = 3_600_000;

/** What keeps the alert quiet, with the way to the alert that explains it. */
export function QuietReason({ alert }: { alert: AlertAnswer }): JSX.Element | null {
  if (!alert.suppression) return null;
  return (
    <p class="quiet-reason" data-testid="alert-suppression">
      <span class="tag">{word(`quiet.${alert.suppression.kind}`)}</span> {say(alert.suppression.reason)}{" "}
      {alert.explained_by && <a href={alertAddress(alert.explained_by)}>{word("quiet.cause")}</a>}
    </p>
  );
}

export function QuietPanel({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element | null {
  const hours = useSignal<number>(1);
  if (alert.cleared_at) return null;
  const putAside = (reason: string): Promise<unknown> =>
    post("silences", {
      kind: "shelving",
      matcher: { lifeline: alert.lifeline, asset: alert.asset, kind: alert.kind },
      ends_at: new Date(Date.now() + hours.value * HOUR_MS).toISOString(),
      reason,
    });
  return (
    <ReasonForm
      name="shelve"
      ask={word("quiet.ask")}
      meaning={word("quiet.meaning")}
      save={word("quiet.save")}
      send={putAside}
      changed={changed}
    >
      <label>
        {word("quiet.length")}
        <select
          data-testid="shelve-hours"
          value={hours.value}
          onChange={(event) => (hours.value = Number(event.currentTarget.value))}
        >
          {HOURS.map((count) => (
            <option key={count} value={count}>
              {word("quiet.hours", { count: String(count) })}
            </option>
          ))}
        </select>
      </label>
    </ReasonForm>
  );
}
