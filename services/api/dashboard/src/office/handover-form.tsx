/** Offers to hand a shift over: who goes, who comes, and a remark. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import type { ShiftChangeAnswer } from "../api/planning";
import { organisationName, organisations } from "../city/directory";
import { useOpenedForm } from "../shell/opened-form";
import { Refusal, useDeed } from "../shell/trouble";
import { say, word, wordFor } from "../words/language";

interface Person {
  label: string;
  chosen: string;
  people: readonly { id: string; name: string; post: { en: string; zh: string } }[];
  change: (person: string) => void;
  testid: string;
}

function PersonSelect({ label, chosen, people, change, testid }: Person): JSX.Element {
  return (
    <label>
      {label}
      <select value={chosen} data-testid={testid} onChange={(event) => change(event.currentTarget.value)}>
        <option value="">{word("handover.anybody")}</option>
        {people.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name} ({say(one.post)})
          </option>
        ))}
      </select>
    </label>
  );
}

interface Draft {
  organisation: string;
  role: string;
  outgoing: string;
  incoming: string;
  note: string;
}

interface Given {
  /** The change that it is for; null: one that no rota knows of. */
  change: ShiftChangeAnswer | null;
  done: () => void;
  again: () => void;
}

export function HandoverForm({ change: about, done, again }: Given): JSX.Element {
  const deed = useDeed();
  const form = useOpenedForm();
  const draft = useSignal<Draft>({
    organisation: about?.organisation ?? organisations.value[0]?.id ?? "",
    role: about?.role ?? "duty",
    outgoing: about?.goes[0] ?? "",
    incoming: about?.comes[0] ?? "",
    note: "",
  });
  const now = draft.value;
  const change = (part: Partial<Draft>): void => void (draft.value = { ...draft.value, ...part });
  const people = organisations.value.find((one) => one.id === now.organisation)?.people ?? [];
  const half = (now.outgoing === "") !== (now.incoming === "");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { outgoing, incoming, ...rest } = draft.value;
    const accepted = await deed.run(() => post("duty/handovers", { ...rest, outgoing: outgoing || null, incoming: incoming || null }));
    if (!accepted) return;
    again();
    done();
  };
  return (
    <form ref={form} class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="handover-form">
      <p class="quiet">{word("handover.offer.meaning")}</p>
      <div class="fields">
        <label>
          {word("duty.organisation")}
          <select
            value={now.organisation}
            data-testid="handover-organisation"
            onChange={(event) => change({ organisation: event.currentTarget.value, outgoing: "", incoming: "" })}
          >
            {organisations.value.map((one) => (
              <option key={one.id} value={one.id}>
                {organisationName(one.id)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {word("handover.post")}
          <select value={now.role} data-testid="handover-role" onChange={(event) => change({ role: event.currentTarget.value })}>
            {[...new Set([now.role, "duty", "crew"])].map((role) => (
              <option key={role} value={role}>
                {wordFor("duty.role", role)}
              </option>
            ))}
          </select>
        </label>
        <PersonSelect
          label={word("handover.goes")}
          chosen={now.outgoing}
          people={people}
          change={(outgoing) => change({ outgoing })}
          testid="handover-outgoing"
        />
        <PersonSelect
          label={word("handover.comes")}
          chosen={now.incoming}
          people={people.filter((one) => one.id !== now.outgoing)}
          change={(incoming) => change({ incoming })}
          testid="handover-incoming"
        />
        <label class="wide">
          {word("handover.note")}
          <textarea
            rows={2}
            maxLength={4000}
            data-testid="handover-note"
            value={now.note}
            onInput={(event) => change({ note: event.currentTarget.value })}
          />
        </label>
      </div>
      <p class={half ? "refusal" : "quiet"}>{word("handover.anybody.hint")}</p>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || half || !now.organisation} data-testid="handover-save">
          {word("handover.offer.save")}
        </button>
        <button type="button" onClick={done}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}
