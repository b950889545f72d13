/** Why nobody is told of an alert, and how a person puts one aside for a while. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { alertAddress } from "../route";
import { Refusal, useDeed } from "../shell/trouble";
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
  const deed = useDeed();
  const writing = useSignal(false);
  const hours = useSignal<number>(1);
  const reason = useSignal("");
  if (alert.cleared_at) return null;
  if (!writing.value) {
    return (
      <button type="button" class="link" data-testid="shelve" onClick={() => (writing.value = true)}>
        {word("quiet.ask")}
      </button>
    );
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!reason.value.trim()) return;
    const wanted = {
      kind: "shelving",
      matcher: { lifeline: alert.lifeline, asset: alert.asset, kind: alert.kind },
      ends_at: new Date(Date.now() + hours.value * HOUR_MS).toISOString(),
      reason: reason.value.trim(),
    };
    if (await deed.run(() => post("silences", wanted))) {
      writing.value = false;
      reason.value = "";
    }
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid="shelve-form">
      <p class="quiet">{word("quiet.meaning")}</p>
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
      <label>
        {word("verdict.reason")}
        <textarea
          rows={2}
          maxLength={2000}
          required
          data-testid="shelve-reason"
          value={reason.value}
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={deed.busy} data-testid="shelve-save">
        {word("quiet.save")}
      </button>
      <Refusal deed={deed} />
    </form>
  );
}
