/** Asks for the API key when there is none or the service does not accept it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { get, UnreachableError } from "../api/client";
import { forgetKey, useKey as enterWith } from "../api/key";
import { chooseLanguage, language, word } from "../words/language";

export function LoginPage(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const refusal = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const key = field.current?.value.trim();
    if (!key) return;
    busy.value = true;
    try {
      await get("lifelines", {}, key);
      enterWith(key);
    } catch (error) {
      forgetKey();
      refusal.value = error instanceof UnreachableError ? word("unreachable") : word("login.refused");
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)} data-testid="login-form">
        <h1>{word("name")}</h1>
        <p class="quiet">{word("login.why")}</p>
        <label>
          {word("login.key")}
          <input ref={field} type="password" name="key" autoComplete="off" spellcheck={false} required data-testid="login-key" />
        </label>
        {refusal.value && (
          <p role="alert" class="refusal">
            {refusal.value}
          </p>
        )}
        <div class="row">
          <button type="submit" class="primary" disabled={busy.value}>
            {word("login.enter")}
          </button>
          <button type="button" onClick={() => chooseLanguage(language.value === "zh" ? "en" : "zh")}>
            {language.value === "zh" ? "English" : "中文"}
          </button>
        </div>
      </form>
    </main>
  );
}
