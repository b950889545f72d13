/** What the keys do; opened and closed by the question mark. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { word } from "../words/language";
import { isForPage } from "./page-key";

const KEYS = [
  [["j"], "keys.next"],
  [["k"], "keys.before"],
  [["a"], "keys.acknowledge"],
  [["s"], "keys.silence"],
  [["Enter"], "keys.open"],
  [["u"], "keys.back"],
  [["?"], "keys.help"],
  [["Esc"], "keys.close"],
] as const;

const shown = signal(false);

export function KeyHelpButton(): JSX.Element {
  return (
    <button type="button" class="key-help" data-testid="key-help-open" title={word("keys")} aria-label={word("keys")} onClick={() => (shown.value = true)}>
      ?
    </button>
  );
}

export function KeyHelp(): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the page is painted: what can be seen can be used.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== "?" || (!shown.value && !isForPage(event))) return;
      event.preventDefault();
      shown.value = !shown.value;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const open = shown.value;
  useEffect(() => {
    // A modal dialogue keeps the keyboard inside and gives the focus back when it closes.
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="keys" data-testid="key-help" aria-labelledby="keys-title" onClose={() => (shown.value = false)}>
      {open && (
        <>
          <h2 id="keys-title">{word("keys")}</h2>
          <dl>
            {KEYS.map(([keys, meaning]) => (
              <div key={meaning}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{word(meaning)}</dd>
              </div>
            ))}
          </dl>
          <button type="button" data-testid="key-help-close" onClick={() => (shown.value = false)}>
            {word("close")}
          </button>
        </>
      )}
    </dialog>
  );
}
