/** Keys of the API: whose, for what, until when, when last used. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { IssuedKeyAnswer, KeyAnswer } from "../api/access";
import { post } from "../api/client";
import { useAnswer } from "../api/use-answer";
import { ConfirmedButton } from "../shell/confirmed-button";
import { Refusal, useDeed } from "../shell/trouble";
import { WideTable } from "../shell/wide-table";
import { word } from "../words/language";
import { Dated } from "./dated";
import { KeyForm } from "./key-form";
import { LimitsWords } from "./limits";
import { OfficePage } from "./office-page";
import { OneTimeSecret } from "./one-time-secret";

type KeyState = "works" | "expired" | "revoked";

const SIGNS: Record<KeyState, string> = { works: "✓", expired: "○", revoked: "■" };

function stateOf(key: KeyAnswer): KeyState {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= Date.now() ? "expired" : "works";
}

interface Row {
  known: KeyAnswer;
  issued: (key: IssuedKeyAnswer) => void;
  again: () => void;
}

function KeyDeeds({ known, issued, again }: Row): JSX.Element {
  const deed = useDeed();
  const place = `keys/${encodeURIComponent(known.id)}`;
  const seen = { seen: known.version };
  const run = async (what: () => Promise<unknown>): Promise<void> => {
    if (await deed.run(what)) again();
  };
  return (
    <>
      <div class="row">
        <ConfirmedButton
          name="key-rotate"
          label={word("key.rotate")}
          meaning={word("key.rotate.meaning")}
          busy={deed.busy}
          run={() => void run(async () => issued(await post<IssuedKeyAnswer>(`${place}/rotate`, {}, seen)))}
        />
        <ConfirmedButton
          name="key-revoke"
          label={word("key.revoke")}
          meaning={word("key.revoke.meaning")}
          busy={deed.busy}
          run={() => void run(() => post(`${place}/revoke`, {}, seen))}
        />
      </div>
      <Refusal deed={deed} again={again} />
    </>
  );
}

function KeyRow({ known, issued, again }: Row): JSX.Element {
  const state = stateOf(known);
  return (
    <tr data-testid="key-row" data-key={known.id}>
      <td>
        <b>{known.id}</b>
        <div class="quiet">{known.actor}</div>
      </td>
      <td>{known.permissions.map((permission) => word(`permission.${permission}`)).join(word("comma"))}</td>
      <td>
        <LimitsWords limits={known.limits} />
      </td>
      <td>
        <span class={`office-state ${state === "works" ? "ok" : "off"}`} data-testid="key-state" data-state={state}>
          <span aria-hidden="true">{SIGNS[state]}</span> {word(`key.state.${state}`)}
        </span>
        {known.previous_until && (
          <div class="quiet">
            {word("key.previous")} <Dated at={known.previous_until} empty="" />
          </div>
        )}
      </td>
      <td>
        <Dated at={known.expires_at} empty={word("key.expires.never")} />
      </td>
      <td>
        <Dated at={known.last_used_at} empty={word("key.unused")} />
      </td>
      <td>{state === "works" && <KeyDeeds known={known} issued={issued} again={again} />}</td>
    </tr>
  );
}

export function KeysPage(): JSX.Element {
  const { answer, problem, again } = useAnswer<KeyAnswer[]>("keys");
  const issuing = useSignal(false);
  const withEnded = useSignal(false);
  const fresh = useSignal<IssuedKeyAnswer | null>(null);
  const issued = (key: IssuedKeyAnswer): void => {
    fresh.value = key;
    again();
  };
  const ended = answer?.filter((key) => stateOf(key) !== "works").length ?? 0;
  const shown = answer?.filter((key) => withEnded.value || stateOf(key) === "works") ?? [];
  return (
    <OfficePage page="keys" loading={!answer} problem={problem} again={again}>
      {issuing.value ? (
        <KeyForm issued={issued} done={() => (issuing.value = false)} />
      ) : (
        <button type="button" class="primary begin" data-testid="key-add" onClick={() => (issuing.value = true)}>
          {word("key.add")}
        </button>
      )}
      {fresh.value && (
        <section aria-label={word("key.of", { key: fresh.value.id })}>
          <h2>{word("key.of", { key: fresh.value.id })}</h2>
          <OneTimeSecret secret={fresh.value.key} done={() => (fresh.value = null)} />
        </section>
      )}
      {ended > 0 && (
        <label class="check">
          <input type="checkbox" data-testid="keys-ended" checked={withEnded.value} onChange={(event) => (withEnded.value = event.currentTarget.checked)} />
          {word("keys.ended", { count: ended })}
        </label>
      )}
      {answer && !shown.length && <p class="quiet">{word("keys.none")}</p>}
      {shown.length > 0 && (
        <WideTable label={word("office.keys")}>
          <table data-testid="key-table">
            <thead>
              <tr>
                <th>{word("key.id")}</th>
                <th>{word("key.permissions")}</th>
                <th>{word("user.limits")}</th>
                <th>{word("key.state")}</th>
                <th>{word("key.expires")}</th>
                <th>{word("key.last-used")}</th>
                <th>{word("deeds")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((key) => (
                <KeyRow key={key.id} known={key} issued={issued} again={again} />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
    </OfficePage>
  );
}
