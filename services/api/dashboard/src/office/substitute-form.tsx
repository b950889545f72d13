/** Somebody stands in for the person of a shift. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { ShiftAnswer } from "../api/office";
import { organisations } from "../city/directory";
import { Refusal, useDeed } from "../shell/trouble";
import { say, word } from "../words/language";

export function SubstituteForm({ shift, changed }: { shift: ShiftAnswer; changed: () => void }): JSX.Element | null {
  const deed = useDeed();
  const asking = useSignal(false);
  const person = useSignal("");
  const others = (organisations.value.find((one) => one.id === shift.organisation)?.people ?? []).filter(
    (one) => one.id !== shift.person,
  );
  if (!others.length) return null;
  if (!asking.value) {
    return (
      <button type="button" class="link" data-testid="substitute" onClick={() => (asking.value = true)}>
        {word("duty.substitute")}
      </button>
    );
  }
  const chosen = person.value || others[0]?.id || "";
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    // A shift that runs already is handed over from now on.
    const running = Date.parse(shift.starts_at) <= Date.now();
    const wanted = { person: chosen, ...(running ? { starts_at: new Date().toISOString() } : {}) };
    if (await deed.run(() => post(`duty/shifts/${shift.id}/substitute`, wanted))) asking.value = false;
    changed();
  };
  return (
    <form class="row" onSubmit={(event) => void submit(event)} data-testid="substitute-form">
      <select
        aria-label={word("duty.substitute")}
        value={chosen}
        data-testid="substitute-person"
        onChange={(event) => (person.value = event.currentTarget.value)}
      >
        {others.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name} ({say(one.post)})
          </option>
        ))}
      </select>
      <button type="submit" disabled={deed.busy} data-testid="substitute-save">
        {word("duty.substitute.save")}
      </button>
      <button type="button" onClick={() => (asking.value = false)}>
        {word("cancel")}
      </button>
      <Refusal deed={deed} />
    </form>
  );
}
