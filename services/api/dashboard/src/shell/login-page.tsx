/** Asks for name and password, or for an API key, when nobody is signed in or the service does not accept it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { get, UnreachableError } from "../api/client";
import { forgetKey, useKey as enterWith } from "../api/key";
import { enter, WaitError } from "../api/session";
import { chooseLanguage, language, word } from "../words/language";

function said(error: unknown, refused: string): string {
  if (error instanceof WaitError) return word("login.wait", { minutes: Math.ceil(error.seconds / 60) });
  return error instanceof UnreachableError || error instanceof TypeError ? word("unreachable") : refused;
}

export function LoginPage(): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const withKey = useSignal(false);
  const provider = useSignal<string | null>(null);
  const refusal = useSignal("");
  const busy = useSignal(false);
  useEffect(() => {
    get<{ provider: string | null }>("login")
      .then((ways) => (provider.value = ways.provider))
      .catch(() => undefined);
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!form.current) return;
    const given = new FormData(form.current);
    const text = (name: string): string => String(given.get(name) ?? "");
    busy.value = true;
    refusal.value = "";
    try {
      if (withKey.value) {
        const key = text("key").trim();
        await get("lifelines", {}, key);
        enterWith(key);
      } else if (!(await enter(text("name"), text("password")))) refusal.value = word("login.wrong");
    } catch (error) {
      if (withKey.value) forgetKey();
      refusal.value = said(error, word("login.refused"));
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="login">
      <form ref={form} onSubmit={(event) => void submit(event)} data-testid="login-form">
        <h1>{word("name")}</h1>
        {withKey.value ? (
          <>
            <p class="quiet">{word("login.why")}</p>
            <label>
              {word("login.key")}
              <input type="password" name="key" autoComplete="off" spellcheck={false} required data-testid="login-key" />
            </label>
          </>
        ) : (
          <>
            <label>
              {word("login.name")}
              <input
                type="text"
                name="name"
                autoComplete="username"
                autoCapitalize="none"
                spellcheck={false}
                required
                data-testid="login-name"
              />
            </label>
            <label>
              {word("login.password")}
              <input type="password" name="password" autoComplete="current-password" required data-testid="login-password" />
            </label>
          </>
        )}
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
        {provider.value && (
          <p>
            <a href={provider.value} data-testid="login-provider">
              {word("login.with-provider")}
            </a>
          </p>
        )}
        <p>
          <button
            type="button"
            class="link"
            data-testid="login-way"
            onClick={() => {
              withKey.value = !withKey.value;
              refusal.value = "";
            }}
          >
            {word(withKey.value ? "login.with-name" : "login.with-key")}
          </button>
        </p>
      </form>
    </main>
  );
}
