/** Publishes a warning for an alert: two deliberate steps, because it leaves the house. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { SeverityMark } from "../shell/marks";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";

const LEVELS = [4, 3, 2, 1] as const;

export function PublishForm({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element {
  const deed = useDeed();
  const open = useSignal(false);
  const severity = useSignal<1 | 2 | 3 | 4>(alert.highest_severity || 1);
  const instruction = useSignal("");
  if (!open.value) {
    return (
      <button type="button" data-testid="publish-open" onClick={() => (open.value = true)}>
        {word("warning.publish")}
      </button>
    );
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = instruction.value.trim();
    const body = { severity: severity.value, ...(said ? { instruction: said } : {}) };
    if (await deed.run(() => post(`alerts/${alert.id}/warning`, body))) open.value = false;
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid="publish-form">
      <div class="choice levels" role="group" aria-label={word("warning.level")}>
        {LEVELS.map((level) => (
          <button
            key={level}
            type="button"
            aria-pressed={severity.value === level}
            data-testid={`publish-severity-${level}`}
            onClick={() => (severity.value = level)}
          >
            <SeverityMark severity={level} /> {word(`severity.${level}`)} ({word(`colour.${level}`)})
          </button>
        ))}
      </div>
      <label>
        {word("warning.instruction")}
        <textarea
          rows={2}
          maxLength={2000}
          data-testid="publish-instruction"
          placeholder={word("warning.instruction.hint")}
          value={instruction.value}
          onInput={(event) => (instruction.value = event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy} data-testid="publish-now">
          {word("warning.publish.now")}
        </button>
        <button type="button" onClick={() => (open.value = false)}>
          {word("warning.cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}
