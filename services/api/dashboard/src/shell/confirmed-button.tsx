/** A button that asks once more: for deeds that cannot be taken back. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { word } from "../words/language";

interface Confirmed {
  name: string;
  label: string;
  /** What follows, said before the second press. */
  meaning: string;
  busy: boolean;
  run: () => void;
}

export function ConfirmedButton({ name, label, meaning, busy, run }: Confirmed): JSX.Element {
  const asked = useSignal(false);
  const sure = useRef<HTMLButtonElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  const open = asked.value;
  useEffect(() => {
    if (open) sure.current?.focus();
    else if (wasOpen.current) opener.current?.focus();
    wasOpen.current = open;
  }, [open]);
  if (!open) {
    return (
      <button ref={opener} type="button" disabled={busy} data-testid={name} onClick={() => (asked.value = true)}>
        {label}
      </button>
    );
  }
  const confirm = (): void => {
    asked.value = false;
    run();
  };
  return (
    <span class="confirmed" role="group" aria-label={label}>
      <span class="quiet">{meaning}</span>{" "}
      <button ref={sure} type="button" class="primary" disabled={busy} data-testid={`${name}-sure`} onClick={confirm}>
        {label}
      </button>{" "}
      <button type="button" onClick={() => (asked.value = false)}>
        {word("cancel")}
      </button>
    </span>
  );
}
