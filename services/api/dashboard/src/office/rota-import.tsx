/** Takes a duty calendar over from a file; the answer says what it left open. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { put } from "../api/client";
import type { RotaAnswer } from "../api/office";
import { organisationName, organisations } from "../city/directory";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";

export function RotaImport({ changed }: { changed: () => void }): JSX.Element {
  const deed = useDeed();
  const organisation = useSignal("");
  const taken = useSignal<RotaAnswer | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const chosen = organisation.value || organisations.value[0]?.id || "";
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const calendar = file.current?.files?.[0];
    if (!calendar || !chosen) return;
    taken.value = null;
    const address = `duty/${encodeURIComponent(chosen)}/rota`;
    await deed.run(async () => (taken.value = await put<RotaAnswer>(address, calendar, "text/calendar")));
    changed();
  };
  return (
    <form class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="rota-form">
      <h2>{word("rota.import")}</h2>
      <p class="quiet">{word("rota.import.why")}</p>
      <div class="fields">
        <label>
          {word("duty.organisation")}
          <select value={chosen} data-testid="rota-organisation" onChange={(event) => (organisation.value = event.currentTarget.value)}>
            {organisations.value.map((one) => (
              <option key={one.id} value={one.id}>
                {organisationName(one.id)}
              </option>
            ))}
          </select>
        </label>
        <label class="wide">
          {word("rota.file")}
          <input ref={file} type="file" accept=".ics,text/calendar" required data-testid="rota-file" />
        </label>
      </div>
      <button type="submit" disabled={deed.busy} data-testid="rota-save">
        {word("rota.save")}
      </button>
      {taken.value && (
        <p class="said" role="status" data-testid="rota-taken">
          {word("rota.taken", { shifts: taken.value.shifts })}{" "}
          {taken.value.holes.length > 0 && <b>{word("rota.taken.holes", { holes: taken.value.holes.length })}</b>}
        </p>
      )}
      <Refusal deed={deed} />
    </form>
  );
}
