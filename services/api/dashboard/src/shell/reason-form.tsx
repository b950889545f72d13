/** A deed that needs a reason: one line to press, and behind it the form that asks why. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { word } from "../words/language";
import { Refusal, useDeed } from "./trouble";

interface Reasoned {
  /** Beginning of the test names: `name`, `name-form`, `name-reason`, `name-save`. */
  name: string;
  /** The line that opens the form. */
  ask: string;
  /** What will happen, in a sentence. */
  meaning: string;
  save: string;
  hint?: string;
  /** Does it; a refusal stays below the form with what was written. */
  send: (reason: string) => Promise<unknown>;
  changed: () => void;
  /** Fields before the reason. */
  children?: ComponentChildren;
}

export function ReasonForm({ name, ask, meaning, save, hint, send, changed, children }: Reasoned): JSX.Element {
  const deed = useDeed();
  const writing = useSignal(false);
  const reason = useSignal("");
  const field = useRef<HTMLTextAreaElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const wasWriting = useRef(false);
  const open = writing.value;
  useEffect(() => {
    // The keyboard goes into the form with the person, and back to the line when it closes.
    if (open) field.current?.focus();
    else if (wasWriting.current) opener.current?.focus();
    wasWriting.current = open;
  }, [open]);
  if (!open) {
    return (
      <button ref={opener} type="button" class="link" data-testid={name} onClick={() => (writing.value = true)}>
        {ask}
      </button>
    );
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = reason.value.trim();
    if (!said) return;
    if (await deed.run(() => send(said))) {
      writing.value = false;
      reason.value = "";
    }
    changed();
  };
  return (
    <form class="deed" onSubmit={(event) => void submit(event)} data-testid={`${name}-form`}>
      <p class="quiet">{meaning}</p>
      {children}
      <label>
        {word("verdict.reason")}
        <textarea
          ref={field}
          rows={2}
          maxLength={2000}
          required
          data-testid={`${name}-reason`}
          placeholder={hint}
          value={reason.value}
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" disabled={deed.busy} data-testid={`${name}-save`}>
          {save}
        </button>
        <button type="button" onClick={() => (writing.value = false)}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}
