/** A secret that the service made and shows this once. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { word } from "../words/language";

export function OneTimeSecret({ secret, done }: { secret: string; done: () => void }): JSX.Element {
  const copied = useSignal(false);
  const copy = (): void => {
    // Where the browser keeps the clipboard back, the secret can still be selected by hand.
    navigator.clipboard?.writeText(secret).then(
      () => (copied.value = true),
      () => undefined,
    );
  };
  return (
    <div class="said" role="status" data-testid="one-time-secret">
      <p>{word("secret.once")}</p>
      <p>
        <code class="secret" data-testid="secret-value">
          {secret}
        </code>
      </p>
      <div class="row">
        <button type="button" onClick={copy}>
          {word(copied.value ? "secret.copied" : "secret.copy")}
        </button>
        <button type="button" data-testid="secret-done" onClick={done}>
          {word("secret.done")}
        </button>
      </div>
    </div>
  );
}
