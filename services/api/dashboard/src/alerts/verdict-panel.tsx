/** What a person judges the alert to be, and why. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import { ROOT_CAUSES } from "../api/judgements";
import type { AlertAnswer, Verdict } from "../api/types";
import { Refusal, useDeed } from "../shell/trouble";
import { word, wordFor } from "../words/language";

const VERDICTS: readonly Verdict[] = ["true-alarm", "false-alarm", "test"];

export function VerdictPanel({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element {
  const deed = useDeed();
  const editing = useSignal(false);
  const verdict = useSignal<Verdict | null>(null);
  const reason = useSignal("");
  const cause = useSignal("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!verdict.value || !reason.value.trim()) return;
    const body = { verdict: verdict.value, reason: reason.value.trim(), root_cause: cause.value || null };
    if (await deed.run(() => post(`alerts/${alert.id}/verdict`, body))) {
      editing.value = false;
      verdict.value = null;
      reason.value = "";
      cause.value = "";
    }
    changed();
  };
  if (alert.verdict && !editing.value) {
    return (
      <p class="said" data-testid="verdict">
        <b>{word(`verdict.${alert.verdict}`)}</b>
        {alert.root_cause && ` · ${wordFor("cause", alert.root_cause)}`}
        {alert.verdict_reason && `: ${alert.verdict_reason}`}{" "}
        <button type="button" class="link" onClick={() => (editing.value = true)}>
          {word("verdict.change")}
        </button>
      </p>
    );
  }
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid="verdict-form">
      <div class="choice" role="group" aria-label={word("verdict")}>
        {VERDICTS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={verdict.value === one}
            data-testid={`verdict-${one}`}
            onClick={() => (verdict.value = verdict.value === one ? null : one)}
          >
            {word(`verdict.${one}`)}
          </button>
        ))}
      </div>
      {verdict.value && (
        <>
          <label>
            {word("cause")}
            <select data-testid="verdict-cause" value={cause.value} onChange={(event) => (cause.value = event.currentTarget.value)}>
              <option value="">{word("cause.none")}</option>
              {ROOT_CAUSES.map((one) => (
                <option key={one} value={one}>
                  {wordFor("cause", one)}
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
              data-testid="verdict-reason"
              placeholder={word("verdict.reason.hint")}
              value={reason.value}
              onInput={(event) => (reason.value = event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="primary" disabled={deed.busy} data-testid="verdict-save">
            {word("verdict.save")}
          </button>
          <p class="quiet">{word("verdict.counted")}</p>
        </>
      )}
      <Refusal deed={deed} />
    </form>
  );
}
