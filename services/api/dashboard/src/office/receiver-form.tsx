/** Adds a way to tell an organisation; a signing secret that was made for it is shown this once. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { post } from "../api/client";
import { type Channel, CHANNELS, type CreatedReceiverAnswer } from "../api/office";
import { organisationName, organisations } from "../city/directory";
import { Refusal, useDeed } from "../shell/trouble";
import { word } from "../words/language";
import { OneTimeSecret } from "./one-time-secret";
import { SeveritySelect } from "./scope-selects";

interface Draft {
  id: string;
  organisation: string;
  channel: Channel;
  url: string;
  severity: number;
  secret: string;
  settings: string;
}

const FRESH: Draft = { id: "", organisation: "", channel: "webhook", url: "", severity: 1, secret: "", settings: "" };

/** The settings that were typed; null where they are no JSON object. */
function settingsOf(text: string): Record<string, unknown> | null {
  try {
    const given: unknown = JSON.parse(text.trim() || "{}");
    return typeof given === "object" && given !== null && !Array.isArray(given) ? (given as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function ReceiverForm({ changed }: { changed: () => void }): JSX.Element {
  const deed = useDeed();
  const draft = useSignal<Draft | null>(null);
  const made = useSignal<string | null>(null);
  if (!draft.value) {
    return (
      <>
        <button type="button" class="primary begin" data-testid="receiver-add" onClick={() => (draft.value = FRESH)}>
          {word("receiver.add")}
        </button>
        {made.value && <OneTimeSecret secret={made.value} done={() => (made.value = null)} />}
      </>
    );
  }
  const now = draft.value;
  // From the newest draft: two fields may change before the page is drawn again.
  const change = (part: Partial<Draft>): void => void (draft.value = { ...(draft.value ?? now), ...part });
  const organisation = now.organisation || organisations.value[0]?.id || "";
  const settings = settingsOf(now.settings);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!settings) return;
    const accepted = await deed.run(async () => {
      const created = await post<CreatedReceiverAnswer>("receivers", {
        id: now.id.trim(),
        organisation,
        channel: now.channel,
        url: now.url.trim(),
        minimum_severity: now.severity,
        settings,
        ...(now.secret ? { secret: now.secret } : {}),
      });
      made.value = created.secret;
    });
    if (accepted) draft.value = null;
    changed();
  };
  return (
    <form class="deed boxed" onSubmit={(event) => void submit(event)} data-testid="receiver-form">
      <div class="fields">
        <label>
          {word("receiver.name")}
          <input
            required
            maxLength={64}
            pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
            autoComplete="off"
            data-testid="receiver-id"
            value={now.id}
            onInput={(event) => change({ id: event.currentTarget.value })}
          />
        </label>
        <label>
          {word("duty.organisation")}
          <select value={organisation} data-testid="receiver-organisation" onChange={(event) => change({ organisation: event.currentTarget.value })}>
            {organisations.value.map((one) => (
              <option key={one.id} value={one.id}>
                {organisationName(one.id)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {word("receiver.channel")}
          <select value={now.channel} data-testid="receiver-channel" onChange={(event) => change({ channel: event.currentTarget.value as Channel })}>
            {CHANNELS.map((channel) => (
              <option key={channel} value={channel}>
                {word(`channel.${channel}`)}
              </option>
            ))}
          </select>
        </label>
        <label class="wide">
          {word("receiver.address")}
          <input
            required
            maxLength={2000}
            autoComplete="off"
            spellcheck={false}
            data-testid="receiver-url"
            placeholder={word(`channel.${now.channel}.address`)}
            value={now.url}
            onInput={(event) => change({ url: event.currentTarget.value })}
          />
        </label>
        <SeveritySelect name={word("receiver.from")} value={now.severity} testid="receiver-severity" change={(severity) => change({ severity })} />
        <label>
          {word("receiver.secret")}
          <input
            type="password"
            minLength={6}
            autoComplete="new-password"
            data-testid="receiver-secret"
            placeholder={now.channel === "webhook" ? word("receiver.secret.made") : ""}
            value={now.secret}
            onInput={(event) => change({ secret: event.currentTarget.value })}
          />
        </label>
        <label class="wide">
          {word("receiver.settings")}
          <textarea
            rows={2}
            spellcheck={false}
            data-testid="receiver-settings"
            aria-invalid={!settings}
            placeholder="{}"
            value={now.settings}
            onInput={(event) => change({ settings: event.currentTarget.value })}
          />
          {!settings && <small class="refusal">{word("receiver.settings.wrong")}</small>}
        </label>
      </div>
      <div class="row">
        <button type="submit" class="primary" disabled={deed.busy || !settings} data-testid="receiver-save">
          {word("receiver.save")}
        </button>
        <button type="button" onClick={() => (draft.value = null)}>
          {word("cancel")}
        </button>
      </div>
      <Refusal deed={deed} />
    </form>
  );
}
