/** A person says that nothing is wrong and the rules shall learn afresh. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { AlertAnswer } from "../api/types";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";

export function NewNormalPanel({ alert, changed }: { alert: AlertAnswer; changed: () => void }): JSX.Element | null {
  const deed = useDeed();
  const writing = useSignal(false);
  const reason = useSignal("");
  if (alert.cleared_at) return null;
  if (!writing.value) {
    return (
      <button type="button" class="link" data-testid="new-normal" onClick={() => (writing.value = true)}>
        {word("new-normal.ask")}
      </button>
    );
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!reason.value.trim()) return;
    if (await deed.run(() => post(`alerts/${alert.id}/new-normal`, { reason: reason.value.trim() }))) {
      writing.value = false;
      reason.value = "";
    }
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid="new-normal-form">
      <p class="quiet">{word("new-normal.meaning")}</p>
      <label>
        {word("verdict.reason")}
        <textarea
          rows={2}
          maxLength={2000}
          required
          data-testid="new-normal-reason"
          placeholder={word("new-normal.hint")}
          value={reason.value}
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={deed.busy} data-testid="new-normal-save">
        {word("new-normal.save")}
      </button>
      <Refusal deed={deed} />
    </form>
  );
}
